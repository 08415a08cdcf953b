"""What the tests of imd/run share."""

import os

import pytest

from imd.wire import catalog
from tests.live.conftest import start_daemon

__all__ = ["start_daemon"]


@pytest.fixture(autouse=True)
def in_english_and_unconfigured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may read Chinese and have settings of their own."""
    monkeypatch.setattr(catalog, "language_here", lambda: "en")
    for name in os.environ:
        if name.startswith("IMD_"):
            monkeypatch.delenv(name)
