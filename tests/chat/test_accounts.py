"""Accounts: registering, logging in, devices."""

from typing import Any

import attrs
import pytest

from imd.chat import accounts as rules
from imd.chat.lanes import Cut, Me, SignIn, SignOut
from imd.chat.limits import Limits
from imd.store import accounts as sql
from imd.wire.accounts import (
    ChangePassword,
    ListDevices,
    Login,
    Logout,
    Register,
    Resume,
    RevokeDevice,
    WhoAmI,
)
from imd.wire.admin import InviteCreate, UserDisable
from imd.wire.refusals import (
    BadName,
    BadRequest,
    Conflict,
    Forbidden,
    InvalidCredentials,
    InviteInvalid,
    InviteRequired,
    NameTaken,
    RateLimited,
    WeakPassword,
)
from tests.chat.room import PASSWORD, Room, at_once

DAY = 86_400_000


def register(username: str = "ann", **fields: Any) -> Register:
    return Register(**{"username": username, "password": PASSWORD, **fields})


def login(room: Room, username: str = "ann", **fields: Any) -> Any:
    return room.asks(room.stranger(), Login(username=username, password=PASSWORD, **fields))


def labels(room: Room, me: Me) -> list[str]:
    return [each.device for each in room.asks(me, ListDevices()).devices]


# -- registering


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("ann", "ann"), ("Ann", "ann"), ("ＡＮＮ", "ann"), ("小明", "小明"), ("JOSÉ", "josé"), ("jose\u0301", "josé")],
)
def test_a_name_is_kept_in_its_one_spelling(room: Room, typed: str, kept: str) -> None:
    assert room.asks(room.stranger(), register(typed)).username == kept
    assert isinstance(room.refuses(room.stranger(), register(kept)), NameTaken)
    assert login(room, typed).username == kept


@pytest.mark.parametrize("name", ["", "a b", "a@b", "#team", "a" * 33, "a\u200bb", "☃", "x" * 256])
def test_not_a_name(room: Room, name: str) -> None:
    assert isinstance(room.refuses(room.stranger(), register(name)), BadName)


@pytest.mark.parametrize("password", ["", "1234567", "password1", "PASSWORD1", "woaini520"])
def test_a_weak_password(room: Room, password: str) -> None:
    assert isinstance(room.refuses(room.stranger(), register(password=password)), WeakPassword)


def test_ones_own_name_is_no_password(room: Room) -> None:
    assert isinstance(room.refuses(room.stranger(), register("annabelle", password="AnnaBelle")), WeakPassword)


def test_registering_is_not_logging_in(room: Room) -> None:
    outcome = room.does(room.stranger(), register())
    assert outcome.effects == ()
    assert sql.devices(room.tx, 1) == []


def test_two_at_once_for_one_name(room: Room) -> None:
    """Both have seen that the name is free before either is stored."""
    order: list[str] = []

    @attrs.define
    class Hasty(Room):
        async def hash_password(self, password: str) -> str:
            if not order:
                order.append("the other was faster")
                self.does(self.stranger(), register(password="another password"))
            return await super().hash_password(password)

    hasty = Hasty()
    with pytest.raises(NameTaken):
        hasty.does(hasty.stranger(), register())
    [(kept,)] = hasty.tx.execute("SELECT password_hash FROM account").fetchall()
    assert kept == "hash of another password"


@pytest.mark.parametrize("registration", ["open", "invite"])
def test_an_invite_lets_so_many_in(room: Room, registration: str) -> None:
    root = room.person("root", admin=True)
    code = room.asks(root, InviteCreate(uses=2)).invite
    room.registration = registration
    room.asks(room.stranger(), register("ann", invite=code))
    room.asks(room.stranger(), register("bob", invite=code))
    assert isinstance(room.refuses(room.stranger(), register("cid", invite=code)), InviteInvalid)
    assert isinstance(room.refuses(room.stranger(), register("cid", invite="made up")), InviteInvalid)


