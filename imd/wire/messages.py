"""Messages: the message object; sending, editing, recalling and forwarding one.

-> SEND bob hello            <- OK SEND conversation=1 seq=1 rev=1 time=2026-11-23T06:25:18.123Z duplicate=false
                                (bob reads: * alice: hello)
-> EDIT bob 1 hello, Bob     <- OK EDIT conversation=1 seq=1 rev=2
                                (bob reads: * alice: alice changed 1: hello, Bob)
-> FORWARD bob 1 carol       <- OK FORWARD conversation=2 seq=1 rev=1 time=2026-11-23T06:26:02.456Z duplicate=false
-> RECALL bob 1              <- OK RECALL conversation=1 seq=1 rev=3
"""

from typing import Annotated, ClassVar, Literal

import attrs
import msgspec
from msgspec import Meta

from imd.wire import catalog
from imd.wire.base import Command, Event, Item, Reply, command, registry
from imd.wire.fields import ClientId, Content, Conversation, Name, Pointer, Seq, clock_face
from imd.wire.refusals import (
    BadRequest,
    Blocked,
    Conflict,
    Forbidden,
    NoSuchConversation,
    NoSuchMessage,
    NoSuchUser,
    NotAMember,
    QuotaExceeded,
    RateLimited,
    Refusal,
    TooLarge,
    TooLate,
    Unavailable,
)

Kind = Literal["text", "markdown", "sticker", "location", "contact"]
BurnAfter = Annotated[int, Meta(ge=1, le=604_800)]


class Addressed(Command, frozen=True, kw_only=True):
    """A command about a conversation: `to` (a user or a group) or `conversation` (its id), one of the two."""

    to: Name | None = None
    conversation: Conversation | None = None
    aliases: ClassVar = {"receiver_username": "to"}
    stand_ins: ClassVar = {"to": "conversation"}

    def __post_init__(self) -> None:
        if self.to is None and self.conversation is None:
            raise BadRequest("missing", field="to")
        if self.to is not None and self.conversation is not None:
            raise BadRequest("both", field="to", other="conversation")


class AboutMessage(Addressed, frozen=True, kw_only=True):
    """A command about one message. Seq 0 means the latest one, for people at a terminal."""

    seq: Pointer
    refusals: ClassVar[tuple[type[Refusal], ...]] = (
        NoSuchUser,
        NoSuchConversation,
        NotAMember,
        NoSuchMessage,
        Forbidden,
    )


class Reaction(Item, frozen=True, kw_only=True):
    """One emoji on a message: how many people put it there, and the first of them."""

    emoji: str
    count: int
    users: list[str]


Happened = Literal[
    "created",
    "joined",
    "admitted",
    "left",
    "kicked",
    "banned",
    "unbanned",
    "role",
    "transferred",
    "muted",
    "unmuted",
    "title",
    "topic",
    "settings",
]


class Notice(Item, frozen=True, kw_only=True, omit_defaults=True):
    """A system message, of kind `notice`: who did what in a group, to whom, or with which value."""

    what: Happened
    by: str
    who: str | None = None
    role: Literal["admin", "member", "reader"] | None = None
    value: str | None = None

    def text(self, language: str) -> str:
        """Write it for a person."""
        key = f"notice.role.{self.role}" if self.role else f"notice.{self.what}"
        return catalog.say(key, language, by=self.by, who=self.who or "", value=self.value or "")


class Message(Item, frozen=True, kw_only=True, omit_defaults=True):
    """A message in its present state. `to` is what its recipient types to answer; only its sender sees `client_id`."""

    conversation: int
    seq: int
    rev: int
    sender: str
    to: str
    kind: str
    content: str
    time: str
    reply_to: int | None = None
    edited: str | None = None
    recalled: str | None = None
    burned: str | None = None
    burn_after: int | None = None
    expires: str | None = None
    forwarded: str | None = None
    pinned: str | None = None
    mentions: list[str] = []
    reactions: list[Reaction] = []
    notice: Notice | None = None
    client_id: str | None = None

    def said(self, language: str) -> str:
        """Give the content for a person, with what became of the message."""
        for state in ("recalled", "burned"):
            if getattr(self, state):
                return catalog.say(f"line.message.{state}", language)
        if self.notice is not None:
            return self.notice.text(language)
        said = self.content
        if self.kind in {"sticker", "location", "contact"}:
            said = catalog.say(f"line.message.{self.kind}", language, content=said)
        if self.forwarded is not None:
            key = "line.message.forwarded" if self.forwarded else "line.message.forwarded.unnamed"
            said = catalog.say(key, language, sender=self.forwarded, content=said)
        if self.reply_to is not None:
            said = catalog.say("line.message.answer", language, reply_to=self.reply_to, content=said)
        if self.burn_after is not None:
            said = catalog.say("line.message.burning", language, seconds=self.burn_after, content=said)
        return said

    def text(self, language: str) -> str:
        """Write the message's line in HISTORY."""
        said = self.said(language)
        if self.edited and not self.recalled:
            said += catalog.say("line.message.edited", language)
        if self.reactions:
            said += "".join(f" [{each.emoji} {each.count}]" for each in self.reactions)
        speaker = f"{self.sender}: " if self.notice is None else ""
        return f"{self.seq} {clock_face(self.time)} {speaker}{said}"


