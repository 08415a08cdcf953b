"""Receipts in SQL: two numbers on the member's row, which only grow."""

from typing import NamedTuple

from imd.store.transaction import Tx


class Pointers(NamedTuple):
    """How far a member was delivered to and has read."""

    delivered_seq: int
    read_seq: int


def pointers(tx: Tx, conversation: int, account: int) -> Pointers:
    """Give a member's pointers."""
    row = tx.execute(
        "SELECT delivered_seq, read_seq FROM member WHERE conversation = ? AND account = ?", (conversation, account)
    ).fetchone()
    return Pointers(*row)


def advance(tx: Tx, conversation: int, account: int, delivered_seq: int, read_seq: int) -> bool:
    """Move the pointers forward, never back. Gives whether one moved."""
    moved = tx.execute(
        "UPDATE member SET delivered_seq = CASE WHEN delivered_seq < ? THEN ? ELSE delivered_seq END,"
        " read_seq = CASE WHEN read_seq < ? THEN ? ELSE read_seq END"
        " WHERE conversation = ? AND account = ? AND (delivered_seq < ? OR read_seq < ?)",
        (delivered_seq, delivered_seq, read_seq, read_seq, conversation, account, delivered_seq, read_seq),
    )
    return moved.rowcount > 0


def follow_own(tx: Tx, conversation: int, account: int, seq: int) -> None:
    """Count a member's own new message as delivered to them, where nothing before it is still to come."""
    tx.execute(
        "UPDATE member SET delivered_seq = ? WHERE conversation = ? AND account = ? AND delivered_seq = ?",
        (seq, conversation, account, seq - 1),
    )


def undelivered(tx: Tx, account: int) -> list[tuple[int, int, int]]:
    """List where an account has messages not yet delivered, by conversation: it, delivered_seq, last_rev."""
    rows = tx.execute(
        "SELECT m.conversation, m.delivered_seq, c.last_rev FROM member m JOIN conversation c ON c.id = m.conversation"
        " WHERE m.account = ? AND m.left_seq IS NULL AND c.last_seq > m.delivered_seq ORDER BY m.conversation",
        (account,),
    )
    return [(int(row[0]), int(row[1]), int(row[2])) for row in rows.fetchall()]


class Reader(NamedTuple):
    """How far one member got."""

    username: str
    delivered_seq: int
    read_seq: int


def readers(tx: Tx, conversation: int, sender: int, asker: int, limit: int) -> list[Reader]:
    """List how far the members besides a message's sender got, the furthest first: those who let the asker know it."""
    rows = tx.execute(
        "SELECT username, delivered_seq, read_seq FROM member JOIN account ON account.id = member.account"
        " WHERE conversation = ? AND left_seq IS NULL AND account.id <> ? AND account.receipts = 1"
        " AND NOT EXISTS (SELECT 1 FROM relation r WHERE r.account = account.id AND r.other = ? AND r.kind = 'block')"
        " ORDER BY read_seq DESC, delivered_seq DESC, username LIMIT ?",
        (conversation, sender, asker, limit),
    )
    return [Reader(*row) for row in rows.fetchall()]


def least_read(tx: Tx, conversation: int, sender: int) -> int:
    """Give how far every member besides the sender has read."""
    row = tx.execute(
        "SELECT min(read_seq) FROM member WHERE conversation = ? AND left_seq IS NULL AND account <> ?",
        (conversation, sender),
    ).fetchone()
    return int(row[0] or 0)


def behind(tx: Tx, account: int) -> list[tuple[int, int]]:
    """List where an account has delivered messages that are not read: (conversation, delivered_seq)."""
    rows = tx.execute(
        "SELECT conversation, delivered_seq FROM member"
        " WHERE account = ? AND left_seq IS NULL AND delivered_seq > read_seq",
        (account,),
    )
    return [(int(row[0]), int(row[1])) for row in rows.fetchall()]
