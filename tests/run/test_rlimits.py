"""Open files: the daemon raises what it may, and takes fewer connections where it may not."""

import resource

import pytest

from imd.chat.base.limits import Limits
from imd.run import rlimits


class System:
    """What the system allows, and lets be changed."""

    def __init__(self, soft: int, hard: int, *, stubborn: bool = False) -> None:
        self.now = (soft, hard)
        self.stubborn = stubborn

    def setrlimit(self, what: int, limits: tuple[int, int]) -> None:
        if self.stubborn or (limits[0] > self.now[1] != resource.RLIM_INFINITY):
            raise PermissionError
        self.now = limits


@pytest.mark.parametrize(
    ("soft", "hard", "stubborn", "connections", "now"),
    [
        (1024, 1_048_576, False, 10_000, 10_100),
        (65_536, 65_536, False, 10_000, 65_536),
        (1024, 4096, False, 3996, 4096),
        (1024, 4096, True, 924, 1024),
        (1024, resource.RLIM_INFINITY, False, 10_000, 10_100),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, False, 10_000, resource.RLIM_INFINITY),
        (64, 64, False, 2, 64),
    ],
)
def test_so_many_connections_as_the_system_allows(
    soft: int, hard: int, stubborn: bool, connections: int, now: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = System(soft, hard, stubborn=stubborn)
    monkeypatch.setattr("resource.getrlimit", lambda what: system.now)
    monkeypatch.setattr("resource.setrlimit", system.setrlimit)
    limits = rlimits.fit(Limits())
    assert limits.connections == connections
    assert system.now == (now, hard)
    assert limits.strangers == min(1000, connections // 2)
