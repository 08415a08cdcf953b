"""What systemd is told."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.task import Clock
from twisted.logger import LogEvent, globalLogPublisher

from imd.run import notify


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.settimeout(5)
        yield line


class RunningClock(Clock):
    """Time that a test moves, of a reactor that has begun."""

    def callWhenRunning(self, call: object) -> None:
        assert callable(call)
        call()


def heard(line: socket.socket) -> list[str]:
    """Take in what waits."""
    line.setblocking(False)
    told = []
    while True:
        try:
            told.append(line.recv(1000).decode())
        except BlockingIOError:
            return told


def test_a_life_is_told(systemd: socket.socket) -> None:
    clock = RunningClock()
    environment = {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "10000000"}
    notifier = notify.Notifier(clock, environment)
    notifier.startService()
    assert heard(systemd) == ["READY=1", "WATCHDOG=1"]
    clock.pump([1] * 10)
    assert heard(systemd) == ["WATCHDOG=1"] * 2, "twice as often as it must be"
    notifier.reloading()
    notifier.ready()
    reloading, ready = heard(systemd)
    assert reloading.startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert ready == "READY=1"
    notifier.stopService()
    assert heard(systemd) == ["STOPPING=1"]
    assert clock.getDelayedCalls() == []
    notifier.ready()
    assert heard(systemd) == [], "a daemon that stops is not ready"


def test_an_abstract_socket() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind("\0imd-test-notify")
        notify.notify({"NOTIFY_SOCKET": "@imd-test-notify"}, READY=1)
        assert line.recv(100) == b"READY=1"


def test_nobody_listens() -> None:
    said: list[LogEvent] = []
    globalLogPublisher.addObserver(said.append)
    notify.notify({}, READY=1)
    assert said == []
    notify.notify({"NOTIFY_SOCKET": "/nowhere"}, READY=1)
    globalLogPublisher.removeObserver(said.append)
    assert [event["log_format"] for event in said] == ["systemd was not told: {error}"]


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, 0),
        ({"WATCHDOG_USEC": "soon"}, 0),
        ({"WATCHDOG_USEC": "3000000"}, 3),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "7"}, 3),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "8"}, 0),
    ],
)
def test_the_watchdog_is_for_this_process(environment: dict[str, str], seconds: float) -> None:
    assert notify.watchdog_seconds(environment, 7) == seconds