def test_an_invite_ends(room: Room) -> None:
    root = room.person("root", admin=True)
    invite = room.asks(root, InviteCreate(days=7))
    assert invite.expires == "2026-09-28T14:13:20.000Z"
    room.now += 7 * DAY
    assert isinstance(room.refuses(room.stranger(), register(invite=invite.invite)), InviteInvalid)
    room.now -= 1
    assert room.asks(room.stranger(), register(invite=invite.invite)).username == "ann"


def test_a_registration_that_fails_does_not_use_the_invite_up(room: Room) -> None:
    root = room.person("root", admin=True)
    code = room.asks(root, InviteCreate()).invite
    for refused in (register("root", invite=code), register("a b", invite=code), register(password="x", invite=code)):
        room.refuses(room.stranger(), refused)
    assert room.asks(room.stranger(), register(invite=code)).username == "ann"


@pytest.mark.parametrize("admin", [False, True])
def test_an_admins_invite_makes_an_admin(room: Room, admin: bool) -> None:
    root = room.person("root", admin=True)
    code = room.asks(root, InviteCreate(admin=admin)).invite
    room.asks(room.stranger(), register(invite=code))
    outcome = room.does(room.stranger(), Login(username="ann", password=PASSWORD))
    [signed_in] = [each for each in outcome.effects if isinstance(each, SignIn)]
    assert signed_in.admin is admin


def test_only_the_fingerprint_of_an_invite_and_of_a_token_is_kept(room: Room) -> None:
    root = room.person("root", admin=True)
    code = room.asks(root, InviteCreate()).invite
    token = login(room, "root").token
    kept = "\n".join(room.tx.iterdump())
    assert code not in kept
    assert token not in kept


def test_by_invite_only_and_not_at_all(room: Room) -> None:
    root = room.person("root", admin=True)
    code = room.asks(root, InviteCreate()).invite
    room.registration = "invite"
    assert isinstance(room.refuses(room.stranger(), register()), InviteRequired)
    room.registration = "closed"
    assert isinstance(room.refuses(room.stranger(), register()), Forbidden)
    assert isinstance(room.refuses(room.stranger(), register(invite=code)), Forbidden)


# -- logging in


def test_every_login_is_a_new_device_with_a_label_and_a_token_of_its_own(room: Room, ann: Me) -> None:
    replies = [login(room, device="phone") for _ in range(3)] + [login(room), login(room)]
    assert [each.device for each in replies] == ["phone-2", "phone-3", "phone-4", "device", "device-2"]
    assert len({each.token for each in replies}) == 5
    assert all(len(each.token) >= 43 for each in replies), "256 bits"


def test_a_label_that_became_free_is_given_again(room: Room, ann: Me) -> None:
    for _ in range(2):
        login(room, device="phone")
    room.asks(ann, RevokeDevice(device="phone-2"))
    assert login(room, device="phone").device == "phone-2"


@pytest.mark.parametrize(
    ("username", "password"),
    [("ann", "wrong"), ("ann", ""), ("nobody", PASSWORD), ("a b", PASSWORD), ("", PASSWORD), ("ann", f"{PASSWORD} ")],
)
def test_what_is_wrong_is_not_said(room: Room, ann: Me, username: str, password: str) -> None:
    refused = room.refuses(room.stranger(), Login(username=username, password=password))
    assert (type(refused), refused.case, refused.params) == (InvalidCredentials, "", {})
    assert len(room.checked) == 1, "a password is compared in any case: who is unknown costs the same"


def test_the_effects_of_a_login(room: Room, ann: Me) -> None:
    outcome = room.does(room.stranger(), Login(username="ann", password=PASSWORD, device="pad", replay=False))
    [signed_in] = [each for each in outcome.effects if isinstance(each, SignIn)]
    assert (signed_in.account, signed_in.username, signed_in.display_name) == (ann.account, "ann", "Ann")
    assert (signed_in.label, signed_in.replay, signed_in.admin) == ("pad", False, False)


