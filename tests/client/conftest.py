"""A server in memory, and people at it."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from imd.testing import MemoryServer
from tests.client.machines import Machine
from tests.client.network import Network, Person, person
from tests.client.tmux import Tmux
from tests.live.daemon import Daemon


@pytest.fixture
def network() -> Iterator[Network]:
    """The way to a fresh server; what is still connected at the end is cut."""
    network = Network(MemoryServer())
    yield network
    network.up = False
    network.cut()


@pytest.fixture
def join(network: Network) -> Callable[..., Person]:
    """Let somebody join, with our client."""

    def join(username: str, **more: Any) -> Person:
        return person(network, username, **more)

    return join


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path / "daemon", {"failed_logins": "50", "unauthenticated_per_address": "100"})
    yield daemon.start()
    daemon.close()


@pytest.fixture
def machine(tmp_path: Path, daemon: Daemon) -> Callable[[str], Machine]:
    return lambda name: Machine(tmp_path / name, daemon)


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    assert shutil.which("tmux"), "tmux is missing; `make test` installs it"
    tmux = Tmux(tmp_path / "tmux")
    yield tmux
    subprocess.run(["tmux", "-S", str(tmux.socket), "kill-server"], check=False, capture_output=True)
