"""Friends: asking, accepting, parting; and keeping people away.

-> FRIEND ADD bob it's Ann          <- OK FRIEND ADD
                                       (bob reads: * ann would like to be your friend: it's Ann. …)
-> FRIEND ACCEPT ann                <- OK FRIEND ACCEPT
                                       (ann reads: * bob is your friend now.)
-> FRIEND LIST                      <- - ann (Ann L) is online
                                    <- OK FRIEND LIST
-> DECLINE mallory                  <- OK DECLINE
-> BLOCK mallory                    <- OK BLOCK
"""

from typing import Annotated

from msgspec import Meta

from imd.wire import catalog
from imd.wire.base import Command, Event, Item, Reply, command
from imd.wire.fields import Label, Name, clock_face
from imd.wire.presence import SeenAs, described
from imd.wire.profiles import named
from imd.wire.refusals import BadName, BadRequest, Blocked, Conflict, Forbidden, NoSuchUser, QuotaExceeded

Note = Annotated[str, Meta(max_length=200)]


@command("friend_add", "FRIEND ADD username note...")
class FriendAdd(Command, frozen=True, kw_only=True):
    """Ask somebody to become your friend. The answer is the same whether anybody has the name or not."""

    username: Name
    note: Note = ""
    refusals = (BadName, BadRequest, Blocked, Forbidden, QuotaExceeded)
    example = "FRIEND ADD bob it's Ann, from the reading group"


@command("friend_accept", "FRIEND ACCEPT username")
class FriendAccept(Command, frozen=True, kw_only=True):
    """Accept a friend request."""

    username: Name
    refusals = (NoSuchUser, QuotaExceeded)
    example = "FRIEND ACCEPT bob"


@command("friend_decline", "FRIEND DECLINE username")
class FriendDecline(Command, frozen=True, kw_only=True):
    """Decline a friend request. The other one is not told."""

    username: Name
    refusals = (NoSuchUser,)
    example = "FRIEND DECLINE bob"


@command("friend_remove", "FRIEND REMOVE username")
class FriendRemove(Command, frozen=True, kw_only=True):
    """End a friendship, for both, or take your own request back."""

    username: Name
    refusals = (BadName,)
    example = "FRIEND REMOVE bob"


class Friend(Item, frozen=True, kw_only=True, omit_defaults=True):
    """One friend. `note` is your own name for them."""

    username: str
    display_name: str
    since: str
    presence: SeenAs
    note: str | None = None
    presence_text: str | None = None
    last_seen: str | None = None

    def text(self, language: str) -> str:
        """Write the friend's line in FRIEND LIST."""
        person = named(self.username, self.note or self.display_name)
        return described(language, person, self.presence, self.presence_text, self.last_seen)


class Asking(Item, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody who would like to be your friend."""

    username: str
    display_name: str
    time: str
    note: str | None = None

    def text(self, language: str) -> str:
        """Write the request's line in FRIEND LIST."""
        line = catalog.say("line.asking", language, person=named(self.username, self.display_name))
        return f"{line}: {self.note}" if self.note else line


class Asked(Item, frozen=True, kw_only=True, omit_defaults=True):
    """A request of yours that has not been accepted, by the name it was made to."""

    username: str
    time: str
    note: str | None = None

    def text(self, language: str) -> str:
        """Write the request's line in FRIEND LIST."""
        return catalog.say("line.asked", language, username=self.username, time=clock_face(self.time))


class Friends(Reply, frozen=True, kw_only=True):
    """Your friends by name, the latest requests to you, and your own."""

    friends: list[Friend]
    incoming: list[Asking]
    outgoing: list[Asked]


@command("friend_list", "FRIEND LIST")
class FriendList(Command, frozen=True, kw_only=True):
    """List your friends, who asks to be one, and whom you asked."""

    reply = Friends
    example = "FRIEND LIST"


@command("friend_note", "FRIEND NOTE username note...")
class FriendNote(Command, frozen=True, kw_only=True):
    """Give a friend a name of your own, which you alone see; nothing takes it away."""

    username: Name
    note: Label = ""
    refusals = (NoSuchUser,)
    example = "FRIEND NOTE bob Bob from chess"


@command("decline", "DECLINE username")
class Decline(Command, frozen=True, kw_only=True):
    """Take no more messages from a stranger, until you write to them or become friends."""

    username: Name
    refusals = (NoSuchUser, BadRequest, Conflict)
    example = "DECLINE mallory"


@command("block", "BLOCK username")
class Block(Command, frozen=True, kw_only=True):
    """Block somebody: no messages, no requests, no friendship. They are not told."""

    username: Name
    refusals = (NoSuchUser, BadRequest)
    example = "BLOCK mallory"


@command("unblock", "UNBLOCK username")
class Unblock(Command, frozen=True, kw_only=True):
    """Block somebody no more. What was between you before does not come back."""

    username: Name
    refusals = (BadName,)
    example = "UNBLOCK mallory"


class BlockedPerson(Item, frozen=True, kw_only=True):
    """Somebody whom you block."""

    username: str
    display_name: str
    since: str

    def text(self, language: str) -> str:
        """Write the person's line in BLOCK LIST."""
        return named(self.username, self.display_name)


class BlockedPeople(Reply, frozen=True, kw_only=True):
    """Whom you block, by name."""

    people: list[BlockedPerson]


@command("block_list", "BLOCK LIST")
class BlockList(Command, frozen=True, kw_only=True):
    """List whom you block."""

    reply = BlockedPeople
    example = "BLOCK LIST"


class FriendRequest(Event, frozen=True, kw_only=True, tag="friend_request"):
    """Somebody would like to be your friend."""

    username: str
    display_name: str
    time: str
    note: str | None = None

    def text(self, language: str) -> str:
        """Tell a person, and how to answer."""
        key = "event.friend_request.note" if self.note else "event.friend_request.bare"
        return catalog.say(key, language, username=self.username, note=self.note)


class FriendAdded(Event, frozen=True, kw_only=True, tag="friend_added"):
    """Somebody is your friend from now on."""

    username: str
    display_name: str
    presence: SeenAs
    presence_text: str | None = None
    last_seen: str | None = None


class FriendRemoved(Event, frozen=True, kw_only=True, tag="friend_removed"):
    """Somebody is not your friend any more, or asks no more to be. Told to programs: nobody is rubbed in."""

    username: str

    def text(self, language: str) -> str:
        """Tell a person nothing."""
        return ""
