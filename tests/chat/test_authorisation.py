"""The authorisation matrix: every command, given by everybody, about a group and about a conversation of two others.

A command without a row fails. What is not somebody's looks to them as if it did not exist.
"""

from collections.abc import Iterator

import pytest

from imd.chat.base.effects import DropDevices
from imd.chat.base.handlers import HANDLERS, Lane
from imd.wire.admin import UserDisable
from imd.wire.base import Right, Spec, registry
from imd.wire.messages import Addressed
from tests.chat.authorisation import ABSENT, DISABLED, PEOPLE, World, command

NOBODIES = ("nobody", DISABLED)
"""Connections that are not logged in, and accounts that cannot log in."""

INSIDE = PEOPLE[:5]
GONE = dict.fromkeys(("left", "kicked", "banned"), "not_a_member")
OUTSIDE = dict.fromkeys(("stranger", "friend", "blocked"), "no_such_conversation")


def inside(codes: str) -> dict[str, str]:
    """Give the answers to owner, admin, member, muted and reader. Everybody else is refused."""
    return dict(zip(INSIDE, codes.split(), strict=True)) | GONE | OUTSIDE


READS = inside("ok ok ok ok ok")
WRITES = inside("ok ok ok forbidden forbidden")
ADMINS = inside("ok ok forbidden forbidden forbidden")
OWNERS = inside("ok forbidden forbidden forbidden forbidden")
COMES = READS | dict.fromkeys(GONE, "no_such_conversation")
"""Commands to which a closed group looks absent, also for a former member."""

ABOUT_A_GROUP = {
    **dict.fromkeys(("history", "sync", "thread", "pins", "who_read", "ack", "read"), READS),
    **dict.fromkeys(("star", "unstar", "delete_for_me", "clear_history", "mute", "archive"), READS),
    **dict.fromkeys(("pin_conversation", "unreact", "forward", "report"), READS),
    **dict.fromkeys(("group_members", "group_leave"), READS),
    **dict.fromkeys(("send_message", "react", "typing"), WRITES),
    **dict.fromkeys(("pin", "unpin", "recall_message"), ADMINS),
    **dict.fromkeys(("group_set", "group_invite", "group_approve", "group_mute"), ADMINS),
    **dict.fromkeys(("group_kick", "group_ban", "group_unban"), ADMINS),
    **dict.fromkeys(("group_link", "group_links", "group_unlink"), ADMINS),
    **dict.fromkeys(("edit_message", "group_role", "group_transfer", "group_delete"), OWNERS),
    **dict.fromkeys(("group_join", "group_info"), COMES),
}
"""Of a message that the owner wrote, and of somebody who is a plain member, made an admin by `group_role`."""

ABOUT_NO_CONVERSATION = [
    "hello",
    "help",
    "ping",
    "quit",
    "register",
    "login",
    "resume",
    "logout",
    "whoami",
    "devices",
    "revoke_device",
    "change_password",
    "factor_add",
    "factor_confirm",
    "factor_codes",
    "factor_remove",
    "factor_show",
    "conversations",
    "starred",
    "saved",
    "account_sync",
    "announcement_seen",
    "search",
    "export",
    "export_part",
    "delete_account",
    "find",
    "profile",
    "set_profile",
    "presence",
    "block",
    "unblock",
    "block_list",
    "decline",
    "friend_add",
    "friend_accept",
    "friend_decline",
    "friend_remove",
    "friend_list",
    "friend_note",
    "group_create",
    "group_list",
]
"""For everybody who is logged in, about themselves or about what is public."""

SPECS = {spec.action: spec for spec in registry if spec.shape.__module__.startswith("imd.wire.")}
ADDRESSED = [spec for spec in SPECS.values() if issubclass(spec.shape, Addressed)]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    world = World()
    yield world
    world.rules.tx.close()


def test_every_command_has_its_row() -> None:
    assert {spec.action for spec in ADDRESSED} == ABOUT_A_GROUP.keys()
    others = {action for action, spec in SPECS.items() if spec not in ADDRESSED and spec.right is not Right.ADMIN}
    assert others == set(ABOUT_NO_CONVERSATION)


@pytest.mark.parametrize("who", [*NOBODIES, *PEOPLE])
@pytest.mark.parametrize("spec", ADDRESSED, ids=lambda spec: spec.action)
def test_about_a_group(world: World, spec: Spec, who: str) -> None:
    expected = "auth_required" if who in NOBODIES else ABOUT_A_GROUP[spec.action][who]
    for named in ({"to": "#team"}, {"conversation": world.group}):
        code = world.outcome(who, command(spec, world, **named))
        if "conversation" in named and who in OUTSIDE and expected != "auth_required":
            assert code == "no_such_conversation"
        else:
            assert code == expected, named


@pytest.mark.parametrize("spec", ADDRESSED, ids=lambda spec: spec.action)
def test_a_talk_of_two_others_looks_absent(world: World, spec: Spec) -> None:
    for who in [*PEOPLE[2:], "site"]:
        theirs = world.refusal(who, command(spec, world, conversation=world.direct))
        absent = world.refusal(who, command(spec, world, conversation=ABSENT))
        assert theirs == absent
        assert theirs[0] == "no_such_conversation"


@pytest.mark.parametrize("spec", ADDRESSED, ids=lambda spec: spec.action)
def test_a_closed_group_looks_absent(world: World, spec: Spec) -> None:
    for who in OUTSIDE:
        closed = world.refusal(who, command(spec, world, to="#team"))
        assert closed == world.refusal(who, command(spec, world, to="#nothing"))


@pytest.mark.parametrize("who", NOBODIES)
@pytest.mark.parametrize("action", SPECS)
def test_a_connection_without_an_account_may_do_what_logging_in_needs(world: World, action: str, who: str) -> None:
    spec = SPECS[action]
    if HANDLERS[spec.shape].lane is not Lane.SLOW or spec.right is not Right.ANYONE:
        code = world.outcome(who, command(spec, world, **({"to": "#team"} if spec in ADDRESSED else {})))
        assert (code == "auth_required") is (spec.right is not Right.ANYONE)


def test_whose_account_is_shut_has_no_session_left(world: World) -> None:
    """So that what the disabled one may do is what nobody may: no session speaks for them, and none begins to."""
    devices = [row[0] for row in world.rules.tx.execute("SELECT account FROM device").fetchall()]
    disabled = world.people[DISABLED].account
    assert disabled not in devices
    [cut] = world.cut
    assert isinstance(cut, DropDevices)
    assert (cut.account, len(cut.devices)) == (disabled, 2)
    assert world.comes(DISABLED) is None
    world.does("site", UserDisable(username=DISABLED, enable=True))
    assert world.comes(DISABLED) is world.people[DISABLED]
    world.does("site", UserDisable(username=DISABLED))


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("action", [action for action, spec in SPECS.items() if spec.right is Right.ADMIN])
def test_only_a_sites_admin_looks_after_it(world: World, action: str, who: str) -> None:
    assert world.outcome(who, command(SPECS[action], world)) == "forbidden"


@pytest.mark.parametrize(("who", "code"), [("friend", "ok"), ("stranger", "ok"), ("blocked", "blocked")])
def test_who_may_write_to_somebody(world: World, who: str, code: str) -> None:
    assert world.outcome(who, command(SPECS["send_message"], world, to="owner")) == code
