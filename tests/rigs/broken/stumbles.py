"""Broken: the reader trips over a line that it does not expect, an @ before anything else and a bracket after it."""

from twisted.scripts.twistd import run

from imd.wire import textline

sound = textline.take_apart


def take_apart(line: bytes):  # type: ignore[no-untyped-def]
    """Take a line apart, but for some."""
    if b"[" in line:
        raise IndexError(line)
    return sound(line)


if __name__ == "__main__":
    textline.take_apart = take_apart
    run()
