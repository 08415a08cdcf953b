"""The rules of what is for oneself alone. Nothing here reaches anybody else; all of it reaches my other devices."""

from imd.chat import account_log, burning
from imd.chat.lanes import Effect, Follow, Me, Outcome, Told, Topic, reads, writes
from imd.chat.news import Room, fitting, shown
from imd.chat.places import Place, by_number, find, message
from imd.store import account_log as log_rows
from imd.store import conversations, messages, receipts
from imd.store import personal as sql
from imd.store.transaction import Tx
from imd.wire import personal as wire
from imd.wire.base import Done
from imd.wire.fields import BIGGEST
from imd.wire.messages import AboutMessage, Addressed, Message
from imd.wire.refusals import QuotaExceeded

MOST_STARS = 5_000


@writes(wire.Star)
def star(tx: Tx, me: Me, command: wire.Star) -> Outcome[Done]:
    """Star a message that I may see."""
    return _star(tx, me, command, on=True)


@writes(wire.Unstar)
def unstar(tx: Tx, me: Me, command: wire.Unstar) -> Outcome[Done]:
    """Take the star off."""
    return _star(tx, me, command, on=False)


def _star(tx: Tx, me: Me, command: AboutMessage, *, on: bool) -> Outcome[Done]:
    _, row = message(tx, me, command)
    if on and sql.count_stars(tx, me.account) >= MOST_STARS:
        raise QuotaExceeded("stars", limit=MOST_STARS)
    if not sql.set_star(tx, me.account, row.conversation, row.seq, me.now if on else None):
        return Outcome(Done())
    return _noted(account_log.note(tx, me.account, "starred", conversation=row.conversation, seq=row.seq, value=on))


def _noted(*told: Told, effects: tuple[Effect, ...] = ()) -> Outcome[Done]:
    return Outcome(Done(), told=told, effects=effects)


@reads(wire.ListStarred)
def starred(tx: Tx, me: Me, command: wire.ListStarred) -> Outcome[wire.Starred]:
    """List my starred messages, as far as I may still see them."""
    keys = sql.stars(tx, me.account, command.skip, command.limit + 1)
    places: dict[int, Place] = {}
    listed: list[Message] = []
    room = Room()
    for conversation, seq in keys[: command.limit]:
        place = places.get(conversation) or places.setdefault(conversation, by_number(tx, me, conversation))
        if row := messages.visible(tx, place.seen, seq):
            if not room.takes(row):
                return Outcome(wire.Starred(messages=listed, more=True))
            listed += shown(tx, [row], me.account, place.to)
    return Outcome(wire.Starred(messages=listed, more=len(keys) > command.limit))


@reads(wire.ListSaved)
def saved(tx: Tx, me: Me, command: wire.ListSaved) -> Outcome[wire.Saved]:
    """Give a page of my conversation with myself."""
    conversation = conversations.direct(tx, me.account, me.account)
    if conversation is None:
        return Outcome(wire.Saved(conversation=0, messages=[], more=False))
    place = by_number(tx, me, conversation)
    page, more = fitting(messages.latest(tx, place.seen, command.before or BIGGEST, command.limit + 1), command.limit)
    seen = shown(tx, page[::-1], me.account, place.to)
    return Outcome(wire.Saved(conversation=conversation, messages=seen, more=more))


@writes(wire.DeleteForMe)
def delete_for_me(tx: Tx, me: Me, command: wire.DeleteForMe) -> Outcome[Done]:
    """Hide a message from me. It counts as unread no more, and has no star."""
    _, row = message(tx, me, command)
    sql.hide(tx, me.account, row.conversation, row.seq)
    sql.set_star(tx, me.account, row.conversation, row.seq, None)
    return _noted(account_log.note(tx, me.account, "hidden", conversation=row.conversation, seq=row.seq, value=True))


@writes(wire.ClearHistory)
def clear_history(tx: Tx, me: Me, command: wire.ClearHistory) -> Outcome[Done]:
    """Hide all that was said so far from me, and have it read."""
    place = find(tx, me, command)
    last_seq = place.row.last_seq
    conversations.set_member(tx, place.conversation, me.account, hidden_seq=last_seq)
    receipts.advance(tx, place.conversation, me.account, last_seq, last_seq)
    told, effects = burning.read(tx, place, me.username, place.row.read_seq, last_seq, me.now)
    if place.other is None:
        effects += (Follow(me.account, Topic.members(place.conversation), last_seq),)
    cleared = account_log.note(tx, me.account, "cleared", conversation=place.conversation, value=last_seq)
    return _noted(*told, cleared, effects=effects)


@writes(wire.Mute)
def mute(tx: Tx, me: Me, command: wire.Mute) -> Outcome[Done]:
    """Let a conversation make no noise."""
    return _set(tx, me, command, "muted", on=command.on)


@writes(wire.Archive)
def archive(tx: Tx, me: Me, command: wire.Archive) -> Outcome[Done]:
    """Put a conversation out of sight."""
    return _set(tx, me, command, "archived", on=command.on)


@writes(wire.PinConversation)
def pin_conversation(tx: Tx, me: Me, command: wire.PinConversation) -> Outcome[Done]:
    """Keep a conversation on top."""
    return _set(tx, me, command, "pinned", on=command.on)


def _set(tx: Tx, me: Me, command: Addressed, what: str, *, on: bool) -> Outcome[Done]:
    place = find(tx, me, command)
    conversations.set_member(tx, place.conversation, me.account, **{what: int(on)})
    return _noted(account_log.note(tx, me.account, what, conversation=place.conversation, value=on))


@reads(wire.AccountSync)
def account_sync(tx: Tx, me: Me, command: wire.AccountSync) -> Outcome[wire.AccountChanges]:
    """Give what changed in my own affairs after an n."""
    found = account_log.changes(tx, me.account, command.after, command.limit + 1)
    page, more = found[: command.limit], len(found) > command.limit
    n = page[-1].n if more else log_rows.last(tx, me.account)
    return Outcome(wire.AccountChanges(changes=page, n=n, more=more))
