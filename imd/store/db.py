"""The database: one writer thread that commits in groups, and a few readers beside it.

    write(work, done)   work(tx) runs in the writer thread inside the group's transaction; if it fails it is undone
                        alone, and it may be called a second time where another piece had to be undone;
                        done(value, error) is called in the reactor once the group is synced to disk, in commit order
    read(work)          work(tx) runs in a reader thread on a snapshot; gives a Deferred

Pitfall this file is built around: Python's sqlite3 opens no transaction for SAVEPOINT, so without the explicit
BEGIN IMMEDIATE each RELEASE would be a commit of its own.
"""

import sqlite3
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import attrs
from twisted.enterprise import adbapi
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from imd.store import status
from imd.store.confusables import skeleton
from imd.store.migrations import migrate
from imd.store.transaction import Tx

T = TypeVar("T")
Done = Callable[[Any, Exception | None], None]
Result = tuple[Any, Exception | None]

SLOW_SECONDS = 0.020
"""A piece of work that takes longer is logged: it holds up everybody's writes."""

ANSWER_SECONDS = 0.004
"""How long completions are called in a turn of the reactor: each may tell a group of many."""

BUSY_MILLISECONDS = 5000
"""How long a connection waits for another one's lock."""


class StoreUnavailable(Exception):
    """The write was not stored, or it is not known whether it was: the queue is full or the disk failed."""


class QueueFull(StoreUnavailable):
    """The write was not stored: too many wait before it."""


@attrs.define
class Write:
    """One piece of work with its completion."""

    work: Callable[[Tx], Any]
    done: Done
    after: list[Done] | None = None
    """What is called next, such as completions of later writes that were turned away: they come in their turn."""


_Group = tuple[list[Write], "Deferred[list[Result]]"]
"""Writes that were handed to the writer, and what will become of them."""


class Pool(Protocol):
    """What the database needs of `adbapi.ConnectionPool`."""

    def runWithConnection(self, func: Callable[..., T], *args: Any) -> "Deferred[T]":
        """Call func(connection, *args) in a thread of the pool."""

    def close(self) -> None:
        """Stop the threads and close their connections."""


