"""Burn after reading: a message's time starts when it is read, and when it is over the server destroys the text.

In a direct conversation the other person's reading starts it; in a group the last member's, or `burn_days` at the
latest. The message's place in the log remains. Nothing keeps a reader from making a copy.
"""

from imd.chat.base.access import Conversation
from imd.chat.base.effects import Delivery, Effect, Schedule
from imd.chat.base.jobs import JobResult, job
from imd.chat.base.render import message_changed, recipients, recipients_of
from imd.store import forgetting, receipts
from imd.store import messages as sql
from imd.store.transaction import Tx

DAY = 86_400_000
AT_ONCE = 50
"""How many messages are destroyed at a time."""

PAUSE = 50
"""Milliseconds between two pieces of forgetting, which leave room for everybody's writes."""


def expires(new: sql.Message, conversation: Conversation | None, *, alone: bool, days: int) -> int | None:
    """Return when a new message expires, as far as that is known before it is read."""
    ends = []
    if conversation is not None and conversation.row.retention:
        ends.append(new.time + conversation.row.retention * 1000)
    if new.burn_after and alone:
        ends.append(new.time + new.burn_after * 1000)
    elif new.burn_after and conversation is not None and conversation.other is None:
        ends.append(new.time + days * DAY)
    return min(ends, default=None)


def read(
    tx: Tx, conversation: Conversation, username: str, after: int, upto: int, now: int
) -> tuple[tuple[Delivery, ...], tuple[Effect, ...]]:
    """Start the time of the messages that somebody has just read: those with after < seq <= upto."""
    told: tuple[Delivery, ...] = ()
    effects: tuple[Effect, ...] = ()
    for row in sql.burning(tx, conversation.id, after, upto, conversation.viewer):
        if conversation.other is None and receipts.least_read(tx, row.conversation, row.sender_id) < row.seq:
            continue
        ends = now + (row.burn_after or 0) * 1000
        if row.expires is None or ends < row.expires:
            row = sql.change(tx, row, expires=ends)
            told += message_changed(tx, recipients_of(conversation, username), row, "expiring")
            effects += (Schedule(ends),)
    return told, effects


@job
def burn(tx: Tx, now: int) -> JobResult:
    """Destroy the messages that have expired."""
    told: tuple[Delivery, ...] = ()
    for row in sql.expired(tx, now, AT_ONCE):
        told += message_changed(tx, recipients(tx, row.conversation), sql.empty(tx, row, burned=now), "burned")
    return JobResult(told, sql.next_expiry(tx))


@job
def forget(tx: Tx, now: int) -> JobResult:
    """Let the store clean up after destroyed text, whatever destroyed it."""
    again = forgetting.proceed(tx, now)
    return JobResult(again=None if again is None else max(again, now + PAUSE))
