"""The daemon's options on a command line: `twistd imd ...` and `imd run ...`."""

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches

from twisted.python import usage

import imd
from imd.run.config import Config, load
from imd.run.errors import OperatorError
from imd.wire import catalog
from imd.wire.terminal import block


def say(key: str, **params: object) -> str:
    """Give a sentence of the command line, in the language of whoever reads it."""
    return catalog.say(f"command_line.{key}", catalog.language_here(), **params)


def tell(text: str, *, wrong: bool = False) -> None:
    """Print for whoever sits there, whatever stands in it: on stderr what is wrong."""
    print(block(text), file=sys.stderr if wrong else sys.stdout, flush=True)


class PlainOptions(usage.Options):
    """Options whose mistakes are one line on stderr, with the nearest known word."""

    def __init__(self) -> None:
        super().__init__()
        self.docs |= {"help": say("help"), "version": say("version")}

    def opt_version(self) -> None:
        """Show the version and exit."""
        print(f"imd {imd.__version__}")
        sys.exit(0)

    def opt_help(self) -> None:
        """Show this help and exit."""
        print(self)
        sys.exit(0)

    opt_h = opt_help

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Read the words of a command line. A mistake ends the process with one line."""
        try:
            super().parseOptions(options)
        except usage.UsageError as error:
            raise self.mistake(str(error)) from None
        except OperatorError as error:
            raise error.exit() from None

    def mistake(self, what: str) -> SystemExit:
        """Give what ends the process with this mistake, and the nearest known word to it, on stderr."""
        known = [f"--{name.rstrip('=')}" for name in self.longOpt]
        known += [name for name, *_ in getattr(self, "subCommands", ())]
        typed = next((each for each in what.split() if each.startswith("--")), what.split()[-1])
        near = [] if typed in known else get_close_matches(typed, known, n=1)
        return SystemExit(block(f"imd: {what}" + (f". {say('near', suggestion=near[0])}" if near else "")))


class Placed(PlainOptions):
    """A command about the data of a server: where that is, and how an OperatorError ends it."""

    optParameters = [
        ["data-dir", "d", None, say("option.data_dir")],
        ["config", "c", None, say("option.config")],
    ]

    def config(self) -> Config:
        """Put together where the data is. Raises OperatorError."""
        given = {name: self[name.replace("_", "-")] for name in ("data_dir", "config")}
        return load({name: value for name, value in given.items() if value}, os.environ)

    def carry_out(self) -> None:
        """Do it; what is wrong is one line on stderr."""
        try:
            self.work()
        except OperatorError as error:
            raise error.exit() from None

    def work(self) -> None:
        """Do what this command does. Raises OperatorError."""
        raise NotImplementedError


class Options(PlainOptions):
    """What `twistd imd` takes. Everything else is set in the configuration file or the environment."""

    longdesc = say("daemon")
    optParameters = [
        ["data-dir", "d", None, say("option.data_dir")],
        ["config", "c", None, say("option.config")],
        ["register", "r", None, say("option.register")],
        ["certificate", None, None, say("option.certificate")],
        ["key", None, None, say("option.key")],
        ["language", None, None, say("option.language")],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["listen"] = []
        self.docs["listen"] = say("option.listen")

    def opt_listen(self, endpoint: str) -> None:
        """Open this endpoint; may be given several times."""
        self["listen"].append(endpoint)

    opt_l = opt_listen

    def parseArgs(self, *words: str) -> None:
        """Take no words beside the options."""
        if words:
            raise usage.UsageError(say("extra", word=words[0]))

    def config(self) -> Config:
        """Put the options, the environment and the file together. Raises OperatorError."""
        given = {name.replace("-", "_"): value for name, value in self.items() if value not in (None, [])}
        return load(given, os.environ)
