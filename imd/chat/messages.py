"""The rules of messages: sending one."""

from imd.chat.conversations import account_named
from imd.chat.lanes import Me, Outcome, writes
from imd.store import accounts, conversations, receipts
from imd.store import messages as sql
from imd.store.transaction import Tx
from imd.wire import messages as wire
from imd.wire.fields import timestamp
from imd.wire.refusals import BadRequest, Conflict, NoSuchConversation, NoSuchMessage, TooLarge


@writes(wire.SendMessage)
def send_message(tx: Tx, me: Me, command: wire.SendMessage) -> Outcome[wire.Sent]:
    """Store a message once and tell the others, and the sender's other devices."""
    _check_content(command.content, me.limits.content_bytes)
    other = _other(tx, me, command)
    conversation = command.conversation or conversations.direct(tx, me.account, other.id)
    if command.client_id and (sent := sql.by_client_id(tx, me.account, command.client_id)):
        return _repeated(sent, command, conversation)
    if conversation is None:
        conversation = conversations.begin_direct(tx, me.account, other.id, me.now)
    if command.reply_to and not sql.by_seq(tx, conversation, command.reply_to):
        raise NoSuchMessage(seq=command.reply_to)
    seq, rev = sql.append(
        tx, conversation, me.account, command.client_id, me.now, command.kind, command.content, command.reply_to
    )
    receipts.follow_own(tx, conversation, me.account, seq)
    time = timestamp(me.now)

    def event(to: str, client_id: str | None = None) -> wire.NewMessage:
        return wire.NewMessage(
            conversation=conversation,
            seq=seq,
            rev=rev,
            sender=me.username,
            to=to,
            kind=command.kind,
            content=command.content,
            time=time,
            reply_to=command.reply_to,
            client_id=client_id,
        )

    told = [((me.account,), event(other.username, command.client_id))]
    if other.id != me.account:
        told.append(((other.id,), event(me.username)))
    reply = wire.Sent(conversation=conversation, seq=seq, rev=rev, time=time, duplicate=False)
    return Outcome(reply, told=tuple(told))


def _check_content(content: str, limit: int) -> None:
    if not content.strip():
        raise BadRequest("empty")
    if len(content) * 4 > limit and len(content.encode()) > limit:
        raise TooLarge(limit=limit)


def _other(tx: Tx, me: Me, command: wire.SendMessage) -> accounts.Account:
    """Find whom the message is for."""
    if command.to is not None:
        return account_named(tx, command.to)
    other = conversations.other_member(tx, command.conversation or 0, me.account)
    if other is None:
        raise NoSuchConversation
    return accounts.by_id(tx, other)


def _repeated(sent: sql.Message, command: wire.SendMessage, conversation: int | None) -> Outcome[wire.Sent]:
    """Answer a client_id that was used before: the same message again, or a contradiction."""
    before = (sent.conversation, sent.kind, sent.content, sent.reply_to)
    if before != (conversation, command.kind, command.content, command.reply_to):
        raise Conflict
    return Outcome(
        wire.Sent(conversation=sent.conversation, seq=sent.seq, rev=sent.rev, time=timestamp(sent.time), duplicate=True)
    )
