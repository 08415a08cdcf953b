"""Members: joining and leaving a group, and what its admins may do about members.

-> GROUP JOIN #team                     <- OK GROUP JOIN conversation=2 to=#team joined=true
                                           (members read: * #team: bob joined.)
-> GROUP ROLE #team bob admin           <- OK GROUP ROLE conversation=2 seq=5 rev=5
-> GROUP MUTE #team eve 600             <- OK GROUP MUTE conversation=2 seq=6 rev=6
-> GROUP LEAVE #team                    <- OK GROUP LEAVE
"""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from imd.wire import catalog
from imd.wire.base import Item, Reply, command
from imd.wire.fields import Name, Token
from imd.wire.groups import AboutGroup, Noticed
from imd.wire.messages import Addressed
from imd.wire.presence import SeenAs
from imd.wire.refusals import BadName, Forbidden, InviteInvalid, NoSuchConversation, NoSuchUser, NotAMember, Refusal


class Joined(Reply, frozen=True, kw_only=True):
    """The group. `joined` is false if its admins have yet to admit you."""

    conversation: int
    to: str
    joined: bool


@command("group_join", "GROUP JOIN to")
class GroupJoin(Addressed, frozen=True, kw_only=True):
    """Join a group that is open or that you are invited to, or with a link's code. Otherwise ask to be admitted."""

    code: Token = ""
    reply = Joined
    refusals = (NoSuchConversation, BadName, Forbidden, InviteInvalid)
    example = "GROUP JOIN #team"


@command("group_leave", "GROUP LEAVE to")
class GroupLeave(Addressed, frozen=True, kw_only=True):
    """Leave a group, decline an invitation to it, or withdraw a request. The last member who leaves deletes it."""

    refusals = (NoSuchConversation, BadName, NotAMember)
    example = "GROUP LEAVE #team"


class Member(Item, frozen=True, kw_only=True, omit_defaults=True):
    """A member of a group. `muted`: they may not write for a time. Members who block you show no presence."""

    username: str
    role: Literal["owner", "admin", "member", "reader"]
    joined: str
    muted: bool
    presence: SeenAs | None = None
    presence_text: str | None = None
    last_seen: str | None = None

    def text(self, language: str) -> str:
        """Write the member's line in GROUP MEMBERS."""
        mark = catalog.say("line.member.muted", language) if self.muted else ""
        if self.presence not in (None, "offline"):
            mark += catalog.say(f"line.member.{self.presence}", language)
        return f"{self.username}: {catalog.say(f'line.member.{self.role}', language)}{mark}"


class Members(Reply, frozen=True, kw_only=True):
    """The members, by name."""

    conversation: int
    members: list[Member]
    more: bool


@command("group_members", "GROUP MEMBERS to")
class ListMembers(AboutGroup, frozen=True, kw_only=True):
    """List the members of a group of yours, by name; go on after the last name while there is more."""

    after: Name = ""
    limit: Annotated[int, Meta(ge=1, le=500)] = 200
    reply = Members
    refusals = (NoSuchConversation, NotAMember, BadName)
    example = "GROUP MEMBERS #team"


class AboutMember(AboutGroup, frozen=True, kw_only=True):
    """A command of a member about another of a lower role."""

    username: Name
    reply = Noticed
    refusals: ClassVar[tuple[type[Refusal], ...]] = (*AboutGroup.refusals, NoSuchUser)


@command("group_role", "GROUP ROLE to username role")
class GroupRole(AboutMember, frozen=True, kw_only=True):
    """Make somebody admin, member or reader, below your own role. A reader may not write."""

    role: Literal["admin", "member", "reader"]
    example = "GROUP ROLE #team bob admin"


@command("group_mute", "GROUP MUTE to username seconds")
class GroupMute(AboutMember, frozen=True, kw_only=True):
    """Mute a member for a number of seconds; 0 lifts it."""

    seconds: Annotated[int, Meta(ge=0, le=31_536_000)]
    example = "GROUP MUTE #team eve 600"


@command("group_kick", "GROUP KICK to username")
class GroupKick(AboutMember, frozen=True, kw_only=True):
    """Remove a member. They may join again."""

    example = "GROUP KICK #team eve"


@command("group_ban", "GROUP BAN to username")
class GroupBan(AboutMember, frozen=True, kw_only=True):
    """Ban somebody from a group, whether or not they are in it."""

    example = "GROUP BAN #team eve"


@command("group_unban", "GROUP UNBAN to username")
class GroupUnban(AboutMember, frozen=True, kw_only=True):
    """Lift a ban."""

    example = "GROUP UNBAN #team eve"


@command("group_transfer", "GROUP TRANSFER to username")
class GroupTransfer(AboutMember, frozen=True, kw_only=True):
    """Make another member the owner of your group. You stay as an admin."""

    example = "GROUP TRANSFER #team bob"
