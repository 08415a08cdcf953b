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
from tests.chat.rules import PASSWORD, Rules

DAY = 86_400_000


def register(username: str = "ann", **fields: Any) -> Register:
    return Register(**{"username": username, "password": PASSWORD, **fields})


def login(rules: Rules, username: str = "ann", **fields: Any) -> Any:
    return rules.asks(rules.stranger(), Login(username=username, password=PASSWORD, **fields))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("ann", "ann"), ("Ann", "ann"), ("ＡＮＮ", "ann"), ("小明", "小明"), ("JOSÉ", "josé"), ("jose\u0301", "josé")],
)
def test_a_name_is_kept_in_its_one_spelling(rules: Rules, typed: str, kept: str) -> None:
    assert rules.asks(rules.stranger(), register(typed)).username == kept
    assert isinstance(rules.refuses(rules.stranger(), register(kept)), NameTaken)
    assert login(rules, typed).username == kept


@pytest.mark.parametrize("name", ["", "a b", "a@b", "#team", "a" * 33, "a\u200bb", "☃", "x" * 256])
def test_not_a_name(rules: Rules, name: str) -> None:
    assert isinstance(rules.refuses(rules.stranger(), register(name)), BadName)


@pytest.mark.parametrize("alike", ["b0b", "ꓐꓳꓐ", "BOB"], ids=ascii)
def test_a_name_that_looks_like_somebodys_is_taken(rules: Rules, alike: str) -> None:
    rules.person("bob")
    for refused in (register(alike), UserAdd(username=alike)):
        refusal = rules.refuses(rules.operator(), refused)
        assert isinstance(refusal, NameTaken)
        assert refusal.params == {"username": names.username(alike)}, "whose it looks like is not said"
    assert rules.asks(rules.stranger(), register("bobby")).username == "bobby"


@pytest.mark.parametrize("name", ["deleted-7", "de1eted-7", "DELETED-7"])
def test_nobody_is_called_like_a_tombstone(rules: Rules, name: str) -> None:
    assert isinstance(rules.refuses(rules.stranger(), register(name)), NameTaken)


def test_the_scripts_of_a_new_name_do_not_mix_but_of_an_old_one_may(rules: Rules) -> None:
    assert isinstance(rules.refuses(rules.stranger(), register("аnn")), BadName)
    rules.person("аnn")
    assert login(rules, "аnn").username == "аnn"


@pytest.mark.parametrize("password", ["", "1234567", "password1", "PASSWORD1", "woaini520", "imd-2026", "Messenger!1"])
def test_a_weak_password(rules: Rules, password: str) -> None:
    assert isinstance(rules.refuses(rules.stranger(), register(password=password)), WeakPassword)


@pytest.mark.parametrize("password", ["AnnaBelle", "annabelle1987", "!!Annabelle!!"])
def test_ones_own_name_is_no_password(rules: Rules, password: str) -> None:
    assert isinstance(rules.refuses(rules.stranger(), register("annabelle", password=password)), WeakPassword)


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
def test_any_other_password_is_taken_as_it_is(rules: Rules, password: str) -> None:
    """There are no rules of composition, nothing is cut off, and no case is folded."""
    rules.asks(rules.stranger(), register(password=password))
    assert rules.asks(rules.stranger(), Login(username="ann", password=password)).username == "ann"
    for other in (password.swapcase(), password[:-1], password.strip()):
        if other != password:
            assert isinstance(
                rules.refuses(rules.stranger(), Login(username="ann", password=other)), InvalidCredentials
            )


def test_registering_is_not_logging_in(rules: Rules) -> None:
    outcome = rules.does(rules.stranger(), register())
    assert outcome.effects == ()
    assert sql.devices(rules.tx, 1) == []


def test_two_at_once_for_one_name(rules: Rules) -> None:
    """Both have seen that the name is free before either is stored."""
    order: list[str] = []

    @attrs.define
    class Hasty(Rules):
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
def test_an_invite_lets_so_many_in(rules: Rules, registration: str) -> None:
    root = rules.person("root", admin=True)
    code = rules.asks(root, InviteCreate(uses=2)).invite
    rules.registration = registration
    rules.asks(rules.stranger(), register("ann", invite=code))
    rules.asks(rules.stranger(), register("bob", invite=code))
    assert isinstance(rules.refuses(rules.stranger(), register("cid", invite=code)), InviteInvalid)
    assert isinstance(rules.refuses(rules.stranger(), register("cid", invite="made up")), InviteInvalid)


def test_an_invite_ends(rules: Rules) -> None:
    root = rules.person("root", admin=True)
    invite = rules.asks(root, InviteCreate(days=7))
    assert invite.expires == "2026-09-28T14:13:20.000Z"
    rules.now += 7 * DAY
    assert isinstance(rules.refuses(rules.stranger(), register(invite=invite.invite)), InviteInvalid)
    rules.now -= 1
    assert rules.asks(rules.stranger(), register(invite=invite.invite)).username == "ann"


def test_a_registration_that_fails_does_not_use_the_invite_up(rules: Rules) -> None:
    root = rules.person("root", admin=True)
    code = rules.asks(root, InviteCreate()).invite
    for refused in (register("root", invite=code), register("a b", invite=code), register(password="x", invite=code)):
        rules.refuses(rules.stranger(), refused)
    assert rules.asks(rules.stranger(), register(invite=code)).username == "ann"


@pytest.mark.parametrize("admin", [False, True])
def test_an_admins_invite_makes_an_admin(rules: Rules, admin: bool) -> None:
    root = rules.person("root", admin=True)
    code = rules.asks(root, InviteCreate(admin=admin)).invite
    rules.asks(rules.stranger(), register(invite=code))
    outcome = rules.does(rules.stranger(), Login(username="ann", password=PASSWORD))
    [signed_in] = [each for each in outcome.effects if isinstance(each, SignIn)]
    assert signed_in.admin is admin


def test_only_the_fingerprint_of_an_invite_and_of_a_token_is_kept(rules: Rules) -> None:
    root = rules.person("root", admin=True)
    code = rules.asks(root, InviteCreate()).invite
    token = login(rules, "root").token
    kept = "\n".join(rules.tx.iterdump())
    assert code not in kept
    assert token not in kept


def test_by_invite_only_and_not_at_all(rules: Rules) -> None:
    root = rules.person("root", admin=True)
    code = rules.asks(root, InviteCreate()).invite
    rules.registration = "invite"
    assert isinstance(rules.refuses(rules.stranger(), register()), InviteRequired)
    rules.registration = "closed"
    assert isinstance(rules.refuses(rules.stranger(), register()), Forbidden)
    assert isinstance(rules.refuses(rules.stranger(), register(invite=code)), Forbidden)
