"""Broken: it keeps every connection that it ever had, and every file that those brought."""

import os

from twisted.scripts.twistd import run

from imd.net.connection import ImdProtocol
from tests.rigs import counting

kept: list[object] = []
sound = ImdProtocol.connectionMade


def connection_made(self: ImdProtocol) -> None:
    """Begin, and remember it."""
    kept.append((self, os.dup(0)))
    sound(self)


if __name__ == "__main__":
    counting.listen()
    ImdProtocol.connectionMade = connection_made  # type: ignore[method-assign]
    run()
