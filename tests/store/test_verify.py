"""What refers to an account or a conversation that is not there is found, whatever table it is in."""

import sqlite3
from collections.abc import Iterator

import pytest

from imd.store import accounts, conversations, tables, verify
from imd.testing import memory_connection

NOBODY = 77


@pytest.fixture
def tx() -> Iterator[sqlite3.Connection]:
    connection = memory_connection()
    for name in ("ann", "bob"):
        accounts.add(connection, name, name, "", False, 0)
    conversations.begin_direct(connection, 1, 2, 0)
    yield connection
    connection.close()


def put(tx: sqlite3.Connection, table: str, column: str, value: int) -> None:
    """Put a row into a table that is sound but for one column."""
    row: dict[str, object] = {}
    for name, kind in tx.execute("SELECT name, type FROM pragma_table_info(?)", (table,)).fetchall():
        refers = tables.TABLES[table].columns[name].refers
        row[name] = None if refers == "burning_words" else 1 if refers else "x" if kind == "TEXT" else 1
    row[column] = value
    marks = ", ".join("?" * len(row))
    tx.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))


def broken(tx: sqlite3.Connection) -> dict[str, str]:
    return {each.check: each.first for each in verify.verdicts(tx) if each.broken}


def pairs(to: str) -> list[tuple[str, str]]:
    return [(table, column) for table, columns in tables.referring(to).items() for column in columns]


def test_nothing_is_broken(tx: sqlite3.Connection) -> None:
    assert broken(tx) == {}


@pytest.mark.parametrize(("table", "column"), pairs("account"))
def test_a_row_of_no_account(tx: sqlite3.Connection, table: str, column: str) -> None:
    put(tx, table, column, NOBODY)
    assert broken(tx)["owners"] == f"{table} 1"


@pytest.mark.parametrize(("table", "column"), pairs("conversation"))
def test_a_row_of_no_conversation(tx: sqlite3.Connection, table: str, column: str) -> None:
    put(tx, table, column, NOBODY)
    found = broken(tx)
    assert {"homeless", "attached", "references"} & found.keys()
    assert str(NOBODY) in found.values() or f"{table} -> conversation" in found.values()


@pytest.mark.parametrize("table", [each.name for each in tables.ATTACHED])
@pytest.mark.parametrize("seq", [0, 2])
def test_a_row_on_no_message(tx: sqlite3.Connection, table: str, seq: int) -> None:
    put(tx, "message", "seq", 1)
    tx.execute("UPDATE conversation SET last_seq = 1, last_rev = 1")
    assert "attached" not in broken(tx)
    put(tx, table, "seq", seq)
    assert broken(tx)["attached"] == "1"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *[("read_seq", -1), ("read_seq", 1), ("delivered_seq", -1), ("delivered_seq", 1)],
        *[(name, value) for name in ("joined_seq", "left_seq", "hidden_seq") for value in (-1, 1)],
    ],
)
def test_a_pointer_out_of_bounds(tx: sqlite3.Connection, column: str, value: int) -> None:
    tx.execute(f"UPDATE member SET {column} = ? WHERE account = 1", (value,))
    assert broken(tx)["pointers"] == "1"


def test_everybody_and_nothing_are_no_faults(tx: sqlite3.Connection) -> None:
    put(tx, "message", "seq", 1)
    tx.execute("UPDATE conversation SET last_seq = 1, last_rev = 1")
    put(tx, "mention", "account", 0)
    put(tx, "deletion", "conversation", 0)
    tx.execute("INSERT INTO pending (conversation, account, time) VALUES (1, 1, 0)")
    assert broken(tx) == {}
