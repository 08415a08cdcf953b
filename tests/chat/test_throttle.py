"""Failed logins slow the next ones down, for one account and one address."""

import pytest

from imd.chat import throttle
from imd.chat.lanes import Me
from imd.chat.throttle import Throttle
from imd.wire.accounts import Login
from imd.wire.refusals import InvalidCredentials, RateLimited
from tests.chat.room import PASSWORD, Room


def delay(watch: Throttle, now: int, name: str = "ann", address: str = "a") -> int:
    """How many seconds it tells to wait."""
    try:
        watch.check(name, address, now)
    except RateLimited as refused:
        return int(str(refused.params["retry_after"]))
    return 0


def fail(watch: Throttle, times: int, now: int = 0, name: str = "ann", address: str = "a") -> None:
    for _ in range(times):
        watch.failed(name, address, now)


def test_five_are_free_and_then_the_delay_doubles() -> None:
    watch = Throttle(5)
    delays = []
    for _ in range(18):
        delays.append(delay(watch, 0))
        fail(watch, 1)
    assert delays == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


def test_waiting_as_long_as_told_is_enough() -> None:
    watch = Throttle(5)
    fail(watch, 8, now=1000)
    assert delay(watch, 1000) == 8
    assert delay(watch, 8999) == 1
    assert delay(watch, 9000) == 0
    fail(watch, 1, now=9000)
    assert delay(watch, 9000) == 16


def test_for_one_account_and_one_address() -> None:
    watch = Throttle(5)
    fail(watch, 9)
    assert delay(watch, 0) > 0
    assert delay(watch, 0, name="bob") == 0
    assert delay(watch, 0, address="b") == 0


def test_a_login_that_works_wipes_the_slate_clean() -> None:
    watch = Throttle(5)
    fail(watch, 4)
    watch.passed("ann", "a")
    fail(watch, 4)
    assert delay(watch, 0) == 0


def test_old_failures_are_forgotten() -> None:
    watch = Throttle(5)
    fail(watch, 12)
    later = throttle.REMEMBERED
    fail(watch, 1, now=later)
    assert delay(watch, later) > 0, "not a moment too early"
    fail(watch, 1, now=2 * later + 1)
    assert delay(watch, 2 * later + 1) == 0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MOST_KEPT", 100)
    watch = Throttle(5)
    for number in range(1000):
        fail(watch, 1, now=number * 60_000, name=f"name {number}")
        assert len(watch._records) <= 100
    for number in range(1000):
        fail(watch, 1, now=10**9, name=f"other {number}")
        assert len(watch._records) <= 100


def test_unknown_names_are_slowed_down_too(room: Room) -> None:
    for _ in range(5):
        assert isinstance(room.refuses(room.stranger(), Login(username="nobody", password="x")), InvalidCredentials)
    assert isinstance(room.refuses(room.stranger(), Login(username="nobody", password="x")), RateLimited)
    assert len(room.checked) == 5, "who must wait costs no hashing"


def test_every_spelling_of_a_name_is_the_same_name(room: Room, ann: Me) -> None:
    for name in ("ann", "Ann", "ANN", "ＡＮＮ", "aNN"):
        room.refuses(room.stranger(), Login(username=name, password="wrong"))
    refused = room.refuses(room.stranger(), Login(username="ann", password=PASSWORD))
    assert isinstance(refused, RateLimited)
    assert refused.params == {"retry_after": 1}
    assert room.asks(room.stranger("198.51.100.1"), Login(username="ann", password=PASSWORD)).username == "ann"
    room.now += 1000
    assert room.asks(room.stranger(), Login(username="ann", password=PASSWORD)).username == "ann"


def test_a_clock_set_back_makes_the_delay_no_longer() -> None:
    watch = Throttle(5)
    fail(watch, 8, now=10_000_000)
    assert delay(watch, 0) == 8
