"""The rules of messages: sending, editing, recalling and forwarding them, and threads."""

import re
from typing import Any

import attrs

from imd.chat.base import burning, mentions
from imd.chat.base.access import (
    Conversation,
    account_named,
    by_number,
    check_may_write,
    group,
    group_row,
    message,
    own_message,
    recipient_named,
)
from imd.chat.base.context import Caller
from imd.chat.base.effects import Delivery, Outcome, Schedule
from imd.chat.base.handlers import reads, writes
from imd.chat.base.jobs import INDEX_DELAY
from imd.chat.base.limits import DAY
from imd.chat.base.rate_limits import time_left, wait_seconds
from imd.chat.base.relations import lift_decline, refuse_unwelcome
from imd.chat.base.render import (
    Recipients,
    changed,
    cut_page,
    message_added,
    recipients_of,
    rendered,
    unchanged,
)
from imd.store import conversations, friends, profiles, receipts
from imd.store import messages as sql
from imd.store.transaction import Tx
from imd.wire import messages as wire
from imd.wire.fields import timestamp
from imd.wire.refusals import (
    BadRequest,
    Conflict,
    Forbidden,
    NoSuchMessage,
    QuotaExceeded,
    RateLimited,
    TooLarge,
    TooLate,
)

_STICKER = re.compile(r"[^\s/]{1,64}/[^\s/]{1,64}")
_LOCATION = re.compile(r"(-?\d{1,3}(?:\.\d+)?),(-?\d{1,3}(?:\.\d+)?)(?: .*)?", re.DOTALL)


@attrs.frozen
class _Destination:
    """Where a message goes: a conversation that the caller is in, or a person, perhaps without a conversation yet."""

    id: int | None
    other: friends.Recipient | None = None
    joined: Conversation | None = None

    def as_member(self, tx: Tx, caller: Caller) -> Conversation:
        """Give the conversation as the caller sees it."""
        return self.joined or by_number(tx, caller, self.id or 0)

    def recipients(self, caller: Caller) -> Recipients:
        """Give the recipients of a message."""
        if self.joined is not None:
            return recipients_of(self.joined, caller.username)
        assert self.id is not None
        assert self.other is not None
        pair = {caller.account: self.other.username, self.other.id: caller.username}
        return Recipients(self.id, pair=tuple(pair.items()))


@writes(wire.SendMessage)
def send_message(tx: Tx, caller: Caller, command: wire.SendMessage) -> Outcome[wire.Sent]:
    """Store a message once, and tell the recipients and the sender's other devices."""
    check_content(tx, caller, command.kind, command.content)
    if command.client_id and (sent := sql.by_client_id(tx, caller.account, command.client_id)):
        where = command.conversation if command.to is None else _addressed(tx, caller, command.to)
        asked = (command.kind, command.content, command.reply_to)
        return _repeated(sent, where, same=(sent.kind, sent.content, sent.reply_to) == asked)
    destination = _destination(tx, caller, command.to, command.conversation)
    lifted = _admitted(tx, caller, destination)
    destination = _begun(tx, caller, destination)
    if command.reply_to and not sql.visible(tx, destination.as_member(tx, caller).seen, command.reply_to):
        raise NoSuchMessage(seq=command.reply_to)
    more = {"reply_to": command.reply_to, "burn_after": command.burn_after}
    return _store(
        tx,
        caller,
        destination,
        _new(caller, destination, command.kind, command.content, command.client_id, **more),
        lifted,
    )


def _repeated(sent: sql.Message, where: int | None, *, same: bool) -> Outcome[wire.Sent]:
    """Answer a client_id that was used before: it is the same message again, or a conflict.

    The answer does not change when the sender is muted or leaves. A message that has changed since counts as the same,
    since what was sent is no longer known.
    """
    changed_since = sent.edited or sent.recalled or sent.burned
    if sent.conversation != where or not (same or changed_since):
        raise Conflict
    return Outcome(_sent(sent, duplicate=True))


def _sent(row: sql.Message, *, duplicate: bool) -> wire.Sent:
    time = timestamp(row.time)
    return wire.Sent(conversation=row.conversation, seq=row.seq, rev=row.rev, time=time, duplicate=duplicate)


def _addressed(tx: Tx, caller: Caller, to: str) -> int | None:
    """Find the conversation of a person or a group, whether or not the caller may write there."""
    if to.startswith("#"):
        row = group_row(tx, caller, to)
        return row.conversation if row else None
    return conversations.direct(tx, caller.account, account_named(tx, to).id)


