"""The options of the daemon, declared once for `twistd imd`, `imd run` and the commands that use its data."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from twisted.python import usage

from imd.run.config import Config, load
from imd.run.parser import Parser, say

SHORT = {
    "data_dir": "-d",
    "config": "-c",
    "listen": "-l",
    "register": "-r",
    "certificate": "",
    "key": "",
    "language": "",
}
"""The keys of the configuration that are options, with their short names."""

PLACE = ("data_dir", "config")
"""The options of commands that only need to find the data."""


def add_options(parser: Parser, keys: Iterable[str] = tuple(SHORT)) -> None:
    """Add the options for these keys."""
    for key in keys:
        names = [name for name in (SHORT[key], f"--{key.replace('_', '-')}") if name]
        action = "append" if key == "listen" else "store"
        parser.add_argument(*names, dest=key, action=action, help=say(f"option.{key}"))


def configured(options: Mapping[str, Any]) -> Config:
    """Put the options, the environment and the file together. Raises OperatorError."""
    return load({key: options[key] for key in SHORT if options.get(key) is not None}, os.environ)


class Options(usage.Options):
    """The options of `twistd imd`, parsed like those of `imd run`, so that the two cannot differ."""

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Parse a command line. A mistake ends the process with one line."""
        parser = Parser("twistd imd", say("daemon"))
        add_options(parser)
        self.update(vars(parser.parse(sys.argv[1:] if options is None else options)))

    def config(self) -> Config:
        """Put the options, the environment and the file together. Raises OperatorError."""
        return configured(self)
