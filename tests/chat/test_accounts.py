"""Logging in, tokens, devices, passwords."""

from typing import Any

import attrs
import pytest

from imd.chat import accounts
from imd.chat.base.context import Caller
from imd.chat.base.effects import DropDevices, SignIn, SignOut
from imd.chat.base.limits import Limits
from imd.store import accounts as sql
from imd.testing import EPOCH
from imd.wire.accounts import (
    ChangePassword,
    ListDevices,
    Login,
    Logout,
    Resume,
    RevokeDevice,
    WhoAmI,
)
from imd.wire.admin import UserDisable
from imd.wire.deletion import DeleteAccount
from imd.wire.refusals import (
    BadRequest,
    Conflict,
    InvalidCredentials,
    RateLimited,
    WeakPassword,
)
from tests.chat.rules import PASSWORD, Rules, at_once

DAY = 86_400_000


def login(rules: Rules, username: str = "ann", **fields: Any) -> Any:
    return rules.asks(rules.stranger(), Login(username=username, password=PASSWORD, **fields))


def labels(rules: Rules, caller: Caller) -> list[str]:
    return [each.device for each in rules.asks(caller, ListDevices()).devices]


# -- logging in


def test_every_login_is_a_new_device_with_a_label_and_a_token_of_its_own(rules: Rules, ann: Caller) -> None:
    replies = [login(rules, device="phone") for _ in range(3)] + [login(rules), login(rules)]
    assert [each.device for each in replies] == ["phone-2", "phone-3", "phone-4", "device", "device-2"]
    assert len({each.token for each in replies}) == 5
    assert all(len(each.token) >= 43 for each in replies), "256 bits"


def test_a_label_that_became_free_is_given_again(rules: Rules, ann: Caller) -> None:
    for _ in range(2):
        login(rules, device="phone")
    rules.asks(ann, RevokeDevice(device="phone-2"))
    assert login(rules, device="phone").device == "phone-2"


@pytest.mark.parametrize(
    ("username", "password"),
    [("ann", "wrong"), ("ann", ""), ("nobody", PASSWORD), ("a b", PASSWORD), ("", PASSWORD), ("ann", f"{PASSWORD} ")],
)
def test_what_is_wrong_is_not_said(rules: Rules, ann: Caller, username: str, password: str) -> None:
    refused = rules.refuses(rules.stranger(), Login(username=username, password=password))
    assert (type(refused), refused.case, refused.params) == (InvalidCredentials, "", {})
    assert len(rules.checked) == 1, "a password is compared in any case: who is unknown costs the same"


def test_the_effects_of_a_login(rules: Rules, ann: Caller) -> None:
    outcome = rules.does(rules.stranger(), Login(username="ann", password=PASSWORD, device="pad", replay=False))
    [signed_in] = [each for each in outcome.effects if isinstance(each, SignIn)]
    assert (signed_in.account, signed_in.username) == (ann.account, "ann")
    assert (signed_in.label, signed_in.replay, signed_in.admin) == ("pad", False, False)


@pytest.mark.parametrize("command", [Login(username="ann", password=PASSWORD), Resume(token="token of ann")])
def test_a_second_login_on_one_connection(rules: Rules, ann: Caller, command: Login | Resume) -> None:
    assert isinstance(rules.refuses(ann, command), Conflict)


def test_a_disabled_account_is_like_a_wrong_password(rules: Rules, ann: Caller) -> None:
    token = login(rules).token
    rules.asks(rules.person("root", admin=True), UserDisable(username="ann"))
    for command in (Login(username="ann", password=PASSWORD), Resume(token=token)):
        assert isinstance(rules.refuses(rules.stranger(), command), InvalidCredentials)


def test_a_token_of_a_disabled_account_does_not_work_even_if_it_was_left(rules: Rules, ann: Caller) -> None:
    token = login(rules).token
    rules.tx.execute("UPDATE account SET disabled = 1")
    assert isinstance(rules.refuses(rules.stranger(), Resume(token=token)), InvalidCredentials)


