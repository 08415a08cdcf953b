"""A fair queue: origins take turns, so that none waits for all the work that another one has queued."""

from collections import deque
from collections.abc import Callable
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from imd.engine.executor import RETRY_SECONDS, Executor
from imd.wire.refusals import RateLimited, Unavailable

_Task = tuple[Callable[[], Any], "Deferred[Any]"]


@attrs.define
class FairQueue:
    """Submits as many tasks as there are workers to an executor, of one origin after the other."""

    executor: Executor
    workers: int = 2
    waiting: int = attrs.field(default=0, init=False)
    """How many tasks run or wait."""

    _running: int = attrs.field(default=0, init=False)
    _queues: dict[str, deque[_Task]] = attrs.field(factory=dict, init=False)
    """Origin -> its tasks. The first origin is the next one; no queue is empty."""

    def put(self, work: Callable[[], Any], origin: str, most: int, most_of_one: int) -> "Deferred[Any]":
        """Queue a task; fires with its result. Refuses if too many of this origin wait ("" has no limit of its own).

        If too many wait altogether, the origin with the most loses its latest task, unless that is this origin.
        """
        mine = len(self._queues.get(origin, ()))
        if origin and mine >= most_of_one:
            raise RateLimited("passwords", retry_after=RETRY_SECONDS)
        if self.waiting >= most:
            self._make_room(mine)
        done: Deferred[Any] = Deferred()
        self._queues.setdefault(origin, deque()).append((work, done))
        self.waiting += 1
        self._run_next()
        return done

    def _make_room(self, mine: int) -> None:
        """Refuse the latest task of the origin that has most, if that leaves it as many as the new one's or more."""
        full = Unavailable("passwords", retry_after=RETRY_SECONDS)
        most = max(self._queues.values(), key=len, default=deque[_Task]())
        if len(most) - 1 < mine + 1:
            raise full
        _, done = most.pop()
        self.waiting -= 1
        done.errback(full)

    def _run_next(self) -> None:
        while self._queues and self._running < self.workers:
            origin, queue = next(iter(self._queues.items()))
            work, done = queue.popleft()
            del self._queues[origin]
            if queue:
                self._queues[origin] = queue  # behind all others
            self._running += 1
            try:
                begun = self.executor.submit(work)
            except Unavailable:
                self._finished(Failure(), done)
            else:
                begun.addBoth(self._finished, done).addBoth(lambda nothing: self._run_next())

    def _finished(self, result: Any, done: "Deferred[Any]") -> None:
        self._running -= 1
        self.waiting -= 1
        done.callback(result)