def _destination(tx: Tx, caller: Caller, to: str | None, number: int | None) -> _Destination:
    """Find where a message goes."""
    if to is None:
        conversation = by_number(tx, caller, number or 0)
    elif to.startswith("#"):
        conversation = group(tx, caller, to)
    else:
        other = recipient_named(tx, caller, to)
        return _Destination(conversations.direct(tx, caller.account, other.id), other)
    return _Destination(conversation.id, conversation.other, conversation)


def _admitted(tx: Tx, caller: Caller, destination: _Destination) -> tuple[Delivery, ...]:
    """Refuse a caller who may not write there; give the deliveries of a decline that is lifted by it."""
    if destination.joined is not None:
        check_may_write(tx, caller, destination.joined)
        _check_slow_mode(caller, destination.joined)
    elif destination.other is not None:
        refuse_unwelcome(tx, caller, destination.other)
    return lift_decline(tx, caller, destination.other) if destination.other is not None else ()


def _check_slow_mode(caller: Caller, conversation: Conversation) -> None:
    """Refuse a caller whose last message in a slow group is too recent."""
    left = time_left(conversation.row.spoke, conversation.row.slow_mode * 1000, caller.now)
    if conversation.row.slow_mode and left > 0 and not conversation.at_least("admin"):
        raise RateLimited("slow_mode", retry_after=wait_seconds(left))


def _begun(tx: Tx, caller: Caller, destination: _Destination) -> _Destination:
    """Begin the conversation of two people, if this is their first message."""
    if destination.id is not None or destination.other is None:
        return destination
    if destination.other.id != caller.account and destination.other.mine != "friend":
        _refuse_many_strangers(tx, caller)
    return attrs.evolve(
        destination, id=conversations.begin_direct(tx, caller.account, destination.other.id, caller.now)
    )


def _refuse_many_strangers(tx: Tx, caller: Caller) -> None:
    """Refuse a caller who has begun too many conversations within a day."""
    most = caller.limits.strangers_per_day
    if most and (began := conversations.begun(tx, caller.account, caller.now - DAY, most)) is not None:
        raise QuotaExceeded("strangers", limit=most, retry_after=wait_seconds(time_left(began, DAY, caller.now)))


def check_content(tx: Tx, caller: Caller, kind: str, content: str) -> None:
    """Refuse content that is empty, too large, or not of its kind."""
    if not content.strip():
        raise BadRequest("empty")
    limit = caller.limits.content_bytes
    if len(content) * 4 > limit and len(content.encode()) > limit:
        raise TooLarge(limit=limit)
    if kind == "sticker" and not _STICKER.fullmatch(content):
        raise BadRequest("sticker")
    if kind == "location":
        degrees = _LOCATION.fullmatch(content)
        if not degrees or abs(float(degrees[1])) > 90 or abs(float(degrees[2])) > 180:
            raise BadRequest("location")
    if kind == "contact":
        account_named(tx, content)


def _new(
    caller: Caller, destination: _Destination, kind: str, content: str, client_id: str | None, **more: Any
) -> sql.Message:
    """Make the row of a new message. It gets its seq and rev when it is appended."""
    caller.word_filter.check(content)
    return sql.Message(
        conversation=destination.id or 0,
        seq=0,
        rev=0,
        sender_id=caller.account,
        sender=caller.username,
        client_id=client_id,
        time=caller.now,
        kind=kind,
        content=content,
        **more,
    )


def _store(
    tx: Tx, caller: Caller, destination: _Destination, new: sql.Message, lifted: tuple[Delivery, ...]
) -> Outcome[wire.Sent]:
    """Append a message and tell the recipients. A plain message takes three statements, however many read it."""
    alone = destination.other is not None and destination.other.id == caller.account
    expires = burning.expires(new, destination.joined, alone=alone, days=caller.limits.burn_days)
    mentioned: dict[str, int] = {}
    if "@" in new.content:
        mentioned = mentions.mentioned(tx, destination.as_member(tx, caller), new.kind, new.content)
    if expires or mentioned:
        new = new._replace(expires=expires, mentions=" ".join(mentioned) or None)
    row = sql.append(tx, new)
    sql.add_mentions(tx, row.conversation, row.seq, list(mentioned.values()))
    receipts.follow_own(tx, row.conversation, caller.account, row.seq)  # else it would be replayed to its sender
    if destination.joined is not None and destination.joined.row.slow_mode:
        conversations.set_member(tx, row.conversation, caller.account, spoke=caller.now)
    # what burns is not searched: the index forgets only once a day
    effects = [] if new.burn_after else [Schedule(caller.now + INDEX_DELAY)]
    if expires:
        effects.append(Schedule(expires))
    told = lifted + message_added(destination.recipients(caller), row)
    return Outcome(_sent(row, duplicate=False), told=told, effects=tuple(effects))


