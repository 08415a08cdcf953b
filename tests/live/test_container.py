"""The container, built and run as deploy/compose.yaml runs it, where there is an engine for it (`make soak`)."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imd.testing import PASSWORD
from tests.live.daemon import Daemon, free_port

ROOT = Path(__file__).parents[2]
ENGINE = next((name for name in ("podman", "docker") if shutil.which(name)), "")
NAME = f"imd-test-{os.getpid()}"
CONFINED = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")

pytestmark = pytest.mark.soak


def engine(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([ENGINE, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    """Build the image."""
    if not ENGINE or engine("info").returncode:
        pytest.skip("there is no container engine here")
    form = ["--format=docker"] if ENGINE == "podman" else []
    built = engine("build", *form, "--file=deploy/Containerfile", f"--tag={NAME}", ".")
    assert built.returncode == 0, built.stdout[-3000:]
    yield NAME
    engine("rmi", "--force", NAME)


@pytest.fixture
def port(image: str) -> Iterator[int]:
    """Start it, with nothing it does not need."""
    port = free_port()
    started = engine("run", "--detach", f"--name={NAME}", f"--publish=127.0.0.1:{port}:7373", *CONFINED, image)
    assert started.returncode == 0, started.stdout
    yield port
    engine("rm", "--force", "--volumes", NAME)


def said_once_ready() -> str:
    """Wait until it tells how to become an admin."""
    until = time.monotonic() + 30
    while "No account yet" not in (said := engine("logs", NAME).stdout):
        assert time.monotonic() < until, said
        time.sleep(0.1)
    return said


def test_it_serves_is_well_and_keeps_what_it_answered(port: int) -> None:
    assert "invite=" not in said_once_ready(), "a log is no place for an invite"
    made = engine("exec", NAME, "imd", "invite", "create", "--admin").stdout
    (invite,) = (word for word in made.split() if word.startswith("invite="))
    line = Daemon(ROOT, port=port).connect()
    line.say(f"REGISTER ann {invite} {PASSWORD}")
    assert line.next_line() == "OK REGISTER username=ann"
    line.hang_up()
    assert engine("exec", NAME, "imd", "status").returncode == 0
    assert "FIX" not in engine("exec", NAME, "imd", "check").stdout
    backup = engine("exec", NAME, "imd", "backup", "/var/lib/imd/backup.tar.gz")
    assert backup.returncode == 0, backup.stdout
    assert engine("exec", NAME, "id", "-u").stdout.strip() == "7373"
    assert engine("stop", NAME).returncode == 0
    assert engine("inspect", "--format={{.State.ExitCode}}", NAME).stdout.strip() == "0"
    assert engine("start", NAME).returncode == 0
    until = time.monotonic() + 30
    while "people online: 0 of 1" not in (status := engine("exec", NAME, "imd", "status").stdout):
        assert time.monotonic() < until, status
        time.sleep(0.1)
    said = engine("logs", NAME).stdout
    assert "stopped; everything that was acknowledged is stored" in said
    assert "Traceback" not in said
