"""The rules of receipts: what was delivered, what was read. Reading implies delivery."""

from imd.chat.conversations import address, find
from imd.chat.lanes import Me, Outcome, writes
from imd.store import conversations
from imd.store import receipts as sql
from imd.store.transaction import Tx
from imd.wire import receipts as wire
from imd.wire.base import Event
from imd.wire.refusals import BadRequest

Told = tuple[tuple[int, ...], Event]


@writes(wire.Ack)
def ack(tx: Tx, me: Me, command: wire.Ack) -> Outcome[wire.Pointers]:
    """Move my delivered pointer."""
    conversation = find(tx, me, command)
    return _moved(tx, me, conversation, delivered_seq=command.seq, read_seq=0)


@writes(wire.Read)
def read(tx: Tx, me: Me, command: wire.Read) -> Outcome[wire.Pointers]:
    """Move my read pointer, in one conversation or in all of them."""
    if command.conversation == 0:
        return _read_all(tx, me)
    conversation = find(tx, me, command)
    seq = sql.pointers(tx, conversation, me.account).delivered_seq if command.seq is None else command.seq
    return _moved(tx, me, conversation, delivered_seq=seq, read_seq=seq)


def _read_all(tx: Tx, me: Me) -> Outcome[wire.Pointers]:
    told: list[Told] = []
    for conversation, delivered_seq in sql.behind(tx, me.account):
        sql.advance(tx, conversation, me.account, delivered_seq, delivered_seq)
        told.append(_receipt(tx, me, conversation))
    return Outcome(wire.Pointers(), told=tuple(told))


def _moved(tx: Tx, me: Me, conversation: int, delivered_seq: int, read_seq: int) -> Outcome[wire.Pointers]:
    last_seq, _ = conversations.last(tx, conversation)
    if delivered_seq > last_seq:
        raise BadRequest("ahead", last_seq=last_seq)
    moved = sql.advance(tx, conversation, me.account, delivered_seq, read_seq)
    now = sql.pointers(tx, conversation, me.account)
    reply = wire.Pointers(conversation=conversation, delivered_seq=now.delivered_seq, read_seq=now.read_seq)
    return Outcome(reply, told=(_receipt(tx, me, conversation),) if moved else ())


def _receipt(tx: Tx, me: Me, conversation: int) -> Told:
    """Tell my other devices where my pointers stand."""
    now = sql.pointers(tx, conversation, me.account)
    receipt = wire.Receipt(
        conversation=conversation,
        username=me.username,
        to=address(tx, me, conversation),
        delivered_seq=now.delivered_seq,
        read_seq=now.read_seq,
    )
    return (me.account,), receipt
