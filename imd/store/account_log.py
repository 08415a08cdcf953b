"""The account log in SQL: what changed in an account's own affairs, one row a thing, in its latest state.

A device that was away asks for what lies after the last `n` it has. A thing that changes again moves to the end.
"""

from typing import NamedTuple

from imd.store.transaction import Tx


class Entry(NamedTuple):
    """One thing's latest change; `data` is JSON."""

    n: int
    what: str
    data: str


def note(tx: Tx, account: int, thing: str, what: str, data: str) -> int:
    """Keep a change under the account's next n, in place of what was kept of the same thing. Gives the n."""
    (n,) = tx.execute("UPDATE account SET log_n = log_n + 1 WHERE id = ? RETURNING log_n", (account,)).fetchone()
    tx.execute(
        "INSERT INTO account_log (account, n, thing, what, data) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (account, thing) DO UPDATE SET n = excluded.n, what = excluded.what, data = excluded.data",
        (account, n, thing, what, data),
    )
    return int(n)


def after(tx: Tx, account: int, n: int, limit: int) -> list[Entry]:
    """List what changed after an n, in order."""
    rows = tx.execute(
        "SELECT n, what, data FROM account_log WHERE account = ? AND n > ? ORDER BY n LIMIT ?", (account, n, limit)
    )
    return [Entry(*row) for row in rows.fetchall()]


def last(tx: Tx, account: int) -> int:
    """Give the latest n."""
    return int(tx.execute("SELECT log_n FROM account WHERE id = ?", (account,)).fetchone()[0])
