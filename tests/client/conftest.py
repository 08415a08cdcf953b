"""A server in memory, and people at it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from imd.testing import MemoryServer
from tests.client.places import Place
from tests.client.wires import Person, Wires, person
from tests.live.daemon import Daemon


@pytest.fixture
def wires() -> Iterator[Wires]:
    """The way to a fresh server; what is still connected at the end is cut."""
    wires = Wires(MemoryServer())
    yield wires
    wires.up = False
    wires.cut()


@pytest.fixture
def come(wires: Wires) -> Callable[..., Person]:
    """Let somebody come, with our client."""

    def come(username: str, **more: Any) -> Person:
        return person(wires, username, **more)

    return come


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path / "daemon", {"failed_logins": "50", "unauthenticated_per_address": "100"})
    yield daemon.start()
    daemon.close()


@pytest.fixture
def place(tmp_path: Path, daemon: Daemon) -> Callable[[str], Place]:
    return lambda name: Place(tmp_path / name, daemon)
