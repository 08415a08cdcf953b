"""Burn after reading: the time begins when a message is read, and at its end the server destroys what it said.

In a direct conversation it begins when the other one reads; in a group when the last member has read it, or after
`burn_days` whoever has not. A place in the log stays behind. Who has read it can have copied it: nothing helps there.
"""

from imd.chat.chores import Chored, chore
from imd.chat.lanes import Effect, Told, Wake
from imd.chat.news import changed, readers, readers_of
from imd.chat.places import Place
from imd.store import burning as kept
from imd.store import messages as sql
from imd.store import receipts
from imd.store.transaction import Tx

DAY = 86_400_000
AT_ONCE = 50
"""How many messages one piece of the chore destroys."""


def expires(new: sql.Message, place: Place | None, *, alone: bool, days: int) -> int | None:
    """Say when a new message's time is over, as far as that is known before it is read."""
    ends = []
    if place is not None and place.row.retention:
        ends.append(new.time + place.row.retention * 1000)
    if new.burn_after and alone:
        ends.append(new.time + new.burn_after * 1000)
    elif new.burn_after and place is not None and place.other is None:
        ends.append(new.time + days * DAY)
    return min(ends, default=None)


def read(
    tx: Tx, place: Place, username: str, after: int, upto: int, now: int
) -> tuple[tuple[Told, ...], tuple[Effect, ...]]:
    """Let the time begin of what somebody has just read: messages with after < seq <= upto."""
    told: tuple[Told, ...] = ()
    effects: tuple[Effect, ...] = ()
    for row in sql.burning(tx, place.conversation, after, upto, place.me):
        if place.other is None and receipts.least_read(tx, row.conversation, row.sender_id) < row.seq:
            continue
        ends = now + (row.burn_after or 0) * 1000
        if row.expires is None or ends < row.expires:
            row = sql.change(tx, row, expires=ends)
            told += changed(tx, readers_of(place, username), row, "expiring")
            effects += (Wake(ends),)
    return told, effects


@chore
def burn(tx: Tx, now: int) -> Chored:
    """Destroy what is due. A message that was to burn must leave the database's files as well."""
    told: tuple[Told, ...] = ()
    due = sql.expired(tx, now, AT_ONCE)
    for row in due:
        told += changed(tx, readers(tx, row.conversation), sql.empty(tx, row, burned=now), "burned")
    kept.clear(tx, AT_ONCE)
    return Chored(told, sql.next_expiry(tx), scrub=any(row.burn_after for row in due))
