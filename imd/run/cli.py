"""The `imd` command: run and check the server, administer it, chat."""

import argparse
import io
import os
import sys

from twisted.logger import Logger
from twisted.scripts._twistd_unix import ServerOptions
from twisted.scripts.twistd import runApp

import imd.engine.server  # noqa: F401  # declares every command
from imd.run import admin_cli, backup_cli, check, client_cli, log, status
from imd.run.errors import OperatorError
from imd.run.options import add_options, configured
from imd.run.parser import Parser, echo, say


def program() -> Parser:
    """Make the parser of the whole command line."""
    parser = Parser("imd", say("program"))
    for name, run in (("run", run_daemon), ("check", run_check)):
        command = parser.add_command(name, say(name), say("daemon"))
        add_options(command)
        command.set_defaults(run=run)
    status.add_command(parser)
    backup_cli.add_commands(parser)
    client_cli.add_commands(parser)
    admin_cli.add_commands(parser)
    return parser


def run_daemon(namespace: argparse.Namespace) -> None:
    """Run twistd in the foreground, with a log for people, until told to stop. Raises OperatorError."""
    log.use_config(configured(vars(namespace)))
    twistd = ServerOptions()
    twistd.parseOptions(["--nodaemon", "--pidfile=", "--logger=imd.run.log.configured", "imd"])
    twistd.subOptions.update(vars(namespace))
    try:
        runApp(twistd)
    except OSError:  # unexpected: `main` prints one line, the log has the traceback
        Logger(namespace="imd.run").failure("fault: please report it")
        raise


def run_check(namespace: argparse.Namespace) -> None:
    """Print the result of each check; exit code 1 if something is wrong. Raises OperatorError."""
    findings = list(check.findings(configured(vars(namespace))))
    for finding in findings:
        echo(finding.line())
    sys.exit(not all(finding.well for finding in findings))


def main() -> None:
    """Run the command line of this process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="backslashreplace"
            )  # a character that the terminal lacks must not end the program
    try:
        run_command(sys.argv[1:])
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # as in `imd ... | head`
            echo(f"imd: {error}", wrong=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left to write at exit is dropped
        sys.exit(1)


def run_command(words: list[str]) -> None:
    """Run one command line. A mistake or an OperatorError ends the process with one line."""
    namespace = program().parse(words)
    try:
        namespace.run(namespace)
    except OperatorError as error:
        raise error.exit() from None
