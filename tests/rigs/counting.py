"""The daemon as it is, but for a signal at which it counts its living objects: SIGUSR2, into the file `objects`."""

import gc
import signal
from pathlib import Path
from types import FrameType

from twisted.scripts.twistd import run

PLACE = Path("objects").absolute()


def count(number: int, frame: FrameType | None) -> None:
    """Count what lives after a collection."""
    gc.collect()
    PLACE.write_text(f"{len(gc.get_objects())}\n")


def listen() -> None:
    """Count when told to."""
    signal.signal(signal.SIGUSR2, count)


if __name__ == "__main__":
    listen()
    run()
