"""The rules of messages: sending one, and what may become of it."""

import re
from typing import Any

import attrs

from imd.chat.base import burning, mentions
from imd.chat.base.access import (
    Conversation,
    account_named,
    by_number,
    group,
    group_row,
    message,
    own_message,
    recipient_named,
)
from imd.chat.base.context import Caller
from imd.chat.base.effects import Delivery, Outcome, Schedule
from imd.chat.base.handlers import reads, writes
from imd.chat.base.render import (
    Recipients,
    changed_reply,
    cut_page,
    message_added,
    message_changed,
    recipients_of,
    rendered,
)
from imd.chat.friends import lift_decline, refuse_unwelcome
from imd.chat.search import SOON
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
    """Where a message goes: to a person, even before there is a conversation, or to one that the caller is in."""

    id: int | None
    other: friends.Recipient | None = None
    joined: Conversation | None = None

    def as_member(self, tx: Tx, caller: Caller) -> Conversation:
        """Look the conversation up as one of the caller's."""
        return self.joined or by_number(tx, caller, self.id or 0)

    def recipients(self, caller: Caller) -> Recipients:
        """Give who will read it."""
        if self.joined is not None:
            return recipients_of(self.joined, caller.username)
        assert self.id is not None
        assert self.other is not None
        pair = {caller.account: self.other.username, self.other.id: caller.username}
        return Recipients(self.id, pair=tuple(pair.items()))


@writes(wire.SendMessage)
def send_message(tx: Tx, caller: Caller, command: wire.SendMessage) -> Outcome[wire.Sent]:
    """Store a message once and tell the others, and the sender's other devices."""
    check_content(tx, caller, command.kind, command.content)
    if command.client_id and (sent := sql.by_client_id(tx, caller.account, command.client_id)):
        where = command.conversation if command.to is None else _meant(tx, caller, command.to)
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
    """Answer a client_id that was used before: the same message again, or a contradiction.

    What is stored is stored, also when its sender has been muted, or is no member any more. Of a message that has
    changed since, the words it was sent with are not known any more.
    """
    changed_since = sent.edited or sent.recalled or sent.burned
    if sent.conversation != where or not (same or changed_since):
        raise Conflict
    return Outcome(_sent(sent, duplicate=True))


def _sent(row: sql.Message, *, duplicate: bool) -> wire.Sent:
    time = timestamp(row.time)
    return wire.Sent(conversation=row.conversation, seq=row.seq, rev=row.rev, time=time, duplicate=duplicate)


def _meant(tx: Tx, caller: Caller, to: str) -> int | None:
    """Find the conversation that a name means, whether or not I may write there."""
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
    """Refuse who may not write there; give what is to be told of a decline that ends by it."""
    if destination.joined is not None:
        may_write(tx, caller, destination.joined)
        _in_turn(caller, destination.joined)
    elif destination.other is not None:
        refuse_unwelcome(tx, caller, destination.other)
    return lift_decline(tx, caller, destination.other) if destination.other is not None else ()


