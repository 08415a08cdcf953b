"""Waiting: what an account has to decide upon, told again after each login until it is decided.

@waits
def at_the_door(tx, me) -> list[Event]
"""

from collections.abc import Callable, Sequence

from imd.chat.lanes import Me
from imd.store.transaction import Tx
from imd.wire.base import Event

Waiting = Callable[[Tx, Me], Sequence[Event]]

WAITING: list[Waiting] = []
"""What may wait; filled as the capabilities are imported."""


def waits(find: Waiting) -> Waiting:
    """Have what this finds told at the end of every replay."""
    WAITING.append(find)
    return find


def waiting(tx: Tx, me: Me) -> list[Event]:
    """Give all that waits for an account."""
    return [event for find in WAITING for event in find(tx, me)]
