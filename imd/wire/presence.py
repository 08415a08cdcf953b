"""Presence: who is online, what they show themselves as, and who is typing.

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
"""What others see an account as."""


def described(language: str, person: str, presence: SeenAs, text: str | None, last_seen: str | None) -> str:
    """Write what others see an account as, for a person."""
    line = catalog.say(f"presence.{presence}", language, person=person)
    if text:
        return catalog.say("presence.words", language, line=line, words=text)
    return catalog.say("presence.seen", language, line=line, time=clock_face(last_seen)) if last_seen else line


@command("presence", "PRESENCE presence presence_text...")
class SetPresence(Command, frozen=True, kw_only=True):
    """Show yourself as online, away, busy or invisible, with a text, on all your devices, until you change it."""

    presence: Literal["online", "away", "busy", "invisible"]
    presence_text: Annotated[str, Meta(max_length=100)] = ""
    refusals = (Forbidden,)
    example = "PRESENCE away at lunch"


@command("typing", "TYPING to")
class Typing(Addressed, frozen=True, kw_only=True):
    """Tell the others in a conversation that you are typing. For programs, while keys are pressed."""

    refusals = (NoSuchConversation, NoSuchUser, NotAMember, Blocked, Forbidden)
    example = "TYPING bob"


class PresenceChanged(Event, frozen=True, kw_only=True, tag="presence"):
    """A friend came online, went offline, or shows themselves as something else."""

    username: str
    presence: SeenAs
    presence_text: str | None = None
    last_seen: str | None = None

    def text(self, language: str) -> str:
        """Tell a person."""
        return described(language, self.username, self.presence, self.presence_text, None)


class IsTyping(Event, frozen=True, kw_only=True, tag="typing"):
    """Somebody is typing in a conversation. Show it for six seconds."""

    conversation: int
    username: str
    to: str

    def text(self, language: str) -> str:
        """Write who is typing, and where if it is a group."""
        where = f"{self.to} " if self.to.startswith("#") else ""
        return where + catalog.say("event.typing", language, username=self.username)
