"""The `imd` command: run and check the server, administer it, chat."""

import getopt
import getpass
import io
import os
import sys
import time
from typing import Any

import msgspec
from imd_client import console, export, send
from twisted.internet import asyncioreactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import react
from twisted.logger import Logger
from twisted.python import usage
from twisted.scripts._twistd_unix import ServerOptions
from twisted.scripts.twistd import runApp

import imd.engine.house  # noqa: F401  # declares every command
from imd.run import backup_cli, check, log, operator, status
from imd.run.config import load
from imd.run.errors import OperatorError
from imd.run.options import Options, PlainOptions, say, tell
from imd.wire import catalog, shapes
from imd.wire.base import Right, Spec, registry
from imd.wire.jsonline import sentence
from imd.wire.refusals import BadEncoding, Refusal


class Run(Options):
    """`imd run`: twistd in the foreground, with a log for people."""

    def parseOptions(self, options: Any = None) -> None:
        """Check the options here, and keep them for twistd."""
        self.given = list(options or ())
        super().parseOptions(options)

    def carry_out(self) -> None:
        """Run until told to stop."""
        try:
            log.use_config(self.config())
        except OperatorError as error:
            raise error.exit() from None
        twistd = ServerOptions()
        twistd.parseOptions(["--nodaemon", "--pidfile=", "--logger=imd.run.log.configured", "imd", *self.given])
        try:
            runApp(twistd)
        except OSError:  # nobody foresaw it: `main` says it in a line, the log how it came to that
            Logger(namespace="imd.run").failure("fault: please report it")
            raise


class Chat(PlainOptions, console.Options):
    """`imd chat`."""

    synopsis = console.Options.synopsis.removeprefix("Usage: imd chat ")

    def carry_out(self) -> None:
        """Chat; ends with the console's exit code."""
        if self.rich:
            asyncioreactor.install()  # why: imd_client.rich
        react(_exiting, [console.main, self])


class Send(PlainOptions, send.Options):
    """`imd send`."""

    synopsis = send.Options.synopsis.removeprefix("Usage: imd send ")

    def carry_out(self) -> None:
        """Send; ends with exit code 0, 1 or 2."""
        react(_exiting, [send.main, self])


class Export(PlainOptions, export.Options):
    """`imd export`."""

    synopsis = export.Options.synopsis.removeprefix("Usage: imd export ")

    def carry_out(self) -> None:
        """Export; ends with exit code 0, 1 or 2."""
        react(_exiting, [export.main, self])


async def _exiting(reactor: Any, main: Any, options: PlainOptions) -> None:
    reactor.seconds = time.monotonic  # else timers jump with the wall clock
    code: Deferred[int] = main(reactor, options)
    reactor.addSystemEventTrigger("before", "shutdown", _cut_short, code)
    try:
        raise SystemExit(await code)
    except CancelledError:
        raise SystemExit(1) from None


def _cut_short(code: Deferred[int]) -> Deferred[int]:
    """Let the terminal be left as it was found, where a signal ends the program."""
    code.cancel()
    return code


class Check(Options):
    """`imd check`: the same options as the daemon, since it looks at what they would meet."""

    def carry_out(self) -> None:
        """Print a line for each thing looked at; exit code 1 where something needs mending."""
        try:
            findings = list(check.findings(self.config()))
        except OperatorError as error:
            raise error.exit() from None
        for finding in findings:
            tell(finding.line())
        sys.exit(not all(finding.well for finding in findings))


