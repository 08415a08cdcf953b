"""A whole server in memory, for our tests and for yours: no sockets, no threads, and a clock that the test moves.

server = MemoryServer()
alice = server.connect()
alice.say("REGISTER alice correct horse battery")
assert alice.heard() == ["OK REGISTER username=alice"]
"""

import functools
import json
import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

import attrs
from argon2 import PasswordHasher
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from imd.chat.base.limits import Limits
from imd.chat.policies import standing
from imd.engine.executor import InlineExecutor
from imd.engine.pacing import Pacing
from imd.engine.passwords import Passwords
from imd.engine.server import Server
from imd.net.connection import ImdProtocol
from imd.net.factory import ImdFactory
from imd.store import db, sqlite, status
from imd.store.migrations import migrate

T = TypeVar("T")

EPOCH = 1_790_000_000_000
"""The time at which the server starts, in milliseconds: 2026-09-21T14:13:20Z."""

PASSWORD = "correct horse battery"  # noqa: S105  # nosec B105  # of all accounts in tests
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class InlinePool:
    """Runs database work at once in the calling thread, on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def runWithConnection(self, func: Callable[..., T], *args: Any) -> "Deferred[T]":
        """Call func(connection, *args) now."""
        return maybeDeferred(func, self.connection, *args)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


@functools.cache
def _empty() -> bytes:
    connection = sqlite.connect(":memory:")
    migrate(connection)
    return connection.serialize()


def memory_connection() -> sqlite3.Connection:
    """Open an empty database in memory. Its schema takes 30 ms, so it is made once for all."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.deserialize(_empty())
    sqlite.prepare(connection)
    return connection


def inline_database(path: str, clock: Any, deliver: Callable[[db.Group], None] = db.call_at_once) -> db.Database:
    """Open a database that works in the calling thread: a file, or `:memory:`."""
    if path == ":memory:":
        connection = memory_connection()
    else:
        connection = sqlite.connect(path)
        migrate(connection)
    pool = InlinePool(connection)
    backend = sqlite.Sqlite(writer=pool, readers=pool, epoch=status.epoch(connection))
    return db.Database(clock=clock, backend=backend, deliver=deliver)


class MemoryTransport(StringTransport):
    """A transport in memory that notes when the server aborts it."""

    aborted = False

    def __init__(self, host: str) -> None:
        super().__init__(peerAddress=IPv4Address("TCP", host, 54321))

    def abortConnection(self) -> None:
        """Close at once."""
        self.aborted = True
        self.loseConnection()


@attrs.define(eq=False)
class Terminal:
    """One client of the server in memory."""

    server: "MemoryServer"
    protocol: ImdProtocol
    transport: MemoryTransport
    gone: bool = False

    def send(self, data: bytes) -> None:
        """Send bytes, as they are."""
        self.protocol.dataReceived(data)
        self.server.settle()

    def say(self, line: str) -> None:
        """Type a line."""
        self.send(line.encode() + b"\n")

    def ask(self, action: str, **fields: Any) -> None:
        """Send a JSON request."""
        self.say(json.dumps({"action": action, **fields}, ensure_ascii=False))

    def heard(self) -> list[str]:
        """Return the lines received since the last call."""
        self.server.settle()
        data: str = self.transport.value().decode()
        self.transport.clear()
        return data.split("\r\n")[:-1]

    def objects(self) -> list[dict[str, Any]]:
        """Return the JSON lines received since the last call."""
        return [json.loads(line) for line in self.heard() if line.startswith("{")]

    def call(self, action: str, **fields: Any) -> dict[str, Any]:
        """Send a JSON request and return its reply. All other lines are dropped."""
        self.ask(action, **fields)
        return [each for each in self.objects() if "status" in each][-1]

    def hang_up(self) -> None:
        """Break the connection from this side."""
        if not self.gone:
            self.gone = True
            self.protocol.connectionLost(Failure(ConnectionResetError()))
            self.server.settle()

    @property
    def closed(self) -> bool:
        """Whether the server ended the connection."""
        return bool(self.transport.disconnecting)


class MemoryServer:
    """A server on an empty database. Its time is `clock` alone."""

    def __init__(self, limits: Limits | None = None, registration: str = "open", path: str = ":memory:") -> None:
        self.clock = Clock()
        self.pacing = Pacing(self.clock)
        self.database = inline_database(path, self.clock, self.pacing.deliver)
        self.server = Server(
            database=self.database,
            reactor=self.clock,
            pacing=self.pacing,
            limits=limits or Limits(),
            registration=registration,
            passwords=Passwords(InlineExecutor(), CHEAP),
            export_executor=InlineExecutor(),
            now=lambda: EPOCH + int(self.clock.seconds() * 1000),
        )
        self.database.read(standing).addCallback(self.server.apply_policy)
        self.factory = ImdFactory(self.server)
        self.server.jobs.start()
        self.terminals: list[Terminal] = []

    def connect(self, host: str = "127.0.0.1") -> Terminal:
        """Connect a client from an address. Raises ConnectionRefusedError if the server refuses it."""
        protocol = self.factory.buildProtocol(IPv4Address("TCP", host, 54321))
        if protocol is None:
            raise ConnectionRefusedError
        transport = MemoryTransport(host)
        terminal = Terminal(self, protocol, transport)
        self.terminals.append(terminal)
        protocol.makeConnection(transport)
        return terminal

    def login(self, username: str, *, password: str = PASSWORD, **fields: Any) -> Terminal:
        """Connect a client, register the account unless it exists, and log in by JSON."""
        terminal = self.connect()
        terminal.call("register", username=username, password=password)
        reply = terminal.call("login", username=username, password=password, **fields)
        assert reply["status"] == "success", reply
        return terminal

    def stop(self) -> None:
        """Stop, so that another server may open the same file."""
        self.server.jobs.stop()
        self.server.exports.close()
        self.database.backend.close()

    @property
    def timers(self) -> list[IDelayedCall]:
        """The timers that connections have set; the server's own jobs are not among them."""
        jobs = self.server.jobs
        return [call for call in self.clock.getDelayedCalls() if call is not jobs.timer]

    def settle(self) -> None:
        """Run everything that is due now."""
        while any(call.getTime() <= self.clock.seconds() for call in self.clock.getDelayedCalls()):
            self.clock.advance(0)
        for terminal in self.terminals:
            if terminal.closed:
                terminal.hang_up()

    def pass_time(self, seconds: float) -> None:
        """Advance the clock, and run what becomes due."""
        self.clock.advance(seconds)
        self.settle()
