"""The rules of presence: what an account shows itself as, who learns of it, and who is typing.

Friends are told; fellow members of a group see it where they look, so that one's coming and going costs no message to
each of thousands. Who is invisible looks exactly like who is gone, since the moment they chose it.
"""

from imd.chat.account_log import note
from imd.chat.attendance import Chosen, Seen, gone
from imd.chat.lanes import Appear, Me, Outcome, Told, reads, writes
from imd.chat.messages import may_write
from imd.chat.places import find
from imd.chat.receipts import SMALL
from imd.store import presence as sql
from imd.store.transaction import Tx
from imd.wire import names
from imd.wire import presence as wire
from imd.wire.base import Done


def arrival(tx: Tx, me: Me, account: int) -> tuple[Chosen, tuple[Told, ...]]:
    """Give what an account that logs in shows itself as; its friends are told, unless it was here already."""
    row = sql.get(tx, account)
    sql.touch(tx, account, me.now)
    chosen = Chosen(row.presence, row.words)
    if chosen.invisible or account in me.attendance:
        return chosen, ()
    return chosen, _told(tx, account, row.username, chosen.seen(me.now))


def departure(tx: Tx, account: int, now: int) -> tuple[Told, ...]:
    """Note that an account has gone, and tell its friends, unless they believe so already."""
    row = sql.get(tx, account)
    sql.touch(tx, account, now)
    return () if row.presence == "invisible" else _told(tx, account, row.username, gone(now))


def noted(tx: Tx, accounts: list[int], now: int) -> None:
    """Note that these accounts are here."""
    for account in accounts:
        sql.touch(tx, account, now)


def _told(tx: Tx, account: int, username: str, seen: Seen) -> tuple[Told, ...]:
    event = wire.PresenceChanged(
        username=username, presence=seen.presence, presence_text=seen.words, last_seen=seen.last_seen
    )
    friends = sql.friends(tx, account)
    return ((friends, event),) if friends else ()


@writes(wire.SetPresence)
def presence(tx: Tx, me: Me, command: wire.SetPresence) -> Outcome[Done]:
    """Show myself as something else, on all my devices, from now on."""
    me.words.check(command.presence_text)
    row = sql.get(tx, me.account)
    before, chosen = Chosen(row.presence, row.words), Chosen(command.presence, names.shown(command.presence_text))
    if chosen == before:
        return Outcome(Done())
    sql.choose(tx, me.account, chosen.presence, chosen.words, me.now)
    told: tuple[Told, ...] = (note(tx, me.account, "profile"),)
    if not (before.invisible and chosen.invisible):
        told += _told(tx, me.account, me.username, chosen.seen(me.now))
    return Outcome(Done(), told=told, effects=(Appear(me.account, chosen),))


@reads(wire.Typing)
def typing(tx: Tx, me: Me, command: wire.Typing) -> Outcome[Done]:
    """Tell those who would read it that I am typing. Who may not write somewhere does not type there.

    It asks the database, like any reader: what it needs to know of blocks and members would cost each connection more
    in memory than one read costs.
    """
    place = find(tx, me, command)
    may_write(tx, me, place)
    if place.row.members > SMALL or not me.attendance.may_type(me.account, place.conversation, me.now):
        return Outcome(Done())
    to = me.username if place.other else place.to
    event = wire.IsTyping(conversation=place.conversation, username=me.username, to=to)
    return Outcome(Done(), told=((sql.company(tx, place.conversation, me.account, SMALL), event),))
