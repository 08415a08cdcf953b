"""Messages in SQL: each conversation is a log, numbered by seq, and rev counts its inserts and changes.

A message's row holds its present state. A change gives the row the conversation's next rev; its seq never changes.
"""

from typing import Any, NamedTuple

from imd.store import forgetting
from imd.store.rows import Select
from imd.store.transaction import Tx, assigned, marks


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
    reply_to: int | None = None
    edited: int | None = None
    recalled: int | None = None
    burned: int | None = None
    burn_after: int | None = None
    expires: int | None = None
    forwarded: str | None = None
    pinned: int | None = None
    mentions: str | None = None
    """Names, separated by spaces."""

    reacted: int | None = None
    """How many reactions it has."""

    burning: int | None = None
    """Where its text is stored if it is to burn: in `burning_words`."""


PLAIN_FIELDS = Message._fields.index("reply_to")
PLAIN = (None,) * (len(Message._fields) - PLAIN_FIELDS)
"""The fields after the content in a message that is no reply and to which nothing has happened."""


class Seen(NamedTuple):
    """What a reader sees of a conversation: the messages after a seq, except those hidden for the reader."""

    account: int
    conversation: int
    after: int


_MESSAGE = Select(
    Message,
    "FROM message JOIN account ON account.id = message.sender"
    " LEFT JOIN burning_words ON burning_words.id = message.burning",
    sender_id="sender",
    sender="username",
    content="coalesce(words, content)",
)
_SEEN = (
    "WHERE conversation = ? AND seq > ? AND NOT EXISTS (SELECT 1 FROM hidden WHERE hidden.account = ?"
    " AND hidden.conversation = message.conversation AND hidden.seq = message.seq)"
)


def _seen(tx: Tx, seen: Seen, rest: str, *parameters: Any) -> list[Message]:
    return _MESSAGE.all(tx, f"{_SEEN} {rest}", (seen.conversation, seen.after, seen.account, *parameters))


def append(tx: Tx, message: Message) -> Message:
    """Append a message, and return it with its seq and rev."""
    seq, rev = tx.execute(
        "UPDATE conversation SET last_seq = last_seq + 1, last_rev = last_rev + 1"
        " WHERE id = ? RETURNING last_seq, last_rev",
        (message.conversation,),
    ).fetchone()
    burning = forgetting.keep(tx, message.content) if message.burn_after else None
    tx.execute(
        "INSERT INTO message (conversation, seq, rev, sender, client_id, time, kind, content, reply_to, burn_after,"
        " expires, forwarded, mentions, burning) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            message.conversation,
            seq,
            rev,
            message.sender_id,
            message.client_id,
            message.time,
            message.kind,
            "" if burning else message.content,
            message.reply_to,
            message.burn_after,
            message.expires,
            message.forwarded,
            message.mentions,
            burning,
        ),
    )
    return message._replace(seq=seq, rev=rev, burning=burning)


def next_rev(tx: Tx, conversation: int) -> int:
    """Take the conversation's next rev, for a change."""
    row = tx.execute(
        "UPDATE conversation SET last_rev = last_rev + 1 WHERE id = ? RETURNING last_rev", (conversation,)
    ).fetchone()
    return int(row[0])


_CHANGEABLE = frozenset(
    {
        "rev",
        "content",
        "edited",
        "recalled",
        "burned",
        "burning",
        "expires",
        "forwarded",
        "pinned",
        "mentions",
        "reacted",
    }
)
_CHANGE = "UPDATE message SET {} WHERE conversation = ? AND seq = ?"


def reword(tx: Tx, message: Message, content: str, **values: Any) -> Message:
    """Change a message's text, and perhaps more of its state."""
    if message.burning is None:
        return change(tx, message, content=content, **values)
    forgetting.overwrite(tx, message.burning, message.content)
    forgetting.note(tx)
    changed = change(tx, message, burning=forgetting.keep(tx, content) if content else None, **values)
    return changed._replace(content=content)


def change(tx: Tx, message: Message, **values: Any) -> Message:
    """Change a message's state, under the conversation's next rev; gives it as it is now."""
    values["rev"] = next_rev(tx, message.conversation)
    tx.execute(_CHANGE.format(assigned(_CHANGEABLE, values)), (*values.values(), message.conversation, message.seq))
    return message._replace(**values)


def empty(tx: Tx, message: Message, **values: int) -> Message:
    """Remove everything from a message but its place in the log; `values` say why and when."""
    place = (message.conversation, message.seq)
    if message.reacted:
        tx.execute("DELETE FROM reaction WHERE conversation = ? AND seq = ?", place)
    if message.mentions:
        tx.execute("DELETE FROM mention WHERE conversation = ? AND seq = ?", place)
    nothing = dict.fromkeys(("expires", "forwarded", "pinned", "mentions", "reacted"))
    return reword(tx, message, "", **nothing, **values)


def replace_mentions(tx: Tx, conversation: int, seq: int, accounts: list[int]) -> None:
    """Store the mentions of a message that was changed, in place of the old ones."""
    tx.execute("DELETE FROM mention WHERE conversation = ? AND seq = ?", (conversation, seq))
    add_mentions(tx, conversation, seq, accounts)


