"""Announcements in SQL, and how far each account has seen them: a number that only grows."""

from typing import NamedTuple

from imd.store.rows import Select
from imd.store.transaction import Tx


class Announcement(NamedTuple):
    """One announcement."""

    number: int
    time: int
    expires: int
    author: str
    content: str


_ANNOUNCEMENT = Select(Announcement, "FROM announcement")


def add(tx: Tx, now: int, expires: int, author: str, content: str) -> int:
    """Store an announcement and return its number."""
    row = tx.execute(
        "INSERT INTO announcement (time, expires, author, content) VALUES (?, ?, ?, ?) RETURNING number",
        (now, expires, author, content),
    ).fetchone()
    return int(row[0])


def end(tx: Tx, number: int, now: int) -> bool:
    """Let an announcement expire now, unless it has already. Return whether the number was ever given."""
    tx.execute("UPDATE announcement SET expires = ? WHERE number = ? AND expires > ?", (now, number, now))
    return tx.execute("SELECT 1 FROM announcement WHERE number = ?", (number,)).fetchone() is not None


def standing(tx: Tx, now: int) -> list[Announcement]:
    """List the announcements that have not expired, the oldest first."""
    return _ANNOUNCEMENT.all(tx, "WHERE expires > ? ORDER BY number", (now,))


def unseen(tx: Tx, account: int, now: int) -> list[Announcement]:
    """List the announcements that an account has not seen yet, the oldest first."""
    (seen,) = tx.execute("SELECT announced FROM account WHERE id = ?", (account,)).fetchone()
    return _ANNOUNCEMENT.all(tx, "WHERE number > ? AND expires > ? ORDER BY number", (seen, now))


def last(tx: Tx) -> int:
    """Return the number of the latest announcement, or 0."""
    return int(tx.execute("SELECT coalesce(max(number), 0) FROM announcement").fetchone()[0])


def saw(tx: Tx, account: int, number: int) -> None:
    """Record that an account has seen the announcements up to a number."""
    tx.execute("UPDATE account SET announced = ? WHERE id = ? AND announced < ?", (number, account, number))