@writes(wire.EditMessage)
def edit_message(tx: Tx, caller: Caller, command: wire.EditMessage) -> Outcome[wire.Changed]:
    """Change what a message of the caller's says, within the time that the limits allow."""
    conversation, row = own_message(tx, caller, command)
    if row.sender_id != caller.account:
        raise Forbidden("not_yours")
    if row.recalled or row.burned:
        raise BadRequest("gone")
    if row.kind not in EDITABLE or row.forwarded is not None:
        raise BadRequest("uneditable")
    check_content(tx, caller, row.kind, command.content)
    if command.content == row.content:
        return unchanged(row)
    check_may_write(tx, caller, conversation)
    seconds = caller.limits.edit_seconds
    if seconds and caller.now > row.time + seconds * 1000:
        raise TooLate("edit", seconds=seconds)
    caller.word_filter.check(command.content)
    mentioned = mentions.mentioned(tx, conversation, row.kind, command.content)
    if row.mentions or mentioned:
        sql.replace_mentions(tx, row.conversation, row.seq, list(mentioned.values()))
    row = sql.reword(tx, row, command.content, edited=caller.now, mentions=" ".join(mentioned) or None)
    return changed(tx, caller, conversation, row, "edited", Schedule(caller.now + INDEX_DELAY))


EDITABLE = frozenset({"text", "markdown"})


@writes(wire.RecallMessage)
def recall_message(tx: Tx, caller: Caller, command: wire.RecallMessage) -> Outcome[wire.Changed]:
    """Empty a message: the caller's own, or in a group of which they are an admin, anybody's. Its seq stays."""
    conversation, row = own_message(tx, caller, command)
    if row.sender_id != caller.account and not conversation.at_least("admin"):
        raise Forbidden("not_yours")
    if row.kind == "notice":
        raise BadRequest("uneditable")
    if row.recalled or row.burned:
        return unchanged(row)
    row = sql.empty(tx, row, recalled=caller.now)
    return changed(tx, caller, conversation, row, "recalled", Schedule(caller.now + INDEX_DELAY))


@writes(wire.Forward)
def forward(tx: Tx, caller: Caller, command: wire.Forward) -> Outcome[wire.Sent]:
    """Send a message on, with the name of its first sender."""
    _, row = message(tx, caller, command)
    if row.recalled or row.burned or row.kind == "notice":
        raise BadRequest("gone")
    if row.burn_after:
        raise Forbidden("burning")
    if command.client_id and (sent := sql.by_client_id(tx, caller.account, command.client_id)):
        where = _addressed(tx, caller, command.target)
        return _repeated(sent, where, same=(sent.kind, sent.content) == (row.kind, row.content))
    destination = _destination(tx, caller, command.target, None)
    lifted = _admitted(tx, caller, destination)
    destination = _begun(tx, caller, destination)
    origin = _origin(tx, row)
    new = _new(caller, destination, row.kind, row.content, command.client_id, forwarded=origin)
    return _store(tx, caller, destination, new, lifted)


def _origin(tx: Tx, row: sql.Message) -> str:
    """Give the first sender's name for a message that is sent on; empty if they do not want it passed on."""
    if row.forwarded is not None:
        return row.forwarded
    return row.sender if profiles.keeps_name(tx, row.sender_id) else ""


@reads(wire.ReadThread)
def thread(tx: Tx, caller: Caller, command: wire.ReadThread) -> Outcome[wire.Thread]:
    """Give a page of the answers to a message. The first page begins with the message itself."""
    conversation, root = message(tx, caller, command)
    rows = sql.thread(tx, conversation.seen, root.seq, command.after, command.limit + 1)
    page, more = cut_page(rows, command.limit)
    return Outcome(
        wire.Thread(
            conversation=conversation.id,
            messages=rendered(tx, page if command.after else [root, *page], caller.account, conversation.to),
            more=more,
        )
    )
