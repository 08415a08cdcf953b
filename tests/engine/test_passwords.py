"""Password hashes: Argon2id, in threads of its own, for unknown names as for known ones."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type
from twisted.internet import reactor
from twisted.internet.defer import gatherResults

from imd.engine import crew
from imd.engine.crew import Inline, Threads
from imd.engine.passwords import Passwords
from imd.testing import CHEAP
from imd.wire.refusals import Unavailable


@pytest.fixture
def cheap() -> Iterator[Passwords]:
    threads = Threads(reactor, "passwords", 2)
    yield Passwords(threads, CHEAP)
    threads.stop()


async def test_a_hash_matches_its_password_alone(cheap: Passwords) -> None:
    kept = await cheap.hash("correct horse")
    assert await cheap.matches(kept, "correct horse")
    assert not await cheap.matches(kept, "correct hors")
    assert not await cheap.matches("not a hash", "correct horse")
    assert not await cheap.matches(None, "correct horse")
    assert not await cheap.matches(None, "nobody"), "not even what the stand-in was made of"


async def test_two_keyboards_spell_one_password(cheap: Passwords) -> None:
    kept = await cheap.hash("cafe\u0301 au lait")
    assert await cheap.matches(kept, "caf\u00e9 au lait")


async def test_a_hash_is_salted(cheap: Passwords) -> None:
    assert await cheap.hash("the same") != await cheap.hash("the same")


def test_what_it_costs() -> None:
    kept = Passwords(Inline()).hash("x").result
    cost = extract_parameters(kept)
    assert (cost.type, cost.memory_cost, cost.time_cost, cost.parallelism) == (Type.ID, 19_456, 2, 1)


async def test_who_is_unknown_costs_one_comparison_too(cheap: Passwords) -> None:
    await cheap.matches(None, "warm up")
    for password_hash in (None, await cheap.hash("x")):
        with patch.object(type(cheap.hasher), "verify", return_value=True) as verify:
            await cheap.matches(password_hash, "y")
        assert verify.call_count == 1


async def test_only_so_many_wait(cheap: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "MOST_WAITING", 3)
    waiting = [cheap.hash("x") for _ in range(3)]
    with pytest.raises(Unavailable):
        cheap.hash("x")
    assert len(await gatherResults(waiting)) == 3
    assert await cheap.hash("x")


async def test_none_is_taken_after_the_end(cheap: Passwords) -> None:
    cheap.crew.stop()
    with pytest.raises(Unavailable):
        cheap.hash("x")