@pytest.mark.parametrize("command", [Login(username="ann", password=PASSWORD), Resume(token="token of ann")])
def test_a_second_login_on_one_connection(room: Room, ann: Me, command: Login | Resume) -> None:
    assert isinstance(room.refuses(ann, command), Conflict)


def test_a_disabled_account_is_like_a_wrong_password(room: Room, ann: Me) -> None:
    token = login(room).token
    room.asks(room.person("root", admin=True), UserDisable(username="ann"))
    for command in (Login(username="ann", password=PASSWORD), Resume(token=token)):
        assert isinstance(room.refuses(room.stranger(), command), InvalidCredentials)


def test_a_token_of_a_disabled_account_does_not_work_even_if_it_was_left(room: Room, ann: Me) -> None:
    token = login(room).token
    room.tx.execute("UPDATE account SET disabled = 1")
    assert isinstance(room.refuses(room.stranger(), Resume(token=token)), InvalidCredentials)


@pytest.mark.parametrize("column", ["disabled = 1", "password_hash = 'new'"])
def test_an_account_that_changes_while_its_password_is_checked(column: str) -> None:
    @attrs.define
    class Changing(Room):
        async def password_matches(self, password_hash: str | None, password: str) -> bool:
            self.tx.execute(f"UPDATE account SET {column}")
            return await super().password_matches(password_hash, password)

    room = Changing()
    me = room.person("ann")
    for asker, command in (
        (room.stranger(), Login(username="ann", password=PASSWORD)),
        (me, ChangePassword(old=PASSWORD, new="another password")),
    ):
        room.tx.execute("UPDATE account SET disabled = 0, password_hash = ?", (f"hash of {PASSWORD}",))
        with pytest.raises(InvalidCredentials):
            room.does(asker, command)
        assert len(sql.devices(room.tx, me.account)) == 1
        assert sql.by_id(room.tx, me.account).password_hash != "hash of another password"


# -- tokens


def test_a_token_resumes_its_device(room: Room, ann: Me) -> None:
    reply = login(room, device="pad")
    outcome = room.does(room.stranger(), Resume(token=reply.token))
    assert (outcome.reply.username, outcome.reply.device) == ("ann", "pad")
    assert labels(room, ann).count("pad") == 1


def test_a_token_that_is_none(room: Room, ann: Me) -> None:
    refused = room.refuses(room.stranger(), Resume(token="made up"))
    assert (type(refused), refused.case) == (InvalidCredentials, "token")


def test_an_unused_token_ends_after_thirty_days_and_a_used_one_does_not(room: Room, ann: Me) -> None:
    used, unused = login(room).token, login(room).token
    for _ in range(4):
        room.now += 10 * DAY
        room.asks(room.stranger(), Resume(token=used))
    assert isinstance(room.refuses(room.stranger(), Resume(token=unused)), InvalidCredentials)


def test_last_seen_is_not_written_at_every_resume(room: Room, ann: Me) -> None:
    token = login(room).token
    [before] = [each for each in sql.devices(room.tx, ann.account) if each.label == "device"]
    room.now += rules.TOUCH_AFTER
    room.asks(room.stranger(), Resume(token=token))
    assert before in sql.devices(room.tx, ann.account)
    room.now += 1
    room.asks(room.stranger(), Resume(token=token))
    assert sql.devices(room.tx, ann.account)[0].last_seen == room.now


# -- devices


def test_devices_are_listed_the_one_seen_last_first(room: Room, ann: Me) -> None:
    room.now += 1000
    login(room, device="pad")
    listed = room.asks(ann, ListDevices()).devices
    assert [(each.device, each.current) for each in listed] == [("pad", False), ("phone", True)]
    assert listed[0].created == "2026-09-21T14:13:21.000Z"


