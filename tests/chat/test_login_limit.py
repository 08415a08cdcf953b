"""Failed logins slow the next ones down, for one account and one address."""

from contextlib import ExitStack
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from imd.chat.base import rate_limits
from imd.chat.base.context import Caller
from imd.chat.base.rate_limits import LoginLimit
from imd.wire.accounts import ChangePassword, Login
from imd.wire.refusals import InvalidCredentials, RateLimited, Unavailable
from tests.chat.rules import PASSWORD, Rules


def delay(watch: LoginLimit, now: int, name: str = "ann", address: str = "a") -> int:
    """How many seconds a refusal tells the caller to wait."""
    try:
        with watch.trying((name, address), now):
            raise InvalidCredentials("code")  # which counts for nothing
    except RateLimited as refused:
        return int(str(refused.params["retry_after"]))
    except InvalidCredentials:
        return 0


def fail(watch: LoginLimit, times: int, now: int = 0, name: str = "ann", address: str = "a") -> int:
    """Fail several times, waiting as told before each try. Gives the time of the last one."""
    for _ in range(times):
        now += 1000 * delay(watch, now, name, address)
        with pytest.raises(InvalidCredentials), watch.trying((name, address), now):
            raise InvalidCredentials
    return now


def test_five_are_free_and_then_the_delay_doubles() -> None:
    watch = LoginLimit(5, Deferred)
    delays, now = [], 0
    for _ in range(18):
        delays.append(delay(watch, now))
        now = fail(watch, 1, now)
    assert delays == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


def test_waiting_as_long_as_told_is_enough() -> None:
    watch = LoginLimit(5, Deferred)
    now = fail(watch, 8, now=1000)
    assert delay(watch, now) == 8
    assert delay(watch, now + 7999) == 1
    assert delay(watch, now + 8000) == 0
    fail(watch, 1, now=now + 8000)
    assert delay(watch, now + 8000) == 16


def test_for_one_account_and_one_address() -> None:
    watch = LoginLimit(5, Deferred)
    now = fail(watch, 9)
    assert delay(watch, now) > 0
    assert delay(watch, now, name="bob") == 0
    assert delay(watch, now, address="b") == 0


def test_a_login_that_works_wipes_the_slate_clean() -> None:
    watch = LoginLimit(5, Deferred)
    fail(watch, 4)
    with watch.trying(("ann", "a"), 0):
        pass
    fail(watch, 4)
    assert delay(watch, 0) == 0


def test_a_try_without_an_outcome_neither_counts_nor_wipes() -> None:
    watch = LoginLimit(5, Deferred)
    fail(watch, 4)
    for _ in range(9):
        for neither in (Unavailable(), InvalidCredentials("code"), ZeroDivisionError()):
            with pytest.raises(type(neither)), watch.trying(("ann", "a"), 0):
                raise neither
    assert delay(watch, 0) == 0
    fail(watch, 1)
    assert delay(watch, 0) == 1


def test_many_tries_at_once_gain_nothing() -> None:
    """A try counts as failed until it has succeeded."""
    watch = LoginLimit(5, Deferred)
    fail(watch, 2)
    with ExitStack() as under_way:
        for _ in range(3):
            under_way.enter_context(watch.trying(("ann", "a"), 0))
        assert delay(watch, 0) == 1
        assert delay(watch, 10**6) == 1, "however long they take"
        assert delay(watch, 0, name="bob") == 0
    assert delay(watch, 0) == 0, "all were right"
    assert watch._records == {}


def test_devices_that_log_in_together_wait_for_one_another() -> None:
    """All devices of an account at once: none is refused because of the others, whose passwords are right too."""
    watch, order = LoginLimit(2, Deferred), []
    deciding: list[Deferred[None]] = []

    async def log_in(number: int) -> None:
        await watch.free(("ann", "a"))
        with watch.trying(("ann", "a"), 0):
            order.append(number)
            deciding.append(verdict := Deferred())
            await verdict

    devices = [Deferred.fromCoroutine(log_in(number)) for number in range(7)]
    assert order == [0, 1]
    while deciding:
        deciding.pop(0).callback(None)
    assert order == list(range(7))
    assert all(device.called for device in devices)
    assert watch._records == {}


