"""Schema changes: each once, whole or not at all, whatever happens in the middle."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imd.store import migrations, sqlite


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite.connect(str(tmp_path / "imd.sqlite3"))
    yield connection
    connection.close()


def tables(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def newest() -> int:
    return migrations.available()[-1][0]


TWO = [(1, "CREATE TABLE one (a);\nINSERT INTO one VALUES (1);\n"), (2, "CREATE TABLE two (a);\nDROP TABLE one;\n")]


def test_a_fresh_database_gets_everything(connection: sqlite3.Connection) -> None:
    assert migrations.version(connection) == 0
    migrations.migrate(connection)
    assert migrations.version(connection) == newest()
    assert tables(connection) >= {"account", "device", "invite", "conversation", "member", "message"}


def test_a_second_start_changes_nothing(connection: sqlite3.Connection) -> None:
    migrations.migrate(connection)
    before = connection.execute("SELECT * FROM sqlite_master").fetchall()
    migrations.migrate(connection)
    assert connection.execute("SELECT * FROM sqlite_master").fetchall() == before


def test_the_numbers_are_dense_from_one() -> None:
    assert [number for number, _ in migrations.available()] == list(range(1, newest() + 1))


def test_invites_survive_being_numbered(connection: sqlite3.Connection) -> None:
    for number, script in migrations.available():
        if number == 4:
            rows = [("late", 3, 2000, 1), ("soon", 1, 1000, 0)]
            connection.executemany(
                "INSERT INTO invite (code_hash, uses_left, expires, admin) VALUES (?, ?, ?, ?)", rows
            )
        migrations._apply(connection, number, script)
    assert connection.execute("SELECT * FROM invite ORDER BY number").fetchall() == [
        (1, "soon", 1, 1000, 0),
        (2, "late", 3, 2000, 1),
    ]


def test_a_newer_schema_is_refused_and_left_alone(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA user_version = {newest() + 1}")
    with pytest.raises(migrations.NewerSchema, match=str(newest() + 1)):
        migrations.migrate(connection)
    assert tables(connection) == set()


def test_a_change_that_fails_in_the_middle_leaves_the_old_version_whole(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [TWO[0], (2, "CREATE TABLE two (a);\nDROP TABLE one;\nINSERT INTO nowhere VALUES (1);\n")]
    monkeypatch.setattr(migrations, "available", lambda: broken)
    with pytest.raises(sqlite3.OperationalError):
        migrations.migrate(connection)
    assert migrations.version(connection) == 1
    assert tables(connection) == {"one"}
    assert not connection.in_transaction

    monkeypatch.setattr(migrations, "available", lambda: TWO)
    migrations.migrate(connection)
    assert migrations.version(connection) == 2
    assert tables(connection) == {"two"}


KILLED = """
import os, signal, sys
from imd.store import db, migrations, sqlite

kept = migrations.statements

def statements(script):
    for number, statement in enumerate(kept(script)):
        if number == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        yield statement

migrations.statements = statements
migrations.migrate(sqlite.connect(sys.argv[1]))
"""


@pytest.mark.parametrize("after", [0, 3, 8])
def test_a_kill_in_the_middle_leaves_the_old_version_and_the_next_start_completes(tmp_path: Path, after: int) -> None:
    path = str(tmp_path / "imd.sqlite3")
    killed = subprocess.run([sys.executable, "-c", KILLED, path, str(after)], check=False, env=os.environ.copy())
    assert killed.returncode == -signal.SIGKILL
    connection = sqlite.connect(path)
    assert migrations.version(connection) == 0
    assert tables(connection) == set()
    migrations.migrate(connection)
    assert migrations.version(connection) == newest()
    connection.close()


def test_two_processes_that_start_at_once_do_not_collide(connection: sqlite3.Connection, tmp_path: Path) -> None:
    """Both have looked at the version before either got the lock."""
    other = sqlite.connect(str(tmp_path / "imd.sqlite3"))
    for each in (other, connection):
        migrations._apply(each, *TWO[0])
    assert connection.execute("SELECT * FROM one").fetchall() == [(1,)]
    other.close()


def test_a_script_is_cut_into_its_statements() -> None:
    script = """-- a comment; with a semicolon
CREATE TABLE note (text TEXT DEFAULT 'a; b');  -- another; one
/* and; one
   over lines; */
CREATE TRIGGER noted AFTER INSERT ON note BEGIN
    UPDATE note SET text = 'x;';
    DELETE FROM note WHERE text = '';
END;

INSERT INTO note VALUES ('it''s;
two lines');
"""
    cut = list(migrations.statements(script))
    assert len(cut) == 3
    assert "".join(cut) == script
    connection = sqlite3.connect(":memory:")
    for statement in cut:
        connection.execute(statement)
    assert connection.execute("SELECT text FROM note").fetchall() == [("x;",)]
    connection.close()


def test_a_last_statement_without_its_semicolon_is_not_lost() -> None:
    assert list(migrations.statements("CREATE TABLE a (b);\nCREATE TABLE c (d)\n")) == [
        "CREATE TABLE a (b);\n",
        "CREATE TABLE c (d)\n",
    ]
