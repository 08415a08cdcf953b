"""Receipts: how far a person was delivered to, and how far they have read. Two numbers that only grow.

-> ACK bob 5                 <- OK ACK conversation=1 delivered_seq=5 read_seq=3
-> READ                      <- OK READ          (all that was shown)
"""

from typing import Annotated, ClassVar

from msgspec import Meta

from imd.wire import catalog
from imd.wire.base import Event, Reply, command
from imd.wire.fields import BIGGEST, Name, Pointer
from imd.wire.messages import Addressed
from imd.wire.refusals import NoSuchConversation, NoSuchUser


class Pointers(Reply, frozen=True, kw_only=True, omit_defaults=True):
    """Where the pointers stand now. Nothing, where several conversations were meant."""

    conversation: int | None = None
    delivered_seq: int | None = None
    read_seq: int | None = None


@command("ack", "ACK to seq")
class Ack(Addressed, frozen=True, kw_only=True):
    """Say that messages up to a seq have arrived; replay starts after it."""

    seq: Pointer
    reply = Pointers
    refusals = (NoSuchConversation, NoSuchUser)
    example = "ACK bob 2"


@command("read", "READ to seq")
class Read(Addressed, frozen=True, kw_only=True):
    """Mark messages read up to a seq; in text, without one, all that was shown."""

    conversation: Annotated[int, Meta(ge=0, le=BIGGEST)] | None = None
    """0 means every conversation of mine."""

    seq: Pointer | None
    """Null means all that was delivered."""

    reply = Pointers
    refusals = (NoSuchConversation, NoSuchUser)
    example = "READ bob"
    text_defaults: ClassVar = {"conversation": 0, "seq": None}


class Receipt(Event, frozen=True, kw_only=True, tag="receipt"):
    """A member's pointers moved. In this version told to one's own other devices."""

    conversation: int
    username: str
    to: Name
    delivered_seq: int
    read_seq: int

    def text(self, language: str) -> str:
        """Tell a person what they need not read again; a delivery alone is for programs."""
        done = self.read_seq == self.delivered_seq
        return catalog.say("event.receipt", language, to=self.to, read_seq=self.read_seq) if done else ""


class Replayed(Event, frozen=True, kw_only=True, tag="replayed"):
    """All that lay undelivered has been pushed: so many messages."""

    count: int

    def text(self, language: str) -> str:
        """Write the end of a replay for a person."""
        return catalog.say("event.replayed.some" if self.count else "event.replayed.none", language, count=self.count)
