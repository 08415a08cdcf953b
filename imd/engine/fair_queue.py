"""Turns: work that waits, so that each origin's next piece comes round, however much another origin has brought."""

from collections import deque
from collections.abc import Callable
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from imd.engine.executor import RETRY_SECONDS, Executor
from imd.wire.refusals import RateLimited, Unavailable

_Piece = tuple[Callable[[], Any], "Deferred[Any]"]


@attrs.define
class FairQueue:
    """Hands a crew as much work as it has hands, of one origin after the other."""

    executor: Executor
    hands: int = 2
    waiting: int = attrs.field(default=0, init=False)
    """How many pieces are under way or wait."""

    _under_way: int = attrs.field(default=0, init=False)
    _queues: dict[str, deque[_Piece]] = attrs.field(factory=dict, init=False)
    """Origin -> its pieces. The first origin is the next one; none is empty."""

    def take(self, work: Callable[[], Any], origin: str, most: int, most_of_one: int) -> "Deferred[Any]":
        """Take a piece in; refuses when too many wait of this origin. Without an origin only all count.

        When too many wait of all, the origin that has brought most loses its latest piece, unless it is this one.
        """
        mine = len(self._queues.get(origin, ()))
        if origin and mine >= most_of_one:
            raise RateLimited("passwords", retry_after=RETRY_SECONDS)
        if self.waiting >= most:
            self._make_room(mine)
        done: Deferred[Any] = Deferred()
        self._queues.setdefault(origin, deque()).append((work, done))
        self.waiting += 1
        self._go_on()
        return done

    def _make_room(self, mine: int) -> None:
        """Refuse the latest piece of the origin that has most, if that leaves it no fewer than the one that comes."""
        full = Unavailable("passwords", retry_after=RETRY_SECONDS)
        most = max(self._queues.values(), key=len, default=deque[_Piece]())
        if len(most) - 1 < mine + 1:
            raise full
        _, done = most.pop()
        self.waiting -= 1
        done.errback(full)

    def _go_on(self) -> None:
        while self._queues and self._under_way < self.hands:
            origin, queue = next(iter(self._queues.items()))
            work, done = queue.popleft()
            del self._queues[origin]
            if queue:
                self._queues[origin] = queue  # behind all others
            self._under_way += 1
            try:
                begun = self.executor.do(work)
            except Unavailable:
                self._finished(Failure(), done)
            else:
                begun.addBoth(self._finished, done).addBoth(lambda nothing: self._go_on())

    def _finished(self, result: Any, done: "Deferred[Any]") -> None:
        self._under_way -= 1
        self.waiting -= 1
        done.callback(result)
