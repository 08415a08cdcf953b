"""Administration: accounts, invites and groups, for admins and for the operator's socket.

-> USER ADD carol            <- OK USER ADD username=carol password=…
-> USER ROLE carol admin     <- OK USER ROLE
-> INVITE CREATE             <- OK INVITE CREATE invite=… uses=1 expires=… number=1
-> INVITE REVOKE 1           <- OK INVITE REVOKE
-> GROUPS LIST               <- - #team (1, open), owned by alice, since 2026-11-02 08:00Z: The team
                             <- OK GROUPS LIST more=false
"""

from typing import Annotated, Literal

from msgspec import Meta

from imd.wire import catalog
from imd.wire.base import Command, Item, Reply, Right, command
from imd.wire.fields import Days, Label, Name, Number, Password, clock_face
from imd.wire.refusals import (
    BadName,
    BadRequest,
    Conflict,
    NameTaken,
    NoSuchConversation,
    NoSuchUser,
    Unavailable,
    WeakPassword,
)


class Issued(Reply, frozen=True, kw_only=True, omit_defaults=True):
    """The account, and the password that was made up for it if none was given."""

    username: str
    password: str | None = None


@command("user_add", "USER ADD username password...", right=Right.ADMIN)
class UserAdd(Command, frozen=True, kw_only=True):
    """Make an account for somebody. Without a password one is made up and shown once."""

    username: Name
    password: Password = ""
    display_name: Label = ""
    admin: bool = False
    reply = Issued
    refusals = (BadName, NameTaken, WeakPassword, Unavailable)
    example = "USER ADD carol"


class User(Item, frozen=True, kw_only=True):
    """One account as an admin sees it."""

    username: str
    display_name: str
    admin: bool
    disabled: bool
    created: str
    devices: int

    def text(self, language: str) -> str:
        """Write the account's line in USER LIST."""
        marks = [catalog.say(f"line.user.{mark}", language) for mark in ("admin", "disabled") if getattr(self, mark)]
        return catalog.say(
            "line.user.account",
            language,
            username=self.username,
            created=clock_face(self.created),
            devices=self.devices,
            marks="".join(f", {mark}" for mark in marks),
        )


class Users(Reply, frozen=True, kw_only=True):
    """The accounts, by name."""

    users: list[User]
    more: bool


@command("user_list", "USER LIST", right=Right.ADMIN)
class UserList(Command, frozen=True, kw_only=True):
    """List the accounts, by name; go on after the last name while there is more."""

    after: Name = ""
    limit: Annotated[int, Meta(ge=1, le=500)] = 200
    reply = Users
    example = "USER LIST limit=10"


@command("user_passwd", "USER PASSWD username password...", right=Right.ADMIN)
class UserPasswd(Command, frozen=True, kw_only=True):
    """Give an account a new password and log its devices out. Without one, it is made up and shown once."""

    username: Name
    password: Password = ""
    reply = Issued
    refusals = (NoSuchUser, WeakPassword, Unavailable)
    example = "USER PASSWD carol"


@command("user_disable", "USER DISABLE username", right=Right.ADMIN)
class UserDisable(Command, frozen=True, kw_only=True):
    """Disable an account: it is logged out and cannot log in. `enable=true` lifts this."""

    username: Name
    enable: bool = False
    refusals = (NoSuchUser, Conflict)
    example = "USER DISABLE bob"


@command("user_role", "USER ROLE username role", right=Right.ADMIN)
class UserRole(Command, frozen=True, kw_only=True):
    """Make an account an admin, or take its rights. The last admin cannot lose them."""

    username: Name
    role: Literal["admin", "user"]
    refusals = (NoSuchUser, Conflict)
    example = "USER ROLE bob admin"


@command("user_signout", "USER SIGNOUT username", right=Right.ADMIN)
class UserSignout(Command, frozen=True, kw_only=True):
    """Log all devices of an account out. The password stays."""

    username: Name
    refusals = (NoSuchUser,)
    example = "USER SIGNOUT bob"


class Invite(Reply, frozen=True, kw_only=True):
    """An invite to hand on. It works `uses` times until `expires`, unless its `number` is revoked."""

    invite: str
    uses: int
    expires: str
    number: int


@command("invite_create", "INVITE CREATE", right=Right.ADMIN)
class InviteCreate(Command, frozen=True, kw_only=True):
    """Make an invite to register with."""

    uses: Annotated[int, Meta(ge=1, le=10_000)] = 1
    days: Days = 7
    admin: bool = False
    reply = Invite
    example = "INVITE CREATE uses=5 days=30"


class WorkingInvite(Item, frozen=True, kw_only=True):
    """One invite that still works. The invite itself is not stored."""

    number: int
    uses: int
    expires: str
    admin: bool

    def text(self, language: str) -> str:
        """Write the invite's line in INVITE LIST."""
        key = "line.invite.admin" if self.admin else "line.invite.user"
        return catalog.say(key, language, number=self.number, uses=self.uses, expires=clock_face(self.expires))


class Invites(Reply, frozen=True, kw_only=True):
    """The invites that still work, the oldest first."""

    invites: list[WorkingInvite]


@command("invite_list", "INVITE LIST", right=Right.ADMIN)
class InviteList(Command, frozen=True, kw_only=True):
    """List the invites that still work."""

    reply = Invites
    example = "INVITE LIST"


@command("invite_revoke", "INVITE REVOKE number", right=Right.ADMIN)
class InviteRevoke(Command, frozen=True, kw_only=True):
    """Revoke an invite."""

    number: Number
    refusals = (BadRequest,)
    example = "INVITE REVOKE 1"


class AnyGroup(Item, frozen=True, kw_only=True):
    """One group as an admin sees it, public or not."""

    to: str
    title: str
    join_mode: str
    members: int
    owner: str
    created: str

    def text(self, language: str) -> str:
        """Write the group's line in GROUPS LIST."""
        return catalog.say(
            "line.any_group",
            language,
            to=self.to,
            title=self.title,
            join_mode=self.join_mode,
            members=self.members,
            owner=self.owner,
            created=clock_face(self.created),
        )


class AllGroups(Reply, frozen=True, kw_only=True):
    """The groups, by name."""

    groups: list[AnyGroup]
    more: bool


@command("groups_list", "GROUPS LIST", right=Right.ADMIN)
class GroupsList(Command, frozen=True, kw_only=True):
    """List all groups, public or not, by name; go on after the last name while there is more."""

    after: Name = ""
    limit: Annotated[int, Meta(ge=1, le=500)] = 200
    reply = AllGroups
    example = "GROUPS LIST limit=10"


@command("groups_delete", "GROUPS DELETE to", right=Right.ADMIN)
class GroupsDelete(Command, frozen=True, kw_only=True):
    """Delete any group, with all its messages, for everybody."""

    to: Name
    refusals = (NoSuchConversation,)
    example = "GROUPS DELETE #team"
