"""Kill -9: what was acknowledged is there, once and in order; and the rig sees it when a daemon breaks that."""

import random
from pathlib import Path

import pytest

from tests.rigs import kill


def faults(result: kill.Result) -> set[str]:
    """Name what was found, once it is certain that enough happened to find something."""
    print(result.table())
    assert result.acknowledged == result.sent > 20 * result.kills
    return {fault for fault, cases in result.findings.items() if cases}


def test_twenty_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    assert faults(kill.run(tmp_path, 20, seed)) == set(), f"seed {seed}"


@pytest.mark.soak
def test_five_hundred_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    assert faults(kill.run(tmp_path, 500, seed)) == set(), f"seed {seed}"


def test_an_answer_before_the_commit_is_caught(tmp_path: Path) -> None:
    assert "lost" in faults(kill.run(tmp_path, 5, 1, kill.broken("answers_early")))


def test_a_missing_client_id_key_is_caught(tmp_path: Path) -> None:
    assert "doubled" in faults(kill.run(tmp_path, 5, 1, kill.broken("keeps_doubles")))
