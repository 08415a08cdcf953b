"""`imd chat`, `imd send` and `imd export`: the seam to the client, which reads its own options."""

import sys
import time
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from imd_client import console, export, send
from twisted.internet import asyncioreactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import react
from twisted.python import usage

import imd
from imd.run.parser import Parser, say
from imd.wire.terminal import block


class _Options(usage.Options):
    """The client's options with our help; a mistake is one line on stderr, with the nearest known word."""

    main: Any

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
            mistake = str(error)
            known = [f"--{name.rstrip('=')}" for name in self.longOpt]
            typed = next((each for each in mistake.split() if each.startswith("--")), "")
            if typed not in known and (near := get_close_matches(typed, known, n=1)):
                mistake = say("near", mistake=mistake, suggestion=near[0])
            raise SystemExit(block(f"imd: {mistake}")) from None

    def run(self) -> None:
        """Run until it ends, with its exit code."""
        react(_exit_with, [self.main, self])


class Chat(_Options, console.Options):
    """`imd chat`."""

    main = staticmethod(console.main)

    def run(self) -> None:
        """Chat; the full screen needs asyncio's reactor (see imd_client.rich)."""
        if self.rich:
            asyncioreactor.install()
        super().run()


class Send(_Options, send.Options):
    """`imd send`."""

    main = staticmethod(send.main)


class Export(_Options, export.Options):
    """`imd export`."""

    main = staticmethod(export.main)


COMMANDS: dict[str, type[_Options]] = {"chat": Chat, "send": Send, "export": Export}


def add_commands(program: Parser) -> None:
    """List them in the program's help."""
    for name in COMMANDS:
        program.add_command(name, say(name))


def read(words: Sequence[str]) -> _Options | None:
    """Read a command line that names one of the three; None for every other."""
    if not words or words[0] not in COMMANDS:
        return None
    options = COMMANDS[words[0]]()
    options.parseOptions(words[1:])
    return options


async def _exit_with(reactor: Any, main: Any, options: _Options) -> None:
    reactor.seconds = time.monotonic  # else timers follow the wall clock
    code: Deferred[int] = main(reactor, options)
    reactor.addSystemEventTrigger("before", "shutdown", _cancel, code)
    try:
        raise SystemExit(await code)
    except CancelledError:
        raise SystemExit(1) from None


def _cancel(code: Deferred[int]) -> Deferred[int]:
    """Cancel the program when a signal ends it, so that it restores the terminal."""
    code.cancel()
    return code
