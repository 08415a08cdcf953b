"""Crews: threads of their own for work that would hold up the reactor, the writer or the readers."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import attrs
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from imd.wire.refusals import Unavailable

T = TypeVar("T")

MOST_WAITING = 200
RETRY_SECONDS = 3
"""When a full queue is worth another try: so long it takes to work off the default one."""


class Executor(Protocol):
    """Who does work that takes its time."""

    def do(self, work: Callable[[], T]) -> "Deferred[T]":
        """Run it somewhere."""

    def stop(self) -> None:
        """Let the threads go."""


class InlineExecutor:
    """Works at once: for tests, and for the command line beside a stopped daemon."""

    def do(self, work: Callable[[], T]) -> "Deferred[T]":
        """Run it here and now."""
        return maybeDeferred(work)

    def stop(self) -> None:
        """Have nothing to let go."""


@attrs.define
class ThreadExecutor:
    """Works in a small pool with a bounded queue."""

    reactor: Any
    name: str
    threads: int = 1
    niceness: int = 0
    """How far each thread stands back behind the others, where the system can do that."""

    _pool: ThreadPool | None = None
    waiting: int = 0
    _stopped: bool = False

    def do(self, work: Callable[[], T]) -> "Deferred[T]":
        """Run it in a thread; refuses `unavailable` when too many wait, and after the end."""
        if self._stopped or self.waiting >= MOST_WAITING:
            raise Unavailable("busy", retry_after=RETRY_SECONDS)
        if self._pool is None:
            self._pool = ThreadPool(0, self.threads, name=self.name)
            self._pool.start()
        self.waiting += 1
        return deferToThreadPool(self.reactor, self._pool, self._standing_back, work).addBoth(self._done)

    def _standing_back(self, work: Callable[[], T]) -> T:
        if sys.platform == "linux" and os.getpriority(os.PRIO_PROCESS, 0) < self.niceness:  # there, of one thread
            with suppress(OSError):  # forbidden: then it stands where the others do
                os.setpriority(os.PRIO_PROCESS, 0, self.niceness)
        return work()

    def _done(self, result: T) -> T:
        self.waiting -= 1
        return result

    def stop(self) -> None:
        """Let the threads go."""
        self._stopped = True
        if self._pool is not None:
            self._pool.stop()
            self._pool = None
