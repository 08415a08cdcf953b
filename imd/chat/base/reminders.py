"""Waiting: what an account has to decide upon, told again after each login until it is decided.

@waits
def at_the_door(tx, me) -> list[Event]
"""

from collections.abc import Callable, Sequence

from imd.chat.base.context import Caller
from imd.store.transaction import Tx
from imd.wire.base import Event

Reminder = Callable[[Tx, Caller], Sequence[Event]]

REMINDERS: list[Reminder] = []
"""What may wait; filled as the capabilities are imported."""


def reminder(find: Reminder) -> Reminder:
    """Have what this finds told at the end of every replay."""
    REMINDERS.append(find)
    return find


def reminders(tx: Tx, caller: Caller) -> list[Event]:
    """Give all that waits for an account."""
    return [event for find in REMINDERS for event in find(tx, caller)]
