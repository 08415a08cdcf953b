"""The registry of handlers and of reminders; each is filled as the modules of the commands are imported.

A handler's decorator names its lane, and the lane says where it runs:

    @writes   whole, in the writer thread, undone alone if it fails:            (tx, caller, command) -> Outcome
    @reads    the same on a snapshot in a reader thread
    @live     in the reactor, without a database:                                   (caller, command) -> Outcome
    @slow     a coroutine that may wait; logging in and out are such:     (services, caller, command) -> Outcome

Deliveries and effects are data in the Outcome; a handler never calls the network.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, TypeVar

import attrs

from imd.chat.base import audit
from imd.chat.base.context import Caller
from imd.store.transaction import Tx
from imd.wire.base import Command, Event, Right, registry


class Lane(Enum):
    """Where a handler runs."""

    WRITES = "writes"
    READS = "reads"
    LIVE = "live"
    SLOW = "slow"


@attrs.frozen
class Handler:
    """One command's handler with its lane."""

    lane: Lane
    run: Callable[..., Any]


HANDLERS: dict[type[Command], Handler] = {}
"""Command -> its one handler."""

F = TypeVar("F", bound=Callable[..., Any])


def _decorator(lane: Lane) -> Callable[[type[Command]], Callable[[F], F]]:
    def handles(shape: type[Command]) -> Callable[[F], F]:
        def register(run: F) -> F:
            if shape in HANDLERS:
                raise ValueError(f"{shape.__name__} has two handlers")
            HANDLERS[shape] = Handler(lane, _audited(lane, shape, run))
            return run

        return register

    return handles


def _audited(lane: Lane, shape: type[Command], run: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the handler of an admin's command that may write; here, so that no handler can forget it."""
    action = next((spec.action for spec in registry if spec.shape is shape and spec.right is Right.ADMIN), "")
    wrap = {Lane.WRITES: audit.audited_write, Lane.SLOW: audit.audited_slow}.get(lane)
    return wrap(action, run) if action and wrap else run


writes = _decorator(Lane.WRITES)
reads = _decorator(Lane.READS)
live = _decorator(Lane.LIVE)
slow = _decorator(Lane.SLOW)


Reminder = Callable[[Tx, Caller], Sequence[Event]]

REMINDERS: list[Reminder] = []
"""Functions that find what an account must be reminded of."""


def reminder(find: Reminder) -> Reminder:
    """Register a function that finds events to tell at the end of every replay, since they wait for the account."""
    REMINDERS.append(find)
    return find


def reminders(tx: Tx, caller: Caller) -> list[Event]:
    """Give everything that the caller must be reminded of."""
    return [event for find in REMINDERS for event in find(tx, caller)]
