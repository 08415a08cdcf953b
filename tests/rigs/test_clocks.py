"""Clocks that are set, and a daemon that stands still: timers, tokens and order hold; timers by the wall are seen."""

from pathlib import Path

import pytest

from tests.rigs import clocks, kill


def faults(name: str, place: Path, seconds: float, program: tuple[str, ...] = kill.SOUND) -> list[str]:
    if name == "stepped" and clocks.LIBRARY is None:
        pytest.skip("needs libfaketime")
    report = clocks.run(name, place, seconds, program)
    print(report.text())
    return report.faults()


@pytest.mark.parametrize("name", clocks.SCENARIOS)
def test_clocks_and_pauses_disturb_nothing(name: str, tmp_path: Path) -> None:
    assert faults(name, tmp_path, 1) == []


@pytest.mark.soak
@pytest.mark.parametrize("name", clocks.SCENARIOS)
def test_clocks_and_a_minutes_pause_disturb_nothing(name: str, tmp_path: Path) -> None:
    assert faults(name, tmp_path, 60) == []


def test_timers_that_follow_the_wall_clock_are_caught(tmp_path: Path) -> None:
    assert faults("stepped", tmp_path, 1, kill.broken("wall_timers"))
