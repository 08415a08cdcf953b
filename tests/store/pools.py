"""Pools that a test drives by hand: work is done when it says so, and answered when it says so."""

import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure


class ManualPool:
    """Does nothing by itself. `work` does the oldest piece that waits, `answer` hands out the oldest result."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.waiting: deque[tuple[Callable[..., Any], tuple[Any, ...], Deferred[Any]]] = deque()
        self.results: deque[tuple[Any, Deferred[Any]]] = deque()
        self.closed = False

    def runWithConnection(self, func: Callable[..., Any], *args: Any) -> Deferred[Any]:
        answer: Deferred[Any] = Deferred()
        self.waiting.append((func, args, answer))
        return answer

    def work(self) -> None:
        func, args, answer = self.waiting.popleft()
        try:
            self.results.append((func(self.connection, *args), answer))
        except Exception:
            self.results.append((Failure(), answer))

    def answer(self) -> None:
        result, answer = self.results.popleft()
        answer.callback(result)

    def run(self) -> None:
        """Do everything that waits, and answer it."""
        while self.waiting or self.results:
            if self.waiting:
                self.work()
            self.answer()

    def close(self) -> None:
        self.closed = True
