"""An account's own affairs in SQL: its stars, the messages hidden for it, and its log of changes.

The log has one row for each thing, with its latest change; a thing that changes again moves to the end. A device that
was offline fetches what follows the last `n` it knows.
"""

from typing import NamedTuple

from imd.store.rows import Select
from imd.store.transaction import Tx


def set_star(tx: Tx, account: int, conversation: int, seq: int, time: int | None) -> bool:
    """Star a message, or with no time remove the star. Return whether that changed anything."""
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
    """List the starred messages of conversations the account is in, the most recently starred first."""
    return _STAR.all(
        tx,
        "WHERE star.account = ? AND member.left_seq IS NULL"
        " ORDER BY star.time DESC, star.conversation DESC, star.seq DESC LIMIT ? OFFSET ?",
        (account, limit, skip),
    )


def hide(tx: Tx, account: int, conversation: int, seq: int) -> None:
    """Hide a message for one account."""
    tx.execute(
        "INSERT INTO hidden (account, conversation, seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (account, conversation, seq),
    )


class LogEntry(NamedTuple):
    """The latest change of one thing; `data` is JSON."""

    n: int
    what: str
    data: str


_LOG_ENTRY = Select(LogEntry, "FROM account_log")


def note_change(tx: Tx, account: int, thing: str, what: str, data: str) -> int:
    """Store a change under the account's next n, in place of an earlier one of the same thing. Return the n."""
    (n,) = tx.execute("UPDATE account SET log_n = log_n + 1 WHERE id = ? RETURNING log_n", (account,)).fetchone()
    tx.execute(
        "INSERT INTO account_log (account, n, thing, what, data) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (account, thing) DO UPDATE SET n = excluded.n, what = excluded.what, data = excluded.data",
        (account, n, thing, what, data),
    )
    return int(n)


def changes_after(tx: Tx, account: int, n: int, limit: int) -> list[LogEntry]:
    """List the changes after an n, in order."""
    return _LOG_ENTRY.all(tx, "WHERE account = ? AND n > ? ORDER BY n LIMIT ?", (account, n, limit))


def last_change(tx: Tx, account: int) -> int:
    """Return the latest n."""
    return int(tx.execute("SELECT log_n FROM account WHERE id = ?", (account,)).fetchone()[0])
