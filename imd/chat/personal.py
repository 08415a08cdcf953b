"""The rules of what is for the caller alone. Nothing here reaches others; all of it reaches the caller's devices."""

from typing import Any, Literal

from imd.chat.base import account_log, burning
from imd.chat.base.access import by_number, find, message
from imd.chat.base.context import Caller
from imd.chat.base.effects import Follow, Outcome, Topic
from imd.chat.base.handlers import reads, writes
from imd.chat.base.render import cut_page, mixed_page, rendered
from imd.store import conversations, messages, receipts
from imd.store import personal as sql
from imd.store.transaction import Tx
from imd.wire import personal as wire
from imd.wire.base import Done
from imd.wire.fields import BIGGEST
from imd.wire.messages import AboutMessage, Addressed
from imd.wire.refusals import QuotaExceeded

MOST_STARS = 5_000


@writes(wire.Star)
def star(tx: Tx, caller: Caller, command: wire.Star) -> Outcome[Done]:
    """Star a message that the caller may see."""
    return _star(tx, caller, command, on=True)


@writes(wire.Unstar)
def unstar(tx: Tx, caller: Caller, command: wire.Unstar) -> Outcome[Done]:
    """Take a star off."""
    return _star(tx, caller, command, on=False)


def _star(tx: Tx, caller: Caller, command: AboutMessage, *, on: bool) -> Outcome[Done]:
    _, row = message(tx, caller, command)
    if on and sql.count_stars(tx, caller.account) >= MOST_STARS:
        raise QuotaExceeded("stars", limit=MOST_STARS)
    if not sql.set_star(tx, caller.account, row.conversation, row.seq, caller.now if on else None):
        return Outcome(Done())
    return _logged(tx, caller, "starred", conversation=row.conversation, seq=row.seq, value=on)


def _logged(tx: Tx, caller: Caller, what: wire.What, **about: Any) -> Outcome[Done]:
    """Write a change to the account log, and tell the caller's devices."""
    return Outcome(Done(), told=(account_log.note(tx, caller.account, what, **about),))


@reads(wire.ListStarred)
def starred(tx: Tx, caller: Caller, command: wire.ListStarred) -> Outcome[wire.Starred]:
    """List the starred messages that the caller may still see."""
    keys = sql.stars(tx, caller.account, command.skip, command.limit + 1)
    page, covered = mixed_page(tx, caller, keys[: command.limit])
    return Outcome(wire.Starred(messages=page, more=covered < len(keys)))


@reads(wire.ListSaved)
def saved(tx: Tx, caller: Caller, command: wire.ListSaved) -> Outcome[wire.Saved]:
    """Give a page of the caller's conversation with themselves."""
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
    """Hide a message from the caller. It no longer counts as unread, and loses its star."""
    _, row = message(tx, caller, command)
    sql.hide(tx, caller.account, row.conversation, row.seq)
    sql.set_star(tx, caller.account, row.conversation, row.seq, None)
    return _logged(tx, caller, "hidden", conversation=row.conversation, seq=row.seq, value=True)


@writes(wire.ClearHistory)
def clear_history(tx: Tx, caller: Caller, command: wire.ClearHistory) -> Outcome[Done]:
    """Hide everything up to now from the caller, and mark it read."""
    conversation = find(tx, caller, command)
    last_seq = conversation.row.last_seq
    conversations.set_member(tx, conversation.id, caller.account, hidden_seq=last_seq)
    receipts.advance(tx, conversation.id, caller.account, last_seq, last_seq)
    told, effects = burning.read(tx, conversation, caller.username, conversation.row.read_seq, last_seq, caller.now)
    if conversation.other is None:
        effects += (Follow(caller.account, Topic.members(conversation.id), last_seq),)
    logged = account_log.note(tx, caller.account, "cleared", conversation=conversation.id, value=last_seq)
    return Outcome(Done(), told=(*told, logged), effects=effects)


@writes(wire.Mute)
def mute(tx: Tx, caller: Caller, command: wire.Mute) -> Outcome[Done]:
    """Mute or unmute a conversation."""
    return _set(tx, caller, command, "muted", on=command.on)


@writes(wire.Archive)
def archive(tx: Tx, caller: Caller, command: wire.Archive) -> Outcome[Done]:
    """Archive a conversation, or take it out of the archive."""
    return _set(tx, caller, command, "archived", on=command.on)


@writes(wire.PinConversation)
def pin_conversation(tx: Tx, caller: Caller, command: wire.PinConversation) -> Outcome[Done]:
    """Pin or unpin a conversation at the top of the list."""
    return _set(tx, caller, command, "pinned", on=command.on)


def _set(
    tx: Tx, caller: Caller, command: Addressed, what: Literal["muted", "archived", "pinned"], *, on: bool
) -> Outcome[Done]:
    conversation = find(tx, caller, command)
    conversations.set_member(tx, conversation.id, caller.account, **{what: int(on)})
    return _logged(tx, caller, what, conversation=conversation.id, value=on)


@reads(wire.AccountSync)
def account_sync(tx: Tx, caller: Caller, command: wire.AccountSync) -> Outcome[wire.AccountChanges]:
    """Give a page of the account log after an n."""
    found = account_log.changes(tx, caller.account, command.after, command.limit + 1)
    page, more = found[: command.limit], len(found) > command.limit
    n = page[-1].n if more else sql.last_change(tx, caller.account)
    return Outcome(wire.AccountChanges(changes=page, n=n, more=more))
