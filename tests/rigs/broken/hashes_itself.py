"""Broken: passwords are hashed by the reactor's own thread."""

from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.scripts.twistd import run

from imd.engine.executor import ThreadExecutor


def submit(self: ThreadExecutor, work: Any) -> "Deferred[Any]":
    """Run a function now."""
    return maybeDeferred(work)


if __name__ == "__main__":
    ThreadExecutor.submit = submit  # type: ignore[method-assign]
    run()
