"""Password hashes: Argon2id, in threads of its own, for unknown names as for known ones."""

import os
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type
from twisted.internet import reactor
from twisted.internet.defer import gatherResults

from imd.chat.base.limits import Limits
from imd.engine.executor import InlineExecutor, ThreadExecutor
from imd.engine.passwords import Passwords
from imd.testing import CHEAP
from imd.wire.refusals import Refusal, Unavailable
from tests.engine.late import ManualExecutor


@pytest.fixture
def cheap() -> Iterator[Passwords]:
    threads = ThreadExecutor(reactor, "passwords", 2)
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
    kept = Passwords(InlineExecutor()).hash("x").result
    cost = extract_parameters(kept)
    assert (cost.type, cost.memory_cost, cost.time_cost, cost.parallelism) == (Type.ID, 19_456, 2, 1)


async def test_who_is_unknown_costs_one_comparison_too(cheap: Passwords) -> None:
    for password_hash in (None, await cheap.hash("x")):
        with patch.object(type(cheap.hasher), "verify", return_value=True) as verify:
            await cheap.matches(password_hash, "y")
        assert verify.call_count == 1


async def test_none_is_taken_after_the_end(cheap: Passwords) -> None:
    cheap.executor.stop()
    with pytest.raises(Unavailable):
        await cheap.hash("x")


# -- turns

FEW = Limits(password_checks=6, unauthenticated_per_address=4)


def ask(passwords: Passwords, times: int, address: str) -> list[str]:
    """Bring passwords from an address; gives the refusals."""
    codes = []
    for _ in range(times):
        try:
            passwords.matches(None, address, address, FEW).addErrback(lambda lost: lost.trap(Unavailable))
        except Refusal as refused:
            codes.append(f"{refused.code}.{refused.case} {refused.params['retry_after']}")
    return codes


def test_addresses_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    hand = ManualExecutor()
    passwords = Passwords(hand, CHEAP)
    order: list[str] = []
    monkeypatch.setattr(Passwords, "_verify", lambda self, kept, password: order.append(password))
    assert ask(passwords, 5, "storm") == []
    assert len(hand.waiting) == 2, "no more at once than there are threads"
    assert ask(passwords, 1, "a") == []
    hand.run()
    assert order == ["storm", "storm", "storm", "a", "storm", "storm"]
    assert (passwords.queue.waiting, passwords.queue._queues) == (0, {})


def test_only_so_many_wait_of_one_address_and_of_all() -> None:
    hand = ManualExecutor()
    passwords = Passwords(hand, CHEAP)
    assert ask(passwords, 8, "storm") == ["rate_limited.passwords 3"] * 2, "two are under way, four wait"
    assert ask(passwords, 3, "") == ["unavailable.passwords 3"]
    hand.run()
    assert ask(passwords, 1, "a") == []


async def test_when_all_is_full_who_brought_most_makes_room() -> None:
    hand = ManualExecutor()
    passwords = Passwords(hand, CHEAP)
    kept = [passwords.matches(None, "x", "storm", FEW) for _ in range(6)]
    assert ask(passwords, 2, "a") == []
    for latest in (kept.pop(), kept.pop()):
        with pytest.raises(Unavailable):
            await latest
    assert ask(passwords, 1, "a") == ask(passwords, 1, "storm") == ["unavailable.passwords 3"], "two of each wait"
    hand.run()
    assert await gatherResults(kept) == [False] * 4
    assert passwords.queue.waiting == 0


def test_who_has_no_address_is_counted_with_all_others_only() -> None:
    hand = ManualExecutor()
    passwords = Passwords(hand, CHEAP)
    assert ask(passwords, 7, "") == ["unavailable.passwords 3"]
    hand.run()


async def test_one_that_fails_holds_nobody_up(cheap: Passwords) -> None:
    failing = cheap.queue.put(lambda: 1 // 0, "a", 9, 9)
    others = [cheap.hash("x") for _ in range(3)]
    with pytest.raises(ZeroDivisionError):
        await failing
    assert len(await gatherResults(others)) == 3
    assert cheap.queue.waiting == 0


async def test_the_threads_that_hash_stand_back_and_the_others_do_not() -> None:
    executor = ThreadExecutor(reactor, "modest", niceness=3)
    here = os.getpriority(os.PRIO_PROCESS, 0)
    for _ in range(2):
        assert await executor.submit(lambda: os.getpriority(os.PRIO_PROCESS, 0)) == max(here, 3)
    assert os.getpriority(os.PRIO_PROCESS, 0) == here
    executor.stop()
