"""Broken: it waits for whoever does not log in, and for whoever does not read."""

from twisted.scripts.twistd import run

from imd.engine.session import Session
from imd.net.protocol import ImdProtocol


def never(self: object) -> None:
    """Let it pass."""


if __name__ == "__main__":
    Session._too_late = never  # type: ignore[method-assign]
    ImdProtocol._too_slow = ImdProtocol._abort = never  # type: ignore[method-assign]
    run()