class Administer(PlainOptions):
    """One admin's command, its fields as words and options."""

    spec: Spec
    optParameters = [
        ["data-dir", "d", None, say("option.data_dir")],
        ["config", "c", None, say("option.config")],
    ]

    @classmethod
    def of(cls, spec: Spec) -> "type[Administer]":
        """Make the options of a command from its declaration."""
        language = catalog.language_here()
        parameters: list[list[Any]] = []
        flags: list[list[Any]] = []
        for field in msgspec.structs.fields(spec.shape):
            name, help_text = field.name.replace("_", "-"), catalog.say(f"field.{field.name}", language)
            if field.name not in spec.takes:
                flags.append([name, None, help_text]) if field.type is bool else parameters.append(
                    [name, None, None, help_text]
                )
        first, *others = [*spec.takes, ""]
        synopsis = " ".join(["[options]", first, *(f"[{name}]" for name in others if name)])
        about = f"{catalog.say(f'help.{spec.action}', language)} {say('dash') if spec.takes else ''}"
        body = {"spec": spec, "optParameters": parameters, "optFlags": flags, "synopsis": synopsis, "longdesc": about}
        return type(spec.action, (cls,), body)

    def parseOptions(self, options: Any = None) -> None:
        """Take options before and after the other words."""
        try:
            found, words = getopt.gnu_getopt(list(options or ()), self.shortOpt, self.longOpt)
        except getopt.GetoptError as error:
            raise self.mistake(str(error)) from None
        marks = {name: "=" if f"{name[2:]}=" in self.longOpt else "" for name, _ in found}
        super().parseOptions([*(f"{name}{marks[name]}{value}" for name, value in found), "--", *words])

    def parseArgs(self, *given: str) -> None:
        """Take the command's positional fields; `-` asks for one, so that a password stays out of the history."""
        if len(given) > len(self.spec.takes):
            raise usage.UsageError(say("extra", word=given[len(self.spec.takes)]))
        for name, word in zip(self.spec.takes, given, strict=False):
            self[name] = _asked(name) if word == "-" else word

    def carry_out(self) -> None:
        """Ask, and print the answer."""
        react(self._ask)

    async def _ask(self, reactor: Any) -> None:
        given = {name.replace("-", "_"): value for name, value in self.items() if value not in (None, 0)}
        places: dict[str, Any] = {name: given.pop(name) for name in ("data_dir", "config") if name in given}
        try:
            "".join(map(str, given.values())).encode()  # a shell hands on any bytes
            command = shapes.build(self.spec, given, strict=False)
            reply = await operator.ask(reactor, load(places, os.environ), self.spec, command)
        except (Refusal, UnicodeEncodeError) as error:
            refusal = error if isinstance(error, Refusal) else BadEncoding()
            tell(f"imd: {sentence(refusal, catalog.language_here())}", wrong=True)
        except (OperatorError, operator.CommandRefused) as error:
            tell(f"imd: {error}", wrong=True)
        else:
            tell("\n".join(operator.render_reply(self.spec, reply)))
            return
        raise SystemExit(1)


def _asked(name: str) -> str:
    if sys.stdin is None:  # closed
        return ""
    return getpass.getpass(f"{name}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


class Program(PlainOptions):
    """A command that only leads to others."""

    def getSynopsis(self) -> str:
        """Give the words that lead here, for this help and for those of the commands below."""
        led = f"{self.parent.getSynopsis()} {self.parent.subCommand}" if self.parent is not None else "Usage: imd"
        return led if self.subCommand else f"{led} COMMAND [options]"

    def parseArgs(self) -> None:
        """Ask for a command where none was given."""
        raise SystemExit(str(self))


def _administration() -> list[list[Any]]:
    """Make `imd user add` and its like from the admin's commands: the noun leads to its verbs."""
    nouns: dict[str, list[list[Any]]] = {}
    for spec in registry:
        if spec.right is Right.ADMIN:
            noun, verb = spec.verb.lower().split()
            help_text = catalog.say(f"help.{spec.action}", catalog.language_here())
            nouns.setdefault(noun, []).append([verb, None, Administer.of(spec), help_text])
    return [
        [
            noun,
            None,
            type(noun, (Program,), {"subCommands": verbs}),
            say("administer", verbs=", ".join(v[0] for v in verbs)),
        ]
        for noun, verbs in nouns.items()
    ]


class Imd(Program):
    """The whole command line."""

    longdesc = say("program")
    subCommands = [
        ["run", None, Run, say("run")],
        ["check", None, Check, say("check")],
        ["status", None, status.Status, say("status")],
        *backup_cli.COMMANDS,
        ["chat", None, Chat, say("chat")],
        ["send", None, Send, say("send")],
        ["export", None, Export, say("export")],
        *_administration(),
    ]


def main() -> None:
    """Do what the words of this process's command line say."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a character is no reason to stop
    chosen: Any = Imd()
    try:
        chosen.parseOptions()
        while chosen.subCommand:
            chosen = chosen.subOptions
        chosen.carry_out()
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # `| head`: nobody reads on
            tell(f"imd: {error}", wrong=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still to be written goes nowhere
        sys.exit(1)
