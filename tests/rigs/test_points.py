"""Killed at the n-th write, sync or rename: nothing is lost; and an answer before the commit is seen."""

import shutil
from pathlib import Path

import pytest

from tests.rigs import kill, points

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")


ASKED = 1320
"""How many points are asked for, more than the script has, so that a thousand are reached."""


def faults(result: points.Result) -> set[str]:
    """Name what was found."""
    print(result.table())
    return {fault for fault, cases in result.findings.items() if cases}


def test_ten_points_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    result = points.run(tmp_path, 10, 40)
    assert faults(result) == set()
    assert result.killed.total() >= 3 * result.unreached, "three of four points must be reached"


@pytest.mark.soak
def test_a_thousand_points_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    result = points.run(tmp_path, ASKED, 200)
    assert faults(result) == set()
    assert result.killed.total() >= 1000


def test_an_answer_before_the_commit_is_caught(tmp_path: Path) -> None:
    assert "lost" in faults(points.run(tmp_path, 5, 40, kill.broken("answers_early")))
