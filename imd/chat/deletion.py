"""The rules of deletion: an account becomes a tombstone at once, and a job destroys the rest in small pieces.

Destroyed: password, second factor, devices, profile, friends, requests, stars, hidden messages, notes to oneself, the
account's log and its memberships; a group it owns passes to the next in line. Kept: messages to others, which are
theirs as well, unless they are recalled; other people's blocks; links of groups; reports. Nobody gets the old name
again, so that nobody can pretend to be the person who left. `store/tables` declares it table by table.
"""

from functools import partial

import attrs
import msgspec

from imd.chat.base import account_log
from imd.chat.base.context import Caller, Services
from imd.chat.base.credentials import verified
from imd.chat.base.effects import Delivery, DropDevices, Outcome, Schedule, SignOut
from imd.chat.base.handlers import slow
from imd.chat.base.jobs import JobResult, job
from imd.chat.base.limits import Limits
from imd.chat.base.membership import leave
from imd.chat.base.relations import end_friendship
from imd.chat.base.render import message_changed, recipients
from imd.store import accounts, conversations, friends, messages
from imd.store import deletion as sql
from imd.store.transaction import Tx
from imd.wire import deletion as wire
from imd.wire.fields import timestamp

ROWS_AT_ONCE = 500
MESSAGES_AT_ONCE = 100
CHANGES_AT_ONCE = 50
"""How much one piece destroys: small rows, whole messages, messages whose change is told to others."""

SEQS_AT_ONCE = 2_000
"""How much of a conversation one piece searches for messages of the account."""

SETTLED = 5_000
"""After so many milliseconds nothing that the account's connections had already asked for can still arrive."""


@slow(wire.DeleteAccount)
async def delete_account(services: Services, caller: Caller, command: wire.DeleteAccount) -> Outcome[wire.Deleted]:
    """Turn my account into a tombstone, log out all my devices, and return a receipt."""
    recall = command.messages == "recall"

    def bury(tx: Tx) -> tuple[list[int], str]:
        verified_account.recheck(tx)
        devices = [each.id for each in accounts.devices(tx, caller.account)]
        return devices, sql.bury(tx, caller.account, caller.username, recall=recall, now=caller.now)

    async with verified(services, caller, caller.username, command.password, command.code) as verified_account:
        counted = await _counted(services, caller.account)
        devices, tombstone = await services.write(bury)
    services.exports.drop(caller.account)
    written = counted.pop("messages")
    kept = {"messages": 0 if recall else written, "username": 1}
    receipt = wire.Deleted(
        username=caller.username,
        tombstone=tombstone,
        time=timestamp(caller.now),
        destroyed=_listed({"profile": 1, "devices": len(devices), **counted, "recalled": written if recall else 0}),
        kept=_listed(kept),
    )
    return Outcome(receipt, effects=(SignOut(), DropDevices(caller.account, devices), Schedule(caller.now)))


def _listed(counted: dict[str, int]) -> list[wire.Counted]:
    some = [{"what": what, "count": count} for what, count in counted.items() if count]
    return msgspec.convert(some, list[wire.Counted])


async def _counted(services: Services, account: int) -> dict[str, int]:
    """Count what will be destroyed, in pieces so that no reader is busy for long."""
    counted = await services.read(lambda tx: {what: sql.count(tx, account, what) for what in sql.OWN})
    counted |= {"notes": 0, "groups": 0, "conversations": 0, "messages": 0}
    for mine in await services.read(lambda tx: sql.parts(tx, account)):
        if mine.direct_key == f"{account}:{account}":
            counted["notes"] = mine.last_seq
        else:
            counted["conversations" if mine.direct_key else "groups"] += mine.left_seq is None
            counted["messages"] += await _written(services, account, mine)
    return counted


async def _written(services: Services, account: int, mine: sql.Part) -> int:
    pieces = [(after, after + SEQS_AT_ONCE) for after in range(0, mine.last_seq, SEQS_AT_ONCE)]
    reads = [partial(sql.written, conversation=mine.conversation, account=account, span=span) for span in pieces]
    return sum([await services.read(read) for read in reads])


@job
def destroy(tx: Tx, now: int) -> JobResult:
    """Destroy the next piece of what a deleted account has left."""
    deletion = sql.unfinished(tx)
    if deletion is None:
        return JobResult()
    if told := _end_relations(tx, deletion, now):
        return JobResult(told, again=now)
    if any(sql.forget(tx, deletion.account, what, ROWS_AT_ONCE) for what in sql.OWN):
        return JobResult(again=now)
    mine = sql.next_part(tx, deletion.account, deletion.conversation)
    if not deletion.blanked:
        sql.progress(tx, _forget_text(tx, deletion, mine))
        return JobResult(again=now)
    if mine is not None:
        return attrs.evolve(_end_membership(tx, deletion, mine, now), again=now)
    if now < deletion.time + SETTLED:
        return JobResult(again=deletion.time + SETTLED)
    sql.finish(tx, deletion.account)
    return JobResult(again=now)