class NewMessage(Message, Event, frozen=True, kw_only=True, omit_defaults=True, tag_field="event", tag="message"):
    """A new message. The sender's other devices are told too."""

    def text(self, language: str) -> str:
        """Write the conversation, the sender and the content for a person."""
        said = self.said(language)
        if self.notice is not None:
            return f"{self.to}: {said}"
        if self.to.startswith("#"):
            return f"{self.to} {self.sender}: {said}"
        if self.to == self.sender:
            return f"{self.sender}: {said}"
        return catalog.say("event.message.own", language, to=self.to, content=said)


What = Literal["edited", "recalled", "burned", "reacted", "unreacted", "pinned", "unpinned", "expiring"]


class MessageChanged(Message, Event, frozen=True, kw_only=True, omit_defaults=True, tag_field="event", tag="changed"):
    """A changed message: all of it, in its present state. `by` is the person who changed it, if one did."""

    what: What
    by: str = ""
    emoji: str = ""

    def text(self, language: str) -> str:
        """Write it for a person. `expiring` is for programs alone."""
        if self.what == "expiring":
            return ""
        where = self.to if self.to.startswith("#") else self.sender if self.to == self.sender else self.to
        return catalog.say(
            f"event.changed.{self.what}",
            language,
            place=where,
            by=self.by,
            seq=self.seq,
            said=self.said(language),
            emoji=self.emoji,
        )


def announced(message: Message) -> NewMessage:
    """Turn a message object into the event of a new message."""
    return NewMessage(**msgspec.structs.asdict(message))


class Sent(Reply, frozen=True, kw_only=True):
    """The message is stored and synced to disk. `duplicate`: it already was, under this client_id."""

    conversation: int
    seq: int
    rev: int
    time: str
    duplicate: bool


@command("send_message", "SEND to content...")
class SendMessage(Addressed, frozen=True, kw_only=True):
    """Send a message. With a client_id it may be repeated after a lost reply, and is stored once."""

    content: Content
    kind: Kind = "text"
    client_id: ClientId | None = None
    reply_to: Seq | None = None
    burn_after: BurnAfter | None = None
    grows = True
    reply = Sent
    refusals = (
        NoSuchUser,
        NoSuchConversation,
        NotAMember,
        NoSuchMessage,
        Blocked,
        Forbidden,
        RateLimited,
        QuotaExceeded,
        BadRequest,
        TooLarge,
        Conflict,
        Unavailable,
    )
    example = "SEND bob hello, shall we meet at six?"


POST = attrs.evolve(registry.actions["send_message"], verb="POST", takes=("to",))
"""SEND for several lines in text: the content is the lines that follow, up to a lone dot (see reader)."""

registry.verbs[POST.verb] = POST


class Changed(Reply, frozen=True, kw_only=True):
    """The message, and its rev now. An unchanged rev means that there was nothing to change."""

    conversation: int
    seq: int
    rev: int


@command("edit_message", "EDIT to seq content...")
class EditMessage(AboutMessage, frozen=True, kw_only=True):
    """Change what a message of yours says, within the time that the server allows."""

    content: Content
    reply = Changed
    refusals = (*AboutMessage.refusals, Blocked, TooLate, TooLarge, BadRequest)
    example = "EDIT bob 1 hello, shall we meet at seven?"


@command("recall_message", "RECALL to seq")
class RecallMessage(AboutMessage, frozen=True, kw_only=True):
    """Take a message of yours back, for everybody. An admin of a group may take back any."""

    reply = Changed
    example = "RECALL bob 1"


@command("forward", "FORWARD to seq target")
class Forward(AboutMessage, frozen=True, kw_only=True):
    """Send a message on to somebody else, or to another group."""

    target: Name
    client_id: ClientId | None = None
    grows = True
    reply = Sent
    refusals = SendMessage.refusals
    example = "FORWARD bob 2 #team"


class Thread(Reply, frozen=True, kw_only=True):
    """A message and its answers, oldest first; `more` if there are further answers."""

    conversation: int
    messages: list[Message]
    more: bool


@command("thread", "THREAD to seq")
class ReadThread(AboutMessage, frozen=True, kw_only=True):
    """Read a message with the messages that answer it."""

    after: Pointer = 0
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    reply = Thread
    example = "THREAD bob 1"
