"""How many accounts one address may register in a day."""

import attrs
import pytest

from imd.chat.base import rate_limits
from imd.chat.base.limits import Limits
from imd.chat.base.rate_limits import DAY, RegistrationLimit
from imd.wire.accounts import Register
from imd.wire.admin import InviteCreate
from imd.wire.refusals import NameTaken, RateLimited, Unavailable
from tests.chat.rules import PASSWORD, Rules


def register(name: str, **more: str) -> Register:
    return Register(username=name, password=PASSWORD, **more)


@pytest.fixture
def full() -> Rules:
    """A room in which the strangers' address has registered its two accounts."""
    rules = Rules(Limits(registrations_per_address=2))
    for name in ("ann", "bob"):
        rules.asks(rules.stranger(), register(name))
    return rules


def test_so_many_in_a_day(full: Rules) -> None:
    full.now += DAY - 1000
    refused = full.refuses(full.stranger(), register("cid"))
    assert (type(refused), refused.case, refused.params) == (RateLimited, "registrations", {"retry_after": 1})
    full.now += 1000
    assert full.asks(full.stranger(), register("cid")).username == "cid"


def test_others_are_not_concerned(full: Rules) -> None:
    assert full.asks(full.stranger("198.51.100.1"), register("cid")).username == "cid"


def test_a_registration_by_invite_is_not_counted(full: Rules) -> None:
    """An invite is limited by its uses."""
    invite = full.asks(full.operator(), InviteCreate(uses=5)).invite
    for name in ("cid", "dan"):
        assert full.asks(full.stranger(), register(name, invite=invite)).username == name


@pytest.mark.parametrize("address", ["", "127.0.0.1", "::/64"])
def test_this_machine_is_not_counted(full: Rules, address: str) -> None:
    for name in ("cid", "dan", "eve"):
        assert full.asks(full.stranger(address), register(name)).username == name


def test_none_is_no_limit(full: Rules) -> None:
    full.limits = Limits(registrations_per_address=0)
    assert full.asks(full.stranger(), register("cid")).username == "cid"


def test_what_fails_does_not_count() -> None:
    @attrs.define
    class Busy(Rules):
        async def hash_password(self, password: str, address: str) -> str:
            raise Unavailable("passwords")

    for rules, refusal in ((Rules(Limits(registrations_per_address=1)), NameTaken), (Busy(), Unavailable)):
        rules.person("ann")
        name = "ann" if refusal is NameTaken else "bob"
        for _ in range(3):
            assert isinstance(rules.refuses(rules.stranger(), register(name)), refusal)
        assert all(day.count == 0 for day in rules.registrations._days.values())


def test_many_at_once_gain_nothing() -> None:
    counting = RegistrationLimit()
    with counting.registering("a", 1, 0), pytest.raises(RateLimited), counting.registering("a", 1, 0):
        pass


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "MOST_KEPT", 10)
    counting = RegistrationLimit()
    for number in range(100):
        with counting.registering(f"address {number}", 5, number):
            assert len(counting._days) <= 10


def test_a_clock_set_back_makes_the_day_no_longer() -> None:
    counting = RegistrationLimit()
    with counting.registering("a", 1, 10 * DAY):
        pass
    with pytest.raises(RateLimited) as refused, counting.registering("a", 1, 0):
        pass
    assert refused.value.params == {"retry_after": 86_400}
