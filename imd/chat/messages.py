"""The rules of messages: sending one, and what may become of it."""

import re
from typing import Any

import attrs

from imd.chat import burning, mentions
from imd.chat.friends import lift_decline, refuse_unwelcome
from imd.chat.lanes import Me, Outcome, Told, Wake, reads, writes
from imd.chat.news import Readers, answer, changed, fitting, news, readers_of, shown
from imd.chat.places import Place, account_named, by_number, group, group_row, message, own_message, recipient_named
from imd.chat.search import SOON
from imd.store import conversations, friends, profiles, receipts
from imd.store import mentions as mention_rows
from imd.store import messages as sql
from imd.store.transaction import Tx
from imd.wire import messages as wire
from imd.wire.fields import timestamp, wait_seconds
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
class Target:
    """Where a message goes: to somebody, whether or not a conversation has begun, or to a place I am in."""

    conversation: int | None
    other: friends.Recipient | None = None
    place: Place | None = None

    def entered(self, tx: Tx, me: Me) -> Place:
        """Give it as a place that I am in."""
        return self.place or by_number(tx, me, self.conversation or 0)

    def readers(self, me: Me) -> Readers:
        """Give who will read it."""
        if self.place is not None:
            return readers_of(self.place, me.username)
        assert self.conversation is not None
        assert self.other is not None
        pair = {me.account: self.other.username, self.other.id: me.username}
        return Readers(self.conversation, pair=tuple(pair.items()))


@writes(wire.SendMessage)
def send_message(tx: Tx, me: Me, command: wire.SendMessage) -> Outcome[wire.Sent]:
    """Store a message once and tell the others, and the sender's other devices."""
    check_content(tx, me, command.kind, command.content)
    if command.client_id and (sent := sql.by_client_id(tx, me.account, command.client_id)):
        where = command.conversation if command.to is None else _meant(tx, me, command.to)
        asked = (command.kind, command.content, command.reply_to)
        return _repeated(sent, where, same=(sent.kind, sent.content, sent.reply_to) == asked)
    target = _target(tx, me, command.to, command.conversation)
    lifted = _admitted(tx, me, target)
    target = _begun(tx, me, target)
    if command.reply_to and not sql.visible(tx, target.entered(tx, me).seen, command.reply_to):
        raise NoSuchMessage(seq=command.reply_to)
    more = {"reply_to": command.reply_to, "burn_after": command.burn_after}
    return _store(tx, me, target, _new(me, target, command.kind, command.content, command.client_id, **more), lifted)


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


def _meant(tx: Tx, me: Me, to: str) -> int | None:
    """Find the conversation that a name means, whether or not I may write there."""
    if to.startswith("#"):
        row = group_row(tx, me, to)
        return row.conversation if row else None
    return conversations.direct(tx, me.account, account_named(tx, to).id)


def _target(tx: Tx, me: Me, to: str | None, conversation: int | None) -> Target:
    """Find where a message goes."""
    if to is None:
        place = by_number(tx, me, conversation or 0)
    elif to.startswith("#"):
        place = group(tx, me, to)
    else:
        other = recipient_named(tx, me, to)
        return Target(conversations.direct(tx, me.account, other.id), other)
    return Target(place.conversation, place.other, place)


def _admitted(tx: Tx, me: Me, target: Target) -> tuple[Told, ...]:
    """Refuse who may not write there; give what is to be told of a decline that ends by it."""
    if target.place is not None:
        may_write(tx, me, target.place)
        _in_turn(me, target.place)
    elif target.other is not None:
        refuse_unwelcome(tx, me, target.other)
    return lift_decline(tx, me, target.other) if target.other is not None else ()


def may_write(tx: Tx, me: Me, place: Place) -> None:
    """Refuse who is not welcome to somebody, or has no word in a group, or not yet again."""
    row = place.row
    if place.other is not None:
        refuse_unwelcome(tx, me, place.other)
        return
    if place.at_least("owner"):
        return
    if row.muted_until > me.now:
        raise Forbidden("muted", retry_after=wait_seconds(row.muted_until - me.now))
    if not place.at_least("admin") and (row.who_writes == "admins" or not place.at_least("member")):
        raise Forbidden("readers")


def _in_turn(me: Me, place: Place) -> None:
    """Refuse who spoke in a slow group only just now."""
    left = min(place.row.spoke - me.now, 0) + place.row.slow_mode * 1000  # no longer, if the clock was set back
    if place.row.slow_mode and left > 0 and not place.at_least("admin"):
        raise RateLimited("slow_mode", retry_after=wait_seconds(left))


def _begun(tx: Tx, me: Me, target: Target) -> Target:
    """Begin the conversation of two people with their first message."""
    if target.conversation is not None or target.other is None:
        return target
    if target.other.id != me.account and target.other.mine != "friend":
        _refuse_many_strangers(tx, me)
    return attrs.evolve(target, conversation=conversations.begin_direct(tx, me.account, target.other.id, me.now))


def _refuse_many_strangers(tx: Tx, me: Me) -> None:
    """Refuse who has begun enough talks for a day."""
    most = me.limits.strangers_per_day
    if most and (began := conversations.begun(tx, me.account, me.now - burning.DAY, most)) is not None:
        left = min(began - me.now, 0) + burning.DAY  # no longer than a day, if the clock was set back
        raise QuotaExceeded("strangers", limit=most, retry_after=wait_seconds(left))


