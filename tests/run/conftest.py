"""What the tests of imd/run share."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.live.conftest import start_daemon

__all__ = ["start_daemon"]


@pytest.fixture
def passable() -> Iterator[Path]:
    """A directory that every user may pass; pytest's own lets in nobody else, and lies in one that is not ours."""
    with TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)
