"""A client and a server in memory, with every byte between them in the hands of the test."""

from collections.abc import Callable
from typing import Any

import attrs
from imd_client import Arrived, Client, Credentials, State
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectError, ConnectionLost
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from imd.testing import PASSWORD, MemoryServer, Terminal
from imd.wire.messages import Message


class ClientTransport(StringTransport):
    """The client's end: closing it is a wish that the link grants."""

    def abortConnection(self) -> None:
        self.disconnecting = True


@attrs.define(eq=False)
class Link:
    """One connection."""

    protocol: Any
    transport: ClientTransport
    terminal: Terminal
    down: bytes = b""
    """What the server sent and the client has not read yet."""

    written: bytes = b""
    """All that the client wrote."""

    cut_off: bool = False

    def to_server(self) -> bool:
        """Carry what the client wrote. Says whether anything was."""
        data = self.transport.value()
        self.transport.clear()
        self.written += data
        if data and not self.terminal.gone:
            self.terminal.send(data)
        return bool(data)

    def to_client(self, most: int | None = None) -> bool:
        """Carry what the server wrote, or the first bytes of it. Says whether anything was."""
        self.down += self.terminal.transport.value()
        self.terminal.transport.clear()
        data, self.down = self.down[:most], self.down[most:] if most is not None else b""
        if data and not self.cut_off:
            self.protocol.dataReceived(data)
        if self.transport.disconnecting or (self.terminal.gone and not self.down):
            self.cut()
        return bool(data)

    def cut(self) -> None:
        """Break it: whatever is on the way is lost."""
        if not self.cut_off:
            self.cut_off = True
            self.terminal.hang_up()
            self.protocol.connectionLost(Failure(ConnectionLost()))


@implementer(IStreamClientEndpoint)
@attrs.define(eq=False)
class Network:
    """An endpoint that leads to the server in memory; it does not while `up` is false."""

    server: MemoryServer
    up: bool = True
    links: list[Link] = attrs.Factory(list)
    clock: Clock = attrs.Factory(Clock)
    """The clients' time: a client that is killed does nothing more, since its time stands still."""

    def connect(self, factory: IProtocolFactory) -> "Deferred[Any]":
        if not self.up:
            return fail(ConnectError())
        terminal = self.server.connect()
        protocol: Any = factory.buildProtocol(None)
        transport = ClientTransport()
        self.links.append(Link(protocol, transport, terminal))
        protocol.makeConnection(transport)
        return succeed(protocol)

    @property
    def last(self) -> Link:
        return self.links[-1]

    def cut(self) -> None:
        """Break every connection."""
        for link in self.links:
            link.cut()

    def turn(self) -> None:
        """Let happen what is due now."""
        self.server.settle()
        self.clock.advance(0)

    def settle(self) -> None:
        """Carry bytes both ways until everything is quiet."""
        moved = True
        while moved:
            self.turn()
            moved = False
            for link in self.links:
                if not link.cut_off:
                    moved = link.to_server() | link.to_client() | moved
        self.turn()

    def pass_time(self, seconds: float) -> None:
        """Let time go by, with everything carried that it brings about."""
        for _ in range(round(seconds * 2)):
            self.server.pass_time(0.5)
            self.clock.advance(0.5)
            self.settle()


@attrs.define(eq=False)
class Person:
    """Somebody with our client, and what it told."""

    client: Client
    network: Network
    told: list[Any]

    def of(self, *kinds: type) -> list[Any]:
        """List what was told of some kinds."""
        return [each for each in self.told if isinstance(each, kinds)]

    def texts(self) -> list[str]:
        """List what arrived: `bob: hi`."""
        return [said(each.message) for each in self.of(Arrived)]

    def send(self, to: str, content: str) -> "Deferred[Any]":
        """Send, and let it be carried."""
        sent = self.client.send(to, content)
        self.network.settle()
        return sent


def said(message: Message) -> str:
    return f"{message.sender}: {message.content}"


def person(
    network: Network,
    username: str,
    state: State | None = None,
    make: Callable[..., Client] = Client,
    **credentials: Any,
) -> Person:
    """Start a client in memory; it registers itself."""
    told: list[Any] = []
    mine = Credentials(**({"password": PASSWORD, "register": True} | credentials))
    account = (state or State()).account("memory:7373", username)
    client = make(account, mine, told.append, reactor=network.clock, endpoint=network)
    client.startService()
    network.settle()
    return Person(client, network, told)


def results(deferred: "Deferred[Any]") -> list[Any]:
    """Take what a Deferred has come to, or its exception."""
    found = []
    deferred.addCallbacks(found.append, lambda failure: found.append(failure.value))
    return found


def live(rev: int, conversation: int = 1) -> Message:
    fields = {"sender": "bob", "to": "bob", "kind": "text", "content": "?", "time": "2026-11-23T06:25:18.123Z"}
    return Message(conversation=conversation, seq=rev, rev=rev, **fields)  # type: ignore[arg-type]
