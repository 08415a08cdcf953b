"""Daemons for the tests that talk to a real one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.daemon import Daemon


@pytest.fixture
def start_daemon(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """Start daemons that end with the test."""
    daemons: list[Daemon] = []

    def start(*options: str, **settings: str) -> Daemon:
        daemon = Daemon(tmp_path / f"daemon{len(daemons)}", settings, options)
        daemons.append(daemon)
        return daemon.start()

    yield start
    for daemon in daemons:
        daemon.close()


@pytest.fixture
def daemon(start_daemon: Callable[..., Daemon]) -> Daemon:
    """One daemon on its defaults."""
    return start_daemon()
