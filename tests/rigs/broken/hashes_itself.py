"""Broken: passwords are hashed by the reactor's own thread."""

from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.scripts.twistd import run

from imd.engine.crew import Threads


def do(self: Threads, work: Any) -> "Deferred[Any]":
    """Do it here and now."""
    return maybeDeferred(work)


if __name__ == "__main__":
    Threads.do = do  # type: ignore[method-assign]
    run()
