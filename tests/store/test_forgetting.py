"""Forgetting: what is noted as due, and until when; and that no rule knows how it is done."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imd.store import forgetting
from imd.testing import MemoryServer, memory_connection
from tests.store.source import ROOT


@pytest.fixture
def tx() -> Iterator[sqlite3.Connection]:
    connection = memory_connection()
    yield connection
    connection.close()


def test_what_is_noted_is_due_until_the_files_are_clean(tx: sqlite3.Connection) -> None:
    assert not forgetting.due(tx)
    forgetting.note(tx)
    due = forgetting.due(tx)
    assert due
    forgetting.cleaned(tx, due)
    assert not forgetting.due(tx)


def test_what_is_noted_while_they_are_cleaned_stays_due(tx: sqlite3.Connection) -> None:
    forgetting.note(tx)
    due = forgetting.due(tx)
    forgetting.note(tx)
    forgetting.cleaned(tx, due)
    later = forgetting.due(tx)
    assert later > due
    forgetting.cleaned(tx, later)
    forgetting.cleaned(tx, due)
    assert not forgetting.due(tx), "an older answer that comes late changes nothing"


def test_what_is_written_over_takes_the_same_room(tx: sqlite3.Connection) -> None:
    kept = forgetting.keep(tx, "the key 钥匙 🔑")
    size = "SELECT length(CAST(words AS BLOB)), trim(words) FROM burning_words WHERE id = ?"
    before, _ = tx.execute(size, (kept,)).fetchone()
    forgetting.overwrite(tx, kept, "the key 钥匙 🔑")
    assert tx.execute(size, (kept,)).fetchone() == (before, "")


def is_due(server: MemoryServer) -> int:
    pool: Any = server.database.backend.writer
    return int(pool.connection.execute("SELECT noted > cleaned FROM forgetting").fetchone()[0])


def test_a_start_cleans_what_was_left_to_do(tmp_path: Path) -> None:
    server = MemoryServer(path=str(tmp_path / "imd.db"))
    server.server.jobs.stop()
    server.database.write(forgetting.note, lambda value, error: None)
    server.settle()
    assert server.database.backend.writer.connection.execute("SELECT noted > cleaned FROM forgetting").fetchone() == (
        1,
    )  # type: ignore[attr-defined]  # an inline pool
    server.stop()
    server = MemoryServer(path=str(tmp_path / "imd.db"))
    server.settle()
    assert server.database.backend.writer.connection.execute("SELECT noted > cleaned FROM forgetting").fetchone() == (
        0,
    )  # type: ignore[attr-defined]  # an inline pool
    server.stop()


def test_no_rule_knows_how_it_is_done() -> None:
    for path in sorted((ROOT / "imd" / "chat").rglob("*.py")):
        found = re.search(
            r"(?i)sqlite|scrub|secure_delete|fts5|checkpoint|\bwal\b|write-ahead", path.read_text("utf-8")
        )
        assert found is None, f"{path}: {found}"
