"""Rendering: how stored messages look to a viewer, and who is told of a new or a changed one."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any, TypeVar

import attrs
import msgspec

from imd.chat.base.access import Conversation, by_number
from imd.chat.base.context import Caller
from imd.chat.base.effects import Delivery, Effect, Followers, Outcome, Topic
from imd.store import accounts, conversations, messages
from imd.store.transaction import Tx
from imd.wire.fields import timestamp
from imd.wire.messages import Changed, Message, MessageChanged, NewMessage, Notice, Reaction, What

NAMED = 20
"""How many people are named for one emoji; the others are counted."""

PAGE_BYTES = 256 * 1024
"""How much content a page may hold, as JSON: it waits in memory until the connection has taken it."""

M = TypeVar("M", bound=Message)
E = TypeVar("E", NewMessage, MessageChanged)

_notice = msgspec.json.Decoder(Notice).decode


@attrs.frozen
class Recipients:
    """The accounts that read a conversation: a group by its handle, or a pair with what each types to answer."""

    conversation: int
    handle: str = ""
    pair: tuple[tuple[int, str], ...] = ()


def recipients(tx: Tx, conversation: int) -> Recipients:
    """Find the recipients in a conversation."""
    row = conversations.membership(tx, conversation, 0)
    assert row is not None
    if row.direct_key is None:
        return Recipients(conversation, handle=f"#{row.handle}")
    low, high = (accounts.by_id(tx, each) for each in conversations.pair(row.direct_key))
    return Recipients(conversation, pair=tuple({low.id: high.username, high.id: low.username}.items()))


def recipients_of(conversation: Conversation, username: str) -> Recipients:
    """Give the recipients in a conversation whose viewer has this username. It does not ask the database."""
    if conversation.other is None:
        return Recipients(conversation.id, handle=conversation.to)
    return Recipients(
        conversation.id, pair=tuple({conversation.viewer: conversation.to, conversation.other.id: username}.items())
    )


@attrs.define
class PageBudget:
    """The room that is left on a page."""

    _left: int = PAGE_BYTES

    def takes(self, row: messages.Message) -> bool:
        """Say whether a message still fits, and take the room it needs. The first one always fits."""
        first = self._left == PAGE_BYTES
        self._left -= len(msgspec.json.encode(row.content)) + 1
        return first or self._left >= 0


def cut_page(rows: list[messages.Message], limit: int) -> tuple[list[messages.Message], bool]:
    """Cut a page to size, and say whether more messages follow."""
    page = list(takewhile(PageBudget().takes, rows[:limit]))
    return page, len(page) < len(rows)


def rendered(tx: Tx, rows: list[messages.Message], viewer: int, to: str) -> list[Message]:
    """Render stored messages of one conversation for a viewer; `to` is what the viewer types to answer."""
    reactions = _reactions(tx, rows)
    return [_render(Message, row, to, viewer, reactions.get(row.seq, [])) for row in rows]


def mixed_page(tx: Tx, caller: Caller, keys: Sequence[tuple[int, int]]) -> tuple[list[Message], int]:
    """Render messages of several conversations by (conversation, seq), leaving out those the caller may not see.

    Gives the page, and how many of the keys it covers.
    """
    known: dict[int, Conversation] = {}
    page: list[Message] = []
    budget = PageBudget()
    for covered, (number, seq) in enumerate(keys):
        conversation = known.get(number) or known.setdefault(number, by_number(tx, caller, number))
        if row := messages.visible(tx, conversation.seen, seq):
            if not budget.takes(row):
                return page, covered
            page += rendered(tx, [row], caller.account, conversation.to)
    return page, len(keys)


def _render(shape: type[M], row: messages.Message, to: str, viewer: int, reactions: list[Reaction], **more: Any) -> M:
    if row[messages.PLAIN_FIELDS :] != messages.PLAIN:
        more |= _rare_fields(row, reactions)
    notice = _notice(row.content) if row.kind == "notice" and row.content else None
    if notice is not None:
        more["notice"] = notice
    if row.client_id is not None and row.sender_id == viewer:
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


def _rare_fields(row: messages.Message, reactions: list[Reaction]) -> dict[str, Any]:
    """Give the fields that most messages do not have."""
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
    """Gather the reactions to messages of one conversation: seq -> one entry an emoji, the oldest first."""
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


def _deliveries(
    to: Recipients, row: messages.Message, shape: type[E], reactions: list[Reaction], **more: Any
) -> list[Delivery]:
    """Tell each of a pair, or a group at once. The sender's devices get an event of their own, with the client_id."""
    if not to.handle:
        return [((viewer,), _render(shape, row, typed, viewer, reactions, **more)) for viewer, typed in to.pair]
    topic = Topic.members(to.conversation)
    for_all = _render(shape, row, to.handle, 0, reactions, **more)
    if row.client_id is None:
        return [(Followers(topic, seq=row.seq), for_all)]
    for_sender = _render(shape, row, to.handle, row.sender_id, reactions, **more)
    return [
        (Followers(topic, only=row.sender_id, seq=row.seq), for_sender),
        (Followers(topic, besides=row.sender_id, seq=row.seq), for_all),
    ]


def message_added(to: Recipients, row: messages.Message) -> tuple[Delivery, ...]:
    """Tell the recipients of a new message."""
    return tuple(_deliveries(to, row, NewMessage, []))


def message_changed(
    tx: Tx, to: Recipients, row: messages.Message, what: What, by: str = "", emoji: str = ""
) -> tuple[Delivery, ...]:
    """Tell the recipients of a changed message: all of it, in its present state."""
    reactions = _reactions(tx, [row]).get(row.seq, [])
    return tuple(_deliveries(to, row, MessageChanged, reactions, what=what, by=by, emoji=emoji))


def changed(
    tx: Tx,
    caller: Caller,
    conversation: Conversation,
    row: messages.Message,
    what: What,
    *effects: Effect,
    emoji: str = "",
) -> Outcome[Changed]:
    """Answer a caller who changed a message, and tell the recipients."""
    told = message_changed(tx, recipients_of(conversation, caller.username), row, what, caller.username, emoji)
    return Outcome(unchanged(row).reply, told=told, effects=effects)


def unchanged(row: messages.Message) -> Outcome[Changed]:
    """Answer a caller whose change changes nothing."""
    return Outcome(Changed(conversation=row.conversation, seq=row.seq, rev=row.rev))
