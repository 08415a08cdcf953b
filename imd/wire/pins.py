"""Pins: messages that a conversation keeps at hand, for everybody in it.

-> PIN bob 1                 <- OK PIN conversation=1 seq=1 rev=5
-> PINS bob                  <- - 1 2026-11-23 06:25Z alice: the key is under the mat
                             <- OK PINS conversation=1
"""

from imd.wire.base import Reply, command
from imd.wire.messages import AboutMessage, Addressed, Changed, Message
from imd.wire.refusals import BadRequest, Blocked, NoSuchConversation, NoSuchUser, NotAMember, QuotaExceeded


@command("pin", "PIN to seq")
class Pin(AboutMessage, frozen=True, kw_only=True):
    """Pin a message for everybody in the conversation. In a group, its admins may."""

    reply = Changed
    refusals = (*AboutMessage.refusals, Blocked, BadRequest, QuotaExceeded)
    example = "PIN bob 1"


@command("unpin", "UNPIN to seq")
class Unpin(AboutMessage, frozen=True, kw_only=True):
    """Unpin a message."""

    reply = Changed
    refusals = (*AboutMessage.refusals, Blocked)
    example = "UNPIN bob 1"


class Pinned(Reply, frozen=True, kw_only=True):
    """The pinned messages, the latest pin first."""

    conversation: int
    messages: list[Message]


@command("pins", "PINS to")
class ListPins(Addressed, frozen=True, kw_only=True):
    """List the pinned messages of a conversation."""

    reply = Pinned
    refusals = (NoSuchConversation, NoSuchUser, NotAMember)
    example = "PINS bob"
