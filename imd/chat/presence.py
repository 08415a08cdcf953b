"""The rules of presence: what an account shows itself as, who learns of it, and who is typing.

Friends are told; fellow members of a group see it where they look, so that one's coming and going costs no message to
each of thousands. Who is invisible looks exactly like who is gone, since the moment they chose it.
"""

from imd.chat.base.access import find
from imd.chat.base.account_log import note
from imd.chat.base.context import Caller
from imd.chat.base.effects import Delivery, Outcome, ShowPresence
from imd.chat.base.handlers import reads, writes
from imd.chat.base.online import PresenceSetting, Seen, gone
from imd.chat.messages import may_write
from imd.chat.receipts import SMALL
from imd.store import presence as sql
from imd.store.transaction import Tx
from imd.wire import names
from imd.wire import presence as wire
from imd.wire.base import Done


def arrival(tx: Tx, caller: Caller, account: int) -> tuple[PresenceSetting, tuple[Delivery, ...]]:
    """Give what an account that logs in shows itself as; its friends are told, unless it was here already."""
    row = sql.get(tx, account)
    sql.touch(tx, account, caller.now)
    chosen = PresenceSetting(row.presence, row.words)
    if chosen.invisible or account in caller.online:
        return chosen, ()
    return chosen, _told(tx, account, row.username, chosen.seen(caller.now))


def departure(tx: Tx, account: int, now: int) -> tuple[Delivery, ...]:
    """Note that an account has gone, and tell its friends, unless they believe so already."""
    row = sql.get(tx, account)
    sql.touch(tx, account, now)
    return () if row.presence == "invisible" else _told(tx, account, row.username, gone(now))


def noted(tx: Tx, accounts: list[int], now: int) -> None:
    """Note that these accounts are here."""
    for account in accounts:
        sql.touch(tx, account, now)


def _told(tx: Tx, account: int, username: str, seen: Seen) -> tuple[Delivery, ...]:
    event = wire.PresenceChanged(
        username=username, presence=seen.presence, presence_text=seen.words, last_seen=seen.last_seen
    )
    friends = sql.friends(tx, account)
    return ((friends, event),) if friends else ()


@writes(wire.SetPresence)
def presence(tx: Tx, caller: Caller, command: wire.SetPresence) -> Outcome[Done]:
    """Show myself as something else, on all my devices, from now on."""
    caller.words.check(command.presence_text)
    row = sql.get(tx, caller.account)
    before, chosen = (
        PresenceSetting(row.presence, row.words),
        PresenceSetting(command.presence, names.shown(command.presence_text)),
    )
    if chosen == before:
        return Outcome(Done())
    sql.choose(tx, caller.account, chosen.presence, chosen.words, caller.now)
    told: tuple[Delivery, ...] = (note(tx, caller.account, "profile"),)
    if not (before.invisible and chosen.invisible):
        told += _told(tx, caller.account, caller.username, chosen.seen(caller.now))
    return Outcome(Done(), told=told, effects=(ShowPresence(caller.account, chosen),))


@reads(wire.Typing)
def typing(tx: Tx, caller: Caller, command: wire.Typing) -> Outcome[Done]:
    """Tell those who would read it that I am typing. Who may not write somewhere does not type there.

    It asks the database, like any reader: what it needs to know of blocks and members would cost each connection more
    in memory than one read costs.
    """
    conversation = find(tx, caller, command)
    may_write(tx, caller, conversation)
    if conversation.row.members > SMALL or not caller.online.may_type(caller.account, conversation.id, caller.now):
        return Outcome(Done())
    to = caller.username if conversation.other else conversation.to
    event = wire.IsTyping(conversation=conversation.id, username=caller.username, to=to)
    return Outcome(Done(), told=((sql.company(tx, conversation.id, caller.account, SMALL), event),))
