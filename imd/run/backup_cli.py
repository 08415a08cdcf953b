"""`imd backup`, `imd restore` and `imd verify` on the command line."""

import argparse
import getpass
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from imd.run import backup, restore, verify
from imd.run.errors import OperatorError
from imd.run.options import PLACE, add_options, configured
from imd.run.parser import Parser, echo, say

Run = Callable[[argparse.Namespace], None]

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def add_commands(program: Parser) -> None:
    """Add the three."""
    command = _add_command(program, "backup", say("backup"), say("backup.about"), run_backup)
    command.add_argument("-e", "--encrypt", action="store_true", help=say("option.encrypt"))
    command = _add_command(program, "restore", say("restore"), say("restore.about"), run_restore)
    command.add_argument("--force", action="store_true", help=say("option.force"))
    _add_command(program, "verify", say("verify"), say("verify.about"), run_verify, nargs="?")


def _add_command(program: Parser, name: str, summary: str, about: str, run: Run, **file: str) -> Parser:
    parser = program.add_command(name, summary, about)
    parser.add_argument("file", metavar="FILE", help=say("option.file"), **file)
    parser.add_argument("-p", "--passphrase-file", help=say("option.passphrase_file"))
    add_options(parser, PLACE)
    parser.set_defaults(run=lambda namespace: _run(run, namespace))
    return parser


def _run(run: Run, namespace: argparse.Namespace) -> None:
    """Do it, and let nothing lie about where a signal ends it."""
    for each in ENDING:
        if signal.getsignal(each) is not signal.SIG_IGN:  # nohup's stays ignored
            signal.signal(each, _end)
    run(namespace)


def _end(number: int, frame: FrameType | None) -> None:
    """End, but clear away first what lies unsealed; a second signal does not cut that short."""
    for each in ENDING:
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


def passphrase(file: str | None) -> str:
    """Give the first line of the file that was named; else ask at the terminal. Raises OperatorError."""
    if file:
        try:
            lines = Path(file).read_text("utf-8").splitlines()
        except (OSError, ValueError) as error:
            raise OperatorError("unreadable", path=file, reason=error) from None
        given = lines[0] if lines else ""
    elif sys.stdin is not None and sys.stdin.isatty():
        given = getpass.getpass(f"{say('passphrase')}: ")
    else:
        given = ""
    if not given:
        raise OperatorError("no_passphrase")
    return given


def run_backup(namespace: argparse.Namespace) -> None:
    """Make a backup, and say what is in it."""
    secret = passphrase(namespace.passphrase_file) if namespace.encrypt or namespace.passphrase_file else ""
    made = backup.make(configured(vars(namespace)), Path(namespace.file).absolute(), secret)
    size = f"{made.bytes / 2**20:.1f} MiB"
    echo(say("backup.made", path=made.path, size=size, seconds=f"{made.seconds:.1f}", files=", ".join(made.files)))
    for path, reason in made.left_out.items():
        echo(f"imd: {say('backup.left_out', path=path, reason=reason)}", wrong=True)


def run_restore(namespace: argparse.Namespace) -> None:
    """Restore, and say what to do next."""
    given = namespace.data_dir
    into = Path(given).absolute() if given else configured(vars(namespace)).data_dir
    done = restore.restore(
        Path(namespace.file), into, lambda: passphrase(namespace.passphrase_file), force=namespace.force
    )
    echo(say("restore.done", path=done.directory, made=done.manifest.made))
    if done.kept is not None:
        echo(say("restore.kept", path=done.kept))
    if "config.toml" in done.manifest.files:
        echo(say("restore.config", path=done.directory / "config.toml"))


def run_verify(namespace: argparse.Namespace) -> None:
    """Print a line for each thing looked at; exit code 1 where something does not hold."""
    path = Path(namespace.file) if namespace.file else configured(vars(namespace)).data_dir
    well = True
    for finding in verify.findings(path.absolute(), lambda: passphrase(namespace.passphrase_file)):
        echo(finding.line())
        well = well and finding.well
    sys.exit(int(not well))
