"""News: how stored messages look to their readers, and who is told of a new or a changed one."""

from itertools import takewhile
from typing import Any, TypeVar

import attrs
import msgspec

from imd.chat.base.access import Conversation
from imd.chat.base.effects import Delivery, Effect, Followers, Outcome, Topic
from imd.store import accounts, conversations, messages
from imd.store.transaction import Tx
from imd.wire.fields import timestamp
from imd.wire.messages import Changed, Message, MessageChanged, NewMessage, Notice, Reaction, What

NAMED = 20
"""How many of those who reacted with one emoji are named; the others are counted."""

PAGE_BYTES = 256 * 1024
"""How much content, as JSON, a page may hold: it waits in memory until its reader has read it."""

M = TypeVar("M", bound=Message)
E = TypeVar("E", NewMessage, MessageChanged)

_notice = msgspec.json.Decoder(Notice).decode


@attrs.frozen
class Recipients:
    """Who reads a conversation: a group by its handle, or one or two people with what each would type to answer."""

    conversation: int
    handle: str = ""
    pair: tuple[tuple[int, str], ...] = ()


def recipients(tx: Tx, conversation: int) -> Recipients:
    """Find who reads a conversation."""
    row = conversations.membership(tx, conversation, 0)
    assert row is not None
    if row.direct_key is None:
        return Recipients(conversation, handle=f"#{row.handle}")
    low, high = (accounts.by_id(tx, each) for each in conversations.pair(row.direct_key))
    return Recipients(conversation, pair=tuple({low.id: high.username, high.id: low.username}.items()))


def recipients_of(conversation: Conversation, username: str) -> Recipients:
    """Give who reads the conversation that somebody of this name is in, without asking the database."""
    if conversation.other is None:
        return Recipients(conversation.id, handle=conversation.to)
    return Recipients(
        conversation.id, pair=tuple({conversation.viewer: conversation.to, conversation.other.id: username}.items())
    )


@attrs.define
class PageBudget:
    """What is left of a page."""

    _left: int = PAGE_BYTES

    def takes(self, row: messages.Message) -> bool:
        """Say whether a message still fits. The first one does, whatever its size."""
        first = self._left == PAGE_BYTES
        self._left -= len(msgspec.json.encode(row.content)) + 1
        return first or self._left >= 0


def cut_page(rows: list[messages.Message], limit: int) -> tuple[list[messages.Message], bool]:
    """Cut a page to size, and say whether more would follow."""
    page = list(takewhile(PageBudget().takes, rows[:limit]))
    return page, len(page) < len(rows)


def rendered(tx: Tx, rows: list[messages.Message], viewer: int, to: str) -> list[Message]:
    """Turn stored messages of one conversation into what a reader sees; `to` is what they would type to answer."""
    reactions = _reactions(tx, rows)
    return [_seen(Message, row, to, viewer, reactions.get(row.seq, [])) for row in rows]


def _seen(shape: type[M], row: messages.Message, to: str, reader: int, reactions: list[Reaction], **more: Any) -> M:
    if row[messages.PLAIN_FIELDS :] != messages.PLAIN:
        more |= _life(row, reactions)
    notice = _notice(row.content) if row.kind == "notice" and row.content else None
    if notice is not None:
        more["notice"] = notice
    if row.client_id is not None and row.sender_id == reader:
        more["client_id"] = row.client_id
    return shape(
        conversation=row.conversation,
        seq=row.seq,
        rev=row.rev,
        sender=row.sender,
        to=to,
        kind=row.kind,
        content=row.content if notice is None else notice.text("en"),
        time=timestamp(row.time),
        **more,
    )


def _life(row: messages.Message, reactions: list[Reaction]) -> dict[str, Any]:
    """Give what most messages have nothing of."""
    return {
        "reply_to": row.reply_to,
        "edited": _time(row.edited),
        "recalled": _time(row.recalled),
        "burned": _time(row.burned),
        "burn_after": row.burn_after,
        "expires": _time(row.expires),
        "forwarded": row.forwarded,
        "pinned": _time(row.pinned),
        "mentions": row.mentions.split(" ") if row.mentions else [],
        "reactions": reactions,
    }


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else timestamp(milliseconds)


def _reactions(tx: Tx, rows: list[messages.Message]) -> dict[int, list[Reaction]]:
    """Gather the reactions to a page of messages: seq -> one entry an emoji, the oldest first."""
    reacted = [row.seq for row in rows if row.reacted]
    if not reacted:
        return {}
    by_emoji: dict[int, dict[str, list[str]]] = {}
    for each in messages.reactions(tx, rows[0].conversation, reacted):
        by_emoji.setdefault(each.seq, {}).setdefault(each.emoji, []).append(each.username)
    return {
        seq: [Reaction(emoji=emoji, count=len(users), users=users[:NAMED]) for emoji, users in found.items()]
        for seq, found in by_emoji.items()
    }


def _told(
    to: Recipients, row: messages.Message, shape: type[E], reactions: list[Reaction], **more: Any
) -> list[Delivery]:
    """Tell a group all at once, besides the sender, whose own devices know it by its client_id; or each of a pair."""
    if not to.handle:
        return [((reader,), _seen(shape, row, typed, reader, reactions, **more)) for reader, typed in to.pair]
    topic = Topic.members(to.conversation)
    for_all = _seen(shape, row, to.handle, 0, reactions, **more)
    if row.client_id is None:
        return [(Followers(topic, seq=row.seq), for_all)]
    for_sender = _seen(shape, row, to.handle, row.sender_id, reactions, **more)
    return [
        (Followers(topic, only=row.sender_id, seq=row.seq), for_sender),
        (Followers(topic, besides=row.sender_id, seq=row.seq), for_all),
    ]


def message_added(to: Recipients, row: messages.Message) -> tuple[Delivery, ...]:
    """Tell of a message that is new."""
    return tuple(_told(to, row, NewMessage, []))


def message_changed(
    tx: Tx, to: Recipients, row: messages.Message, what: What, by: str = "", emoji: str = ""
) -> tuple[Delivery, ...]:
    """Tell of a message that has changed: whole, as it is now."""
    reactions = _reactions(tx, [row]).get(row.seq, [])
    return tuple(_told(to, row, MessageChanged, reactions, what=what, by=by, emoji=emoji))


def changed_reply(row: messages.Message, told: tuple[Delivery, ...] = (), *effects: Effect) -> Outcome[Changed]:
    """Answer whoever changed a message: where it is, and its rev now."""
    return Outcome(Changed(conversation=row.conversation, seq=row.seq, rev=row.rev), told=told, effects=effects)
