"""Administration: accounts and invites, for those who may."""

import pytest

from imd.chat.lanes import Cut, Me
from imd.store import accounts as sql
from imd.wire.accounts import Login, Resume
from imd.wire.admin import InviteCreate, UserAdd, UserDisable, UserList, UserPasswd
from imd.wire.refusals import BadName, InvalidCredentials, NameTaken, NoSuchUser, WeakPassword
from tests.chat.room import PASSWORD, Room


@pytest.fixture
def root(room: Room) -> Me:
    return room.person("root", admin=True)


def test_an_account_with_a_made_up_password(room: Room, root: Me) -> None:
    made = room.asks(root, UserAdd(username="Carol"))
    assert made.username == "carol"
    assert len(made.password) == 19
    assert room.asks(room.stranger(), Login(username="carol", password=made.password)).username == "carol"


def test_an_account_with_a_given_password_does_not_repeat_it(room: Room, root: Me) -> None:
    assert room.asks(root, UserAdd(username="carol", password=PASSWORD)).password is None
    assert room.asks(room.stranger(), Login(username="carol", password=PASSWORD)).username == "carol"


def test_adding_is_possible_where_registering_is_closed(room: Room, root: Me) -> None:
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
    ],
)
def test_what_is_refused(room: Room, root: Me, command: UserAdd, refusal: type) -> None:
    assert isinstance(room.refuses(root, command), refusal)


def test_a_new_password_logs_every_device_out(room: Room, root: Me, ann: Me) -> None:
    token = room.asks(room.stranger(), Login(username="ann", password=PASSWORD)).token
    outcome = room.does(root, UserPasswd(username="ann"))
    [cut] = outcome.effects
    assert isinstance(cut, Cut)
    assert (cut.account, len(cut.devices)) == (ann.account, 2)
    assert sql.devices(room.tx, ann.account) == []
    assert isinstance(room.refuses(room.stranger(), Resume(token=token)), InvalidCredentials)


def test_disabling_logs_out_and_enabling_opens_again(room: Room, root: Me, ann: Me) -> None:
    outcome = room.does(root, UserDisable(username="ann"))
    assert outcome.effects == (Cut(ann.account, [ann.device]),)
    outcome = room.does(root, UserDisable(username="ann", enable=True))
    assert outcome.effects == (Cut(ann.account, []),)
    assert room.asks(room.stranger(), Login(username="ann", password=PASSWORD)).username == "ann"


def test_the_list_goes_on_after_a_name(room: Room, root: Me) -> None:
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


def test_invites_are_each_their_own(room: Room, root: Me) -> None:
    one, other = (room.asks(root, InviteCreate(uses=3, days=30)) for _ in range(2))
    assert one.invite != other.invite
    assert (one.uses, one.expires) == (3, "2026-10-21T14:13:20.000Z")
