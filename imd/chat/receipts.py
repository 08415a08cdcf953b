"""The rules of receipts: what was delivered, what was read. Reading implies delivery."""

from imd.chat import burning
from imd.chat.lanes import Effect, Followers, Me, Outcome, Told, Topic, reads, writes
from imd.chat.places import Place, by_number, find, message
from imd.store import receipts as sql
from imd.store.profiles import shows_receipts
from imd.store.transaction import Tx
from imd.wire import receipts as wire
from imd.wire.refusals import BadRequest

SMALL = 50
"""In a group with more members, receipts are not told as they come; WHO READ answers who asks."""


@writes(wire.Ack)
def ack(tx: Tx, me: Me, command: wire.Ack) -> Outcome[wire.Pointers]:
    """Move my delivered pointer."""
    return _moved(tx, me, find(tx, me, command), delivered_seq=command.seq, read_seq=0)


@writes(wire.Read)
def read(tx: Tx, me: Me, command: wire.Read) -> Outcome[wire.Pointers]:
    """Move my read pointer, in one conversation or in all of them."""
    if command.conversation == 0:
        return _read_all(tx, me)
    place = find(tx, me, command)
    seq = place.row.delivered_seq if command.seq is None else command.seq
    return _moved(tx, me, place, delivered_seq=seq, read_seq=seq)


def _read_all(tx: Tx, me: Me) -> Outcome[wire.Pointers]:
    told: tuple[Told, ...] = ()
    effects: tuple[Effect, ...] = ()
    for conversation, delivered_seq in sql.behind(tx, me.account):
        moved = _moved(tx, me, by_number(tx, me, conversation), delivered_seq, delivered_seq)
        told += moved.told
        effects += moved.effects
    return Outcome(wire.Pointers(), told=told, effects=effects)


def _moved(tx: Tx, me: Me, place: Place, delivered_seq: int, read_seq: int) -> Outcome[wire.Pointers]:
    row = place.row
    if delivered_seq > row.last_seq:
        raise BadRequest("ahead", last_seq=row.last_seq)
    moved = sql.advance(tx, row.conversation, me.account, delivered_seq, read_seq)
    delivered_seq, read_seq = max(row.delivered_seq, delivered_seq), max(row.read_seq, read_seq)
    reply = wire.Pointers(conversation=row.conversation, delivered_seq=delivered_seq, read_seq=read_seq)
    if not moved:
        return Outcome(reply)
    told, effects = burning.read(tx, place, me.username, row.read_seq, read_seq, me.now)
    return Outcome(reply, told=(*_receipts(tx, me, place, delivered_seq, read_seq), *told), effects=effects)


def _receipts(tx: Tx, me: Me, place: Place, delivered_seq: int, read_seq: int) -> list[Told]:
    """Tell my other devices where my pointers stand, and the others who may know it."""

    def receipt(to: str, *, own: bool = False) -> wire.Receipt:
        return wire.Receipt(
            conversation=place.conversation,
            username=me.username,
            to=to,
            delivered_seq=delivered_seq,
            read_seq=read_seq,
            own=own,
        )

    told: list[Told] = [((me.account,), receipt(place.to, own=True))]
    if not shows_receipts(tx, me.account):
        return told
    if place.other is None:
        if place.row.members <= SMALL:
            told.append((Followers(Topic.members(place.conversation), besides=me.account), receipt(place.to)))
    elif place.other.id != me.account and place.other.mine != "block":
        told.append(((place.other.id,), receipt(me.username)))
    return told


@reads(wire.WhoRead)
def who_read(tx: Tx, me: Me, command: wire.WhoRead) -> Outcome[wire.Readers]:
    """Tell who has read a message, and to whom else it was delivered."""
    _, row = message(tx, me, command)
    found = sql.readers(tx, row.conversation, row.sender_id, me.account, 200)
    listed = [
        wire.Reader(username=each.username, delivered=each.delivered_seq >= row.seq, read=each.read_seq >= row.seq)
        for each in found
    ]
    return Outcome(wire.Readers(conversation=row.conversation, seq=row.seq, readers=listed))
