"""The world of the authorisation matrix: a group, a conversation of two members, and others' relations to them."""

from typing import Any

import attrs
import msgspec

from imd.chat.base.context import Caller
from imd.chat.base.effects import Effect, SignIn
from imd.chat.base.limits import Limits
from imd.engine import gate
from imd.wire.accounts import Login, Resume
from imd.wire.admin import UserDisable
from imd.wire.base import Command, Spec, registry
from imd.wire.groups import GroupCreate
from imd.wire.invitations import GroupInvite
from imd.wire.members import GroupBan, GroupJoin, GroupKick, GroupLeave, GroupMute, GroupRole
from imd.wire.messages import Addressed, SendMessage
from imd.wire.refusals import InvalidCredentials, Refusal
from tests.chat.rules import PASSWORD, Rules

PEOPLE = ["owner", "admin", "member", "muted", "reader", "left", "kicked", "banned", "stranger", "friend", "blocked"]
"""Everybody by what they are to the group #team or, the last two, to its owner."""

DISABLED = "disabled"
"""A member whose account an admin has disabled."""

ABSENT = 99_999
"""The number of a conversation that does not exist."""


@attrs.define
class World:
    """A room in which all of this has already happened."""

    rules: Rules = attrs.Factory(lambda: Rules(limits=Limits(failed_logins=10**6)))
    people: dict[str, Caller] = attrs.field(factory=dict)
    group: int = 0
    direct: int = 0
    """The conversation of the owner and the admin."""

    seq: int = 0
    """A message of the owner's in the group."""

    token: str = ""
    """The token of the disabled one."""

    cut: tuple[Effect, ...] = ()
    """What disabling their account did to their sessions."""

    def __attrs_post_init__(self) -> None:
        for name in [*PEOPLE, DISABLED, "victim", "site"]:
            self.people[name] = self.rules.person(name, admin=name == "site")
        self.group = self.does("owner", GroupCreate(handle="#team", title="The team")).conversation
        for name in ("admin", "member", "muted", "reader", "left", "kicked", "banned", DISABLED, "victim"):
            self.does("owner", GroupInvite(to="#team", username=name))
            self.does(name, GroupJoin(to="#team"))
        self.does("owner", GroupRole(to="#team", username="admin", role="admin"))
        self.does("owner", GroupRole(to="#team", username="reader", role="reader"))
        self.does("owner", GroupMute(to="#team", username="muted", seconds=3600))
        self.does("left", GroupLeave(to="#team"))
        self.does("owner", GroupKick(to="#team", username="kicked"))
        self.does("owner", GroupBan(to="#team", username="banned"))
        self.seq = self.does("owner", SendMessage(to="#team", content="hello @all")).seq
        self.direct = self.does("owner", SendMessage(to="admin", content="between us")).conversation
        self.befriend()
        self.token = self.rules.asks(self.rules.stranger(), Login(username=DISABLED, password=PASSWORD)).token
        self.cut = self.rules.does(self.people["site"], UserDisable(username=DISABLED)).effects

    def befriend(self) -> None:
        """Make the friend a friend, and block the blocked one."""
        for name, action, other in (
            ("owner", "friend_add", "friend"),
            ("friend", "friend_accept", "owner"),
            ("owner", "block", "blocked"),
        ):
            if action in registry.actions:
                self.does(name, msgspec.convert({"username": other}, registry.actions[action].shape))

    def does(self, name: str, command: Command) -> Any:
        """Run a command that must succeed."""
        return self.rules.asks(self.people[name], command)

    def outcome(self, name: str, command: Command) -> str:
        """Try a command, and undo it. Gives `ok` or the refusal's code, and everything a client would be told."""
        return self.refusal(name, command)[0]

    def refusal(self, name: str, command: Command) -> tuple[str, str, str]:
        """Try a command, and undo it: the code, the case and the params of its refusal."""
        caller = self.comes(name)
        spec = next(each for each in registry if each.shape is type(command))
        self.rules.tx.execute("SAVEPOINT trial")
        try:
            gate.check(spec, logged_in=caller is not None, admin=caller is not None and caller.admin)
            self.rules.tries(caller or self.rules.stranger(), command)
        except Refusal as refused:
            return refused.code, refused.case, str(refused.params)
        finally:
            self.rules.tx.execute("ROLLBACK TO trial")
            self.rules.tx.execute("RELEASE trial")
        return "ok", "", ""

    def comes(self, name: str) -> Caller | None:
        """Give the account of somebody's session, or none. The disabled one must log in first, or resume."""
        if name != DISABLED:
            return self.people.get(name)
        for way in (Login(username=name, password=PASSWORD), Resume(token=self.token)):
            try:
                outcome = self.rules.does(self.rules.stranger(), way)
            except InvalidCredentials:
                continue
            if any(isinstance(effect, SignIn) for effect in outcome.effects):
                return self.people[name]
        return None


def command(spec: Spec, world: World, **given: Any) -> Command:
    """Make a command of its example, with these fields in place of the example's."""
    from imd.wire import textline

    typed = textline.decode(spec.shape.example.encode())
    assert typed is not None
    assert typed.command is not None
    fields = {name: getattr(typed.command, name) for name in spec.shape.__struct_fields__}
    fields |= {name: value for name, value in _USUAL.items() if fields.get(name) is not None}
    if issubclass(spec.shape, Addressed):
        fields |= {"to": None, "conversation": None}
    if "seq" in fields and "seq" not in given:
        given["seq"] = world.seq
    return spec.shape(**(fields | given))


_USUAL = {"username": "victim", "target": "owner", "kind": "text", "client_id": None, "reply_to": None}
