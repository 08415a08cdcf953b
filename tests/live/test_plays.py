"""The plays again, over TLS, with a real daemon and a real disk."""

import time
from collections.abc import Callable

import attrs
import pytest

from tests.live.daemon import Daemon, Line
from tests.plays.play import Performance, Play, plays


@attrs.define
class LiveStage:
    """A daemon in a process of its own."""

    daemon: Daemon

    def connect(self, name: str) -> Line:
        return self.daemon.operator() if name == "operator" else self.daemon.connect()

    def pass_time(self, seconds: float) -> None:
        time.sleep(seconds)

    def now(self) -> int:
        return int(time.time() * 1000)


@pytest.mark.parametrize("play", [play for play in plays() if not play.needs_memory], ids=lambda play: play.name)
def test_play(play: Play, start_daemon: Callable[..., Daemon]) -> None:
    daemon = start_daemon(**play.settings)
    Performance(play, LiveStage(daemon)).run()
    assert daemon.stop() == 0
    assert "Traceback" not in daemon.log
