"""Reports in SQL: one row for each message and person who reported it."""

from typing import NamedTuple

from imd.store.rows import Select
from imd.store.transaction import Tx


class Report(NamedTuple):
    """One report; `resolved` is when an admin closed it, `resolver` which admin did."""

    number: int
    reporter: str
    sender: str
    conversation: int
    seq: int
    time: int
    kind: str
    content: str | None
    reason: str
    resolved: int | None
    resolver: str
    note: str


_REPORT = Select(
    Report,
    "FROM report JOIN account r ON r.id = reporter JOIN account s ON s.id = sender",
    reporter="r.username",
    sender="s.username",
)


def add(
    tx: Tx,
    reporter: int,
    conversation: int,
    seq: int,
    sender: int,
    now: int,
    kind: str,
    content: str | None,
    reason: str,
) -> bool:
    """Store a report, or open a resolved one again. Return whether that gives admins anything new to look at."""
    added = tx.execute(
        "INSERT INTO report (reporter, conversation, seq, sender, time, kind, content, reason)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (reporter, conversation, seq) DO UPDATE"
        " SET time = excluded.time, kind = excluded.kind, content = excluded.content, reason = excluded.reason,"
        " resolved = NULL, resolver = '', note = '' WHERE report.resolved IS NOT NULL",
        (reporter, conversation, seq, sender, now, kind, content, reason),
    )
    return added.rowcount > 0


def of_message(tx: Tx, reporter: int, conversation: int, seq: int) -> Report:
    """Return a person's report of a message, which is known to exist."""
    return _REPORT.known(tx, "WHERE reporter = ? AND conversation = ? AND seq = ?", (reporter, conversation, seq))


def listing(tx: Tx, resolved: bool, after: int, limit: int) -> list[Report]:
    """List the open or the resolved reports after a number, oldest first."""
    state = "NOT NULL" if resolved else "NULL"
    return _REPORT.all(tx, f"WHERE resolved IS {state} AND number > ? ORDER BY number LIMIT ?", (after, limit))


def resolve(tx: Tx, number: int, now: int, resolver: str, note: str) -> bool:
    """Close a report if it is open. Return whether there is one of this number, open or not."""
    tx.execute(
        "UPDATE report SET resolved = ?, resolver = ?, note = ? WHERE number = ? AND resolved IS NULL",
        (now, resolver, note, number),
    )
    return tx.execute("SELECT 1 FROM report WHERE number = ?", (number,)).fetchone() is not None
