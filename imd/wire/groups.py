"""Groups: many people in one conversation, under a name that begins with `#`.

-> GROUP CREATE #team join_mode=open The team   <- OK GROUP CREATE conversation=2 seq=1 rev=1 to=#team
-> GROUP SET #team slow_mode=30                 <- OK GROUP SET conversation=2 seq=2 rev=2
                                                   (members read: * #team: alice changed the settings: slow_mode=30)
-> GROUP LIST                                   <- - #team (1, open to all): The team
                                                <- OK GROUP LIST more=false
"""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from imd.wire import catalog
from imd.wire.base import Command, Event, Item, Reply, command
from imd.wire.fields import Label, Name, Pointer
from imd.wire.messages import Addressed
from imd.wire.refusals import (
    BadName,
    BadRequest,
    Forbidden,
    NameTaken,
    NoSuchConversation,
    NotAMember,
    QuotaExceeded,
    Refusal,
)

Topic = Annotated[str, Meta(max_length=500)]
JoinMode = Literal["open", "request", "invite"]
Whose = Literal["members", "admins"]


class AboutGroup(Addressed, frozen=True, kw_only=True):
    """A command about a group: `to` is its `#name`."""

    refusals: ClassVar[tuple[type[Refusal], ...]] = (NoSuchConversation, NotAMember, Forbidden, BadName)


class Noticed(Reply, frozen=True, kw_only=True):
    """The system message about it; if nothing had to change, the conversation's latest seq and rev."""

    conversation: int
    seq: int
    rev: int


class Created(Noticed, frozen=True, kw_only=True):
    """The group, and the system message that begins it."""

    to: str


@command("group_create", "GROUP CREATE handle title...")
class GroupCreate(Command, frozen=True, kw_only=True):
    """Make a group that is yours. Its name begins with #. By default people join by invitation only."""

    handle: Name
    title: Label = ""
    join_mode: JoinMode = "invite"
    reply = Created
    refusals = (BadName, NameTaken, QuotaExceeded, Forbidden)
    example = "GROUP CREATE #team The team"


@command("group_set", "GROUP SET to")
class GroupSet(AboutGroup, frozen=True, kw_only=True):
    """Change what a group is called and how it works; for its admins."""

    title: Label | None = None
    topic: Topic | None = None
    join_mode: JoinMode | None = None
    """open: anybody joins; request: admins admit people; invite: only those invited join, and others cannot see it."""

    who_writes: Whose | None = None
    who_invites: Whose | None = None
    history: Literal["all", "joined"] | None = None
    """What members who join from now on may read."""

    slow_mode: Annotated[int, Meta(ge=0, le=86_400)] | None = None
    retention: Annotated[int, Meta(ge=0, le=315_360_000)] | None = None
    reply = Noticed
    refusals = (*AboutGroup.refusals, BadRequest)
    example = 'GROUP SET #team join_mode=request topic="What we do" slow_mode=30'


class GroupInfo(Reply, frozen=True, kw_only=True, omit_defaults=True):
    """A group. Its members are told all, others what is public; `role` is your own."""

    conversation: int
    to: str
    title: str
    topic: str
    join_mode: str
    members: int
    created: str
    role: str | None = None
    who_writes: str | None = None
    who_invites: str | None = None
    history: str | None = None
    slow_mode: int | None = None
    retention: int | None = None


@command("group_info", "GROUP INFO to")
class AskGroup(Addressed, frozen=True, kw_only=True):
    """Show a group: one of yours, one that you are invited to, or a public one."""

    reply = GroupInfo
    refusals = (NoSuchConversation, BadName)
    example = "GROUP INFO #team"


class PublicGroup(Item, frozen=True, kw_only=True):
    """One public group."""

    to: str
    title: str
    topic: str
    join_mode: Literal["open", "request"]
    members: int

    def text(self, language: str) -> str:
        """Write the group's line in GROUP LIST."""
        about = f"{self.title}. {self.topic}" if self.topic else self.title
        return catalog.say(f"line.group.{self.join_mode}", language, to=self.to, members=self.members, about=about)


class Groups(Reply, frozen=True, kw_only=True):
    """The public groups, the one with the most members first."""

    groups: list[PublicGroup]
    more: bool


@command("group_list", "GROUP LIST")
class ListGroups(Command, frozen=True, kw_only=True):
    """List the public groups: those that anybody may join, or ask to join."""

    skip: Pointer = 0
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    reply = Groups
    example = "GROUP LIST limit=20"


@command("group_delete", "GROUP DELETE to")
class GroupDelete(AboutGroup, frozen=True, kw_only=True):
    """Delete a group of yours, with all its messages, for everybody."""

    example = "GROUP DELETE #team"


class GroupDeleted(Event, frozen=True, kw_only=True, tag="group_deleted"):
    """A group of yours is deleted, with all its messages."""

    conversation: int
    to: str
    by: str
