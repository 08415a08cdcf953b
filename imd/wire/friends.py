"""Friends: requests, friendships, and blocking.

-> FRIEND ADD bob it's Ann          <- OK FRIEND ADD
                                       (bob reads: * ann would like to be your friend: it's Ann …)
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
    """Ask somebody to be your friend. The reply is the same whether or not the name exists."""

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
    """End a friendship, for both, or withdraw your own request."""

    username: Name
    refusals = (BadName,)
    example = "FRIEND REMOVE bob"


class Friend(Item, frozen=True, kw_only=True, omit_defaults=True):
    """A friend. `note` is your own name for them."""

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
    """A request of yours that is not accepted yet, by the name it was made to."""

    username: str
    time: str
    note: str | None = None

    def text(self, language: str) -> str:
        """Write the request's line in FRIEND LIST."""
        return catalog.say("line.asked", language, username=self.username, time=clock_face(self.time))


class Friends(Reply, frozen=True, kw_only=True):
    """Your friends by name, the latest requests to you, and your own requests."""

    friends: list[Friend]
    incoming: list[Asking]
    outgoing: list[Asked]


@command("friend_list", "FRIEND LIST")
class FriendList(Command, frozen=True, kw_only=True):
    """List your friends, the requests to you, and your own requests."""

    reply = Friends
    example = "FRIEND LIST"


@command("friend_note", "FRIEND NOTE username note...")
class FriendNote(Command, frozen=True, kw_only=True):
    """Give a friend a name that only you see. An empty one removes it."""

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
    """Lift a block. A friendship that it ended does not come back."""

    username: Name
    refusals = (BadName,)
    example = "UNBLOCK mallory"


class BlockedPerson(Item, frozen=True, kw_only=True):
    """A person that you block."""

    username: str
    display_name: str
    since: str

    def text(self, language: str) -> str:
        """Write the person's line in BLOCK LIST."""
        return named(self.username, self.display_name)


class BlockedPeople(Reply, frozen=True, kw_only=True):
    """The people that you block, by name."""

    people: list[BlockedPerson]


@command("block_list", "BLOCK LIST")
class BlockList(Command, frozen=True, kw_only=True):
    """List the people that you block."""

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
    """Somebody is no longer your friend. It is for programs: no person is told."""

    username: str

    def text(self, language: str) -> str:
        """Tell a person nothing."""
        return ""
