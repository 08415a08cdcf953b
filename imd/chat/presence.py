"""The rules of presence: what an account shows itself as, who learns of it, and who is typing.

Friends are told; fellow members of a group see it where they look, so that one's coming and going costs no message to
each of thousands. Who is invisible looks exactly like who is gone, since the moment they chose it.
"""

from imd.chat.base.access import SMALL_GROUP, check_may_write, find
from imd.chat.base.account_log import note
from imd.chat.base.context import Caller
from imd.chat.base.effects import Delivery, Outcome, ShowPresence
from imd.chat.base.handlers import reads, writes
from imd.chat.base.online import PresenceSetting
from imd.chat.base.presence import to_friends
from imd.store import presence as sql
from imd.store.transaction import Tx
from imd.wire import names
from imd.wire import presence as wire
from imd.wire.base import Done


@writes(wire.SetPresence)
def presence(tx: Tx, caller: Caller, command: wire.SetPresence) -> Outcome[Done]:
    """Show myself as something else, on all my devices, from now on."""
    caller.word_filter.check(command.presence_text)
    row = sql.get(tx, caller.account)
    before, chosen = (
        PresenceSetting(row.presence, row.words),
        PresenceSetting(command.presence, names.one_line(command.presence_text)),
    )
    if chosen == before:
        return Outcome(Done())
    sql.choose(tx, caller.account, chosen.presence, chosen.text, caller.now)
    told: tuple[Delivery, ...] = (note(tx, caller.account, "profile"),)
    if not (before.invisible and chosen.invisible):
        told += to_friends(tx, caller.account, caller.username, chosen.visible(caller.now))
    return Outcome(Done(), told=told, effects=(ShowPresence(caller.account, chosen),))


@reads(wire.Typing)
def typing(tx: Tx, caller: Caller, command: wire.Typing) -> Outcome[Done]:
    """Tell those who would read it that I am typing. Who may not write somewhere does not type there.

    It asks the database, like any reader: what it needs to know of blocks and members would cost each connection more
    in memory than one read costs.
    """
    conversation = find(tx, caller, command)
    check_may_write(tx, caller, conversation)
    large = conversation.row.members > SMALL_GROUP
    if large or not caller.online.may_type(caller.account, conversation.id, caller.now):
        return Outcome(Done())
    to = caller.username if conversation.other else conversation.to
    event = wire.IsTyping(conversation=conversation.id, username=caller.username, to=to)
    return Outcome(Done(), told=((sql.company(tx, conversation.id, caller.account, SMALL_GROUP), event),))