def connect(path: str) -> sqlite3.Connection:
    """Open the file as imd needs it: explicit transactions, WAL, a sync at each commit."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    prepare(connection)
    return connection


def prepare(connection: sqlite3.Connection) -> None:
    """Set what must be set on every connection. NORMAL instead of FULL loses acknowledged messages at power loss.

    secure_delete overwrites with zeros what is deleted: a burned message must not lie in a free page.
    """
    connection.create_function("skeleton", 1, skeleton, deterministic=True)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS:d}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")


class _Unclean(Exception):
    """A piece failed after it had changed something, and no savepoint was set before it."""


def run_batch(connection: sqlite3.Connection, batch: list[Write]) -> list[Result]:
    """Run a group in one transaction; a piece that fails is undone alone. Gives each one's value or error.

    Most pieces that fail are refused before they change anything, so the group is first run without savepoints, which
    cost each piece two statements. Where one must be undone, the group is undone and run anew with them.
    Raises what BEGIN or COMMIT raised: then nothing of the group is stored.
    """
    try:
        return _transaction(connection, batch, _run)
    except _Unclean:
        return _transaction(connection, batch, _run_in_savepoint)


def _transaction(
    connection: sqlite3.Connection, batch: list[Write], run: Callable[[sqlite3.Connection, Callable[[Tx], Any]], Result]
) -> list[Result]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        results = [run(connection, write.work) for write in batch]
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return results


def _run(connection: sqlite3.Connection, work: Callable[[Tx], Any]) -> Result:
    begun, changes = time.perf_counter(), connection.total_changes
    result: Result
    try:
        result = work(connection), None
    except Exception as raised:
        if not connection.in_transaction:  # a full disk makes SQLite undo the whole transaction
            raise
        if connection.total_changes != changes:
            raise _Unclean from raised
        result = None, raised
    if time.perf_counter() - begun > SLOW_SECONDS:
        Database.log.warn("slow write: {work}", work=work)
    return result


def _run_in_savepoint(connection: sqlite3.Connection, work: Callable[[Tx], Any]) -> Result:
    result: Result
    connection.execute("SAVEPOINT piece")
    try:
        result = work(connection), None
    except Exception as raised:
        if not connection.in_transaction:
            raise
        connection.execute("ROLLBACK TO piece")
        result = None, raised
    connection.execute("RELEASE piece")
    return result


@attrs.define(eq=False)
class Database:
    """One SQLite file. `open` it, use it while the reactor runs, `close` it."""

    log = Logger()

    clock: IReactorTime
    writer: Pool
    readers: Pool
    epoch: str = ""
    """The name of this database's life, see `life`."""

    waiting_limit: int = 10_000
    """How many writes may wait before new ones are refused."""

    batch_limit: int = 500
    """How many writes go into one commit, so that none waits for too many others."""

    after_batch: Callable[[], None] = lambda: None
    """Called when a group's completions have all been called: the moment to flush what they wrote."""

    held_up: Callable[[], bool] = lambda: False
    """Asked before each completion: whether it should wait for a turn of the reactor."""

    measure: Callable[[int, float], None] | None = None
    """Called with a group's size and how long the writer took for it."""

    group_seconds: float = attrs.field(default=0.0, init=False)
    """How long the writer took for the latest group, its commit included."""

    _waiting: list[Write] = attrs.field(factory=list, init=False)
    _latest: Write | None = attrs.field(default=None, init=False)
    """The write that was taken last, until it is answered."""

    _busy: bool = attrs.field(default=False, init=False)
    answering: bool = attrs.field(default=False, init=False)
    """Whether a group's completions are being called."""

    _closing: "Deferred[None] | None" = attrs.field(default=None, init=False)

    @classmethod
    def open(cls, path: str, reactor: Any, *, readers: int = 2) -> "Database":
        """Open the file, made or brought up to date first. Raises NewerSchema and sqlite3.Error."""
        connection = connect(path)
        migrate(connection)
        epoch = status.epoch(connection)
        connection.close()

        def pool(size: int, *, query_only: bool) -> Pool:
            def opened(raw: sqlite3.Connection) -> None:
                prepare(raw)
                if query_only:
                    raw.execute("PRAGMA query_only = ON")

            settings: dict[str, Any] = {"isolation_level": None, "check_same_thread": False}
            made = adbapi.ConnectionPool(
                "sqlite3", path, cp_min=1, cp_max=size, cp_openfun=opened, cp_reactor=reactor, **settings
            )
            # Bare connections: adbapi's own looks each call up by name, and nobody needs it here.
            made.connectionFactory = lambda pool: pool.connect()  # type: ignore[assignment]  # any callable, it says
            return made

        return cls(clock=reactor, writer=pool(1, query_only=False), readers=pool(readers, query_only=True), epoch=epoch)

    def write(self, work: Callable[[Tx], Any], done: Done) -> None:
        """Queue a piece of work; `done` is called with its value, or with the error that undid it."""
        if error := self._objection():
            self._turn_away(done, error)
            return
        if not self._waiting and not self._busy:
            self.clock.callLater(0, self._start)  # so that one commit takes in what this reactor turn still brings
        self._latest = Write(work, done)
        self._waiting.append(self._latest)

    def _objection(self) -> StoreUnavailable | None:
        """Say why no write is taken now, if none is."""
        if self._closing is not None:
            return StoreUnavailable("closing")
        return QueueFull("the queue is full") if len(self._waiting) >= self.waiting_limit else None

    def _turn_away(self, done: Done, error: StoreUnavailable) -> None:
        """Refuse a write, in its turn: after those that were taken before it."""
        if self._latest is None:
            done(None, error)
            return
        self._afterwards(self._latest, lambda *nothing: done(None, error))

    def settled(self) -> "Deferred[None]":
        """Wait until all that was taken so far is answered. What a reader can see by now has been told then."""
        waiting: Deferred[None] = Deferred()
        if self._latest is None:
            waiting.callback(None)
        else:
            self._afterwards(self._latest, lambda *nothing: waiting.callback(None))
        return waiting

    def _afterwards(self, write: Write, done: Done) -> None:
        write.after = write.after or []
        write.after.append(done)

    def _start(self) -> None:
        if not self.answering and (group := self._hand_over()):
            self._answer(*group)

    def _hand_over(self) -> "_Group | None":
        """Give the next group to the writer, unless it is at work."""
        if self._busy or not self._waiting:
            return None
        batch = self._waiting[: self.batch_limit]
        del self._waiting[: self.batch_limit]
        self._busy = True
        running = self.writer.runWithConnection(self._timed, batch)
        return batch, running.addErrback(self._failed, len(batch))

    def _timed(self, connection: sqlite3.Connection, batch: list[Write]) -> list[Result]:
        begun = time.perf_counter()
        results = run_batch(connection, batch)
        self.group_seconds = time.perf_counter() - begun
        return results

    @property
    def waiting(self) -> int:
        """How many writes wait for the writer."""
        return len(self._waiting)

    def _failed(self, failure: Failure, count: int) -> list[Result]:
        self.log.failure("commit failed; {count} writes are not stored", failure, count=count)
        return [(None, StoreUnavailable(str(failure.value)))] * count

    def _answer(self, batch: list[Write], running: "Deferred[list[Result]]") -> None:
        running.addCallback(self._committed, batch)
        running.addErrback(lambda failure: self.log.failure("a group was not answered", failure))

    def _committed(self, results: list[Result], batch: list[Write]) -> None:
        self._busy = False
        if self.measure is not None:
            self._quietly(self.measure, len(batch), self.group_seconds)
        self.answering = True
        self._complete(deque(zip(batch, results, strict=True)), None)

    def _complete(self, answers: deque[tuple[Write, Result]], following: _Group | None) -> None:
        """Call some completions; the rest in the next turns. The next group syncs meanwhile, and is answered after."""
        following = following or self._hand_over()
        until = self.clock.seconds() + ANSWER_SECONDS
        while answers and not self.held_up():
            write, (value, error) = answers.popleft()
            self._quietly(write.done, value, error)
            later = [Write(write.work, done) for done in write.after or ()]
            answers.extendleft((each, (None, None)) for each in reversed(later))
            if write is self._latest:
                self._latest = later[-1] if later else None
            if self.clock.seconds() > until:
                break
        if answers:
            self.clock.callLater(0, self._complete, answers, following)
            return
        self.answering = False
        self._quietly(self.after_batch)
        if following:
            self._answer(*following)
        elif self._closing is not None and not self._waiting:
            self._closing.callback(None)

    def _quietly(self, call: Callable[..., None], *args: Any) -> None:
        """Call what must not keep the others from being called."""
        try:
            call(*args)
        except Exception:
            self.log.failure("a write's completion failed")

    def written(self, work: Callable[[Tx], T]) -> "Deferred[T]":
        """Write, for code that waits: fires with the work's value once it is on disk; is refused at once."""
        if error := self._objection():
            return fail(error)
        waiting: Deferred[T] = Deferred()
        self.write(work, lambda value, error: waiting.errback(error) if error else waiting.callback(value))
        return waiting

    def read(self, work: Callable[[Tx], T]) -> "Deferred[T]":
        """Read on one snapshot."""
        if self._closing is not None:
            return fail(StoreUnavailable("closing"))  # a pool that has stopped would never answer
        return self.readers.runWithConnection(_snapshot, work)

    def scrub(self) -> "Deferred[bool]":
        """Empty the write-ahead log, where older states of pages lie. False while a reader needs it."""
        if self._closing is not None:
            return fail(StoreUnavailable("closing"))
        return self.writer.runWithConnection(_checkpoint)

    async def close(self) -> None:
        """Finish what was queued, then close the file. What is asked after this is refused."""
        if self._closing is None:
            self._closing = Deferred()
            if self._busy or self._waiting or self.answering:
                await self._closing
            self.writer.close()
            self.readers.close()


def _checkpoint(connection: sqlite3.Connection) -> bool:
    connection.execute("PRAGMA busy_timeout = 0")  # the writer must not wait for readers
    (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS:d}")
    return not busy


def _snapshot(connection: sqlite3.Connection, work: Callable[[Tx], T]) -> T:
    connection.execute("BEGIN")
    try:
        return work(connection)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
