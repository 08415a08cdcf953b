"""`imd backup`, `imd restore`, `imd verify` and `imd keygen` on the command line."""

import argparse
import getpass
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from imd.run import backup, encrypted, restore, verify
from imd.run.errors import OperatorError
from imd.run.options import PLACE, add_options, configured
from imd.run.parser import Parser, echo, say

Run = Callable[[argparse.Namespace], None]

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def add_commands(program: Parser) -> None:
    """Add the four."""
    command = _add_command(program, "backup", say("backup"), say("backup.about"), run_backup)
    command.add_argument("-r", "--recipient", action="append", default=[], help=say("option.recipient"))
    command = _add_command(program, "restore", say("restore"), say("restore.about"), run_restore)
    command.add_argument("--force", action="store_true", help=say("option.force"))
    _add_identity(command)
    _add_identity(_add_command(program, "verify", say("verify"), say("verify.about"), run_verify, nargs="?"))
    command = program.add_command("keygen", say("keygen"), say("keygen.about"))
    command.add_argument("file", metavar="FILE", help=say("option.identity"))
    command.set_defaults(run=run_keygen)


def _add_command(program: Parser, name: str, summary: str, about: str, run: Run, **file: str) -> Parser:
    parser = program.add_command(name, summary, about)
    parser.add_argument("file", metavar="FILE", help=say("option.file"), **file)
    add_options(parser, PLACE)
    parser.set_defaults(run=lambda namespace: _run(run, namespace))
    return parser


def _add_identity(parser: Parser) -> None:
    parser.add_argument("-i", "--identity", help=say("option.identity"))
    parser.add_argument("-p", "--passphrase-file", help=say("option.passphrase_file"))


def _run(run: Run, namespace: argparse.Namespace) -> None:
    """Run a command that removes its temporary files even if a signal ends it."""
    for each in ENDING:
        if signal.getsignal(each) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(each, _end)
    run(namespace)


def _end(number: int, frame: FrameType | None) -> None:
    """Exit, so that `with` blocks remove clear copies; a second signal does not interrupt that."""
    for each in ENDING:
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


def passphrase(file: str | None) -> str:
    """Read the first line of a file, or else ask at the terminal. Raises OperatorError."""
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


def identities(namespace: argparse.Namespace) -> encrypted.Identities:
    """Read the identity file of the command line. Raises OperatorError."""
    if not namespace.identity:
        raise OperatorError("no_identity")
    return encrypted.identities(Path(namespace.identity), lambda: passphrase(namespace.passphrase_file))


def run_keygen(namespace: argparse.Namespace) -> None:
    """Make an identity, and print its recipient. Raises OperatorError."""
    public = encrypted.make_identity(Path(namespace.file))
    echo(say("keygen.done", path=namespace.file, recipient=public))


def run_backup(namespace: argparse.Namespace) -> None:
    """Make a backup, and print what it contains. Raises OperatorError."""
    recipients = [encrypted.recipient(each) for each in namespace.recipient]
    made = backup.make(configured(vars(namespace)), Path(namespace.file).absolute(), recipients)
    size = f"{made.bytes / 2**20:.1f} MiB"
    echo(say("backup.made", path=made.path, size=size, seconds=f"{made.seconds:.1f}", files=", ".join(made.files)))
    for path, reason in made.left_out.items():
        echo(f"imd: {say('backup.left_out', path=path, reason=reason)}", wrong=True)


def run_restore(namespace: argparse.Namespace) -> None:
    """Restore a backup, and print what to do next. Raises OperatorError."""
    given = namespace.data_dir
    into = Path(given).absolute() if given else configured(vars(namespace)).data_dir
    done = restore.restore(Path(namespace.file), into, lambda: identities(namespace), force=namespace.force)
    echo(say("restore.done", path=done.directory, made=done.manifest.made))
    if done.kept is not None:
        echo(say("restore.kept", path=done.kept))
    if "config.toml" in done.manifest.files:
        echo(say("restore.config", path=done.directory / "config.toml"))


def run_verify(namespace: argparse.Namespace) -> None:
    """Print the result of each check; exit code 1 if something is wrong. Raises OperatorError."""
    path = Path(namespace.file) if namespace.file else configured(vars(namespace)).data_dir
    well = True
    for finding in verify.findings(path.absolute(), lambda: identities(namespace)):
        echo(finding.line())
        well = well and finding.well
    sys.exit(int(not well))
