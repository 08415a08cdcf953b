"""Presence: who is here and as what, and who is typing.

-> PRESENCE away at lunch        <- OK PRESENCE
                                    (friends read: * alice is away: at lunch)
-> TYPING bob                    <- OK TYPING
                                    (bob reads: * alice is typing …)
"""

from typing import Annotated, Literal

from msgspec import Meta

from imd.wire import catalog
from imd.wire.base import Command, Event, command
from imd.wire.fields import clock_face
from imd.wire.messages import Addressed
from imd.wire.refusals import Blocked, Forbidden, NoSuchConversation, NoSuchUser, NotAMember

SeenAs = Literal["online", "away", "busy", "offline"]
"""What somebody is seen as."""


def described(language: str, person: str, presence: SeenAs, words: str | None, last_seen: str | None) -> str:
    """Write what somebody is seen as, for a person."""
    line = catalog.say(f"presence.{presence}", language, person=person)
    if words:
        return catalog.say("presence.words", language, line=line, words=words)
    return catalog.say("presence.seen", language, line=line, time=clock_face(last_seen)) if last_seen else line


@command("presence", "PRESENCE presence presence_text...")
class SetPresence(Command, frozen=True, kw_only=True):
    """Show yourself as online, away or busy, with a few words, or not at all; until you change it, on all devices."""

    presence: Literal["online", "away", "busy", "invisible"]
    presence_text: Annotated[str, Meta(max_length=100)] = ""
    refusals = (Forbidden,)
    example = "PRESENCE away at lunch"


@command("typing", "TYPING to")
class Typing(Addressed, frozen=True, kw_only=True):
    """Let the others in a conversation know that you are typing; for programs, while keys are pressed."""

    refusals = (NoSuchConversation, NoSuchUser, NotAMember, Blocked, Forbidden)
    example = "TYPING bob"


class PresenceChanged(Event, frozen=True, kw_only=True, tag="presence"):
    """A friend came, went, or shows themselves as something else."""

    username: str
    presence: SeenAs
    presence_text: str | None = None
    last_seen: str | None = None

    def text(self, language: str) -> str:
        """Tell a person."""
        return described(language, self.username, self.presence, self.presence_text, None)


class IsTyping(Event, frozen=True, kw_only=True, tag="typing"):
    """Somebody types in a conversation: worth showing for six seconds."""

    conversation: int
    username: str
    to: str

    def text(self, language: str) -> str:
        """Tell a person who types, and where if it is a group."""
        where = f"{self.to} " if self.to.startswith("#") else ""
        return where + catalog.say("event.typing", language, username=self.username)
