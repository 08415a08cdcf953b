"""The rules of pins: in a direct conversation both may, in a group its admins."""

from imd.chat.lanes import Me, Outcome, reads, writes
from imd.chat.messages import may_write
from imd.chat.news import answer, changed, readers_of, shown
from imd.chat.places import Place, find, message
from imd.store import messages as sql
from imd.store.transaction import Tx
from imd.wire import pins as wire
from imd.wire.messages import Changed
from imd.wire.refusals import BadRequest, QuotaExceeded

MOST = 50
"""How many messages of one conversation may be pinned."""


@writes(wire.Pin)
def pin(tx: Tx, me: Me, command: wire.Pin) -> Outcome[Changed]:
    """Pin a message."""
    place, row = message(tx, me, command)
    _may_pin(tx, me, place)
    if row.recalled or row.burned:
        raise BadRequest("gone")
    if row.pinned:
        return answer(row)
    if len(sql.pinned(tx, place.seen)) >= MOST:
        raise QuotaExceeded("pins", limit=MOST)
    return _set(tx, me, place, row, me.now)


@writes(wire.Unpin)
def unpin(tx: Tx, me: Me, command: wire.Unpin) -> Outcome[Changed]:
    """Unpin a message."""
    place, row = message(tx, me, command)
    _may_pin(tx, me, place)
    return _set(tx, me, place, row, None) if row.pinned else answer(row)


def _may_pin(tx: Tx, me: Me, place: Place) -> None:
    if place.other is None:
        place.require("admin")
    else:
        may_write(tx, me, place)


def _set(tx: Tx, me: Me, place: Place, row: sql.Message, pinned: int | None) -> Outcome[Changed]:
    row = sql.change(tx, row, pinned=pinned)
    told = changed(tx, readers_of(place, me.username), row, "pinned" if pinned else "unpinned", me.username)
    return answer(row, told)


@reads(wire.ListPins)
def pins(tx: Tx, me: Me, command: wire.ListPins) -> Outcome[wire.Pinned]:
    """List what is pinned, as far as I may see it."""
    place = find(tx, me, command)
    rows = sql.pinned(tx, place.seen)
    return Outcome(wire.Pinned(conversation=place.conversation, messages=shown(tx, rows, me.account, place.to)))
