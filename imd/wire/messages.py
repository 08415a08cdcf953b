"""Messages: the message object, and sending one.

-> SEND bob hello            <- OK SEND conversation=1 seq=1 rev=1 time=2026-11-23T06:25:18.123Z duplicate=false
                                (bob reads: * alice: hello)
"""

from typing import ClassVar, Literal

import attrs
import msgspec

from imd.wire import catalog
from imd.wire.base import Command, Event, Item, Reply, command, registry
from imd.wire.fields import ClientId, Conversation, Name, Seq, clock_face
from imd.wire.refusals import (
    BadRequest,
    Conflict,
    NoSuchConversation,
    NoSuchMessage,
    NoSuchUser,
    NotAMember,
    TooLarge,
    Unavailable,
)


class Addressed(Command, frozen=True, kw_only=True):
    """A command about a conversation: `to` (a user or a group) or `conversation` (its id), one of the two."""

    to: Name | None = None
    conversation: Conversation | None = None
    aliases: ClassVar = {"receiver_username": "to"}
    stand_ins: ClassVar = {"to": "conversation"}

    def __post_init__(self) -> None:
        if self.to is None and self.conversation is None:
            raise ValueError("Object missing required field `to`")
        if self.to is not None and self.conversation is not None:
            raise ValueError("Object has both `to` and `conversation`")


class Message(Item, frozen=True, kw_only=True, omit_defaults=True):
    """A message in its present state. `to` is what its reader would answer to; `client_id` is its sender's alone."""

    conversation: int
    seq: int
    rev: int
    sender: str
    to: str
    kind: str
    content: str
    time: str
    reply_to: int | None = None
    client_id: str | None = None

    def text(self, language: str) -> str:
        """Write the message's line in HISTORY."""
        return f"{self.seq} {clock_face(self.time)} {self.sender}: {self.content}"


class NewMessage(Event, frozen=True, kw_only=True, tag="message"):
    """A message came. The sender's other devices hear it too."""

    conversation: int
    seq: int
    rev: int
    sender: str
    to: str
    kind: str
    content: str
    time: str
    reply_to: int | None = None
    client_id: str | None = None

    def text(self, language: str) -> str:
        """Write it for a person: who says it, where, and what."""
        if self.to.startswith("#"):
            return f"{self.to} {self.sender}: {self.content}"
        if self.to == self.sender:
            return f"{self.sender}: {self.content}"
        return catalog.say("event.message.own", language, to=self.to, content=self.content)


def announced(message: Message) -> NewMessage:
    """Turn a message object into the event that tells of it."""
    return NewMessage(**msgspec.structs.asdict(message))


class Sent(Reply, frozen=True, kw_only=True):
    """Stored and synced to disk. `duplicate`: it already was, under this client_id."""

    conversation: int
    seq: int
    rev: int
    time: str
    duplicate: bool


@command("send_message", "SEND to content...")
class SendMessage(Addressed, frozen=True, kw_only=True):
    """Send a message. Give it a client_id, and repeating it after a lost answer stores it once."""

    content: str
    kind: Literal["text"] = "text"
    client_id: ClientId | None = None
    reply_to: Seq | None = None
    reply = Sent
    refusals = (
        NoSuchUser,
        NoSuchConversation,
        NotAMember,
        NoSuchMessage,
        BadRequest,
        TooLarge,
        Conflict,
        Unavailable,
    )
    example = "SEND bob hello, shall we meet at six?"


POST = attrs.evolve(registry.actions["send_message"], verb="POST", takes=("to",))
"""SEND for many lines: in text its content is the lines that follow, up to a lone dot (see reader)."""

registry.verbs[POST.verb] = POST
