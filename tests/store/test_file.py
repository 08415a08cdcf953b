"""The database as the daemon has it: a file, a writer thread and reader threads."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from imd.store.db import Database, Group, StoreUnavailable, call_at_once
from imd.store.sqlite import connect
from imd.store.transaction import Tx

KEEP = "INSERT INTO invite (code_hash, uses_left, expires, admin) VALUES (?, 1, 0, 0)"


class Opened:
    """Opens the database of a directory, and closes it at the end of a test."""

    def __init__(self, path: Path) -> None:
        self.path = str(path / "imd.sqlite3")

    async def __aenter__(self) -> Database:
        self.groups: list[int] = []

        def deliver(group: Group) -> None:
            self.groups.append(group.writes)
            call_at_once(group)

        self.database = Database.open(self.path, reactor, deliver)
        return self.database

    async def __aexit__(self, *error: object) -> None:
        await self.database.close()


def names(tx: Tx) -> list[str]:
    return [row[0] for row in tx.execute("SELECT code_hash FROM invite ORDER BY code_hash").fetchall()]


async def test_many_writes_at_once_are_few_commits_in_order(tmp_path: Path) -> None:
    opened = Opened(tmp_path)
    async with opened as database:
        answered: list[Any] = []
        everything: Deferred[None] = Deferred()

        def answer(value: Any, error: Exception | None) -> None:
            answered.append(error or value)
            if len(answered) == 1200:
                everything.callback(None)

        def work(number: int) -> Any:
            return lambda tx: (tx.execute(KEEP, (f"{number:04}",)), number)[1]

        for number in range(1200):
            database.write(work(number), answer)
        await everything
        assert answered == list(range(1200))
        assert await database.read(names) == [f"{number:04}" for number in range(1200)]
    assert opened.groups == [500, 500, 200]


async def test_a_read_sees_what_was_answered_before_it(tmp_path: Path) -> None:
    async with Opened(tmp_path) as database:
        for number in range(20):
            await database.written(lambda tx, number=number: tx.execute(KEEP, (f"{number:02}",)) and None)
            assert len(await database.read(names)) == number + 1


async def test_a_read_is_one_snapshot(tmp_path: Path) -> None:
    async with Opened(tmp_path) as database:
        begun, written = threading.Event(), threading.Event()

        def twice(tx: Tx) -> tuple[int, int]:
            before = len(names(tx))
            begun.set()
            assert written.wait(10)
            return before, len(names(tx))

        reading = database.read(twice)
        assert begun.wait(10)
        await database.written(lambda tx: tx.execute(KEEP, ("a",)) and None)
        written.set()
        assert await reading == (0, 0)
        assert await database.read(names) == ["a"]


async def test_readers_cannot_write(tmp_path: Path) -> None:
    async with Opened(tmp_path) as database:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await database.read(lambda tx: tx.execute(KEEP, ("a",)))
        assert await database.read(names) == []


async def test_a_read_that_fails_leaves_its_thread_usable(tmp_path: Path) -> None:
    async with Opened(tmp_path) as database:
        for _ in range(6):
            with pytest.raises(sqlite3.OperationalError, match="no such table"):
                await database.read(lambda tx: tx.execute("SELECT * FROM nowhere"))
        assert await gatherResults([database.read(names) for _ in range(6)]) == [[]] * 6


@pytest.mark.parametrize("pragma", ["journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only"])
async def test_every_connection_is_set_as_it_must_be(tmp_path: Path, pragma: str) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}

    def value(tx: Tx) -> Any:
        return tx.execute(f"PRAGMA {pragma}").fetchone()[0]

    async with Opened(tmp_path) as database:
        assert await database.written(value) == wanted.get(pragma, 0)
        assert await database.read(value) == wanted.get(pragma, 1)


async def test_close_keeps_what_was_queued(tmp_path: Path) -> None:
    database = Database.open(str(tmp_path / "imd.sqlite3"), reactor)
    writes = [database.written(lambda tx, each=each: tx.execute(KEEP, (each,)) and each) for each in "abc"]
    await database.close()
    with pytest.raises(StoreUnavailable):
        await database.written(names)
    assert [each.result for each in writes] == ["a", "b", "c"]
    connection = connect(str(tmp_path / "imd.sqlite3"))
    assert names(connection) == ["a", "b", "c"]
    connection.close()


async def test_only_one_thread_writes(tmp_path: Path) -> None:
    async with Opened(tmp_path) as database:
        threads = [await database.written(lambda tx: threading.get_ident()) for _ in range(10)]
        assert len(set(threads)) == 1
        assert threads[0] != threading.get_ident()
