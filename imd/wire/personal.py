"""What is for oneself alone: stars, notes, hidden messages, and settings of one's own conversations.

Each change goes into the account's log, from which all devices of the account learn of it, even if they were offline.

-> STAR bob 1                <- OK STAR
-> STARRED                   <- - bob 1 2026-11-23 06:25Z bob: the key is under the mat
                             <- OK STARRED more=false
-> MUTE #team                <- OK MUTE
-> ACCOUNT SYNC 0            <- - 1 starred conversation=1 seq=1 value=true
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
    """Remember a message; nobody else learns of it."""

    refusals = (*AboutMessage.refusals, QuotaExceeded)
    example = "STAR bob 1"


@command("unstar", "UNSTAR to seq")
class Unstar(AboutMessage, frozen=True, kw_only=True):
    """Remember a message no more."""

    example = "UNSTAR bob 1"


class Starred(Reply, frozen=True, kw_only=True):
    """The starred messages, the one starred last first."""

    messages: list[Message]
    more: bool

    def lines(self, language: str) -> list[str]:
        """Write each message behind the place it was said in."""
        return [f"{each.to} {each.text(language)}" for each in self.messages]


@command("starred", "STARRED")
class ListStarred(Command, frozen=True, kw_only=True):
    """List your starred messages, from all conversations; `skip` those you have seen."""

    skip: Pointer = 0
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    reply = Starred
    example = "STARRED limit=20"


class Saved(Reply, frozen=True, kw_only=True):
    """Your notes to yourself, oldest first; `conversation` is 0 before the first one."""

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
    """See a message no more; everybody else still does."""

    example = "DELETE bob 1"


@command("clear_history", "CLEAR to")
class ClearHistory(Addressed, frozen=True, kw_only=True):
    """See nothing any more of what was said in a conversation so far; everybody else still does."""

    refusals = _ABOUT
    example = "CLEAR bob"


@command("mute", "MUTE to")
class Mute(Addressed, frozen=True, kw_only=True):
    """Have a conversation make no noise on your devices; `on=false` takes it back."""

    on: bool = True
    refusals = _ABOUT
    example = "MUTE bob"


@command("archive", "ARCHIVE to")
class Archive(Addressed, frozen=True, kw_only=True):
    """Put a conversation out of sight on your devices; `on=false` takes it back."""

    on: bool = True
    refusals = _ABOUT
    example = "ARCHIVE bob"


@command("pin_conversation", "PIN CONVERSATION to")
class PinConversation(Addressed, frozen=True, kw_only=True):
    """Keep a conversation on top on your devices; `on=false` takes it back."""

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
    """One thing in the account's own affairs, in its latest state. `what` says which of the others matter."""

    n: int
    what: What
    conversation: int | None = None
    seq: int | None = None
    username: str | None = None
    value: str | bool | int | None = None

    def text(self, language: str) -> str:
        """Write it for a program that reads text."""
        named = ((name, getattr(self, name)) for name in ("conversation", "seq", "username", "value"))
        shown = [
            f"{name}={str(value).lower() if value is True or value is False else value}"
            for name, value in named
            if value is not None
        ]
        return " ".join([str(self.n), self.what, *shown])


class AccountChanged(
    AccountChange, Event, frozen=True, kw_only=True, omit_defaults=True, tag_field="event", tag="account"
):
    """Something in the account's own affairs changed: told to its devices."""

    def text(self, language: str) -> str:
        """Tell a person nothing: they did it themselves, or are told by another event."""
        return ""


class AccountChanges(Reply, frozen=True, kw_only=True):
    """What changed after the n asked, in order. Go on from `n` while there is `more`."""

    changes: list[AccountChange]
    n: int
    more: bool


@command("account_sync", "ACCOUNT SYNC after")
class AccountSync(Command, frozen=True, kw_only=True):
    """Catch up with the account's own affairs: what changed after an n, for programs."""

    after: Pointer
    limit: Annotated[int, Meta(ge=1, le=500)] = 200
    reply = AccountChanges
    example = "ACCOUNT SYNC 0"
