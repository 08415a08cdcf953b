"""The rules of presence: what an account shows itself as, who is told, and who is typing.

Friends are told. Members of the same group see it in profiles and lists of members, so that coming online does not
cost a message to each of thousands. From the moment it is chosen, invisible looks exactly like offline.
"""

from imd.chat.base import account_log
from imd.chat.base.access import SMALL_GROUP, check_may_write, find
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
    """Show the caller as something else, on all their devices, until they change it."""
    caller.word_filter.check(command.presence_text)
    row = sql.get(tx, caller.account)
    before, chosen = (
        PresenceSetting(row.presence, row.words),
        PresenceSetting(command.presence, names.one_line(command.presence_text)),
    )
    if chosen == before:
        return Outcome(Done())
    sql.choose(tx, caller.account, chosen.presence, chosen.text, caller.now)
    told: tuple[Delivery, ...] = (account_log.note(tx, caller.account, "profile"),)
    if not (before.invisible and chosen.invisible):
        told += to_friends(tx, caller.account, caller.username, chosen.visible(caller.now))
    return Outcome(Done(), told=told, effects=(ShowPresence(caller.account, chosen),))


@reads(wire.Typing)
def typing(tx: Tx, caller: Caller, command: wire.Typing) -> Outcome[Done]:
    """Tell the others in a conversation that the caller is typing, if the caller may write there.

    It reads the database, since blocks and roles decide who is told: keeping those for each connection would cost more
    memory than one read costs time.
    """
    conversation = find(tx, caller, command)
    check_may_write(tx, caller, conversation)
    large = conversation.row.members > SMALL_GROUP
    if large or not caller.online.may_type(caller.account, conversation.id, caller.now):
        return Outcome(Done())
    to = caller.username if conversation.other else conversation.to
    event = wire.IsTyping(conversation=conversation.id, username=caller.username, to=to)
    return Outcome(Done(), told=((sql.company(tx, conversation.id, caller.account, SMALL_GROUP), event),))
