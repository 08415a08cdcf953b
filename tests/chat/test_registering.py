"""Registering: names, passwords, invites."""

from importlib.resources import files
from typing import Any

import attrs
import pytest

from imd.chat.base.effects import SignIn
from imd.chat.base.limits import Limits
from imd.chat.base.passwords import check
from imd.store import accounts as sql
from imd.wire import names
from imd.wire.accounts import (
    Login,
    Register,
)
from imd.wire.admin import InviteCreate, UserAdd
from imd.wire.refusals import (
    BadName,
    Forbidden,
    InvalidCredentials,
    InviteInvalid,
    InviteRequired,
    NameTaken,
    WeakPassword,
)
from tests.chat.room import PASSWORD, Room

DAY = 86_400_000


def register(username: str = "ann", **fields: Any) -> Register:
    return Register(**{"username": username, "password": PASSWORD, **fields})


def login(room: Room, username: str = "ann", **fields: Any) -> Any:
    return room.asks(room.stranger(), Login(username=username, password=PASSWORD, **fields))


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


@pytest.mark.parametrize("alike", ["b0b", "ꓐꓳꓐ", "BOB"], ids=ascii)
def test_a_name_that_looks_like_somebodys_is_taken(room: Room, alike: str) -> None:
    room.person("bob")
    for refused in (register(alike), UserAdd(username=alike)):
        refusal = room.refuses(room.operator(), refused)
        assert isinstance(refusal, NameTaken)
        assert refusal.params == {"username": names.username(alike)}, "whose it looks like is not said"
    assert room.asks(room.stranger(), register("bobby")).username == "bobby"


@pytest.mark.parametrize("name", ["deleted-7", "de1eted-7", "DELETED-7"])
def test_nobody_is_called_like_a_tombstone(room: Room, name: str) -> None:
    assert isinstance(room.refuses(room.stranger(), register(name)), NameTaken)


def test_the_scripts_of_a_new_name_do_not_mix_but_of_an_old_one_may(room: Room) -> None:
    assert isinstance(room.refuses(room.stranger(), register("аnn")), BadName)
    room.person("аnn")
    assert login(room, "аnn").username == "аnn"


@pytest.mark.parametrize("password", ["", "1234567", "password1", "PASSWORD1", "woaini520", "imd-2026", "Messenger!1"])
def test_a_weak_password(room: Room, password: str) -> None:
    assert isinstance(room.refuses(room.stranger(), register(password=password)), WeakPassword)


@pytest.mark.parametrize("password", ["AnnaBelle", "annabelle1987", "!!Annabelle!!"])
def test_ones_own_name_is_no_password(room: Room, password: str) -> None:
    assert isinstance(room.refuses(room.stranger(), register("annabelle", password=password)), WeakPassword)


def test_the_most_common_passwords_are_refused() -> None:
    _, _, listed = files("imd.chat.base").joinpath("passwords.txt").read_text("utf-8").partition("\n\n")
    common = listed.splitlines()
    assert len(common) == len(set(common)) > 8_000
    for password in common:
        assert len(password) >= Limits().password_characters
        with pytest.raises(WeakPassword):
            check(password, "alice", Limits().password_characters)


@pytest.mark.parametrize(
    "password",
    [
        "bare-foot piano tune",
        "aaaaaaaaaaaaaaaaz",
        "  leading and trailing  ",
        "四个汉字不算长的密码",
        "x" * 63 + "Y",
        "x" * 1023 + "Y",
    ],
)
def test_any_other_password_is_taken_as_it_is(room: Room, password: str) -> None:
    """There are no rules of composition, nothing is cut off, and no case is folded."""
    room.asks(room.stranger(), register(password=password))
    assert room.asks(room.stranger(), Login(username="ann", password=password)).username == "ann"
    for other in (password.swapcase(), password[:-1], password.strip()):
        if other != password:
            assert isinstance(room.refuses(room.stranger(), Login(username="ann", password=other)), InvalidCredentials)


def test_registering_is_not_logging_in(room: Room) -> None:
    outcome = room.does(room.stranger(), register())
    assert outcome.effects == ()
    assert sql.devices(room.tx, 1) == []


def test_two_at_once_for_one_name(room: Room) -> None:
    """Both have seen that the name is free before either is stored."""
    order: list[str] = []

    @attrs.define
    class Hasty(Room):
        async def hash_password(self, password: str, address: str) -> str:
            if not order:
                order.append("the other was faster")
                self.does(self.stranger(), register(password="another password"))
            return await super().hash_password(password, address)

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
