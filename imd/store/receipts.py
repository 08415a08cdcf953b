"""Receipts in SQL: two pointers in the member's row that only move forward."""

from typing import NamedTuple

from imd.store.rows import Select
from imd.store.transaction import Tx


class Pointers(NamedTuple):
    """Up to where messages were delivered to a member, and up to where they are read."""

    delivered_seq: int
    read_seq: int


_POINTERS = Select(Pointers, "FROM member")


def pointers(tx: Tx, conversation: int, account: int) -> Pointers:
    """Return a member's pointers."""
    return _POINTERS.known(tx, "WHERE conversation = ? AND account = ?", (conversation, account))


def advance(tx: Tx, conversation: int, account: int, delivered_seq: int, read_seq: int) -> bool:
    """Move the pointers forward, never back. Return whether one moved."""
    # CASE and not max(): of two values that is greatest() in PostgreSQL.
    moved = tx.execute(
        "UPDATE member SET delivered_seq = CASE WHEN delivered_seq < ? THEN ? ELSE delivered_seq END,"
        " read_seq = CASE WHEN read_seq < ? THEN ? ELSE read_seq END"
        " WHERE conversation = ? AND account = ? AND (delivered_seq < ? OR read_seq < ?)",
        (delivered_seq, delivered_seq, read_seq, read_seq, conversation, account, delivered_seq, read_seq),
    )
    return moved.rowcount > 0


def follow_own(tx: Tx, conversation: int, account: int, seq: int) -> None:
    """Count a member's own new message as delivered to them if everything before it was."""
    # Otherwise people would be replayed what they have said themselves.
    tx.execute(
        "UPDATE member SET delivered_seq = ? WHERE conversation = ? AND account = ? AND delivered_seq = ?",
        (seq, conversation, account, seq - 1),
    )


class Undelivered(NamedTuple):
    """A conversation with messages that were not delivered yet."""

    conversation: int
    delivered_seq: int
    last_rev: int


_UNDELIVERED = Select(
    Undelivered, "FROM member m JOIN conversation c ON c.id = m.conversation", "m", last_rev="c.last_rev"
)


def undelivered(tx: Tx, account: int) -> list[Undelivered]:
    """List where an account has messages not yet delivered, by conversation."""
    return _UNDELIVERED.all(
        tx,
        "WHERE m.account = ? AND m.left_seq IS NULL AND c.last_seq > m.delivered_seq ORDER BY m.conversation",
        (account,),
    )


class Reader(NamedTuple):
    """One member's pointers, with the name."""

    username: str
    delivered_seq: int
    read_seq: int


_READER = Select(Reader, "FROM member JOIN account ON account.id = member.account")


def readers(tx: Tx, conversation: int, sender: int, asker: int, limit: int) -> list[Reader]:
    """List the pointers of the members, besides a message's sender, who show them to the asker, furthest first."""
    return _READER.all(
        tx,
        "WHERE conversation = ? AND left_seq IS NULL AND account.id <> ? AND account.receipts = 1"
        " AND NOT EXISTS (SELECT 1 FROM relation r WHERE r.account = account.id AND r.other = ? AND r.kind = 'block')"
        " ORDER BY read_seq DESC, delivered_seq DESC, username LIMIT ?",
        (conversation, sender, asker, limit),
    )


def least_read(tx: Tx, conversation: int, sender: int) -> int:
    """Return up to where every member besides the sender has read."""
    row = tx.execute(
        "SELECT min(read_seq) FROM member WHERE conversation = ? AND left_seq IS NULL AND account <> ?",
        (conversation, sender),
    ).fetchone()
    return int(row[0] or 0)


class Unread(NamedTuple):
    """A conversation with messages that were delivered and are not read."""

    conversation: int
    delivered_seq: int


_UNREAD = Select(Unread, "FROM member")


def behind(tx: Tx, account: int) -> list[Unread]:
    """List where an account has delivered messages that are not read."""
    return _UNREAD.all(tx, "WHERE account = ? AND left_seq IS NULL AND delivered_seq > read_seq", (account,))
