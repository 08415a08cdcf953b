"""The rules of pins: both may pin in a direct conversation, admins in a group."""

from imd.chat.base.access import Conversation, check_may_write, find, message
from imd.chat.base.context import Caller
from imd.chat.base.effects import Outcome
from imd.chat.base.handlers import reads, writes
from imd.chat.base.render import changed, rendered, unchanged
from imd.store import messages as sql
from imd.store.transaction import Tx
from imd.wire import pins as wire
from imd.wire.messages import Changed
from imd.wire.refusals import BadRequest, QuotaExceeded

MOST = 50
"""How many messages of one conversation may be pinned."""


@writes(wire.Pin)
def pin(tx: Tx, caller: Caller, command: wire.Pin) -> Outcome[Changed]:
    """Pin a message."""
    conversation, row = message(tx, caller, command)
    _check_may_pin(tx, caller, conversation)
    if row.recalled or row.burned:
        raise BadRequest("gone")
    if row.pinned:
        return unchanged(row)
    if len(sql.pinned(tx, conversation.seen)) >= MOST:
        raise QuotaExceeded("pins", limit=MOST)
    return _set(tx, caller, conversation, row, caller.now)


@writes(wire.Unpin)
def unpin(tx: Tx, caller: Caller, command: wire.Unpin) -> Outcome[Changed]:
    """Unpin a message."""
    conversation, row = message(tx, caller, command)
    _check_may_pin(tx, caller, conversation)
    return _set(tx, caller, conversation, row, None) if row.pinned else unchanged(row)


def _check_may_pin(tx: Tx, caller: Caller, conversation: Conversation) -> None:
    if conversation.other is None:
        conversation.require("admin")
    else:
        check_may_write(tx, caller, conversation)


def _set(tx: Tx, caller: Caller, conversation: Conversation, row: sql.Message, pinned: int | None) -> Outcome[Changed]:
    row = sql.change(tx, row, pinned=pinned)
    return changed(tx, caller, conversation, row, "pinned" if pinned else "unpinned")


@reads(wire.ListPins)
def pins(tx: Tx, caller: Caller, command: wire.ListPins) -> Outcome[wire.Pinned]:
    """List the pinned messages that the caller may see."""
    conversation = find(tx, caller, command)
    rows = sql.pinned(tx, conversation.seen)
    return Outcome(
        wire.Pinned(conversation=conversation.id, messages=rendered(tx, rows, caller.account, conversation.to))
    )
