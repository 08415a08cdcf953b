"""Invitations: letting people into a group by name, on their request, or with a link.

-> GROUP INVITE #team bob               <- OK GROUP INVITE conversation=2 seq=2 rev=2
                                           (bob reads: * alice invites you to #team …)
-> GROUP APPROVE #team carol            <- OK GROUP APPROVE conversation=2 seq=3 rev=3
-> GROUP LINK #team uses=5              <- OK GROUP LINK link=… join_code=… uses=5 expires=…
"""

from typing import Annotated

from msgspec import Meta

from imd.wire import catalog
from imd.wire.base import Event, Item, Reply, command
from imd.wire.fields import Label, clock_face
from imd.wire.groups import AboutGroup
from imd.wire.members import AboutMember
from imd.wire.refusals import BadName, BadRequest, Forbidden, NoSuchConversation, NotAMember, QuotaExceeded


@command("group_invite", "GROUP INVITE to username")
class GroupInvite(AboutMember, frozen=True, kw_only=True):
    """Invite somebody, or admit them if they asked. The reply does not tell whether the name exists."""

    refusals = (*AboutGroup.refusals, QuotaExceeded)
    example = "GROUP INVITE #team bob"


@command("group_approve", "GROUP APPROVE to username")
class GroupApprove(AboutMember, frozen=True, kw_only=True):
    """Admit somebody who asked to join; `approve=false` turns them down without telling them."""

    approve: bool = True
    refusals = (*AboutMember.refusals, BadRequest)
    example = "GROUP APPROVE #team carol"


class GroupInvited(Event, frozen=True, kw_only=True, tag="group_invited"):
    """Somebody invites you. `group_join` accepts, `group_leave` declines."""

    conversation: int
    to: str
    title: str
    by: str


class GroupRequest(Event, frozen=True, kw_only=True, tag="group_request"):
    """Somebody asks to join a group of which you are an admin."""

    conversation: int
    to: str
    username: str


class Link(Reply, frozen=True, kw_only=True):
    """A code to hand on, with which people join. `link` is the name by which it is revoked."""

    link: str
    join_code: str
    uses: int
    expires: str


@command("group_link", "GROUP LINK to")
class GroupLink(AboutGroup, frozen=True, kw_only=True):
    """Make a code with which a number of people can join, for a number of days."""

    uses: Annotated[int, Meta(ge=1, le=10_000)] = 1
    days: Annotated[int, Meta(ge=1, le=365)] = 7
    reply = Link
    refusals = (*AboutGroup.refusals, QuotaExceeded)
    example = "GROUP LINK #team uses=5 days=30"


class OpenLink(Item, frozen=True, kw_only=True):
    """A link that still works: for how many people, and until when. Its code is not shown again."""

    link: str
    by: str
    uses: int
    expires: str

    def text(self, language: str) -> str:
        """Write the link's line in GROUP LINKS."""
        until = clock_face(self.expires)
        return catalog.say("line.link", language, link=self.link, by=self.by, uses=self.uses, expires=until)


class Links(Reply, frozen=True, kw_only=True):
    """The links of a group."""

    links: list[OpenLink]


@command("group_links", "GROUP LINKS to")
class ListLinks(AboutGroup, frozen=True, kw_only=True):
    """List the links of a group that still work."""

    reply = Links
    example = "GROUP LINKS #team"


@command("group_unlink", "GROUP UNLINK to link")
class GroupUnlink(AboutGroup, frozen=True, kw_only=True):
    """Revoke a link: nobody can join with its code any more."""

    link: Label
    refusals = (NoSuchConversation, NotAMember, Forbidden, BadName)
    example = "GROUP UNLINK #team 3f9a20c1"
