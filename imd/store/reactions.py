"""Reactions in SQL: one row for each message, emoji and person."""

from imd.store.transaction import Tx


def emoji(tx: Tx, conversation: int, seq: int) -> list[str]:
    """List the different emoji on a message."""
    rows = tx.execute("SELECT DISTINCT emoji FROM reaction WHERE conversation = ? AND seq = ?", (conversation, seq))
    return [row[0] for row in rows.fetchall()]


def add(tx: Tx, conversation: int, seq: int, emoji: str, account: int, now: int) -> bool:
    """Add a reaction to a message. Return whether it is new."""
    added = tx.execute(
        "INSERT INTO reaction (conversation, seq, emoji, account, time) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (conversation, seq, emoji, account, now),
    )
    return added.rowcount > 0


def remove(tx: Tx, conversation: int, seq: int, emoji: str, account: int) -> bool:
    """Remove a reaction from a message. Return whether it was there."""
    removed = tx.execute(
        "DELETE FROM reaction WHERE conversation = ? AND seq = ? AND emoji = ? AND account = ?",
        (conversation, seq, emoji, account),
    )
    return removed.rowcount > 0