def _end_relations(tx: Tx, deletion: sql.Deletion, now: int) -> tuple[Delivery, ...]:
    """End some friendships and requests, under the name by which the others know the account."""
    caller = Caller(now=now, limits=Limits(), account=deletion.account, username=deletion.username)
    names = [each.username for each in friends.related(tx, caller.account, "friend")]
    names += [each.username for each in friends.outgoing(tx, caller.account)]
    told: tuple[Delivery, ...] = ()
    for name in names[:CHANGES_AT_ONCE]:
        told += end_friendship(tx, caller, name, friends.recipient(tx, caller.account, name), "none")
    return told


def _forget_text(tx: Tx, deletion: sql.Deletion, mine: sql.Part | None) -> sql.Deletion:
    """Forget some of the text that will be destroyed. The first message is emptied when all of it is forgotten."""
    if mine is None:
        return deletion._replace(blanked=1, conversation=0, seq=0)
    upto = mine.last_seq
    if deletion.recall or _abandoned(tx, mine, deletion.account):
        rows, upto = _next_messages(tx, deletion, mine, MESSAGES_AT_ONCE)
        for row in rows:
            messages.forget(tx, row)
    if upto < mine.last_seq:
        return deletion._replace(seq=upto)
    return deletion._replace(conversation=mine.conversation, seq=0)


def _abandoned(tx: Tx, mine: sql.Part, account: int) -> bool:
    """Return whether nobody is left to read a direct conversation."""
    return mine.direct_key is not None and sql.alone(tx, mine.conversation, account)


def _next_messages(tx: Tx, deletion: sql.Deletion, mine: sql.Part, most: int) -> tuple[list[messages.Message], int]:
    """Find the next messages to be destroyed in a conversation, and the seq up to which none was left out."""
    both = conversations.pair(mine.direct_key) if mine.direct_key and _abandoned(tx, mine, deletion.account) else None
    senders = both or (deletion.account, deletion.account)
    upto = min(mine.last_seq, deletion.seq + SEQS_AT_ONCE)
    rows = messages.by_senders(tx, mine.conversation, senders, deletion.seq, upto, most)
    return rows, rows[-1].seq if len(rows) == most else upto


def _end_membership(tx: Tx, deletion: sql.Deletion, mine: sql.Part, now: int) -> JobResult:
    """Do the next piece for one conversation; once nothing is left to do, remove the account from it."""
    account, done = deletion.account, JobResult()
    if _abandoned(tx, mine, account):
        if sql.empty(tx, mine.conversation, MESSAGES_AT_ONCE):
            return done
    elif deletion.recall and deletion.seq < mine.last_seq:
        return JobResult(_recall(tx, deletion, mine, now))
    elif mine.direct_key:
        if unread := messages.unread_burning(tx, mine.conversation, mine.read_seq, account, CHANGES_AT_ONCE):
            return JobResult(_burn(tx, unread, now))
        done = JobResult((_tell_other(tx, mine, mine.direct_key, account),))
    elif mine.left_seq is None:
        done = _leave(tx, account, mine.conversation, now)
    sql.remove_member(tx, mine.conversation, account)
    sql.progress(tx, deletion._replace(seq=0))
    return done


def _leave(tx: Tx, account: int, conversation: int, now: int) -> JobResult:
    """Leave a group as anybody would, under the tombstone's name."""
    caller = Caller(now=now, limits=Limits(), account=account, username=accounts.by_id(tx, account).username)
    group = conversations.membership(tx, conversation, account)
    assert group is not None
    left = leave(tx, caller, group)
    return JobResult(left.told, effects=left.effects)


def _recall(tx: Tx, deletion: sql.Deletion, mine: sql.Part, now: int) -> tuple[Delivery, ...]:
    """Recall some of the account's messages in a conversation."""
    rows, upto = _next_messages(tx, deletion, mine, CHANGES_AT_ONCE)
    sql.progress(tx, deletion._replace(seq=upto))
    told: tuple[Delivery, ...] = ()
    for row in rows:
        row = messages.empty(tx, row, recalled=now)
        told += message_changed(tx, recipients(tx, row.conversation), row, "recalled", row.sender)
    return told


def _burn(tx: Tx, unread: list[messages.Message], now: int) -> tuple[Delivery, ...]:
    """Start the timers of messages that were to burn once the account had read them, which it never will."""
    told: tuple[Delivery, ...] = ()
    for row in unread:
        row = messages.change(tx, row, expires=now + (row.burn_after or 0) * 1000)
        told += message_changed(tx, recipients(tx, row.conversation), row, "expiring")
    return told


def _tell_other(tx: Tx, mine: sql.Part, direct_key: str, account: int) -> Delivery:
    """Tell the other person's devices, also those that are offline, the conversation's new name."""
    low, high = conversations.pair(direct_key)
    # In groups a device keeps the old name until it fetches anew: a rev for each message would cost every member.
    tombstone = accounts.by_id(tx, account).username
    other = high if account == low else low
    return account_log.note(tx, other, "deleted", conversation=mine.conversation, value=tombstone)
