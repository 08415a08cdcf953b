"""The log: one event per line, with ids and codes; never messages, passwords or tokens.

`imd run` writes text for people, or with `log_format = "json"` one object per line. With `log_file` it goes into FILES
files of FILE_BYTES each. For twistd, `--logger imd.run.log.configured` does the same, configured by the environment.
"""

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from twisted.logger import LogEvent, LogLevel, formatEvent
from twisted.python.failure import Failure
from twisted.python.logfile import LogFile

from imd.run.config import Config, load
from imd.run.errors import OperatorError
from imd.wire.terminal import harmless

FILE_BYTES = 10_485_760
FILES = 5
"""How many files are kept, including the current one."""

Observer = Callable[[LogEvent], None]

_config: list[Config] = []
"""The configuration for `configured`, if it is not the environment's."""


def use_config(config: Config) -> None:
    """Make `configured` use this configuration."""
    _config[:] = [config]


def configured() -> Observer:
    """Make the configured observer; twistd's `--logger` finds it by name."""
    try:
        config = _config[0] if _config else load({}, os.environ)
        return observer(config)
    except OperatorError as error:
        raise error.exit() from None


def observer(config: Config) -> Observer:
    """Make the observer for a configuration. Raises OperatorError."""
    write = _file(config) if config.log_file is not None else _terminal()
    if config.log_format == "json":
        return lambda event: write(format_json(event)) if should_log(event) else None
    timed = config.log_file is not None
    return lambda event: write(format_text(event, timed=timed)) if should_log(event) else None


def _terminal() -> Callable[[str], None]:
    out = sys.stdout  # later, twistd turns what is printed into log events
    return lambda line: print(line, file=out, flush=True)


def _file(config: Config) -> Callable[[str], None]:
    assert config.log_file is not None
    try:
        file = LogFile(
            config.log_file.name,
            str(config.log_file.parent),
            rotateLength=FILE_BYTES,
            maxRotatedFiles=FILES - 1,
            defaultMode=0o600,
        )
    except OSError as error:
        raise OperatorError("log_file", path=config.log_file, reason=error.strerror) from None
    return lambda line: file.write(f"{line}\n")


def should_log(event: LogEvent) -> bool:
    """Say whether an event is for the operator: imd's own from info up, all others from warnings up."""
    level = event.get("log_level", LogLevel.info)
    return bool(level > LogLevel.info or (level is LogLevel.info and _namespace(event).startswith("imd.")))


def _namespace(event: LogEvent) -> str:
    return str(event.get("log_namespace", ""))


def _traceback(event: LogEvent) -> list[str]:
    failure = event.get("log_failure")
    return failure.getTraceback().splitlines() if isinstance(failure, Failure) else []


def format_text(event: LogEvent, *, timed: bool) -> str:
    """Write an event for people. All lines but the first are indented, so that no name can forge an entry."""
    level = event.get("log_level", LogLevel.info)
    said = harmless(formatEvent(event))
    if level is not LogLevel.info:
        said = f"[{_namespace(event)}#{level.name}] {said}"
    if timed:
        said = f"{_time(event)} {said}"
    return "\n".join([said, *(f"    {harmless(line)}" for line in _traceback(event))])


def format_json(event: LogEvent) -> str:
    """Write an event for programs: time, level, namespace, message, and the plain values in it."""
    level = event.get("log_level", LogLevel.info)
    told: dict[str, Any] = {
        "time": _time(event),
        "level": level.name,
        "namespace": _namespace(event),
        "message": formatEvent(event),
    }
    told |= {
        name: value
        for name, value in event.items()
        if not name.startswith("log_") and isinstance(value, str | int | float) and name not in (*told, "line")
    }
    if traceback := _traceback(event):
        told["traceback"] = traceback
    return json.dumps(told, ensure_ascii=True)


def _time(event: LogEvent) -> str:
    moment = datetime.fromtimestamp(event.get("log_time", 0), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
