"""A bad network and killed clients: every device ends with the same log; and doubles are seen."""

import random
from pathlib import Path

import pytest

from tests.rigs import chaos, kill


def faults(result: chaos.Result) -> set[str]:
    """Name what was found, once it is certain that the network was bad."""
    print(result.table())
    assert result.reconnects >= 20
    assert result.kills
    return {fault for fault, cases in result.findings.items() if cases}


def test_a_bad_network_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    assert faults(chaos.Rig(tmp_path, 200, 20, seed, life=0.4, size=4).run()) == set(), f"seed {seed}"


@pytest.mark.soak
def test_two_thousand_reconnects_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    assert faults(chaos.Rig(tmp_path, 200_000, 2_000, seed, life=1.5).run()) == set(), f"seed {seed}"


def test_a_daemon_that_keeps_doubles_is_caught(tmp_path: Path) -> None:
    program = kill.broken("keeps_doubles")
    assert "doubled" in faults(chaos.Rig(tmp_path, 160, 20, 1, life=0.3, program=program, size=4).run())