@pytest.mark.parametrize("column", ["disabled = 1", "password_hash = 'new'"])
def test_an_account_that_changes_while_its_password_is_checked(column: str) -> None:
    @attrs.define
    class Changing(Rules):
        async def password_matches(self, password_hash: str | None, password: str, address: str) -> bool:
            self.tx.execute(f"UPDATE account SET {column}")
            return await super().password_matches(password_hash, password, address)

    rules = Changing()
    caller = rules.person("ann")
    for asker, command in (
        (rules.stranger(), Login(username="ann", password=PASSWORD)),
        (caller, ChangePassword(old=PASSWORD, new="another password")),
    ):
        rules.tx.execute("UPDATE account SET disabled = 0, password_hash = ?", (f"hash of {PASSWORD}",))
        with pytest.raises(InvalidCredentials):
            rules.does(asker, command)
        assert len(sql.devices(rules.tx, caller.account)) == 1
        assert sql.by_id(rules.tx, caller.account).password_hash != "hash of another password"


# -- tokens


def test_a_token_resumes_its_device(rules: Rules, ann: Caller) -> None:
    reply = login(rules, device="pad")
    outcome = rules.does(rules.stranger(), Resume(token=reply.token))
    assert (outcome.reply.username, outcome.reply.device) == ("ann", "pad")
    assert labels(rules, ann).count("pad") == 1


def test_a_token_that_is_none(rules: Rules, ann: Caller) -> None:
    refused = rules.refuses(rules.stranger(), Resume(token="made up"))
    assert (type(refused), refused.case) == (InvalidCredentials, "token")


def test_an_unused_token_ends_after_thirty_days_and_a_used_one_does_not(rules: Rules, ann: Caller) -> None:
    used, unused = login(rules).token, login(rules).token
    for _ in range(4):
        rules.now += 10 * DAY
        rules.asks(rules.stranger(), Resume(token=used))
    assert isinstance(rules.refuses(rules.stranger(), Resume(token=unused)), InvalidCredentials)


def test_last_seen_is_not_written_at_every_resume(rules: Rules, ann: Caller) -> None:
    token = login(rules).token
    [before] = [each for each in sql.devices(rules.tx, ann.account) if each.label == "device"]
    rules.now += accounts.TOUCH_AFTER
    rules.asks(rules.stranger(), Resume(token=token))
    assert before in sql.devices(rules.tx, ann.account)
    rules.now += 1
    rules.asks(rules.stranger(), Resume(token=token))
    assert sql.devices(rules.tx, ann.account)[0].last_seen == rules.now


@pytest.mark.parametrize("step", [3650 * DAY, -3650 * DAY])
def test_a_clock_set_while_the_server_runs_ends_no_token(rules: Rules, ann: Caller, step: int) -> None:
    tokens = [login(rules).token]
    for rules.ahead in (step, 0):
        rules.now = EPOCH + rules.ahead
        tokens.append(login(rules).token)
        for token in tokens:
            assert rules.asks(rules.stranger(), Resume(token=token)).username == "ann"


# -- devices


def test_devices_are_listed_the_one_seen_last_first(rules: Rules, ann: Caller) -> None:
    rules.now += 1000
    login(rules, device="pad")
    listed = rules.asks(ann, ListDevices()).devices
    assert [(each.device, each.current) for each in listed] == [("pad", False), ("phone", True)]
    assert listed[0].created == "2026-09-21T14:13:21.000Z"


def test_there_is_room_for_so_many_devices_and_the_oldest_goes() -> None:
    rules = Rules(Limits(devices_per_account=3))
    ann = rules.person("ann")
    for label in "abc":
        rules.now += 1000
        login(rules, device=label)
    assert labels(rules, ann) == ["c", "b", "a"]
    rules.now += 1000
    outcome = rules.does(rules.stranger(), Login(username="ann", password=PASSWORD, device="d"))
    [cut] = [each for each in outcome.effects if isinstance(each, DropDevices)]
    assert len(cut.devices) == 1, "its live connection ends too"
    assert labels(rules, ann) == ["d", "c", "b"]


