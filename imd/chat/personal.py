"""The rules of what is for oneself alone. Nothing here reaches anybody else; all of it reaches my other devices."""

from typing import Literal

from imd.chat.base import account_log, burning
from imd.chat.base.access import Conversation, by_number, find, message
from imd.chat.base.context import Caller
from imd.chat.base.effects import Delivery, Effect, Follow, Outcome, Topic
from imd.chat.base.handlers import reads, writes
from imd.chat.base.render import PageBudget, cut_page, rendered
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
def star(tx: Tx, caller: Caller, command: wire.Star) -> Outcome[Done]:
    """Star a message that I may see."""
    return _star(tx, caller, command, on=True)


@writes(wire.Unstar)
def unstar(tx: Tx, caller: Caller, command: wire.Unstar) -> Outcome[Done]:
    """Take the star off."""
    return _star(tx, caller, command, on=False)


def _star(tx: Tx, caller: Caller, command: AboutMessage, *, on: bool) -> Outcome[Done]:
    _, row = message(tx, caller, command)
    if on and sql.count_stars(tx, caller.account) >= MOST_STARS:
        raise QuotaExceeded("stars", limit=MOST_STARS)
    if not sql.set_star(tx, caller.account, row.conversation, row.seq, caller.now if on else None):
        return Outcome(Done())
    return _noted(account_log.note(tx, caller.account, "starred", conversation=row.conversation, seq=row.seq, value=on))


def _noted(*told: Delivery, effects: tuple[Effect, ...] = ()) -> Outcome[Done]:
    return Outcome(Done(), told=told, effects=effects)


@reads(wire.ListStarred)
def starred(tx: Tx, caller: Caller, command: wire.ListStarred) -> Outcome[wire.Starred]:
    """List my starred messages, as far as I may still see them."""
    keys = sql.stars(tx, caller.account, command.skip, command.limit + 1)
    places: dict[int, Conversation] = {}
    listed: list[Message] = []
    room = PageBudget()
    for number, seq in keys[: command.limit]:
        conversation = places.get(number) or places.setdefault(number, by_number(tx, caller, number))
        if row := messages.visible(tx, conversation.seen, seq):
            if not room.takes(row):
                return Outcome(wire.Starred(messages=listed, more=True))
            listed += rendered(tx, [row], caller.account, conversation.to)
    return Outcome(wire.Starred(messages=listed, more=len(keys) > command.limit))


@reads(wire.ListSaved)
def saved(tx: Tx, caller: Caller, command: wire.ListSaved) -> Outcome[wire.Saved]:
    """Give a page of my conversation with myself."""
    number = conversations.direct(tx, caller.account, caller.account)
    if number is None:
        return Outcome(wire.Saved(conversation=0, messages=[], more=False))
    conversation = by_number(tx, caller, number)
    page, more = cut_page(
        messages.latest(tx, conversation.seen, command.before or BIGGEST, command.limit + 1), command.limit
    )
    seen = rendered(tx, page[::-1], caller.account, conversation.to)
    return Outcome(wire.Saved(conversation=number, messages=seen, more=more))


@writes(wire.DeleteForMe)
def delete_for_me(tx: Tx, caller: Caller, command: wire.DeleteForMe) -> Outcome[Done]:
    """Hide a message from me. It counts as unread no more, and has no star."""
    _, row = message(tx, caller, command)
    sql.hide(tx, caller.account, row.conversation, row.seq)
    sql.set_star(tx, caller.account, row.conversation, row.seq, None)
    return _noted(
        account_log.note(tx, caller.account, "hidden", conversation=row.conversation, seq=row.seq, value=True)
    )


@writes(wire.ClearHistory)
def clear_history(tx: Tx, caller: Caller, command: wire.ClearHistory) -> Outcome[Done]:
    """Hide all that was said so far from me, and have it read."""
    conversation = find(tx, caller, command)
    last_seq = conversation.row.last_seq
    conversations.set_member(tx, conversation.id, caller.account, hidden_seq=last_seq)
    receipts.advance(tx, conversation.id, caller.account, last_seq, last_seq)
    told, effects = burning.read(tx, conversation, caller.username, conversation.row.read_seq, last_seq, caller.now)
    if conversation.other is None:
        effects += (Follow(caller.account, Topic.members(conversation.id), last_seq),)
    cleared = account_log.note(tx, caller.account, "cleared", conversation=conversation.id, value=last_seq)
    return _noted(*told, cleared, effects=effects)


@writes(wire.Mute)
def mute(tx: Tx, caller: Caller, command: wire.Mute) -> Outcome[Done]:
    """Let a conversation make no noise."""
    return _set(tx, caller, command, "muted", on=command.on)


@writes(wire.Archive)
def archive(tx: Tx, caller: Caller, command: wire.Archive) -> Outcome[Done]:
    """Put a conversation out of sight."""
    return _set(tx, caller, command, "archived", on=command.on)


@writes(wire.PinConversation)
def pin_conversation(tx: Tx, caller: Caller, command: wire.PinConversation) -> Outcome[Done]:
    """Keep a conversation on top."""
    return _set(tx, caller, command, "pinned", on=command.on)


def _set(
    tx: Tx, caller: Caller, command: Addressed, what: Literal["muted", "archived", "pinned"], *, on: bool
) -> Outcome[Done]:
    conversation = find(tx, caller, command)
    conversations.set_member(tx, conversation.id, caller.account, **{what: int(on)})
    return _noted(account_log.note(tx, caller.account, what, conversation=conversation.id, value=on))


@reads(wire.AccountSync)
def account_sync(tx: Tx, caller: Caller, command: wire.AccountSync) -> Outcome[wire.AccountChanges]:
    """Give what changed in my own affairs after an n."""
    found = account_log.changes(tx, caller.account, command.after, command.limit + 1)
    page, more = found[: command.limit], len(found) > command.limit
    n = page[-1].n if more else sql.last_change(tx, caller.account)
    return Outcome(wire.AccountChanges(changes=page, n=n, more=more))
