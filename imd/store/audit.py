"""The audit log in SQL: what admins did. Rows are only ever added."""

from typing import NamedTuple

from imd.store.rows import Select
from imd.store.transaction import Tx


class Entry(NamedTuple):
    """One thing that an admin did; `arguments` and `result` are JSON."""

    number: int
    time: int
    author: str
    action: str
    arguments: str
    result: str


_ENTRY = Select(Entry, "FROM audit")


def add(tx: Tx, time: int, author: str, action: str, arguments: str, result: str) -> None:
    """Append an entry."""
    tx.execute(
        "INSERT INTO audit (time, author, action, arguments, result) VALUES (?, ?, ?, ?, ?)",
        (time, author, action, arguments, result),
    )


def before(tx: Tx, number: int, limit: int) -> list[Entry]:
    """List the latest entries before a number, newest first."""
    return _ENTRY.all(tx, "WHERE number < ? ORDER BY number DESC LIMIT ?", (number, limit))
