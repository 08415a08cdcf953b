"""A server in memory whose database and password hashing answer only when the test says so."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from imd.chat.base.limits import Limits
from imd.testing import InlinePool, MemoryServer
from tests.store.pools import ManualPool

UNHURRIED = Limits(requests_per_second=0)


class ManualExecutor:
    """An executor that runs its work only when the test calls `run`."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], Any], Deferred[Any]]] = []

    def submit(self, work: Callable[[], Any]) -> Deferred[Any]:
        answer: Deferred[Any] = Deferred()
        self.waiting.append((work, answer))
        return answer

    def run(self) -> None:
        while self.waiting:
            work, answer = self.waiting.pop(0)
            answer.callback(work())

    def stop(self) -> None:
        raise AssertionError("nobody stops it")


class LateServer(MemoryServer):
    """Answers at once until `late` is called. From then on `writer`, `readers` and `hashing` wait for the test."""

    def __init__(self, limits: Limits = UNHURRIED, **options: Any) -> None:
        super().__init__(limits, **options)
        assert isinstance(self.database.backend.writer, InlinePool)
        self.writer = ManualPool(self.database.backend.writer.connection)
        self.readers = ManualPool(self.database.backend.writer.connection)
        self.hashing = ManualExecutor()

    def late(self) -> None:
        self.database.backend.writer = self.writer
        self.database.backend.readers = self.readers
        self.server.passwords.queue.executor = self.hashing

    def catch_up(self) -> None:
        """Run everything that waits."""
        self.settle()
        while self.writer.waiting or self.readers.waiting or self.hashing.waiting or self.writer.results:
            self.writer.run()
            self.readers.run()
            self.hashing.run()
            self.settle()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.writer.connection.execute(sql).fetchall()
