"""A server in memory, and people at it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from imd.testing import MemoryServer
from tests.client.wires import Person, Wires, person


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
