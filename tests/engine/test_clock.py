"""Two clocks: the wall's, which people set, and the one that only runs."""

import pytest

from imd.engine.house import House
from imd.testing import EPOCH, MemoryServer


def house() -> tuple[House, MemoryServer, list[int]]:
    """Give a house whose wall clock the test sets apart from the time that passes."""
    server, wall = MemoryServer(), [EPOCH]
    return House(database=server.database, reactor=server.clock, now=lambda: wall[0]), server, wall


@pytest.mark.parametrize("step", [10**12, -(10**12)])
def test_steady_time_passes_and_is_not_set(step: int) -> None:
    made, server, wall = house()
    wall[0] += step
    assert made.steady() == EPOCH
    server.clock.advance(60)
    assert made.steady() == EPOCH + 60_000
