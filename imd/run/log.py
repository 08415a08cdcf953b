"""The log of `imd run`, for a person who watches: what imd says as it stands, and what goes wrong anywhere."""

import sys
from collections.abc import Callable

from twisted.logger import LogEvent, LogLevel, eventAsText, formatEvent


def plain() -> Callable[[LogEvent], None]:
    """Make the observer; `twistd --logger imd.run.log.plain` asks for it by name."""
    out = sys.stdout  # the terminal: what is printed later is turned into log events

    def observe(event: LogEvent) -> None:
        if event["log_level"] > LogLevel.info:
            print(eventAsText(event), file=out, flush=True)
        elif event["log_level"] is LogLevel.info and event["log_namespace"].startswith("imd."):
            print(formatEvent(event), file=out, flush=True)

    return observe
