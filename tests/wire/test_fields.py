"""What fields hold, as they are written."""

import pytest

from imd.wire.fields import wait_seconds


@pytest.mark.parametrize(
    ("milliseconds", "seconds"), [(-5, 1), (0, 1), (1, 1), (1000, 1), (1001, 2), (86_400_000, 86_400)]
)
def test_a_wait_is_rounded_up(milliseconds: int, seconds: int) -> None:
    assert wait_seconds(milliseconds) == seconds
