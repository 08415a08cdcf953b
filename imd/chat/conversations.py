"""The rules of conversations: listing them, reading pages of them, catching up."""

from imd.chat.base.access import Conversation, by_number, conversation_of, find
from imd.chat.base.context import Caller
from imd.chat.base.effects import Outcome
from imd.chat.base.handlers import reads
from imd.chat.base.render import cut_page, rendered
from imd.store import conversations as sql
from imd.store import messages, receipts
from imd.store.transaction import Tx
from imd.wire import conversations as wire
from imd.wire.fields import BIGGEST
from imd.wire.messages import NewMessage, announced
from imd.wire.refusals import Refusal


@reads(wire.ListConversations)
def conversations(tx: Tx, caller: Caller, command: wire.ListConversations) -> Outcome[wire.Conversations]:
    """List the caller's conversations, the one with the latest message first."""
    listed = []
    for row in sql.memberships(tx, caller.account):
        counted = sql.counted(tx, caller.account, row)
        if not command.unread_only or counted.unread:
            listed.append(_listed(tx, caller, conversation_of(tx, caller, row), counted))
    listed.sort(key=lambda each: (each.last.time if each.last else "", each.conversation), reverse=True)
    return Outcome(wire.Conversations(conversations=listed))


def _listed(tx: Tx, caller: Caller, conversation: Conversation, counted: sql.Counted) -> wire.Conversation:
    row = conversation.row
    last = rendered(tx, messages.latest(tx, conversation.seen, BIGGEST, 1), caller.account, conversation.to)
    return wire.Conversation(
        conversation=row.conversation,
        kind=row.kind,
        to=conversation.to,
        title=row.title or conversation.to,
        last_seq=row.last_seq,
        last_rev=row.last_rev,
        read_seq=row.read_seq,
        delivered_seq=row.delivered_seq,
        unread=counted.unread,
        mentions=counted.mentions,
        role=row.role if conversation.other is None else "",
        muted=bool(row.muted),
        archived=bool(row.archived),
        pinned=bool(row.pinned),
        last=last[0] if last else None,
    )


@reads(wire.History)
def history(tx: Tx, caller: Caller, command: wire.History) -> Outcome[wire.Page]:
    """Give a page of a conversation, oldest first: what follows `after`, or else what comes before `before`."""
    conversation = find(tx, caller, command)
    before = command.before or BIGGEST
    if command.after is not None:
        page, more = cut_page(
            messages.following(tx, conversation.seen, command.after, before, command.limit + 1), command.limit
        )
    else:
        page, more = cut_page(messages.latest(tx, conversation.seen, before, command.limit + 1), command.limit)
        page.reverse()
    seen = rendered(tx, page, caller.account, conversation.to)
    return Outcome(wire.Page(conversation=conversation.id, messages=seen, more=more))


@reads(wire.Sync)
def sync(tx: Tx, caller: Caller, command: wire.Sync) -> Outcome[wire.Changes]:
    """Give what is new or changed after a rev, by rev. The last page's rev is the conversation's own."""
    conversation = find(tx, caller, command)
    page, more = cut_page(messages.changed(tx, conversation.seen, command.after_rev, command.limit + 1), command.limit)
    return Outcome(
        wire.Changes(
            conversation=conversation.id,
            messages=rendered(tx, page, caller.account, conversation.to),
            rev=page[-1].rev if more else max(conversation.row.last_rev, command.after_rev),
            more=more,
        )
    )


def undelivered(tx: Tx, caller: Caller) -> list[tuple[int, int, int]]:
    """List where the caller has undelivered messages: (conversation, the seq to go on after, its rev now)."""
    return list(receipts.undelivered(tx, caller.account))


def replay_page(tx: Tx, caller: Caller, number: int, after: int, limit: int) -> tuple[list[NewMessage], bool]:
    """Give the next undelivered messages as events, and whether more follow; none if the caller has just left."""
    try:
        conversation = by_number(tx, caller, number)
    except Refusal:
        return [], False
    page, more = cut_page(messages.following(tx, conversation.seen, after, BIGGEST, limit + 1), limit)
    return [announced(message) for message in rendered(tx, page, caller.account, conversation.to)], more
