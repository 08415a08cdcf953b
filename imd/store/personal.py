"""What is for one account alone, in SQL: stars and hidden messages, and the log from which its devices learn of it.

The log has one row a thing, in its latest state. A device that was away asks for what lies after the last `n` it has;
a thing that changes again moves to the end.
"""

from typing import NamedTuple

from imd.store.rows import Select
from imd.store.transaction import Tx


def set_star(tx: Tx, account: int, conversation: int, seq: int, time: int | None) -> bool:
    """Star a message at a time, or take the star off. Gives whether that changed anything."""
    if time is None:
        changed = tx.execute(
            "DELETE FROM star WHERE account = ? AND conversation = ? AND seq = ?", (account, conversation, seq)
        )
    else:
        changed = tx.execute(
            "INSERT INTO star (account, conversation, seq, time) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (account, conversation, seq, time),
        )
    return changed.rowcount > 0


def count_stars(tx: Tx, account: int) -> int:
    """Count an account's stars."""
    return int(tx.execute("SELECT count(*) FROM star WHERE account = ?", (account,)).fetchone()[0])


class Star(NamedTuple):
    """Where a starred message is."""

    conversation: int
    seq: int


_STAR = Select(
    Star,
    "FROM star JOIN member ON member.conversation = star.conversation AND member.account = star.account",
    "star",
)


def stars(tx: Tx, account: int, skip: int, limit: int) -> list[Star]:
    """List what is starred in conversations the account is in, the one starred last first."""
    return _STAR.all(
        tx,
        "WHERE star.account = ? AND member.left_seq IS NULL"
        " ORDER BY star.time DESC, star.conversation DESC, star.seq DESC LIMIT ? OFFSET ?",
        (account, limit, skip),
    )


def hide(tx: Tx, account: int, conversation: int, seq: int) -> None:
    """Hide a message from one reader."""
    tx.execute(
        "INSERT INTO hidden (account, conversation, seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (account, conversation, seq),
    )


class LogEntry(NamedTuple):
    """One thing's latest change; `data` is JSON."""

    n: int
    what: str
    data: str


_LOG_ENTRY = Select(LogEntry, "FROM account_log")


def note_change(tx: Tx, account: int, thing: str, what: str, data: str) -> int:
    """Keep a change under the account's next n, in place of what was kept of the same thing. Gives the n."""
    (n,) = tx.execute("UPDATE account SET log_n = log_n + 1 WHERE id = ? RETURNING log_n", (account,)).fetchone()
    tx.execute(
        "INSERT INTO account_log (account, n, thing, what, data) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (account, thing) DO UPDATE SET n = excluded.n, what = excluded.what, data = excluded.data",
        (account, n, thing, what, data),
    )
    return int(n)


def changes_after(tx: Tx, account: int, n: int, limit: int) -> list[LogEntry]:
    """List what changed after an n, in order."""
    return _LOG_ENTRY.all(tx, "WHERE account = ? AND n > ? ORDER BY n LIMIT ?", (account, n, limit))


def last_change(tx: Tx, account: int) -> int:
    """Give the latest n."""
    return int(tx.execute("SELECT log_n FROM account WHERE id = ?", (account,)).fetchone()[0])