def add_mentions(tx: Tx, conversation: int, seq: int, accounts: list[int]) -> None:
    """Store the mentions of a message: account 0 is everybody."""
    for account in accounts:
        tx.execute("INSERT INTO mention (conversation, account, seq) VALUES (?, ?, ?)", (conversation, account, seq))


def by_client_id(tx: Tx, sender: int, client_id: str) -> Message | None:
    """Find the message that a sender sent under a client_id."""
    return _MESSAGE.one(tx, "WHERE sender = ? AND client_id = ?", (sender, client_id))


def visible(tx: Tx, seen: Seen, seq: int) -> Message | None:
    """Find a message if this reader may see it."""
    return next(iter(_seen(tx, seen, "AND seq = ?", seq)), None)


def last_by(tx: Tx, seen: Seen, sender: int) -> Message | None:
    """Find a reader's own latest message."""
    return next(iter(_seen(tx, seen, "AND sender = ? ORDER BY seq DESC LIMIT 1", sender)), None)


def latest(tx: Tx, seen: Seen, before: int, limit: int) -> list[Message]:
    """List the last messages before a seq, newest first."""
    return _seen(tx, seen, "AND seq < ? ORDER BY seq DESC LIMIT ?", before, limit)


def following(tx: Tx, seen: Seen, after: int, before: int, limit: int) -> list[Message]:
    """List the first messages with after < seq < before, oldest first."""
    return _seen(tx, seen, "AND seq > ? AND seq < ? ORDER BY seq LIMIT ?", after, before, limit)


def changed(tx: Tx, seen: Seen, after_rev: int, limit: int) -> list[Message]:
    """List the messages that are new or changed after a rev, by rev."""
    return _seen(tx, seen, "AND rev > ? ORDER BY rev LIMIT ?", after_rev, limit)


def thread(tx: Tx, seen: Seen, root: int, after: int, limit: int) -> list[Message]:
    """List the replies to a message, oldest first."""
    return _seen(tx, seen, "AND reply_to = ? AND seq > ? ORDER BY seq LIMIT ?", root, after, limit)


def pinned(tx: Tx, seen: Seen) -> list[Message]:
    """List the pinned messages, the most recently pinned first."""
    return _seen(tx, seen, "AND pinned IS NOT NULL ORDER BY pinned DESC, seq DESC")


class Reaction(NamedTuple):
    """One reaction to a message: an emoji and the name of the person."""

    seq: int
    emoji: str
    username: str


_REACTION = Select(Reaction, "FROM reaction JOIN account ON account.id = reaction.account")
_TO_MESSAGES = "WHERE conversation = ? AND seq IN ({}) ORDER BY reaction.time, reaction.account"


def reactions(tx: Tx, conversation: int, seqs: list[int]) -> list[Reaction]:
    """List the reactions to some messages, oldest first."""
    return _REACTION.all(tx, _TO_MESSAGES.format(marks(len(seqs))), (conversation, *seqs))


def burning(tx: Tx, conversation: int, after: int, upto: int, reader: int) -> list[Message]:
    """List the messages by others that a reader has just read and that burn after reading."""
    return _MESSAGE.all(
        tx,
        "WHERE conversation = ? AND seq > ? AND seq <= ? AND burn_after IS NOT NULL AND burned IS NULL AND sender <> ?",
        (conversation, after, upto, reader),
    )


def unread_burning(tx: Tx, conversation: int, after: int, reader: int, limit: int) -> list[Message]:
    """List the messages by others after a seq that burn once read, and whose time has not begun."""
    return _MESSAGE.all(
        tx,
        "WHERE conversation = ? AND seq > ? AND burn_after IS NOT NULL AND burned IS NULL AND expires IS NULL"
        " AND sender <> ? ORDER BY seq LIMIT ?",
        (conversation, after, reader, limit),
    )


def by_senders(tx: Tx, conversation: int, senders: tuple[int, int], after: int, upto: int, limit: int) -> list[Message]:
    """List the messages of two senders with after < seq <= upto that still have text."""
    return _MESSAGE.all(
        tx,
        "WHERE conversation = ? AND seq > ? AND seq <= ? AND sender IN (?, ?) AND kind <> 'notice'"
        " AND recalled IS NULL AND burned IS NULL ORDER BY seq LIMIT ?",
        (conversation, after, upto, *senders, limit),
    )


def forget(tx: Tx, message: Message) -> None:
    """Overwrite the text of a message whose row will be emptied or deleted later; see `forgetting`."""
    if message.burning is not None:
        forgetting.overwrite(tx, message.burning, message.content)
        return
    nothing, place = forgetting.blank(message.content), (message.conversation, message.seq)
    tx.execute("UPDATE message SET content = ? WHERE conversation = ? AND seq = ?", (nothing, *place))


def expired(tx: Tx, now: int, limit: int) -> list[Message]:
    """List the messages that have expired, in the order in which they did."""
    return _MESSAGE.all(tx, "WHERE expires <= ? ORDER BY expires LIMIT ?", (now, limit))


def next_expiry(tx: Tx) -> int | None:
    """Return when the next message expires."""
    row = tx.execute("SELECT min(expires) FROM message WHERE expires IS NOT NULL").fetchone()
    return None if row[0] is None else int(row[0])
