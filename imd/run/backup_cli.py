"""`imd backup`, `imd restore` and `imd verify` on the command line."""

import getpass
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from twisted.python import usage

from imd.run import backup, restore, verify
from imd.run.errors import OperatorError
from imd.run.options import Placed, say, tell

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _end(number: int, frame: FrameType | None) -> None:
    """End, but clear away first what lies unsealed; a second signal does not cut that short."""
    for each in ENDING:
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


class BackupCommand(Placed):
    """What the three have in common."""

    optParameters = [["passphrase-file", "p", None, say("option.passphrase_file")]]

    def parseArgs(self, *words: str) -> None:
        """Take the backup's file."""
        if len(words) != 1:
            raise usage.UsageError(say("extra", word=words[1]) if words else say("no_file"))
        self["file"] = words[0]

    def carry_out(self) -> None:
        """Do it, and let nothing lie about where a signal ends it."""
        for each in ENDING:
            if signal.getsignal(each) is not signal.SIG_IGN:  # nohup's stays ignored
                signal.signal(each, _end)
        super().carry_out()

    def passphrase(self) -> str:
        """Give the first line of the file that was named; else ask at the terminal. Raises OperatorError."""
        if named := self["passphrase-file"]:
            try:
                lines = Path(named).read_text("utf-8").splitlines()
            except (OSError, ValueError) as error:
                raise OperatorError("unreadable", path=named, reason=error) from None
            given = lines[0] if lines else ""
        elif sys.stdin is not None and sys.stdin.isatty():
            given = getpass.getpass(f"{say('passphrase')}: ")
        else:
            given = ""
        if not given:
            raise OperatorError("no_passphrase")
        return given


class Backup(BackupCommand):
    """`imd backup FILE`."""

    synopsis = "Usage: imd backup [options] FILE"
    longdesc = say("backup.about")
    optFlags = [["encrypt", "e", say("option.encrypt")]]

    def work(self) -> None:
        """Make a backup, and say what is in it."""
        passphrase = self.passphrase() if self["encrypt"] or self["passphrase-file"] else ""
        made = backup.make(self.config(), Path(self["file"]).absolute(), passphrase)
        size = f"{made.bytes / 2**20:.1f} MiB"
        tell(say("backup.made", path=made.path, size=size, seconds=f"{made.seconds:.1f}", files=", ".join(made.files)))
        for path, reason in made.left_out.items():
            tell(f"imd: {say('backup.left_out', path=path, reason=reason)}", wrong=True)


class Restore(BackupCommand):
    """`imd restore FILE`."""

    synopsis = "Usage: imd restore [options] FILE"
    longdesc = say("restore.about")
    optFlags = [["force", None, say("option.force")]]

    def work(self) -> None:
        """Restore, and say what to do next."""
        given = self["data-dir"]
        into = Path(given).absolute() if given else self.config().data_dir
        done = restore.restore(Path(self["file"]), into, self.passphrase, force=bool(self["force"]))
        tell(say("restore.done", path=done.directory, made=done.manifest.made))
        if done.kept is not None:
            tell(say("restore.kept", path=done.kept))
        if "config.toml" in done.manifest.files:
            tell(say("restore.config", path=done.directory / "config.toml"))


class Verify(BackupCommand):
    """`imd verify [FILE]`."""

    synopsis = "Usage: imd verify [options] [FILE]"
    longdesc = say("verify.about")

    def parseArgs(self, *words: str) -> None:
        """Take a backup's file or a directory; without one, the data directory."""
        self["file"] = ""
        if words:
            super().parseArgs(*words)

    def work(self) -> None:
        """Print a line for each thing looked at; exit code 1 where something does not hold."""
        path = Path(self["file"]) if self["file"] else self.config().data_dir
        well = True
        for finding in verify.findings(path.absolute(), self.passphrase):
            tell(finding.line())
            well = well and finding.well
        sys.exit(int(not well))


COMMANDS: list[list[Any]] = [
    ["backup", None, Backup, say("backup")],
    ["restore", None, Restore, say("restore")],
    ["verify", None, Verify, say("verify")],
]
