"""Receipts: up to which seq messages were delivered to a person, and up to which they have read. Both only grow.

-> ACK bob 5                 <- OK ACK conversation=1 delivered_seq=5 read_seq=3
-> READ                      <- OK READ
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
    """Where the pointers are now; empty if the command was about all conversations."""

    conversation: int | None = None
    delivered_seq: int | None = None
    read_seq: int | None = None


@command("ack", "ACK to seq")
class Ack(Addressed, frozen=True, kw_only=True):
    """Mark messages up to a seq as delivered. A replay starts after them."""

    seq: Pointer
    reply = Pointers
    refusals = (NoSuchConversation, NoSuchUser, NotAMember)
    example = "ACK bob 2"


@command("read", "READ to seq")
class Read(Addressed, frozen=True, kw_only=True):
    """Mark messages up to a seq as read; in text, without a seq, all that were shown."""

    conversation: Annotated[int, Meta(ge=0, le=BIGGEST)] | None = None
    """0 means all conversations."""

    seq: Pointer | None
    """Null means all messages that were delivered."""

    reply = Pointers
    refusals = (NoSuchConversation, NoSuchUser, NotAMember)
    example = "READ bob"
    text_defaults: ClassVar = {"conversation": 0, "seq": None}


class Reader(Item, frozen=True, kw_only=True):
    """How far a message got with one member."""

    username: str
    delivered: bool
    read: bool

    def text(self, language: str) -> str:
        """Write the member's line in WHO READ."""
        state = "read" if self.read else "delivered" if self.delivered else "waiting"
        return catalog.say(f"line.reader.{state}", language, username=self.username)


class Readers(Reply, frozen=True, kw_only=True):
    """How far a message got with the members who let others see it, at most 200 of them."""

    conversation: int
    seq: int
    readers: list[Reader]


@command("who_read", "WHO READ to seq")
class WhoRead(AboutMessage, frozen=True, kw_only=True):
    """Ask who has read a message, and whom it has reached."""

    reply = Readers
    example = "WHO READ bob 1"


class Receipt(Event, frozen=True, kw_only=True, tag="receipt"):
    """A member's pointers have moved. `own`: they are yours, moved on another device."""

    conversation: int
    username: str
    to: Name
    delivered_seq: int
    read_seq: int
    own: bool

    def text(self, language: str) -> str:
        """Tell a person what they have read on another device. The rest is for programs."""
        done = self.own and self.read_seq == self.delivered_seq
        return catalog.say("event.receipt", language, to=self.to, read_seq=self.read_seq) if done else ""


class Replayed(Event, frozen=True, kw_only=True, tag="replayed"):
    """The replay is over: this many messages were pushed."""

    count: int

    def text(self, language: str) -> str:
        """Write the end of a replay for a person."""
        return catalog.say("event.replayed.some" if self.count else "event.replayed.none", language, count=self.count)