def test_there_is_room_for_so_many_devices_and_the_oldest_goes() -> None:
    room = Room(Limits(devices_per_account=3))
    ann = room.person("ann")
    for label in "abc":
        room.now += 1000
        login(room, device=label)
    assert labels(room, ann) == ["c", "b", "a"]
    room.now += 1000
    outcome = room.does(room.stranger(), Login(username="ann", password=PASSWORD, device="d"))
    [cut] = [each for each in outcome.effects if isinstance(each, Cut)]
    assert len(cut.devices) == 1, "its live connection ends too"
    assert labels(room, ann) == ["d", "c", "b"]


def test_devices_not_seen_for_thirty_days_are_cleared_away_at_the_next_login(room: Room, ann: Me) -> None:
    login(room, device="pad")
    room.now += 30 * DAY
    login(room, device="laptop")
    assert labels(room, ann) == ["laptop", "pad", "phone"]
    room.now += 1
    login(room, device="phone")
    assert labels(room, ann) == ["phone", "laptop"]


def test_revoke_takes_ones_own_devices_alone(room: Room, ann: Me, bob: Me) -> None:
    login(room, device="pad")
    outcome = room.does(ann, RevokeDevice(device="pad"))
    [cut] = outcome.effects
    assert isinstance(cut, Cut)
    assert (cut.account, len(cut.devices)) == (ann.account, 1)
    assert labels(room, ann) == ["phone"]
    assert isinstance(room.refuses(bob, RevokeDevice(device="pad")), BadRequest)
    assert labels(room, bob) == ["phone"]


def test_logout_forgets_the_device_that_asks(room: Room, ann: Me) -> None:
    login(room, device="pad")
    outcome = room.does(ann, Logout())
    assert outcome.effects == (SignOut(), Cut(ann.account, [ann.device]))
    assert labels(room, ann) == ["pad"]


def test_whoami(room: Room, ann: Me) -> None:
    identity = room.asks(ann, WhoAmI())
    assert (identity.username, identity.display_name, identity.device) == ("ann", "Ann", "phone")


# -- passwords


def test_a_new_password_logs_the_other_devices_out(room: Room, ann: Me) -> None:
    token = login(room).token
    outcome = room.does(ann, ChangePassword(old=PASSWORD, new="another password"))
    [cut] = outcome.effects
    assert isinstance(cut, Cut)
    assert len(cut.devices) == 1
    assert ann.device not in cut.devices
    assert labels(room, ann) == ["phone"]
    assert isinstance(room.refuses(room.stranger(), Resume(token=token)), InvalidCredentials)
    assert isinstance(room.refuses(room.stranger(), Login(username="ann", password=PASSWORD)), InvalidCredentials)
    assert room.asks(room.stranger(), Login(username="ann", password="another password")).username == "ann"


@pytest.mark.parametrize(
    ("old", "new", "refusal"), [("wrong", "another password", InvalidCredentials), (PASSWORD, "short", WeakPassword)]
)
def test_a_password_that_cannot_be_changed(room: Room, ann: Me, old: str, new: str, refusal: type) -> None:
    assert isinstance(room.refuses(ann, ChangePassword(old=old, new=new)), refusal)


def test_guessing_the_old_password_is_slowed_down_like_guessing_at_login(room: Room, ann: Me) -> None:
    for _ in range(5):
        room.refuses(ann, ChangePassword(old="wrong", new="another password"))
    assert isinstance(room.refuses(ann, ChangePassword(old=PASSWORD, new="another password")), RateLimited)
    assert isinstance(room.refuses(room.stranger(), Login(username="ann", password=PASSWORD)), RateLimited)


def test_a_slow_handler_that_never_waits_runs_at_once() -> None:
    async def waits() -> None:
        await Waits()

    class Waits:
        def __await__(self) -> Any:
            yield

    coroutine = waits()
    with pytest.raises(AssertionError, match="it waited"):
        at_once(coroutine)