def may_write(tx: Tx, caller: Caller, conversation: Conversation) -> None:
    """Refuse who is not welcome to somebody, or has no word in a group, or not yet again."""
    row = conversation.row
    if conversation.other is not None:
        refuse_unwelcome(tx, caller, conversation.other)
        return
    if conversation.at_least("owner"):
        return
    if row.muted_until > caller.now:
        raise Forbidden("muted", retry_after=-(-(row.muted_until - caller.now) // 1000))
    if not conversation.at_least("admin") and (row.who_writes == "admins" or not conversation.at_least("member")):
        raise Forbidden("readers")


def _in_turn(caller: Caller, conversation: Conversation) -> None:
    """Refuse who spoke in a slow group only just now."""
    left = (
        min(conversation.row.spoke - caller.now, 0) + conversation.row.slow_mode * 1000
    )  # no longer, if the clock was set back
    if conversation.row.slow_mode and left > 0 and not conversation.at_least("admin"):
        raise RateLimited("slow_mode", retry_after=-(-left // 1000))


def _begun(tx: Tx, caller: Caller, destination: _Destination) -> _Destination:
    """Begin the conversation of two people with their first message."""
    if destination.id is not None or destination.other is None:
        return destination
    if destination.other.id != caller.account and destination.other.mine != "friend":
        _refuse_many_strangers(tx, caller)
    return attrs.evolve(
        destination, id=conversations.begin_direct(tx, caller.account, destination.other.id, caller.now)
    )


def _refuse_many_strangers(tx: Tx, caller: Caller) -> None:
    """Refuse who has begun enough talks for a day."""
    most = caller.limits.strangers_per_day
    if most and (began := conversations.begun(tx, caller.account, caller.now - burning.DAY, most)) is not None:
        left = min(began - caller.now, 0) + burning.DAY  # no longer than a day, if the clock was set back
        raise QuotaExceeded("strangers", limit=most, retry_after=-(-left // 1000))


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
        conversation = _LOCATION.fullmatch(content)
        if not conversation or abs(float(conversation[1])) > 90 or abs(float(conversation[2])) > 180:
            raise BadRequest("location")
    if kind == "contact":
        account_named(tx, content)


def _new(
    caller: Caller, destination: _Destination, kind: str, content: str, client_id: str | None, **more: Any
) -> sql.Message:
    """Make the row of a new message; its place in the log comes when it is appended."""
    caller.words.check(content)
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
    """Append a message and tell of it. In the plainest case: two statements, whoever reads it."""
    alone = destination.other is not None and destination.other.id == caller.account
    expires = burning.expires(new, destination.joined, alone=alone, days=caller.limits.burn_days)
    called = mentions.called(tx, destination.as_member(tx, caller), new.kind, new.content) if "@" in new.content else {}
    if expires or called:
        new = new._replace(expires=expires, mentions=" ".join(called) or None)
    row = sql.append(tx, new)
    sql.add_mentions(tx, row.conversation, row.seq, list(called.values()))
    receipts.follow_own(tx, row.conversation, caller.account, row.seq)
    if destination.joined is not None and destination.joined.row.slow_mode:
        conversations.set_member(tx, row.conversation, caller.account, spoke=caller.now)
    effects = [] if new.burn_after else [Schedule(caller.now + SOON)]
    if expires:
        effects.append(Schedule(expires))
    told = lifted + message_added(destination.recipients(caller), row)
    return Outcome(_sent(row, duplicate=False), told=told, effects=tuple(effects))


@writes(wire.EditMessage)
def edit_message(tx: Tx, caller: Caller, command: wire.EditMessage) -> Outcome[wire.Changed]:
    """Change the words of a message of mine, for as long as the limits say."""
    conversation, row = own_message(tx, caller, command)
    if row.sender_id != caller.account:
        raise Forbidden("not_yours")
    if row.recalled or row.burned:
        raise BadRequest("gone")
    if row.kind not in EDITABLE or row.forwarded is not None:
        raise BadRequest("uneditable")
    check_content(tx, caller, row.kind, command.content)
    if command.content == row.content:
        return changed_reply(row)
    may_write(tx, caller, conversation)
    seconds = caller.limits.edit_seconds
    if seconds and caller.now > row.time + seconds * 1000:
        raise TooLate("edit", seconds=seconds)
    caller.words.check(command.content)
    called = mentions.called(tx, conversation, row.kind, command.content)
    if row.mentions or called:
        sql.replace_mentions(tx, row.conversation, row.seq, list(called.values()))
    row = sql.reword(tx, row, command.content, edited=caller.now, mentions=" ".join(called) or None)
    return changed_reply(
        row,
        message_changed(tx, recipients_of(conversation, caller.username), row, "edited", caller.username),
        Schedule(caller.now + SOON),
    )


EDITABLE = frozenset({"text", "markdown"})


@writes(wire.RecallMessage)
def recall_message(tx: Tx, caller: Caller, command: wire.RecallMessage) -> Outcome[wire.Changed]:
    """Take a message back: mine anywhere, anybody's where I am an admin. Its place in the log stays."""
    conversation, row = own_message(tx, caller, command)
    if row.sender_id != caller.account and not conversation.at_least("admin"):
        raise Forbidden("not_yours")
    if row.kind == "notice":
        raise BadRequest("uneditable")
    if row.recalled or row.burned:
        return changed_reply(row)
    row = sql.empty(tx, row, recalled=caller.now)
    return changed_reply(
        row,
        message_changed(tx, recipients_of(conversation, caller.username), row, "recalled", caller.username),
        Schedule(caller.now + SOON),
    )


@writes(wire.Forward)
def forward(tx: Tx, caller: Caller, command: wire.Forward) -> Outcome[wire.Sent]:
    """Send a message on, with the name of who said it first."""
    _, row = message(tx, caller, command)
    if row.recalled or row.burned or row.kind == "notice":
        raise BadRequest("gone")
    if row.burn_after:
        raise Forbidden("burning")
    if command.client_id and (sent := sql.by_client_id(tx, caller.account, command.client_id)):
        where = _meant(tx, caller, command.target)
        return _repeated(sent, where, same=(sent.kind, sent.content) == (row.kind, row.content))
    destination = _destination(tx, caller, command.target, None)
    lifted = _admitted(tx, caller, destination)
    destination = _begun(tx, caller, destination)
    origin = _origin(tx, row)
    new = _new(caller, destination, row.kind, row.content, command.client_id, forwarded=origin)
    return _store(tx, caller, destination, new, lifted)


def _origin(tx: Tx, row: sql.Message) -> str:
    """Give whose name goes with a message that is sent on: nobody's, where they do not want it."""
    if row.forwarded is not None:
        return row.forwarded
    return row.sender if profiles.keeps_name(tx, row.sender_id) else ""


@reads(wire.ReadThread)
def thread(tx: Tx, caller: Caller, command: wire.ReadThread) -> Outcome[wire.Thread]:
    """Give a message with its answers; the message itself only on the first page."""
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
