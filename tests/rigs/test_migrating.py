"""Schema changes killed at each statement, and cut off by a power cut: the old or the new, whole."""

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from imd.store import migrations
from tests.rigs import migrating


def unsafe(connection: sqlite3.Connection, number: int, script: str) -> None:
    """Broken: each statement is a commit of its own."""
    for statement in migrations.statements(script):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {number:d}")


def result(images: int, apply: migrating.Apply = migrations._apply, latest: int = 0) -> migrating.Result:
    found = migrating.run(images, random.randrange(1 << 32), apply, latest)
    print(found.table())
    assert found.statements > 20
    return found


def test_a_killed_change_leaves_the_old_or_the_new() -> None:
    images = 20 if shutil.which("strace") else 0
    assert result(images, latest=3).faults == []


@pytest.mark.soak
def test_a_thousand_images_of_each_change() -> None:
    assert result(1000).faults == []


def test_a_change_without_a_transaction_is_caught() -> None:
    assert result(0, unsafe, latest=3).faults


def test_the_old_databases_have_rows_in_every_table(tmp_path: Path) -> None:
    for version in range(1, migrations.available()[-1][0]):
        migrating.old_database(tmp_path / f"{version}", version)
        with closing(sqlite3.connect(tmp_path / f"{version}")) as connection:
            tables = migrating.tables(connection)
        rows = migrating.content(tmp_path / f"{version}")[1]
        assert [name for name in tables if len(rows[name]) < 2] == []