def test_waiting_tries_are_refused_once_the_free_ones_have_failed() -> None:
    watch, tried = LoginLimit(2, Deferred), []
    deciding: list[Deferred[None]] = []

    async def guess() -> None:
        await watch.free(("ann", "a"))
        with watch.trying(("ann", "a"), 0):
            deciding.append(verdict := Deferred())
            await verdict
            tried.append(verdict)
            raise InvalidCredentials

    guesses = [Deferred.fromCoroutine(guess()) for _ in range(20)]
    while deciding:
        deciding.pop(0).callback(None)
    assert len(tried) == 2
    refused: list[Any] = []
    for each in guesses:
        each.addErrback(lambda failure: refused.append(failure.type))
    assert refused == [InvalidCredentials] * 2 + [RateLimited] * 18


def test_once_tries_are_delayed_they_come_one_at_a_time() -> None:
    watch = LoginLimit(5, Deferred)
    now = fail(watch, 6) + 2000
    with watch.trying(("ann", "a"), now):
        assert delay(watch, now) > 0


def test_none_free_is_one_at_a_time() -> None:
    watch = LoginLimit(0, Deferred)
    now = fail(watch, 1)
    assert delay(watch, now) == 2
    assert delay(watch, now, name="bob") == 0


def test_old_failures_are_forgotten() -> None:
    watch = LoginLimit(5, Deferred)
    now = fail(watch, 12) + rate_limits.REMEMBERED
    now = fail(watch, 1, now=now)
    assert delay(watch, now) > 0, "not a moment too early"
    now = fail(watch, 1, now=now + rate_limits.REMEMBERED + 1)
    assert delay(watch, now) == 0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "MOST_KEPT", 100)
    watch = LoginLimit(5, Deferred)
    for number in range(1000):
        fail(watch, 1, now=number * 60_000, name=f"name {number}")
        assert len(watch._records) <= 100
    for number in range(1000):
        fail(watch, 1, now=10**9, name=f"other {number}")
        assert len(watch._records) <= 100


def test_filling_the_memory_does_not_make_it_forget_a_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand other names, or addresses, each of which has failed less often."""
    monkeypatch.setattr(rate_limits, "MOST_KEPT", 100)
    watch = LoginLimit(5, Deferred)
    now = fail(watch, 12)
    for number in range(500):
        fail(watch, 4, now=now, name=f"name {number}")
        fail(watch, 4, now=now, address=f"address {number}")
    assert delay(watch, now) > 0


def test_a_stranger_shuts_nobody_out(rules: Rules, ann: Caller) -> None:
    """A stranger fails from many addresses, but not from the owner's."""
    for number in range(1, 200):
        for _ in range(6):
            rules.refuses(rules.stranger(f"198.51.100.{number}"), Login(username="ann", password="wrong"))
    assert rules.asks(rules.stranger("192.0.2.77"), Login(username="ann", password=PASSWORD)).username == "ann"


def test_failed_logins_are_told_by_account_and_address_only(rules: Rules, ann: Caller) -> None:
    rules.refuses(rules.stranger(), Login(username="ann", password="wrong"))
    rules.refuses(rules.stranger(), Login(username="nobody", password="wrong"))
    rules.refuses(ann, ChangePassword(old="wrong", new="another password"))
    rules.asks(rules.stranger(), Login(username="ann", password=PASSWORD))
    assert rules.failed == [(ann.account, "192.0.2.1", ""), (0, "192.0.2.1", ""), (ann.account, "192.0.2.1", "")]


def test_unknown_names_are_slowed_down_too(rules: Rules) -> None:
    for _ in range(5):
        assert isinstance(rules.refuses(rules.stranger(), Login(username="nobody", password="x")), InvalidCredentials)
    assert isinstance(rules.refuses(rules.stranger(), Login(username="nobody", password="x")), RateLimited)
    assert len(rules.checked) == 5, "who must wait costs no hashing"


def test_every_spelling_of_a_name_is_the_same_name(rules: Rules, ann: Caller) -> None:
    for name in ("ann", "Ann", "ANN", "ＡＮＮ", "aNN"):
        rules.refuses(rules.stranger(), Login(username=name, password="wrong"))
    refused = rules.refuses(rules.stranger(), Login(username="ann", password=PASSWORD))
    assert isinstance(refused, RateLimited)
    assert refused.params == {"retry_after": 1}
    assert rules.asks(rules.stranger("198.51.100.1"), Login(username="ann", password=PASSWORD)).username == "ann"
    rules.now += 1000
    assert rules.asks(rules.stranger(), Login(username="ann", password=PASSWORD)).username == "ann"


def test_a_clock_set_back_makes_the_delay_no_longer() -> None:
    watch = LoginLimit(5, Deferred)
    fail(watch, 8, now=10_000_000)
    assert delay(watch, 0) == 8
