"""Profiles: finding people, what they say about themselves, and who may write to them.

-> FIND ali                                   <- - alice (Alice L): likes tea
                                              <- OK FIND more=false
-> PROFILE alice                              <- OK PROFILE username=alice display_name="Alice L" bio="likes tea" …
-> PROFILE SET writers=friends bio="no tea"   <- OK PROFILE SET username=bob … writers=friends …
"""

from typing import Annotated, Literal

from msgspec import Meta

from imd.wire import catalog
from imd.wire.base import Command, Item, Reply, command
from imd.wire.fields import Label, Name
from imd.wire.refusals import Forbidden, NoSuchUser

Relation = Literal["self", "friend", "asked", "asking", "blocked", "none"]
Bio = Annotated[str, Meta(max_length=500)]


def named(username: str, display_name: str) -> str:
    """Write a person's names: the one to type, and the one to show."""
    return username if username == display_name else f"{username} ({display_name})"


class Person(Item, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody who was found."""

    username: str
    display_name: str
    friend: bool
    bio: str | None = None

    def text(self, language: str) -> str:
        """Write the person's line in FIND."""
        line = named(self.username, self.display_name)
        if self.friend:
            line = catalog.say("line.person.friend", language, person=line)
        return f"{line}: {self.bio}" if self.bio else line


class People(Reply, frozen=True, kw_only=True):
    """The people who were found, by name; `more` if others follow."""

    people: list[Person]
    more: bool


@command("find", "FIND query...")
class Find(Command, frozen=True, kw_only=True):
    """Find people by the beginning of their name or display name; go on after the last name while there is more."""

    query: Annotated[str, Meta(min_length=1, max_length=64)]
    after: Name = ""
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    reply = People
    example = "FIND ali"


class Profile(Reply, frozen=True, kw_only=True, omit_defaults=True):
    """A profile. Only its owner sees the fields after `last_seen`."""

    username: str
    display_name: str
    bio: str | None = None
    language: str | None = None
    created: str
    relation: Relation
    note: str | None = None
    presence: str | None = None
    presence_text: str | None = None
    last_seen: str | None = None
    writers: str | None = None
    receipts: bool | None = None
    forwards: bool | None = None
    findable: bool | None = None


@command("profile", "PROFILE username")
class ShowProfile(Command, frozen=True, kw_only=True):
    """Show a profile; without a name, your own with its settings."""

    username: Name | None = None
    reply = Profile
    refusals = (NoSuchUser,)
    example = "PROFILE alice"


@command("set_profile", "PROFILE SET")
class SetProfile(Command, frozen=True, kw_only=True):
    """Change your profile and its settings. What is not given stays as it is."""

    display_name: Label | None = None
    bio: Bio | None = None
    language: Literal["", "en", "zh"] | None = None
    writers: Literal["everyone", "friends", "nobody"] | None = None
    receipts: bool | None = None
    forwards: bool | None = None
    findable: bool | None = None
    reply = Profile
    refusals = (Forbidden,)
    example = 'PROFILE SET display_name="Alice L" writers=friends'