def test_devices_not_seen_for_thirty_days_are_cleared_away_at_the_next_login(rules: Rules, ann: Caller) -> None:
    login(rules, device="pad")
    rules.now += 30 * DAY
    login(rules, device="laptop")
    assert labels(rules, ann) == ["laptop", "pad", "phone"]
    rules.now += 1
    login(rules, device="phone")
    assert labels(rules, ann) == ["phone", "laptop"]


def test_revoke_takes_ones_own_devices_alone(rules: Rules, ann: Caller, bob: Caller) -> None:
    login(rules, device="pad")
    outcome = rules.does(ann, RevokeDevice(device="pad"))
    [cut] = outcome.effects
    assert isinstance(cut, DropDevices)
    assert (cut.account, len(cut.devices)) == (ann.account, 1)
    assert labels(rules, ann) == ["phone"]
    assert isinstance(rules.refuses(bob, RevokeDevice(device="pad")), BadRequest)
    assert labels(rules, bob) == ["phone"]


def test_logout_forgets_the_device_that_asks(rules: Rules, ann: Caller) -> None:
    login(rules, device="pad")
    outcome = rules.does(ann, Logout())
    assert outcome.effects == (SignOut(), DropDevices(ann.account, [ann.device]))
    assert labels(rules, ann) == ["pad"]


def test_whoami(rules: Rules, ann: Caller) -> None:
    identity = rules.asks(ann, WhoAmI())
    assert (identity.username, identity.display_name, identity.device) == ("ann", "Ann", "phone")


# -- passwords


def test_a_new_password_logs_the_other_devices_out(rules: Rules, ann: Caller) -> None:
    token = login(rules).token
    outcome = rules.does(ann, ChangePassword(old=PASSWORD, new="another password"))
    [cut] = outcome.effects
    assert isinstance(cut, DropDevices)
    assert len(cut.devices) == 1
    assert ann.device not in cut.devices
    assert labels(rules, ann) == ["phone"]
    assert isinstance(rules.refuses(rules.stranger(), Resume(token=token)), InvalidCredentials)
    assert isinstance(rules.refuses(rules.stranger(), Login(username="ann", password=PASSWORD)), InvalidCredentials)
    assert rules.asks(rules.stranger(), Login(username="ann", password="another password")).username == "ann"


@pytest.mark.parametrize(
    ("old", "new", "refusal"), [("wrong", "another password", InvalidCredentials), (PASSWORD, "short", WeakPassword)]
)
def test_a_password_that_cannot_be_changed(rules: Rules, ann: Caller, old: str, new: str, refusal: type) -> None:
    assert isinstance(rules.refuses(ann, ChangePassword(old=old, new=new)), refusal)


def test_guessing_the_old_password_is_slowed_down_like_guessing_at_login(rules: Rules, ann: Caller) -> None:
    for _ in range(5):
        rules.refuses(ann, ChangePassword(old="wrong", new="another password"))
    assert isinstance(rules.refuses(ann, ChangePassword(old=PASSWORD, new="another password")), RateLimited)
    assert isinstance(rules.refuses(ann, DeleteAccount(password=PASSWORD)), RateLimited)


def test_a_stranger_at_the_same_address_keeps_nobody_from_changing_their_password(rules: Rules, ann: Caller) -> None:
    for _ in range(5):
        rules.refuses(rules.stranger(ann.address), Login(username="ann", password="wrong"))
    assert isinstance(rules.refuses(rules.stranger(ann.address), Login(username="ann", password=PASSWORD)), RateLimited)
    rules.asks(ann, ChangePassword(old=PASSWORD, new="another password"))


def test_a_slow_handler_that_never_waits_runs_at_once() -> None:
    async def waits() -> None:
        await Waits()

    class Waits:
        def __await__(self) -> Any:
            yield

    coroutine = waits()
    with pytest.raises(AssertionError, match="it waited"):
        at_once(coroutine)
