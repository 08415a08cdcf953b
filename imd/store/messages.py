"""Messages in SQL: an append-only log for each conversation, numbered by seq, with rev counting every change."""

from typing import NamedTuple

from imd.store.transaction import Tx


class Message(NamedTuple):
    """One message in its present state; `sender` is a name, `sender_id` the account."""

    conversation: int
    seq: int
    rev: int
    sender_id: int
    sender: str
    client_id: str | None
    time: int
    kind: str
    content: str
    reply_to: int | None


_MESSAGE = (
    "SELECT conversation, seq, rev, sender, username, client_id, time, kind, content, reply_to"
    " FROM message JOIN account ON account.id = message.sender"
)


def append(
    tx: Tx,
    conversation: int,
    sender: int,
    client_id: str | None,
    now: int,
    kind: str,
    content: str,
    reply_to: int | None,
) -> tuple[int, int]:
    """Add a message at the end and give its seq and rev."""
    seq, rev = tx.execute(
        "UPDATE conversation SET last_seq = last_seq + 1, last_rev = last_rev + 1"
        " WHERE id = ? RETURNING last_seq, last_rev",
        (conversation,),
    ).fetchone()
    tx.execute(
        "INSERT INTO message (conversation, seq, rev, sender, client_id, time, kind, content, reply_to)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (conversation, seq, rev, sender, client_id, now, kind, content, reply_to),
    )
    return seq, rev


def by_client_id(tx: Tx, sender: int, client_id: str) -> Message | None:
    """Find what a sender sent under a client_id."""
    row = tx.execute(_MESSAGE + " WHERE sender = ? AND client_id = ?", (sender, client_id)).fetchone()
    return Message(*row) if row else None


def by_seq(tx: Tx, conversation: int, seq: int) -> Message | None:
    """Find a message."""
    row = tx.execute(_MESSAGE + " WHERE conversation = ? AND seq = ?", (conversation, seq)).fetchone()
    return Message(*row) if row else None


def latest(tx: Tx, conversation: int, before: int, limit: int) -> list[Message]:
    """Give the last messages before a seq, newest first."""
    rows = tx.execute(
        _MESSAGE + " WHERE conversation = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
        (conversation, before, limit),
    )
    return [Message(*row) for row in rows.fetchall()]


def following(tx: Tx, conversation: int, after: int, before: int, limit: int) -> list[Message]:
    """Give the first messages with after < seq < before, oldest first."""
    rows = tx.execute(
        _MESSAGE + " WHERE conversation = ? AND seq > ? AND seq < ? ORDER BY seq LIMIT ?",
        (conversation, after, before, limit),
    )
    return [Message(*row) for row in rows.fetchall()]


def changed(tx: Tx, conversation: int, after_rev: int, limit: int) -> list[Message]:
    """Give the messages new or changed after a rev, by rev."""
    rows = tx.execute(
        _MESSAGE + " WHERE conversation = ? AND rev > ? ORDER BY rev LIMIT ?", (conversation, after_rev, limit)
    )
    return [Message(*row) for row in rows.fetchall()]
