"""The rules of receipts: how far messages were delivered to a member, and how far they were read."""

from imd.chat.base import burning
from imd.chat.base.access import SMALL_GROUP, Conversation, by_number, find, message
from imd.chat.base.context import Caller
from imd.chat.base.effects import Delivery, Effect, Followers, Outcome, Topic
from imd.chat.base.handlers import reads, writes
from imd.store import receipts as sql
from imd.store.profiles import shows_receipts
from imd.store.transaction import Tx
from imd.wire import receipts as wire
from imd.wire.refusals import BadRequest


@writes(wire.Ack)
def ack(tx: Tx, caller: Caller, command: wire.Ack) -> Outcome[wire.Pointers]:
    """Move the caller's delivered pointer."""
    return _moved(tx, caller, find(tx, caller, command), delivered_seq=command.seq, read_seq=0)


@writes(wire.Read)
def read(tx: Tx, caller: Caller, command: wire.Read) -> Outcome[wire.Pointers]:
    """Move the caller's read pointer, in one conversation or in all of them."""
    if command.conversation == 0:
        return _read_all(tx, caller)
    conversation = find(tx, caller, command)
    seq = conversation.row.delivered_seq if command.seq is None else command.seq
    return _moved(tx, caller, conversation, delivered_seq=seq, read_seq=seq)


def _read_all(tx: Tx, caller: Caller) -> Outcome[wire.Pointers]:
    told: tuple[Delivery, ...] = ()
    effects: tuple[Effect, ...] = ()
    for conversation, delivered_seq in sql.behind(tx, caller.account):
        moved = _moved(tx, caller, by_number(tx, caller, conversation), delivered_seq, delivered_seq)
        told += moved.told
        effects += moved.effects
    return Outcome(wire.Pointers(), told=told, effects=effects)


def _moved(
    tx: Tx, caller: Caller, conversation: Conversation, delivered_seq: int, read_seq: int
) -> Outcome[wire.Pointers]:
    row = conversation.row
    if delivered_seq > row.last_seq:
        raise BadRequest("ahead", last_seq=row.last_seq)
    moved = sql.advance(tx, row.conversation, caller.account, delivered_seq, read_seq)
    delivered_seq, read_seq = max(row.delivered_seq, delivered_seq), max(row.read_seq, read_seq)
    reply = wire.Pointers(conversation=row.conversation, delivered_seq=delivered_seq, read_seq=read_seq)
    if not moved:
        return Outcome(reply)
    told, effects = burning.read(tx, conversation, caller.username, row.read_seq, read_seq, caller.now)
    return Outcome(reply, told=(*_receipts(tx, caller, conversation, delivered_seq, read_seq), *told), effects=effects)


def _receipts(tx: Tx, caller: Caller, conversation: Conversation, delivered_seq: int, read_seq: int) -> list[Delivery]:
    """Tell the caller's devices where their pointers are now, and the others who may know."""

    def receipt(to: str, *, own: bool = False) -> wire.Receipt:
        return wire.Receipt(
            conversation=conversation.id,
            username=caller.username,
            to=to,
            delivered_seq=delivered_seq,
            read_seq=read_seq,
            own=own,
        )

    told: list[Delivery] = [((caller.account,), receipt(conversation.to, own=True))]
    if not shows_receipts(tx, caller.account):
        return told
    if conversation.other is None:
        if conversation.row.members <= SMALL_GROUP:
            told.append((Followers(Topic.members(conversation.id), besides=caller.account), receipt(conversation.to)))
    elif conversation.other.id != caller.account and conversation.other.mine != "block":
        told.append(((conversation.other.id,), receipt(caller.username)))
    return told


@reads(wire.WhoRead)
def who_read(tx: Tx, caller: Caller, command: wire.WhoRead) -> Outcome[wire.Readers]:
    """List how far a message got with each member: waiting, delivered or read."""
    _, row = message(tx, caller, command)
    found = sql.readers(tx, row.conversation, row.sender_id, caller.account, 200)
    listed = [
        wire.Reader(username=each.username, delivered=each.delivered_seq >= row.seq, read=each.read_seq >= row.seq)
        for each in found
    ]
    return Outcome(wire.Readers(conversation=row.conversation, seq=row.seq, readers=listed))
