"""The examples run as they stand, and stay short."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.daemon import TWISTD, Daemon, Line

EXAMPLES = Path(__file__).parents[2] / "examples"
LONGEST = 25


@pytest.mark.parametrize("example", sorted(EXAMPLES.iterdir()), ids=lambda path: path.name)
def test_an_example_is_short(example: Path) -> None:
    assert len([line for line in example.read_text("utf-8").splitlines() if line.strip()]) < LONGEST


@pytest.fixture
def tavern(tmp_path: Path) -> Iterator[Line]:
    daemon = Daemon(tmp_path)
    listen = {"IMD_LISTEN": f"imd:{daemon.port}:interface=127.0.0.1", "IMD_DATA_DIR": str(tmp_path / "data")}
    with (tmp_path / "log").open("wb") as log:
        daemon.process = subprocess.Popen(
            [TWISTD, "-n", "--pidfile=", "-y", EXAMPLES / "tavern.tac"],
            cwd=tmp_path,
            env=os.environ | listen,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    daemon.wait()
    yield daemon.connect()
    daemon.close()


def test_a_command_of_another_application(tavern: Line) -> None:
    for line in ("REGISTER alice correct horse battery", "LOGIN alice correct horse battery", "ROLL 1", "HELP ROLL"):
        tavern.say(line)
    heard = [tavern.next_line() for _ in range(8)]
    assert "OK ROLL result=1" in heard
    assert "-     Roll a die." in heard
