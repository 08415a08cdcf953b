"""The writer: one transaction a group, each piece undone alone, answers only after the commit and in its order."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from imd.engine import pacing
from imd.store import db
from imd.store.transaction import Tx
from imd.testing import InlinePool, inline_database
from tests.conftest import LoggedFailures
from tests.store.pools import ManualPool

KEEP = "INSERT INTO invite (code_hash, uses_left, expires, admin) VALUES (?, 1, 0, 0)"
"""The simplest row there is: an invite, by its name."""


class Session:
    """A session that notes how many answers there were when it was flushed."""

    def __init__(self, bench: "Bench") -> None:
        self.bench, self.connection = bench, self
        self.lines: list[bytes] = []
        self.size = 0

    def write(self, lines: list[bytes]) -> None:
        self.bench.flushed.append(len(self.bench.answers))


class Bench:
    """A database whose writer works by hand, the statements it ran, and the answers in the order they came."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.pacing = pacing.Pacing(self.clock)
        self.database = inline_database(":memory:", self.clock, self.pacing.deliver)
        assert isinstance(self.database.backend.readers, InlinePool)
        self.connection = self.database.backend.readers.connection
        self.writer = self.database.backend.writer = ManualPool(self.connection)
        self.database.backend.readers = ManualPool(self.connection)
        self.statements: list[str] = []
        self.connection.set_trace_callback(self.statements.append)
        self.answers: list[tuple[str, Any]] = []
        self.flushed: list[int] = []
        self.session: Any = Session(self)

    def put(self, name: str, *, fails: Exception | None = None) -> None:
        """Write one row and note the answer; or write it and fail."""

        def work(tx: Tx) -> str:
            tx.execute(KEEP, (name,))
            if fails:
                raise fails
            return f"{name} kept"

        if refused := self.database.objection():
            self.answers.append((name, refused))
        else:
            self.database.write(work, lambda value, error: self.answer(name, error or value))

    def answer(self, name: str, answer: Any) -> None:
        self.answers.append((name, answer))
        self.pacing.flush_soon(self.session)

    def begin(self, names: str) -> None:
        """Write some in one group, and have the first of their answers called."""
        for name in names:
            self.put(name)
        self.clock.advance(0)
        self.writer.work()
        self.writer.answer()

    def answered(self) -> str:
        """Give the names whose answers came, in order."""
        return "".join(name for name, _ in self.answers)

    def kept(self) -> list[str]:
        return [row[0] for row in self.connection.execute("SELECT code_hash FROM invite ORDER BY rowid").fetchall()]

    def ran(self, statement: str) -> int:
        return sum(each.startswith(statement) for each in self.statements)


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Call one completion a turn."""
    monkeypatch.setattr(pacing, "TURN_SECONDS", -1)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.connection.close()


def test_a_group_of_writes_is_one_transaction(bench: Bench) -> None:
    for number in range(50):
        bench.put(f"{number:02}")
    bench.clock.advance(0)
    bench.writer.run()
    assert (bench.ran("BEGIN IMMEDIATE"), bench.ran("COMMIT"), bench.ran("SAVEPOINT")) == (1, 1, 0)
    assert len(bench.kept()) == 50


def test_a_piece_that_is_refused_before_it_changed_anything_costs_nothing_more(bench: Bench) -> None:
    refused = ValueError("no")

    def refuse(tx: Tx) -> None:
        tx.execute("SELECT count(*) FROM invite")
        raise refused

    bench.put("a")
    bench.database.write(refuse, lambda value, error: bench.answers.append(("refused", error)))
    bench.put("b")
    bench.clock.advance(0)
    bench.writer.run()
    assert bench.answers == [("a", "a kept"), ("refused", refused), ("b", "b kept")]
    assert (bench.ran("BEGIN IMMEDIATE"), bench.ran("COMMIT"), bench.ran("SAVEPOINT")) == (1, 1, 0)


def test_nothing_is_answered_before_the_commit(bench: Bench) -> None:
    bench.put("a")
    bench.clock.advance(0)
    bench.writer.work()
    assert bench.answers == []
    bench.writer.answer()
    assert bench.answers == [("a", "a kept")]


def test_a_failing_piece_is_undone_alone(bench: Bench) -> None:
    wrong = ValueError("no")
    bench.put("a")
    bench.put("b", fails=wrong)
    bench.put("c")
    bench.clock.advance(0)
    bench.writer.run()
    assert bench.answers == [("a", "a kept"), ("b", wrong), ("c", "c kept")]
    assert bench.kept() == ["a", "c"]
    assert (bench.ran("BEGIN IMMEDIATE"), bench.ran("COMMIT"), bench.ran("SAVEPOINT")) == (2, 1, 3)


def test_a_broken_rule_of_the_database_is_undone_alone(bench: Bench) -> None:
    for name in ("a", "a", "b"):
        bench.put(name)
    bench.clock.advance(0)
    bench.writer.run()
    assert bench.kept() == ["a", "b"]
    assert isinstance(bench.answers[1][1], sqlite3.IntegrityError)


class Refusing:
    """A connection that fails at one statement."""

    def __init__(self, connection: sqlite3.Connection, statement: str) -> None:
        self._connection = connection
        self._statement = statement

    def execute(self, statement: str, parameters: Any = ()) -> Any:
        if statement == self._statement:
            raise sqlite3.OperationalError("disk I/O error")
        return self._connection.execute(statement, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.mark.parametrize("statement", ["BEGIN IMMEDIATE", "COMMIT"])
def test_a_commit_that_fails_stores_nothing_and_promises_nothing(
    bench: Bench, logged_failures: LoggedFailures, statement: str
) -> None:
    bench.writer.connection = Refusing(bench.connection, statement)  # type: ignore[assignment]
    bench.put("a")
    bench.put("b")
    bench.clock.advance(0)
    bench.writer.run()
    assert [name for name, _ in bench.answers] == ["a", "b"]
    assert all(isinstance(answer, db.StoreUnavailable) for _, answer in bench.answers)
    assert bench.kept() == []
    assert not bench.connection.in_transaction
    logged_failures.expect(1)

    bench.writer.connection = bench.connection
    bench.put("c")
    bench.clock.advance(0)
    bench.writer.run()
    assert bench.answers[-1] == ("c", "c kept"), "the writer must go on after a failure"


def test_a_transaction_that_sqlite_itself_gave_up_stores_nothing(bench: Bench, logged_failures: LoggedFailures) -> None:
    bench.put("a")
    bench.database.write(
        lambda tx: tx.execute(KEEP.replace("INSERT", "INSERT OR ROLLBACK"), ("a",)),
        lambda value, error: bench.answers.append(("given up", error or value)),
    )
    bench.put("b")
    bench.clock.advance(0)
    bench.writer.run()
    assert [name for name, _ in bench.answers] == ["a", "given up", "b"]
    assert all(isinstance(answer, db.StoreUnavailable) for _, answer in bench.answers)
    assert bench.kept() == []
    logged_failures.expect(1)


def test_a_piece_that_swallows_what_sqlite_gave_up_cannot_report_success(
    bench: Bench, logged_failures: LoggedFailures
) -> None:
    def swallows(tx: Tx) -> str:
        try:
            tx.execute(KEEP.replace("INSERT", "INSERT OR ROLLBACK"), ("a",))
        except sqlite3.IntegrityError:
            return "all is well"
        raise AssertionError("the row was new")

    bench.put("a")
    bench.database.write(swallows, lambda value, error: bench.answers.append(("swallows", error or value)))
    bench.clock.advance(0)
    bench.writer.run()
    assert [type(answer) for _, answer in bench.answers] == [db.StoreUnavailable] * 2
    assert bench.kept() == []
    logged_failures.expect(1)


def test_what_comes_during_a_commit_goes_into_the_next(bench: Bench) -> None:
    bench.put("a")
    bench.clock.advance(0)
    bench.put("b")
    bench.put("c")
    bench.clock.advance(0)
    assert len(bench.writer.waiting) == 1, "one group at a time"
    bench.writer.run()
    assert bench.ran("COMMIT") == 2
    assert [name for name, _ in bench.answers] == ["a", "b", "c"]


def test_the_next_group_commits_while_this_one_is_answered(bench: Bench) -> None:
    seen: list[int] = []
    bench.database.write(lambda tx: None, lambda value, error: seen.append(len(bench.writer.waiting)))
    bench.clock.advance(0)
    bench.put("b")
    bench.writer.work()
    bench.writer.answer()
    assert seen == [1]


def test_answers_keep_the_order_of_commits_even_when_each_commit_is_instant() -> None:
    database = inline_database(":memory:", clock := Clock())
    database.group_limit = 3
    answered: list[int] = []
    for number in range(20):
        database.write(lambda tx, number=number: number, lambda value, error: answered.append(value))
    clock.advance(0)
    assert answered == list(range(20))


def test_a_group_is_not_larger_than_its_limit(bench: Bench) -> None:
    bench.database.group_limit = 4
    for number in range(10):
        bench.put(str(number))
    bench.clock.advance(0)
    bench.writer.run()
    assert bench.ran("COMMIT") == 3
    assert len(bench.answers) == 10


def test_a_full_queue_refuses_at_once(bench: Bench) -> None:
    bench.database.waiting_limit = 3
    for name in "abcde":
        bench.put(name)
    assert [name for name, _ in bench.answers] == ["d", "e"]
    assert all(isinstance(answer, db.QueueFull) for _, answer in bench.answers)
    refused = bench.database.written(lambda tx: None)
    assert refused.called
    refused.addErrback(lambda failure: failure.trap(db.StoreUnavailable))
    bench.clock.advance(0)
    bench.writer.run()
    assert bench.kept() == ["a", "b", "c"]
    assert [name for name, _ in bench.answers[2:]] == ["a", "b", "c"]


def test_an_answer_that_fails_does_not_hurt_the_others(bench: Bench, logged_failures: LoggedFailures) -> None:
    def fails(value: Any, error: Exception | None) -> None:
        raise RuntimeError("a fault of ours")

    bench.put("a")
    bench.database.write(lambda tx: None, fails)
    bench.put("b")
    bench.clock.advance(0)
    bench.writer.run()
    assert bench.answers == [("a", "a kept"), ("b", "b kept")]
    assert bench.flushed == [2]
    logged_failures.expect(1)


def test_connections_are_flushed_once_a_group_when_all_is_answered(bench: Bench) -> None:
    for name in "abc":
        bench.put(name)
    bench.clock.advance(0)
    bench.put("d")
    bench.writer.run()
    assert bench.flushed == [3, 4]


def test_a_large_group_is_answered_over_several_turns_and_before_the_next(bench: Bench, slowly: None) -> None:
    bench.begin("abcde")
    assert bench.answered() == "a"
    bench.put("f")
    closing = Deferred.fromCoroutine(bench.database.close())
    for call in bench.clock.calls[:]:
        bench.clock.calls.remove(call)
        call.func(*call.args)
    assert len(bench.writer.waiting) == 1, "the next group syncs meanwhile"
    bench.writer.work()
    bench.writer.answer()
    assert (bench.answered(), bench.flushed, closing.called) == ("ab", [], False)
    bench.clock.advance(0)
    assert bench.answered() == "abcdef"
    assert (bench.flushed, closing.called) == ([5, 6], True)


def test_the_last_of_a_group_is_answered_before_the_close(bench: Bench, slowly: None) -> None:
    bench.begin("ab")
    closing = Deferred.fromCoroutine(bench.database.close())
    assert not closing.called
    bench.clock.advance(0)
    assert (len(bench.answers), closing.called) == (2, True)


def test_a_start_that_was_due_waits_for_the_rest_of_the_answers(bench: Bench, slowly: None) -> None:
    bench.begin("ab")
    bench.put("c")
    while bench.clock.calls or bench.writer.waiting:
        if bench.clock.calls:
            call = bench.clock.calls.pop()  # the latest first: c's start, and only then the rest of the answers
            call.func(*call.args)
        bench.writer.run()
    assert bench.answered() == "abc"


def test_settled_is_when_all_that_was_taken_is_answered(bench: Bench) -> None:
    assert bench.database.settled().called
    bench.put("a")
    bench.put("b")
    settled = bench.database.settled()
    seen: list[int] = []
    settled.addCallback(lambda nothing: seen.append(len(bench.answers)))
    bench.clock.advance(0)
    bench.put("c")
    bench.writer.run()
    assert (seen, len(bench.answers)) == ([2], 3)


def test_while_the_telling_is_behind_nothing_more_is_answered(bench: Bench) -> None:
    bench.pacing.told = pacing.MOST_TOLD + 1
    bench.begin("a")
    assert bench.answers == []
    bench.clock.advance(0)
    assert bench.answers == [("a", "a kept")]


def test_a_flush_that_fails_does_not_stop_the_writer(bench: Bench, logged_failures: LoggedFailures) -> None:
    def fails(lines: list[bytes]) -> None:
        raise RuntimeError("a fault of ours")

    bench.session.write, bench.session.cut_off = fails, lambda: None
    bench.put("a")
    bench.clock.advance(0)
    bench.put("b")
    closing = Deferred.fromCoroutine(bench.database.close())
    bench.writer.run()
    assert len(bench.answers) == 2
    assert closing.called, "close must not wait for ever"
    logged_failures.expect(2)


def test_close_finishes_what_was_queued_and_refuses_the_rest(bench: Bench) -> None:
    bench.database.group_limit = 1
    bench.put("a")
    bench.put("b")
    closing = Deferred.fromCoroutine(bench.database.close())
    bench.put("too late")
    bench.clock.advance(0)
    bench.writer.work()
    bench.writer.answer()
    assert not closing.called
    bench.writer.run()
    assert closing.called
    assert bench.writer.closed
    assert bench.kept() == ["a", "b"]
    assert [name for name, _ in bench.answers] == ["too late", "a", "b"]
    assert isinstance(bench.answers[0][1], db.StoreUnavailable)


def test_what_an_answer_still_writes_is_finished_before_the_close(bench: Bench) -> None:
    closings: list[Deferred[None]] = []

    def writes_on(value: Any, error: Exception | None) -> None:
        bench.put("b")
        closings.append(Deferred.fromCoroutine(bench.database.close()))

    bench.database.write(lambda tx: None, writes_on)
    bench.clock.advance(0)
    bench.writer.run()
    assert not closings[0].called
    bench.clock.advance(0)
    bench.writer.run()
    assert closings[0].called
    assert bench.answers == [("b", "b kept")]


def test_a_read_after_the_close_fails_instead_of_waiting_for_ever(bench: Bench) -> None:
    assert Deferred.fromCoroutine(bench.database.close()).called
    failed: list[Any] = []
    bench.database.read(lambda tx: 1).addErrback(lambda failure: failed.append(failure.type))
    assert failed == [db.StoreUnavailable]


def test_written_waits_for_the_disk(bench: Bench) -> None:
    good = bench.database.written(lambda tx: "value")
    bad = bench.database.written(lambda tx: 1 // 0)
    bench.clock.advance(0)
    assert not good.called
    bench.writer.run()
    assert good.result == "value"
    failed: list[Any] = []
    bad.addErrback(lambda failure: failed.append(failure.type))
    assert failed == [ZeroDivisionError]
