"""Malformed input: no fault in the log, an answer afterwards, memory bounded; and a stumbling reader is seen."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rigs import fuzz, kill, malformed


def faults(result: fuzz.Result, kinds: int = 8) -> list[str]:
    """Give what was found, once it is certain that the noise was of many kinds."""
    print(result.table())
    assert len(result.answers) >= kinds
    return result.faults


def test_ten_thousand_malformed_inputs(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    assert faults(fuzz.run(tmp_path, 10_000, seed)) == [], f"seed {seed}"


@pytest.mark.soak
def test_a_hundred_thousand_malformed_inputs(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    assert faults(fuzz.run(tmp_path, 100_000, seed)) == [], f"seed {seed}"


@pytest.mark.soak
def test_fuzz_the_readers_by_coverage() -> None:
    command = [sys.executable, "-m", "tests.rigs.readers", "-runs=200000"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode == malformed.WITHOUT_ATHERIS:
        pytest.skip(ended.stdout.strip())
    print(ended.stderr[-500:])
    assert ended.returncode == 0, ended.stderr[-3000:]


def test_a_reader_that_stumbles_is_caught(tmp_path: Path) -> None:
    assert faults(fuzz.run(tmp_path, 300, 5, kill.broken("stumbles")), kinds=0)


def test_the_noise_is_of_every_command_and_repeats_by_its_seed() -> None:
    lines = malformed.valid()
    assert len(lines) > 80
    first, second = ([malformed.piece(random.Random(7), lines) for _ in range(100)] for _ in range(2))
    assert first == second
