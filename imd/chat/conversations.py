"""The rules of conversations: listing them, reading pages, catching up."""

from imd.chat.lanes import Me, Outcome, Topic, reads
from imd.chat.news import fitting, shown
from imd.chat.places import Place, by_number, find, place_of
from imd.store import conversations as sql
from imd.store import messages, receipts
from imd.store.transaction import Tx
from imd.wire import conversations as wire
from imd.wire.fields import BIGGEST
from imd.wire.messages import NewMessage, announced
from imd.wire.refusals import Refusal


@reads(wire.ListConversations)
def conversations(tx: Tx, me: Me, command: wire.ListConversations) -> Outcome[wire.Conversations]:
    """List my conversations, the one with the latest message first."""
    listed = []
    for row in sql.memberships(tx, me.account):
        counted = sql.counted(tx, me.account, row)
        if not command.unread_only or counted.unread:
            listed.append(_listed(tx, me, place_of(tx, me, row), counted))
    listed.sort(key=lambda each: (each.last.time if each.last else "", each.conversation), reverse=True)
    return Outcome(wire.Conversations(conversations=listed))


def _listed(tx: Tx, me: Me, place: Place, counted: sql.Counted) -> wire.Conversation:
    row = place.row
    last = shown(tx, messages.latest(tx, place.seen, BIGGEST, 1), me.account, place.to)
    return wire.Conversation(
        conversation=row.conversation,
        kind=row.kind,
        to=place.to,
        title=row.title or place.to,
        last_seq=row.last_seq,
        last_rev=row.last_rev,
        read_seq=row.read_seq,
        delivered_seq=row.delivered_seq,
        unread=counted.unread,
        mentions=counted.mentions,
        role=row.role if place.other is None else "",
        muted=bool(row.muted),
        archived=bool(row.archived),
        pinned=bool(row.pinned),
        last=last[0] if last else None,
    )


@reads(wire.History)
def history(tx: Tx, me: Me, command: wire.History) -> Outcome[wire.Page]:
    """Give a page of a conversation, oldest first: what follows `after`, else the latest before `before`."""
    place = find(tx, me, command)
    before = command.before or BIGGEST
    if command.after is not None:
        page, more = fitting(
            messages.following(tx, place.seen, command.after, before, command.limit + 1), command.limit
        )
    else:
        page, more = fitting(messages.latest(tx, place.seen, before, command.limit + 1), command.limit)
        page.reverse()
    seen = shown(tx, page, me.account, place.to)
    return Outcome(wire.Page(conversation=place.conversation, messages=seen, more=more))


@reads(wire.Sync)
def sync(tx: Tx, me: Me, command: wire.Sync) -> Outcome[wire.Changes]:
    """Give what is new or changed after a rev, by rev. At the end, the rev is the conversation's own."""
    place = find(tx, me, command)
    page, more = fitting(messages.changed(tx, place.seen, command.after_rev, command.limit + 1), command.limit)
    return Outcome(
        wire.Changes(
            conversation=place.conversation,
            messages=shown(tx, page, me.account, place.to),
            rev=page[-1].rev if more else max(place.row.last_rev, command.after_rev),
            more=more,
        )
    )


def undelivered(tx: Tx, me: Me) -> list[tuple[int, int, int]]:
    """List where I have messages not yet delivered: (conversation, the seq to go on after, its rev now)."""
    return receipts.undelivered(tx, me.account)


def replay_page(tx: Tx, me: Me, conversation: int, after: int, limit: int) -> tuple[list[NewMessage], bool]:
    """Give the next messages that were not delivered, as the events that tell of them, and whether more follow.

    None, for who just left.
    """
    try:
        place = by_number(tx, me, conversation)
    except Refusal:
        return [], False
    page, more = fitting(messages.following(tx, place.seen, after, BIGGEST, limit + 1), limit)
    return [announced(message) for message in shown(tx, page, me.account, place.to)], more


def topics(tx: Tx, account: int) -> dict[Topic, int]:
    """Give what an account follows while it is online: its groups, each from the first message it may see."""
    return {Topic.members(group): seen_from for group, seen_from in sql.groups(tx, account)}
