"""Two clocks: the wall's, which people set, and the one that only runs."""

import pytest

from imd.engine.server import Server
from imd.testing import EPOCH, MemoryServer


def two_clocks() -> tuple[Server, MemoryServer, list[int]]:
    """Give a server whose wall clock the test sets apart from the time that passes."""
    memory, wall = MemoryServer(), [EPOCH]
    return Server(database=memory.database, reactor=memory.clock, now=lambda: wall[0]), memory, wall


@pytest.mark.parametrize("step", [10**12, -(10**12)])
def test_steady_time_passes_and_is_not_set(step: int) -> None:
    made, server, wall = two_clocks()
    wall[0] += step
    assert made.steady() == EPOCH
    server.clock.advance(60)
    assert made.steady() == EPOCH + 60_000
