"""Receipts: how far a person was delivered to, and how far they have read. Two numbers that only grow.

-> ACK bob 5                 <- OK ACK conversation=1 delivered_seq=5 read_seq=3
-> READ                      <- OK READ          (all that was shown)
-> WHO READ bob 1            <- - bob: read
                             <- OK WHO READ conversation=1 seq=1
"""

from typing import Annotated, ClassVar

from msgspec import Meta

from imd.wire import catalog
from imd.wire.base import Event, Item, Reply, command
from imd.wire.fields import BIGGEST, Name, Pointer
from imd.wire.messages import AboutMessage, Addressed
from imd.wire.refusals import NoSuchConversation, NoSuchUser, NotAMember


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
    refusals = (NoSuchConversation, NoSuchUser, NotAMember)
    example = "ACK bob 2"


@command("read", "READ to seq")
class Read(Addressed, frozen=True, kw_only=True):
    """Mark messages read up to a seq; in text, without one, all that was shown."""

    conversation: Annotated[int, Meta(ge=0, le=BIGGEST)] | None = None
    """0 means every conversation of mine."""

    seq: Pointer | None
    """Null means all that was delivered."""

    reply = Pointers
    refusals = (NoSuchConversation, NoSuchUser, NotAMember)
    example = "READ bob"
    text_defaults: ClassVar = {"conversation": 0, "seq": None}


class Reader(Item, frozen=True, kw_only=True):
    """How far a message got with one of its readers."""

    username: str
    delivered: bool
    read: bool

    def text(self, language: str) -> str:
        """Write the reader's line in WHO READ."""
        state = "read" if self.read else "delivered" if self.delivered else "waiting"
        return catalog.say(f"line.reader.{state}", language, username=self.username)


class Readers(Reply, frozen=True, kw_only=True):
    """Who has read a message: those who let it be known, at most 200 of them."""

    conversation: int
    seq: int
    readers: list[Reader]


@command("who_read", "WHO READ to seq")
class WhoRead(AboutMessage, frozen=True, kw_only=True):
    """Ask who has read a message, and whom it has reached."""

    reply = Readers
    example = "WHO READ bob 1"


class Receipt(Event, frozen=True, kw_only=True, tag="receipt"):
    """A member's pointers moved. `own`: they are one's own, moved on another device."""

    conversation: int
    username: str
    to: Name
    delivered_seq: int
    read_seq: int
    own: bool

    def text(self, language: str) -> str:
        """Tell a person what they need not read again; what others read, and a delivery alone, is for programs."""
        done = self.own and self.read_seq == self.delivered_seq
        return catalog.say("event.receipt", language, to=self.to, read_seq=self.read_seq) if done else ""


class Replayed(Event, frozen=True, kw_only=True, tag="replayed"):
    """All that lay undelivered has been pushed: so many messages."""

    count: int

    def text(self, language: str) -> str:
        """Write the end of a replay for a person."""
        return catalog.say("event.replayed.some" if self.count else "event.replayed.none", language, count=self.count)
