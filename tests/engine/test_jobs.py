"""Chores: done at the start and when they are due, never twice at once, and again after a failure."""

import pytest

from imd.chat.base import jobs as rules
from imd.chat.base.jobs import JobResult
from imd.store import forgetting
from imd.store.db import StoreUnavailable
from imd.store.transaction import Tx
from imd.testing import EPOCH, MemoryServer
from tests.conftest import LoggedFailures


class Dripping:
    """A job that notes when it was done, and wants what the test says."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.wants: list[int | None] = []
        self.fails: Exception | None = None
        self.destroys = False

    def __call__(self, tx: Tx, now: int) -> JobResult:
        self.done.append(now - EPOCH)
        if self.fails is not None:
            raise self.fails
        again = self.wants.pop(0) if self.wants else None
        if self.destroys:
            forgetting.note(tx)
        return JobResult(again=None if again is None else EPOCH + again)


@pytest.fixture
def tap(monkeypatch: pytest.MonkeyPatch) -> Dripping:
    tap = Dripping()
    monkeypatch.setattr(rules, "JOBS", [tap])
    monkeypatch.setattr("imd.engine.jobs.JOBS", [tap])
    return tap


def test_at_the_start_and_whenever_it_wants(tap: Dripping) -> None:
    tap.wants = [5_000, 7_000, None]
    server = MemoryServer()
    server.settle()
    assert tap.done == [0]
    server.pass_time(4.9)
    assert tap.done == [0]
    server.pass_time(0.1)
    server.pass_time(2)
    server.pass_time(10_000)
    assert tap.done == [0, 5_000, 7_000]


def test_what_wakes_it_earlier_wins(tap: Dripping) -> None:
    tap.wants = [60_000]
    server = MemoryServer()
    server.settle()
    server.server.jobs.schedule(EPOCH + 90_000)
    server.server.jobs.schedule(EPOCH + 3_000)
    server.pass_time(3)
    assert tap.done == [0, 3_000]
    server.pass_time(100)
    assert tap.done == [0, 3_000], "it did not want to be called at 60 s any more when it was asked at 3 s"


def test_a_long_wait_is_looked_at_every_hour(tap: Dripping) -> None:
    """The wall clock may be set meanwhile; the timer runs on the steady one."""
    tap.wants = [10**9]
    server = MemoryServer()
    server.settle()
    server.pass_time(3_600)
    assert tap.done == [0, 3_600_000]


def test_a_failure_is_logged_and_tried_again(tap: Dripping, logged_failures: LoggedFailures) -> None:
    tap.fails = ValueError("broken")
    server = MemoryServer()
    server.settle()
    logged_failures.expect(1)
    tap.fails = StoreUnavailable("full")
    server.pass_time(5)
    assert tap.done == [0, 5_000]
    tap.fails = None
    server.pass_time(5)
    assert tap.done == [0, 5_000, 10_000]


def test_one_that_fails_keeps_no_other_from_being_done(
    monkeypatch: pytest.MonkeyPatch, logged_failures: LoggedFailures
) -> None:
    broken, other = Dripping(), Dripping()
    broken.fails, other.wants = ValueError("broken"), [9_000]
    monkeypatch.setattr("imd.engine.jobs.JOBS", [broken, other])
    server = MemoryServer()
    server.settle()
    server.pass_time(5)
    logged_failures.expect(2)
    broken.fails = None
    server.pass_time(5)
    assert broken.done == other.done == [0, 5_000, 10_000]


def test_scrubbing_is_tried_until_no_reader_is_in_the_way(tap: Dripping, monkeypatch: pytest.MonkeyPatch) -> None:
    tap.destroys = True
    answers = [False, False, True]
    server = MemoryServer()

    async def scrub() -> bool:
        tap.destroys = False
        return answers.pop(0)

    monkeypatch.setattr(type(server.database), "scrub", lambda self: scrub())
    for _ in range(5):
        server.pass_time(1)
    assert answers == []


def test_nothing_is_done_after_the_stop(tap: Dripping) -> None:
    tap.wants = [5_000]
    server = MemoryServer()
    server.settle()
    server.stop()
    server.clock.advance(10)
    assert tap.done == [0]
    assert server.clock.getDelayedCalls() == []
