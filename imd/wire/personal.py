"""What is for the account alone: stars, notes to oneself, hidden messages, and settings of conversations.

Each change is written to the account log, so that every device of the account learns of it, also one that was offline.

-> STAR bob 1                <- OK STAR
-> STARRED                   <- - bob 1 2026-11-23 06:25Z bob: the key is under the mat
                             <- OK STARRED more=false
-> MUTE bob                  <- OK MUTE
-> ACCOUNT SYNC 0            <- - 1 starred conversation=1 seq=1 value=true
                             <- - 2 muted conversation=1 value=true
                             <- OK ACCOUNT SYNC n=2 more=false
"""

from typing import Annotated, Literal

from msgspec import Meta

from imd.wire.base import Command, Event, Item, Reply, command
from imd.wire.fields import Pointer, Seq
from imd.wire.messages import AboutMessage, Addressed, Message
from imd.wire.refusals import NoSuchConversation, NoSuchUser, NotAMember, QuotaExceeded

_ABOUT = (NoSuchConversation, NoSuchUser, NotAMember)


@command("star", "STAR to seq")
class Star(AboutMessage, frozen=True, kw_only=True):
    """Star a message. Nobody else learns of it."""

    refusals = (*AboutMessage.refusals, QuotaExceeded)
    example = "STAR bob 1"


@command("unstar", "UNSTAR to seq")
class Unstar(AboutMessage, frozen=True, kw_only=True):
    """Take a star off a message."""

    example = "UNSTAR bob 1"


class Starred(Reply, frozen=True, kw_only=True):
    """The starred messages, the latest star first."""

    messages: list[Message]
    more: bool

    def lines(self, language: str) -> list[str]:
        """Write each message after its conversation."""
        return [f"{each.to} {each.text(language)}" for each in self.messages]


@command("starred", "STARRED")
class ListStarred(Command, frozen=True, kw_only=True):
    """List your starred messages from all conversations. `skip` is how many you have seen already."""

    skip: Pointer = 0
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    reply = Starred
    example = "STARRED limit=20"


class Saved(Reply, frozen=True, kw_only=True):
    """Your notes to yourself, oldest first. `conversation` is 0 before there is one."""

    conversation: int
    messages: list[Message]
    more: bool


@command("saved", "SAVED")
class ListSaved(Command, frozen=True, kw_only=True):
    """Read your notes to yourself: what you sent to your own name."""

    before: Seq | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    reply = Saved
    example = "SAVED limit=20"


@command("delete_for_me", "DELETE to seq")
class DeleteForMe(AboutMessage, frozen=True, kw_only=True):
    """Hide a message from yourself. Everybody else still sees it."""

    example = "DELETE bob 1"


@command("clear_history", "CLEAR to")
class ClearHistory(Addressed, frozen=True, kw_only=True):
    """Hide all messages of a conversation so far from yourself. Everybody else still sees them."""

    refusals = _ABOUT
    example = "CLEAR bob"


@command("mute", "MUTE to")
class Mute(Addressed, frozen=True, kw_only=True):
    """Mute a conversation on your devices; `on=false` unmutes it."""

    on: bool = True
    refusals = _ABOUT
    example = "MUTE bob"


@command("archive", "ARCHIVE to")
class Archive(Addressed, frozen=True, kw_only=True):
    """Archive a conversation on your devices; `on=false` takes it out of the archive."""

    on: bool = True
    refusals = _ABOUT
    example = "ARCHIVE bob"


@command("pin_conversation", "PIN CONVERSATION to")
class PinConversation(Addressed, frozen=True, kw_only=True):
    """Pin a conversation to the top on your devices; `on=false` unpins it."""

    on: bool = True
    refusals = _ABOUT
    example = "PIN CONVERSATION bob"


What = Literal[
    "starred",
    "hidden",
    "cleared",
    "muted",
    "archived",
    "pinned",
    "joined",
    "left",
    "deleted",
    "profile",
    "relation",
    "friend_note",
    "declined",
]
"""What can change in an account's own affairs. Clients match all of them, also those they ignore."""


class AccountChange(Item, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of the account log, in its latest state. `what` tells which of the other fields matter."""

    n: int
    what: What
    conversation: int | None = None
    seq: int | None = None
    username: str | None = None
    value: str | bool | int | None = None

    def text(self, language: str) -> str:
        """Write it for a program that reads text."""
        named = ((name, getattr(self, name)) for name in ("conversation", "seq", "username", "value"))
        pairs = [
            f"{name}={str(value).lower() if value is True or value is False else value}"
            for name, value in named
            if value is not None
        ]
        return " ".join([str(self.n), self.what, *pairs])


class AccountChanged(
    AccountChange, Event, frozen=True, kw_only=True, omit_defaults=True, tag_field="event", tag="account"
):
    """A new entry of the account log, told to the account's devices."""

    def text(self, language: str) -> str:
        """Tell a person nothing: they did it themselves, or another event tells them."""
        return ""


class AccountChanges(Reply, frozen=True, kw_only=True):
    """What changed after an n, in order. Go on after `n` while there is `more`."""

    changes: list[AccountChange]
    n: int
    more: bool


@command("account_sync", "ACCOUNT SYNC after")
class AccountSync(Command, frozen=True, kw_only=True):
    """Catch up with the account log: get what changed after an n. For programs."""

    after: Pointer
    limit: Annotated[int, Meta(ge=1, le=500)] = 200
    reply = AccountChanges
    example = "ACCOUNT SYNC 0"
