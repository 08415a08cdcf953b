"""Notifications to systemd: ready, reloading, stopping, and the watchdog (sd_notify(3), Type=notify).

NOTIFY_SOCKET=...    the socket; without it nothing is sent
WATCHDOG_USEC=...    systemd restarts a service that does not send WATCHDOG=1 within this time
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
    """Send a state to systemd, if it listens. Failing to is only logged."""
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
    """Give the watchdog's time limit for this process; 0 for none."""
    microseconds, whom = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or (whom and whom != str(process)):
        return 0.0
    return int(microseconds) / 1_000_000


class Notifier(Service):
    """Sends READY=1 when the reactor runs, WATCHDOG=1 regularly, and STOPPING=1 at the end."""

    def __init__(self, reactor: Any, environment: Mapping[str, str] | None = None) -> None:
        self._reactor = reactor
        self._environment = dict(os.environ if environment is None else environment)
        self._period = watchdog_seconds(self._environment, os.getpid()) / 2
        self._timer: IDelayedCall | None = None

    def startService(self) -> None:
        """Wait until the reactor runs."""
        super().startService()
        self._reactor.callWhenRunning(self.ready)
        if self._period:
            self._watchdog()

    def ready(self) -> None:
        """Send that the service accepts connections."""
        if self.running:
            notify(self._environment, READY=1)

    def reloading(self) -> None:
        """Send that the configuration is being read; `ready` ends it."""
        notify(self._environment, RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1000)

    def _watchdog(self) -> None:
        notify(self._environment, WATCHDOG=1)
        self._timer = self._reactor.callLater(self._period, self._watchdog)

    def stopService(self) -> None:
        """Send that the service stops."""
        super().stopService()
        notify(self._environment, STOPPING=1)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
