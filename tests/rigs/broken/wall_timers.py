"""Broken: timers follow the wall clock, as Twisted's own do."""

import time
from types import SimpleNamespace

from twisted.scripts.twistd import run

from imd.run import service

if __name__ == "__main__":
    service.time = SimpleNamespace(monotonic=time.time)  # type: ignore[assignment]
    run()
