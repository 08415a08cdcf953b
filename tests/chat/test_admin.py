"""Administration: accounts and invites."""

import pytest

from imd.chat.base.context import Caller
from imd.chat.base.effects import DropDevices, SetAdmin
from imd.chat.base.limits import DAY
from imd.store import accounts as sql
from imd.wire.accounts import Login, Register, Resume
from imd.wire.admin import (
    InviteCreate,
    InviteList,
    InviteRevoke,
    UserAdd,
    UserDisable,
    UserList,
    UserPasswd,
    UserRole,
    UserSignout,
)
from imd.wire.refusals import (
    BadName,
    BadRequest,
    Conflict,
    InvalidCredentials,
    InviteInvalid,
    NameTaken,
    NoSuchUser,
    WeakPassword,
)
from tests.chat.room import PASSWORD, Room


@pytest.fixture
def root(room: Room) -> Caller:
    return room.person("root", admin=True)


def test_an_account_with_a_made_up_password(room: Room, root: Caller) -> None:
    made = room.asks(root, UserAdd(username="Carol"))
    assert made.username == "carol"
    assert len(made.password) == 19
    assert room.asks(room.stranger(), Login(username="carol", password=made.password)).username == "carol"


def test_an_account_with_a_given_password_does_not_repeat_it(room: Room, root: Caller) -> None:
    assert room.asks(root, UserAdd(username="carol", password=PASSWORD)).password is None
    assert room.asks(room.stranger(), Login(username="carol", password=PASSWORD)).username == "carol"


def test_adding_is_possible_where_registering_is_closed(room: Room, root: Caller) -> None:
    room.registration = "closed"
    assert room.asks(root, UserAdd(username="carol", admin=True)).username == "carol"
    account = sql.by_name(room.tx, "carol")
    assert account is not None
    assert account.admin


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (UserAdd(username="root"), NameTaken),
        (UserAdd(username="a b"), BadName),
        (UserAdd(username="carol", password="short"), WeakPassword),
        (UserPasswd(username="nobody"), NoSuchUser),
        (UserPasswd(username="root", password="short"), WeakPassword),
        (UserDisable(username="nobody"), NoSuchUser),
        (UserRole(username="nobody", role="admin"), NoSuchUser),
        (UserSignout(username="nobody"), NoSuchUser),
        (UserRole(username="root", role="user"), Conflict),
        (UserDisable(username="root"), Conflict),
        (InviteRevoke(number=1), BadRequest),
    ],
)
def test_what_is_refused(room: Room, root: Caller, command: UserAdd, refusal: type) -> None:
    assert isinstance(room.refuses(root, command), refusal)


def test_a_new_password_logs_every_device_out(room: Room, root: Caller, ann: Caller) -> None:
    token = room.asks(room.stranger(), Login(username="ann", password=PASSWORD)).token
    outcome = room.does(root, UserPasswd(username="ann"))
    [cut] = outcome.effects
    assert isinstance(cut, DropDevices)
    assert (cut.account, len(cut.devices)) == (ann.account, 2)
    assert sql.devices(room.tx, ann.account) == []
    assert isinstance(room.refuses(room.stranger(), Resume(token=token)), InvalidCredentials)


def test_disabling_logs_out_and_enabling_opens_again(room: Room, root: Caller, ann: Caller) -> None:
    outcome = room.does(root, UserDisable(username="ann"))
    assert outcome.effects == (DropDevices(ann.account, [ann.device]),)
    outcome = room.does(root, UserDisable(username="ann", enable=True))
    assert outcome.effects == (DropDevices(ann.account, []),)
    assert room.asks(room.stranger(), Login(username="ann", password=PASSWORD)).username == "ann"


def test_the_list_goes_on_after_a_name(room: Room, root: Caller) -> None:
    for name in ("bob", "ann", "小明"):
        room.person(name)
    room.asks(root, UserDisable(username="bob"))
    first = room.asks(root, UserList(limit=2))
    assert [(each.username, each.disabled, each.devices) for each in first.users] == [
        ("ann", False, 1),
        ("bob", True, 0),
    ]
    assert first.more
    rest = room.asks(root, UserList(after="bob", limit=2))
    assert [(each.username, each.admin) for each in rest.users] == [("root", True), ("小明", False)]
    assert not rest.more


