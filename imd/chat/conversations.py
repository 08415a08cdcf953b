"""The rules of conversations: finding one, listing them, reading pages, catching up."""

from imd.chat.lanes import Me, Outcome, reads
from imd.store import accounts, messages, receipts
from imd.store import conversations as sql
from imd.store.transaction import Tx
from imd.wire import conversations as wire
from imd.wire import names
from imd.wire.fields import BIGGEST, timestamp
from imd.wire.messages import Addressed, Message, NewMessage, announced
from imd.wire.refusals import BadName, NoSuchConversation, NoSuchUser


def account_named(tx: Tx, typed: str) -> accounts.Account:
    """Find the account that somebody typed the name of, or refuse `no_such_user`."""
    try:
        found = accounts.by_name(tx, names.username(typed))
    except BadName:
        found = None
    if found is None:
        raise NoSuchUser(username=typed[: names.LONGEST])
    return found


def find(tx: Tx, me: Me, command: Addressed) -> int:
    """Find the conversation a command is about. Absent and not mine look alike."""
    if command.to is not None:
        found = sql.direct(tx, me.account, account_named(tx, command.to).id)
    elif sql.other_member(tx, command.conversation or 0, me.account) is not None:
        found = command.conversation
    else:
        found = None
    if found is None:
        raise NoSuchConversation
    return found


def shown(row: messages.Message, me: int, to: str) -> Message:
    """Turn a stored message into what this reader sees; `to` is what they would type to answer."""
    return Message(
        conversation=row.conversation,
        seq=row.seq,
        rev=row.rev,
        sender=row.sender,
        to=to,
        kind=row.kind,
        content=row.content,
        time=timestamp(row.time),
        reply_to=row.reply_to,
        client_id=row.client_id if row.sender_id == me else None,
    )


def address(tx: Tx, me: Me, conversation: int) -> str:
    """Give what I would type to say something in a conversation of mine."""
    other = sql.other_member(tx, conversation, me.account)
    assert other is not None
    return accounts.by_id(tx, other).username


@reads(wire.ListConversations)
def conversations(tx: Tx, me: Me, command: wire.ListConversations) -> Outcome[wire.Conversations]:
    """List my conversations, the one with the latest message first."""
    listed = []
    for row in sql.listing(tx, me.account):
        if command.unread_only and not row.unread:
            continue
        last = messages.by_seq(tx, row.conversation, row.last_seq)
        seen = wire.Conversation(
            conversation=row.conversation,
            kind=row.kind,
            to=row.other,
            title=row.other,
            last_seq=row.last_seq,
            last_rev=row.last_rev,
            read_seq=row.read_seq,
            delivered_seq=row.delivered_seq,
            unread=row.unread,
            last=shown(last, me.account, row.other) if last else None,
        )
        listed.append((last.time if last else 0, row.conversation, seen))
    listed.sort(key=lambda each: each[:2], reverse=True)
    return Outcome(wire.Conversations(conversations=[each[2] for each in listed]))


@reads(wire.History)
def history(tx: Tx, me: Me, command: wire.History) -> Outcome[wire.Page]:
    """Give a page of a conversation, oldest first: what follows `after`, else the latest before `before`."""
    conversation = find(tx, me, command)
    before = command.before or BIGGEST
    if command.after is not None:
        rows = messages.following(tx, conversation, command.after, before, command.limit + 1)
        page = rows[: command.limit]
    else:
        rows = messages.latest(tx, conversation, before, command.limit + 1)
        page = rows[: command.limit][::-1]
    to = address(tx, me, conversation)
    seen = [shown(row, me.account, to) for row in page]
    return Outcome(wire.Page(conversation=conversation, messages=seen, more=len(rows) > command.limit))


@reads(wire.Sync)
def sync(tx: Tx, me: Me, command: wire.Sync) -> Outcome[wire.Changes]:
    """Give what is new or changed after a rev, by rev."""
    conversation = find(tx, me, command)
    rows = messages.changed(tx, conversation, command.after_rev, command.limit + 1)
    page = rows[: command.limit]
    to = address(tx, me, conversation)
    return Outcome(
        wire.Changes(
            conversation=conversation,
            messages=[shown(row, me.account, to) for row in page],
            rev=page[-1].rev if page else command.after_rev,
            more=len(rows) > command.limit,
        )
    )


def undelivered(tx: Tx, me: Me) -> list[tuple[int, int]]:
    """List where I have messages not yet delivered: (conversation, the seq to go on after)."""
    return receipts.undelivered(tx, me.account)


def replay_page(tx: Tx, me: Me, conversation: int, after: int, limit: int) -> list[NewMessage]:
    """Give the next messages that were not delivered, as the events that tell of them."""
    to = address(tx, me, conversation)
    rows = messages.following(tx, conversation, after, BIGGEST, limit)
    return [announced(shown(row, me.account, to)) for row in rows]
