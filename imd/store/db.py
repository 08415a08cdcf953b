"""The database: writes wait in one queue, are committed in groups, and are completed in commit order.

    write(work, done)   work(tx) runs inside the transaction of a group. If it fails, it alone is undone. It may run
                        a second time if another work of the group had to be undone. done(value, error) is called
                        in the reactor once the group is synced to disk.
    read(work)          work(tx) runs on a snapshot, in another thread; returns a Deferred

All that is special to SQLite is in `sqlite`. `deliver` gets the completions of each group, and calls them.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import attrs
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from imd.store.sqlite import Sqlite
from imd.store.transaction import Result, Tx, Work

T = TypeVar("T")
Done = Callable[[Any, Exception | None], None]
Call = Callable[[], object]


class StoreUnavailable(Exception):
    """The write was not stored, or that is not known: the queue is full, the disk failed, or the database closes."""


class QueueFull(StoreUnavailable):
    """The write was not stored: too many writes wait before it."""


@attrs.frozen
class Group:
    """The outcome of a group: its completions in commit order, its number of writes, and the time they took."""

    completions: list[Call]
    writes: int
    seconds: float


def call_at_once(group: Group) -> None:
    """Call the completions of a group."""
    for completion in group.completions:
        complete(completion)


def complete(completion: Call) -> None:
    """Call one completion. Its errors are logged, so that the others are still called."""
    try:
        completion()
    except Exception:
        Database.log.failure("a write's completion failed")


def _nothing(tx: Tx) -> None:
    """Change nothing: the work of a write that only waits for earlier writes."""


@attrs.define(eq=False)
class Database:
    """One database. Use it while the reactor runs, then `close` it."""

    log = Logger()

    clock: IReactorTime
    backend: Sqlite
    deliver: Callable[[Group], None] = call_at_once
    """Calls a group's completions in order, now or in later turns of the reactor."""

    waiting_limit: int = 10_000
    """How many writes may wait before new ones are refused."""

    group_limit: int = 500
    """How many writes go into one commit, so that none of them waits for too many others."""

    epoch: str = attrs.field(default=attrs.Factory(lambda self: self.backend.epoch, takes_self=True), init=False)
    """The name of this database's life, see `status`."""

    group_seconds: float = attrs.field(default=0.0, init=False)
    """How long the latest group took, including its commit."""

    _waiting: list[tuple[Work, Done]] = attrs.field(factory=list, init=False)
    _writing: bool = attrs.field(default=False, init=False)
    _committed: "Group | None" = attrs.field(default=None, init=False)
    """A committed group that is delivered after the one before it."""

    _delivering: bool = attrs.field(default=False, init=False)
    _closing: "Deferred[None] | None" = attrs.field(default=None, init=False)

    @classmethod
    def open(cls, path: str, reactor: Any, deliver: Callable[[Group], None] = call_at_once) -> "Database":
        """Open an SQLite file; it is created or migrated first. Raises NewerSchema and sqlite3.Error."""
        return cls(clock=reactor, backend=Sqlite.open(path, reactor), deliver=deliver)

    @property
    def waiting(self) -> int:
        """How many writes wait for the writer."""
        return len(self._waiting)

    @property
    def idle(self) -> bool:
        """Whether all accepted writes are completed."""
        return not (self._waiting or self._writing or self._committed or self._delivering)

    def write(self, work: Work, done: Done) -> None:
        """Queue a work. `done` gets its value, or the error that undid it. Call `objection` first."""
        if not self._waiting and not self._writing:
            self.clock.callLater(0, self._begin)  # later, so that all writes of this reactor turn share one commit
        self._waiting.append((work, done))

    def objection(self) -> StoreUnavailable | None:
        """Return the reason why no write is accepted now, or None."""
        if self._closing is not None:
            return StoreUnavailable("closing")
        return QueueFull("the queue is full") if len(self._waiting) >= self.waiting_limit else None

    def written(self, work: Callable[[Tx], T]) -> "Deferred[T]":
        """Write, for code that awaits: fires with the work's value once it is on disk."""
        if error := self.objection():
            return fail(error)
        waiting: Deferred[T] = Deferred()
        self.write(work, lambda value, error: waiting.errback(error) if error else waiting.callback(value))
        return waiting

    def settled(self) -> "Deferred[None]":
        """Wait for the completion of all writes accepted so far. By then all that readers can see now was announced."""
        waiting: Deferred[None] = Deferred()
        if self.idle:
            waiting.callback(None)
        else:
            self.write(_nothing, lambda value, error: waiting.callback(None))
        return waiting

    def _begin(self) -> None:
        """Start the next group, unless the writer is busy or a committed group still waits for delivery."""
        if self._writing or self._committed or not self._waiting:
            return
        group = self._waiting[: self.group_limit]
        del self._waiting[: self.group_limit]
        self._writing = True
        writing = self.backend.write([work for work, _ in group]).addErrback(self._failed, len(group))
        writing.addCallback(self._written, [done for _, done in group])
        writing.addErrback(lambda failure: self.log.failure("a group was not completed", failure))

    def _failed(self, failure: Failure, count: int) -> tuple[list[Result], float]:
        self.log.failure("commit failed; {count} writes are not stored", failure, count=count)
        return [(None, StoreUnavailable(str(failure.value)))] * count, self.group_seconds

    def _written(self, written: tuple[list[Result], float], waiting: list[Done]) -> None:
        self._writing = False
        results, self.group_seconds = written
        completions = [partial(done, *result) for done, result in zip(waiting, results, strict=True)]
        self._committed = Group([*completions, self._delivered], len(waiting), self.group_seconds)
        if not self._delivering:
            self._deliver()

    def _deliver(self) -> None:
        """Deliver the committed group, while the writer works on the next one."""
        assert self._committed is not None
        group, self._committed, self._delivering = self._committed, None, True
        self._begin()
        self.deliver(group)

    def _delivered(self) -> None:
        self._delivering = False
        if self._committed is not None:
            self._deliver()
        elif self._closing is not None and self.idle:
            self._closing.callback(None)

    def read(self, work: Callable[[Tx], T]) -> "Deferred[T]":
        """Read on one snapshot."""
        if self._closing is not None:
            return fail(StoreUnavailable("closing"))  # a stopped pool would never fire
        return self.backend.read(work)

    def scrub(self) -> "Deferred[bool]":
        """Remove deleted content from the database's files. False if it must be tried again later."""
        if self._closing is not None:
            return fail(StoreUnavailable("closing"))
        return self.backend.scrub()

    async def close(self) -> None:
        """Finish all queued writes, then close the database. New requests are refused from now on."""
        if self._closing is None:
            self._closing = Deferred()
            if not self.idle:
                await self._closing
            self.backend.close()
