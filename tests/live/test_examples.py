"""The examples run as they stand, and stay short."""

import os
import re
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import imd.api
from tests.live.daemon import START_SECONDS, TWISTD, Daemon, Line, free_port

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


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """Run the example of imd.api."""
    port = free_port()
    _, example, _ = re.split(r":\n\n(?=    )|\n\n(?=docs/)", imd.api.__doc__ or "")
    program = textwrap.dedent(example).replace("7373", str(port))
    (tmp_path / "embedding.py").write_text(program)
    process = subprocess.Popen([sys.executable, "embedding.py"], cwd=tmp_path)
    yield port, process
    process.kill()
    process.wait()


def test_a_server_that_an_application_opens(embedded: tuple[int, "subprocess.Popen[bytes]"]) -> None:
    port, process = embedded
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 10) as peer:
            lines = peer.makefile("rw", newline="\n")
            lines.write("REGISTER alice correct horse battery\nLOGIN alice correct horse battery\nROLL\nQUIT\n")
            lines.flush()
            assert "OK ROLL result=4" in lines.read().splitlines()
            break
        time.sleep(0.1)
    else:
        pytest.fail("it does not listen")
    process.terminate()
    process.wait(10)
