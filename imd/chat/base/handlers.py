"""The registry of handlers. A handler's decorator names its lane, and the lane says where it runs:

    @writes   whole, in the writer thread, undone alone if it fails:            (tx, caller, command) -> Outcome
    @reads    the same on a snapshot in a reader thread
    @live     in the reactor, without a database:                                   (caller, command) -> Outcome
    @slow     a coroutine that may wait; logging in and out are such:     (services, caller, command) -> Outcome

Deliveries and effects are data in the Outcome; a handler never calls the network.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

import attrs

from imd.chat.base import audit
from imd.wire.base import Command, Right, registry


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


def _taking(lane: Lane) -> Callable[[type[Command]], Callable[[F], F]]:
    def handles(shape: type[Command]) -> Callable[[F], F]:
        def keep(run: F) -> F:
            if shape in HANDLERS:
                raise ValueError(f"{shape.__name__} has two handlers")
            HANDLERS[shape] = Handler(lane, _held_to_account(lane, shape, run))
            return run

        return keep

    return handles


def _held_to_account(lane: Lane, shape: type[Command], run: Callable[..., Any]) -> Callable[..., Any]:
    """See to it that what an admin changes is in the audit log."""
    action = next((spec.action for spec in registry if spec.shape is shape and spec.right is Right.ADMIN), "")
    hold = {Lane.WRITES: audit.write, Lane.SLOW: audit.slow}.get(lane)
    return hold(action, run) if action and hold else run


writes = _taking(Lane.WRITES)
reads = _taking(Lane.READS)
live = _taking(Lane.LIVE)
slow = _taking(Lane.SLOW)
