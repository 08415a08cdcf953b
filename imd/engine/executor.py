"""Executors: separate threads for work that would delay the reactor, the writer or the readers."""

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
"""When to try again after a full queue: about the time that a full default queue takes."""


class Executor(Protocol):
    """Runs work that takes long."""

    def submit(self, work: Callable[[], T]) -> "Deferred[T]":
        """Run a function; fires with its result."""

    def stop(self) -> None:
        """Stop the threads."""


class InlineExecutor:
    """Runs work at once in the calling thread: for tests, and for commands that run without the daemon."""

    def submit(self, work: Callable[[], T]) -> "Deferred[T]":
        """Run a function now."""
        return maybeDeferred(work)

    def stop(self) -> None:
        """Do nothing: there are no threads."""


@attrs.define
class ThreadExecutor:
    """Runs work in a small thread pool with a bounded queue."""

    reactor: Any
    name: str
    threads: int = 1
    niceness: int = 0
    """The priority of the threads, as for nice(1). Only Linux sets it for single threads."""

    _pool: ThreadPool | None = None
    waiting: int = 0
    _stopped: bool = False

    def submit(self, work: Callable[[], T]) -> "Deferred[T]":
        """Run a function in a thread; refuses `unavailable` when too many wait, and after `stop`."""
        if self._stopped or self.waiting >= MOST_WAITING:
            raise Unavailable("busy", retry_after=RETRY_SECONDS)
        if self._pool is None:
            self._pool = ThreadPool(0, self.threads, name=self.name)
            self._pool.start()
        self.waiting += 1
        return deferToThreadPool(self.reactor, self._pool, self._run_nice, work).addBoth(self._done)

    def _run_nice(self, work: Callable[[], T]) -> T:
        if sys.platform == "linux" and os.getpriority(os.PRIO_PROCESS, 0) < self.niceness:  # on Linux: of this thread
            with suppress(OSError):  # if that is forbidden, the thread keeps its priority
                os.setpriority(os.PRIO_PROCESS, 0, self.niceness)
        return work()

    def _done(self, result: T) -> T:
        self.waiting -= 1
        return result

    def stop(self) -> None:
        """Stop the threads."""
        self._stopped = True
        if self._pool is not None:
            self._pool.stop()
            self._pool = None
