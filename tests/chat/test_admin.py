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
from tests.chat.rules import PASSWORD, Rules


@pytest.fixture
def root(rules: Rules) -> Caller:
    return rules.person("root", admin=True)


def test_an_account_with_a_made_up_password(rules: Rules, root: Caller) -> None:
    made = rules.asks(root, UserAdd(username="Carol"))
    assert made.username == "carol"
    assert len(made.password) == 19
    assert rules.asks(rules.stranger(), Login(username="carol", password=made.password)).username == "carol"


def test_an_account_with_a_given_password_does_not_repeat_it(rules: Rules, root: Caller) -> None:
    assert rules.asks(root, UserAdd(username="carol", password=PASSWORD)).password is None
    assert rules.asks(rules.stranger(), Login(username="carol", password=PASSWORD)).username == "carol"


def test_adding_is_possible_where_registering_is_closed(rules: Rules, root: Caller) -> None:
    rules.registration = "closed"
    assert rules.asks(root, UserAdd(username="carol", admin=True)).username == "carol"
    account = sql.by_name(rules.tx, "carol")
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
def test_what_is_refused(rules: Rules, root: Caller, command: UserAdd, refusal: type) -> None:
    assert isinstance(rules.refuses(root, command), refusal)


def test_a_new_password_logs_every_device_out(rules: Rules, root: Caller, ann: Caller) -> None:
    token = rules.asks(rules.stranger(), Login(username="ann", password=PASSWORD)).token
    outcome = rules.does(root, UserPasswd(username="ann"))
    [cut] = outcome.effects
    assert isinstance(cut, DropDevices)
    assert (cut.account, len(cut.devices)) == (ann.account, 2)
    assert sql.devices(rules.tx, ann.account) == []
    assert isinstance(rules.refuses(rules.stranger(), Resume(token=token)), InvalidCredentials)


def test_disabling_logs_out_and_enabling_opens_again(rules: Rules, root: Caller, ann: Caller) -> None:
    outcome = rules.does(root, UserDisable(username="ann"))
    assert outcome.effects == (DropDevices(ann.account, [ann.device]),)
    outcome = rules.does(root, UserDisable(username="ann", enable=True))
    assert outcome.effects == (DropDevices(ann.account, []),)
    assert rules.asks(rules.stranger(), Login(username="ann", password=PASSWORD)).username == "ann"


def test_the_list_goes_on_after_a_name(rules: Rules, root: Caller) -> None:
    for name in ("bob", "ann", "小明"):
        rules.person(name)
    rules.asks(root, UserDisable(username="bob"))
    first = rules.asks(root, UserList(limit=2))
    assert [(each.username, each.disabled, each.devices) for each in first.users] == [
        ("ann", False, 1),
        ("bob", True, 0),
    ]
    assert first.more
    rest = rules.asks(root, UserList(after="bob", limit=2))
    assert [(each.username, each.admin) for each in rest.users] == [("root", True), ("小明", False)]
    assert not rest.more


def test_invites_are_each_their_own(rules: Rules, root: Caller) -> None:
    one, other = (rules.asks(root, InviteCreate(uses=3, days=30)) for _ in range(2))
    assert one.invite != other.invite
    assert (one.uses, one.expires) == (3, "2026-10-21T14:13:20.000Z")


def admins(rules: Rules) -> list[str]:
    return [each.username for each in rules.asks(rules.operator(), UserList()).users if each.admin]


def test_a_role_is_given_and_taken_also_of_open_sessions(rules: Rules, root: Caller, ann: Caller) -> None:
    for _ in range(2):
        assert rules.does(root, UserRole(username="Ann", role="admin")).effects == (SetAdmin(ann.account, True),)
        assert admins(rules) == ["ann", "root"]
    for _ in range(2):
        assert rules.does(root, UserRole(username="ann", role="user")).effects == (SetAdmin(ann.account, False),)
        assert admins(rules) == ["root"]


def test_the_last_admin_cannot_step_down(rules: Rules, root: Caller, ann: Caller) -> None:
    for command in (UserRole(username="root", role="user"), UserDisable(username="root")):
        refused = rules.refuses(root, command)
        assert (type(refused), refused.case, refused.params) == (Conflict, "last_admin", {"username": "root"})
    rules.asks(root, UserRole(username="ann", role="admin"))
    rules.asks(root, UserRole(username="root", role="user"))
    assert admins(rules) == ["ann"]


def test_an_admin_whose_account_is_shut_is_none(rules: Rules, root: Caller, ann: Caller) -> None:
    rules.asks(root, UserRole(username="ann", role="admin"))
    rules.asks(root, UserDisable(username="ann"))
    assert isinstance(rules.refuses(root, UserRole(username="root", role="user")), Conflict)


def test_the_operator_may_take_the_last_one_away(rules: Rules, root: Caller) -> None:
    rules.asks(rules.operator(), UserDisable(username="root"))
    rules.asks(rules.operator(), UserRole(username="root", role="user"))
    assert admins(rules) == []


def test_signing_out_logs_every_device_out_and_keeps_the_password(rules: Rules, root: Caller, ann: Caller) -> None:
    token = rules.asks(rules.stranger(), Login(username="ann", password=PASSWORD)).token
    [cut] = rules.does(root, UserSignout(username="ann")).effects
    assert (cut.account, len(cut.devices)) == (ann.account, 2)
    assert isinstance(rules.refuses(rules.stranger(), Resume(token=token)), InvalidCredentials)
    assert rules.does(root, UserSignout(username="ann")).effects == (DropDevices(ann.account, []),)
    assert rules.asks(rules.stranger(), Login(username="ann", password=PASSWORD)).username == "ann"


def test_the_invites_that_work_are_listed_without_their_codes(rules: Rules, root: Caller) -> None:
    codes = [rules.asks(root, command).invite for command in (InviteCreate(uses=2), InviteCreate(admin=True, days=1))]
    rules.asks(rules.stranger(), Register(username="carol", password=PASSWORD, invite=codes[0]))
    listed = rules.asks(root, InviteList()).invites
    assert [(each.number, each.uses, each.admin) for each in listed] == [(1, 1, False), (2, 1, True)]
    assert [each.text("en") for each in listed] == [
        "1: uses left: 1, until 2026-09-28 14:13Z",
        "2: uses left: 1, until 2026-09-22 14:13Z, makes an admin",
    ]
    assert not any(code in line for code in codes for line in rules.tx.iterdump())
    rules.now += DAY
    assert [each.number for each in rules.asks(root, InviteList()).invites] == [1]
    rules.asks(rules.stranger(), Register(username="dave", password=PASSWORD, invite=codes[0]))
    assert rules.asks(root, InviteList()).invites == []


def test_a_revoked_invite_lets_nobody_in(rules: Rules, root: Caller) -> None:
    made = rules.asks(root, InviteCreate(uses=5))
    for _ in range(2):
        rules.asks(root, InviteRevoke(number=made.number))
    assert rules.asks(root, InviteList()).invites == []
    again = Register(username="carol", password=PASSWORD, invite=made.invite)
    assert isinstance(rules.refuses(rules.stranger(), again), InviteInvalid)
    assert rules.asks(root, InviteCreate()).number == made.number + 1
