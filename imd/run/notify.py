"""Telling systemd how the service is: ready, reloading, stopping, and alive (sd_notify(3), Type=notify).

NOTIFY_SOCKET=...    where to tell it; without one, nothing is told
WATCHDOG_USEC=...    how often at least systemd wants to hear that the reactor still turns
"""

import os
import socket
import time
from collections.abc import Mapping
from typing import Any

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

log = Logger(namespace="imd.run")


def notify(environment: Mapping[str, str], **state: object) -> None:
    """Tell systemd, if it listens; that it does not is no reason to stop."""
    path = environment.get("NOTIFY_SOCKET", "")
    if not path:
        return
    address = f"\0{path[1:]}" if path.startswith("@") else path
    text = "\n".join(f"{name}={value}" for name, value in state.items())
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.sendto(text.encode(), address)
    except OSError as error:
        log.warn("systemd was not told: {error}", error=error)


def watchdog_seconds(environment: Mapping[str, str], process: int) -> float:
    """Give how often systemd wants to hear of this process; 0 for never."""
    microseconds, whom = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or (whom and whom != str(process)):
        return 0.0
    return int(microseconds) / 1_000_000


class Notifier(Service):
    """Says READY once the reactor turns, then again and again that it does, and STOPPING at the end."""

    def __init__(self, reactor: Any, environment: Mapping[str, str] | None = None) -> None:
        self._reactor = reactor
        self._environment = dict(os.environ if environment is None else environment)
        self._period = watchdog_seconds(self._environment, os.getpid()) / 2
        self._timer: IDelayedCall | None = None

    def startService(self) -> None:
        """Wait for the reactor."""
        super().startService()
        self._reactor.callWhenRunning(self.ready)
        if self._period:
            self._watchdog()

    def ready(self) -> None:
        """Say that connections are taken."""
        if self.running:
            notify(self._environment, READY=1)

    def reloading(self) -> None:
        """Say that the configuration is being read; `ready` says that it was."""
        notify(self._environment, RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1000)

    def _watchdog(self) -> None:
        notify(self._environment, WATCHDOG=1)
        self._timer = self._reactor.callLater(self._period, self._watchdog)

    def stopService(self) -> None:
        """Say that it ends."""
        super().stopService()
        notify(self._environment, STOPPING=1)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