def check_content(tx: Tx, me: Me, kind: str, content: str) -> None:
    """Refuse content that is empty, too large, or not of its kind."""
    if not content.strip():
        raise BadRequest("empty")
    limit = me.limits.content_bytes
    if len(content) * 4 > limit and len(content.encode()) > limit:
        raise TooLarge(limit=limit)
    if kind == "sticker" and not _STICKER.fullmatch(content):
        raise BadRequest("sticker")
    if kind == "location":
        place = _LOCATION.fullmatch(content)
        if not place or abs(float(place[1])) > 90 or abs(float(place[2])) > 180:
            raise BadRequest("location")
    if kind == "contact":
        account_named(tx, content)


def _new(me: Me, target: Target, kind: str, content: str, client_id: str | None, **more: Any) -> sql.Message:
    """Make the row of a new message; its place in the log comes when it is appended."""
    me.words.check(content)
    return sql.Message(
        conversation=target.conversation or 0,
        seq=0,
        rev=0,
        sender_id=me.account,
        sender=me.username,
        client_id=client_id,
        time=me.now,
        kind=kind,
        content=content,
        **more,
    )


def _store(tx: Tx, me: Me, target: Target, new: sql.Message, lifted: tuple[Told, ...]) -> Outcome[wire.Sent]:
    """Append a message and tell of it. In the plainest case: two statements, whoever reads it."""
    alone = target.other is not None and target.other.id == me.account
    expires = burning.expires(new, target.place, alone=alone, days=me.limits.burn_days)
    called = mentions.called(tx, target.entered(tx, me), new.kind, new.content) if "@" in new.content else {}
    if expires or called:
        new = new._replace(expires=expires, mentions=" ".join(called) or None)
    row = sql.append(tx, new)
    mention_rows.add(tx, row.conversation, row.seq, list(called.values()))
    receipts.follow_own(tx, row.conversation, me.account, row.seq)
    if target.place is not None and target.place.row.slow_mode:
        conversations.set_member(tx, row.conversation, me.account, spoke=me.now)
    effects = [] if new.burn_after else [Wake(me.now + SOON)]
    if expires:
        effects.append(Wake(expires))
    told = lifted + news(target.readers(me), row)
    return Outcome(_sent(row, duplicate=False), told=told, effects=tuple(effects))


@writes(wire.EditMessage)
def edit_message(tx: Tx, me: Me, command: wire.EditMessage) -> Outcome[wire.Changed]:
    """Change the words of a message of mine, for as long as the limits say."""
    place, row = own_message(tx, me, command)
    if row.sender_id != me.account:
        raise Forbidden("not_yours")
    if row.recalled or row.burned:
        raise BadRequest("gone")
    if row.kind not in EDITABLE or row.forwarded is not None:
        raise BadRequest("uneditable")
    check_content(tx, me, row.kind, command.content)
    if command.content == row.content:
        return answer(row)
    may_write(tx, me, place)
    seconds = me.limits.edit_seconds
    if seconds and me.now > row.time + seconds * 1000:
        raise TooLate("edit", seconds=seconds)
    me.words.check(command.content)
    called = mentions.called(tx, place, row.kind, command.content)
    if row.mentions or called:
        mention_rows.replace(tx, row.conversation, row.seq, list(called.values()))
    row = sql.reword(tx, row, command.content, edited=me.now, mentions=" ".join(called) or None)
    return answer(row, changed(tx, readers_of(place, me.username), row, "edited", me.username), Wake(me.now + SOON))


EDITABLE = frozenset({"text", "markdown"})


@writes(wire.RecallMessage)
def recall_message(tx: Tx, me: Me, command: wire.RecallMessage) -> Outcome[wire.Changed]:
    """Take a message back: mine anywhere, anybody's where I am an admin. Its place in the log stays."""
    place, row = own_message(tx, me, command)
    if row.sender_id != me.account and not place.at_least("admin"):
        raise Forbidden("not_yours")
    if row.kind == "notice":
        raise BadRequest("uneditable")
    if row.recalled or row.burned:
        return answer(row)
    row = sql.empty(tx, row, recalled=me.now)
    return answer(row, changed(tx, readers_of(place, me.username), row, "recalled", me.username), Wake(me.now + SOON))


@writes(wire.Forward)
def forward(tx: Tx, me: Me, command: wire.Forward) -> Outcome[wire.Sent]:
    """Send a message on, with the name of who said it first."""
    _, row = message(tx, me, command)
    if row.recalled or row.burned or row.kind == "notice":
        raise BadRequest("gone")
    if row.burn_after:
        raise Forbidden("burning")
    if command.client_id and (sent := sql.by_client_id(tx, me.account, command.client_id)):
        where = _meant(tx, me, command.target)
        return _repeated(sent, where, same=(sent.kind, sent.content) == (row.kind, row.content))
    target = _target(tx, me, command.target, None)
    lifted = _admitted(tx, me, target)
    target = _begun(tx, me, target)
    origin = _origin(tx, row)
    new = _new(me, target, row.kind, row.content, command.client_id, forwarded=origin)
    return _store(tx, me, target, new, lifted)


def _origin(tx: Tx, row: sql.Message) -> str:
    """Give whose name goes with a message that is sent on: nobody's, where they do not want it."""
    if row.forwarded is not None:
        return row.forwarded
    return row.sender if profiles.keeps_name(tx, row.sender_id) else ""


@reads(wire.ReadThread)
def thread(tx: Tx, me: Me, command: wire.ReadThread) -> Outcome[wire.Thread]:
    """Give a message with its answers; the message itself only on the first page."""
    place, root = message(tx, me, command)
    rows = sql.thread(tx, place.seen, root.seq, command.after, command.limit + 1)
    page, more = fitting(rows, command.limit)
    return Outcome(
        wire.Thread(
            conversation=place.conversation,
            messages=shown(tx, page if command.after else [root, *page], me.account, place.to),
            more=more,
        )
    )
