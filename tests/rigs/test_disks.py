"""Disks that fail: no false success, reading goes on, and the daemon recovers by itself or says why it cannot start."""

import shutil
from pathlib import Path

import pytest

from tests.rigs import disks, kill

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")


def faults(name: str, place: Path, seconds: float, program: tuple[str, ...] = kill.SOUND) -> list[str]:
    try:
        report = disks.run(name, place, seconds, program)
    except disks.NoMount:
        pytest.skip("mounting is not allowed here: run as root")
    print(report.text())
    return report.faults()


@pytest.mark.parametrize("name", ["full", "low_water", "io_error", "locked", "no_start"])
def test_a_failing_disk_loses_nothing(name: str, tmp_path: Path) -> None:
    assert faults(name, tmp_path, 1) == []


def test_success_on_a_failing_disk_is_caught(tmp_path: Path) -> None:
    assert "every send is refused as unavailable" in faults("io_error", tmp_path, 1, kill.broken("answers_early"))


@pytest.mark.soak
@pytest.mark.parametrize("name", disks.SCENARIOS)
def test_a_failing_disk_loses_nothing_however_it_fails(name: str, tmp_path: Path) -> None:
    assert faults(name, tmp_path, 30) == []