def test_invites_are_each_their_own(room: Room, root: Caller) -> None:
    one, other = (room.asks(root, InviteCreate(uses=3, days=30)) for _ in range(2))
    assert one.invite != other.invite
    assert (one.uses, one.expires) == (3, "2026-10-21T14:13:20.000Z")


def admins(room: Room) -> list[str]:
    return [each.username for each in room.asks(room.operator(), UserList()).users if each.admin]


def test_a_role_is_given_and_taken_also_of_open_sessions(room: Room, root: Caller, ann: Caller) -> None:
    for _ in range(2):
        assert room.does(root, UserRole(username="Ann", role="admin")).effects == (SetAdmin(ann.account, True),)
        assert admins(room) == ["ann", "root"]
    for _ in range(2):
        assert room.does(root, UserRole(username="ann", role="user")).effects == (SetAdmin(ann.account, False),)
        assert admins(room) == ["root"]


def test_the_last_admin_cannot_step_down(room: Room, root: Caller, ann: Caller) -> None:
    for command in (UserRole(username="root", role="user"), UserDisable(username="root")):
        refused = room.refuses(root, command)
        assert (type(refused), refused.case, refused.params) == (Conflict, "last_admin", {"username": "root"})
    room.asks(root, UserRole(username="ann", role="admin"))
    room.asks(root, UserRole(username="root", role="user"))
    assert admins(room) == ["ann"]


def test_an_admin_whose_account_is_shut_is_none(room: Room, root: Caller, ann: Caller) -> None:
    room.asks(root, UserRole(username="ann", role="admin"))
    room.asks(root, UserDisable(username="ann"))
    assert isinstance(room.refuses(root, UserRole(username="root", role="user")), Conflict)


def test_the_operator_may_take_the_last_one_away(room: Room, root: Caller) -> None:
    room.asks(room.operator(), UserDisable(username="root"))
    room.asks(room.operator(), UserRole(username="root", role="user"))
    assert admins(room) == []


def test_signing_out_logs_every_device_out_and_keeps_the_password(room: Room, root: Caller, ann: Caller) -> None:
    token = room.asks(room.stranger(), Login(username="ann", password=PASSWORD)).token
    [cut] = room.does(root, UserSignout(username="ann")).effects
    assert (cut.account, len(cut.devices)) == (ann.account, 2)
    assert isinstance(room.refuses(room.stranger(), Resume(token=token)), InvalidCredentials)
    assert room.does(root, UserSignout(username="ann")).effects == (DropDevices(ann.account, []),)
    assert room.asks(room.stranger(), Login(username="ann", password=PASSWORD)).username == "ann"


def test_the_invites_that_work_are_listed_without_their_codes(room: Room, root: Caller) -> None:
    codes = [room.asks(root, command).invite for command in (InviteCreate(uses=2), InviteCreate(admin=True, days=1))]
    room.asks(room.stranger(), Register(username="carol", password=PASSWORD, invite=codes[0]))
    listed = room.asks(root, InviteList()).invites
    assert [(each.number, each.uses, each.admin) for each in listed] == [(1, 1, False), (2, 1, True)]
    assert [each.text("en") for each in listed] == [
        "1: uses left: 1, until 2026-09-28 14:13Z",
        "2: uses left: 1, until 2026-09-22 14:13Z, makes an admin",
    ]
    assert not any(code in line for code in codes for line in room.tx.iterdump())
    room.now += DAY
    assert [each.number for each in room.asks(root, InviteList()).invites] == [1]
    room.asks(room.stranger(), Register(username="dave", password=PASSWORD, invite=codes[0]))
    assert room.asks(root, InviteList()).invites == []


def test_a_revoked_invite_lets_nobody_in(room: Room, root: Caller) -> None:
    made = room.asks(root, InviteCreate(uses=5))
    for _ in range(2):
        room.asks(root, InviteRevoke(number=made.number))
    assert room.asks(root, InviteList()).invites == []
    again = Register(username="carol", password=PASSWORD, invite=made.invite)
    assert isinstance(room.refuses(room.stranger(), again), InviteInvalid)
    assert room.asks(root, InviteCreate()).number == made.number + 1
