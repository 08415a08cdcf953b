"""Conversations and their members in SQL."""

from typing import NamedTuple

from imd.store.transaction import Tx


def direct(tx: Tx, one: int, other: int) -> int | None:
    """Find the conversation of two accounts."""
    row = tx.execute("SELECT id FROM conversation WHERE direct_key = ?", (_direct_key(one, other),)).fetchone()
    return int(row[0]) if row else None


def begin_direct(tx: Tx, one: int, other: int, now: int) -> int:
    """Make the conversation of two accounts, or of one with itself."""
    row = tx.execute(
        "INSERT INTO conversation (kind, direct_key, last_seq, last_rev, created)"
        " VALUES ('direct', ?, 0, 0, ?) RETURNING id",
        (_direct_key(one, other), now),
    ).fetchone()
    for account in {one, other}:
        tx.execute(
            "INSERT INTO member (conversation, account, delivered_seq, read_seq) VALUES (?, ?, 0, 0)", (row[0], account)
        )
    return int(row[0])


def _direct_key(one: int, other: int) -> str:
    return f"{min(one, other)}:{max(one, other)}"


def other_member(tx: Tx, conversation: int, account: int) -> int | None:
    """Give the other one of a direct conversation: oneself, for notes to oneself. None for who is not in it."""
    row = tx.execute(
        "SELECT direct_key FROM conversation JOIN member ON member.conversation = id WHERE id = ? AND account = ?",
        (conversation, account),
    ).fetchone()
    if row is None:
        return None
    low, high = map(int, row[0].split(":"))
    return high if account == low else low


class Listed(NamedTuple):
    """One conversation as a member sees it; `other` is the other one's name."""

    conversation: int
    kind: str
    other: str
    last_seq: int
    last_rev: int
    read_seq: int
    delivered_seq: int
    unread: int


_LISTED = """
    SELECT c.id, c.kind,
           coalesce((SELECT a.username FROM member o JOIN account a ON a.id = o.account
                     WHERE o.conversation = c.id AND o.account <> m.account),
                    (SELECT a.username FROM account a WHERE a.id = m.account)),
           c.last_seq, c.last_rev, m.read_seq, m.delivered_seq,
           (SELECT count(*) FROM message
            WHERE message.conversation = c.id AND message.seq > m.read_seq AND message.sender <> m.account)
    FROM member m JOIN conversation c ON c.id = m.conversation
"""


def listing(tx: Tx, account: int) -> list[Listed]:
    """List an account's conversations, in no order. `unread` is counted, never kept."""
    return [Listed(*row) for row in tx.execute(_LISTED + " WHERE m.account = ?", (account,)).fetchall()]


def last(tx: Tx, conversation: int) -> tuple[int, int]:
    """Give a conversation's last seq and rev."""
    row = tx.execute("SELECT last_seq, last_rev FROM conversation WHERE id = ?", (conversation,)).fetchone()
    return int(row[0]), int(row[1])
