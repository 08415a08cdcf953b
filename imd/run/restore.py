"""`imd restore FILE`: makes a data directory of a backup. The data begins another life: its epoch is a new one.

    what is there moves into DIRECTORY/.before  ->  unpacked and compared into DIRECTORY/.restoring  ->  another epoch,
    synced  ->  moved into place, the database last  ->  .before is called before-TIME

The directory itself stays: a container's volume cannot be renamed. Killed at any point, it leaves no database that is
not whole, and nothing that a daemon would start on; it may be run again.
"""

import errno
import gzip
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path, PurePath

import attrs

from imd.run import archive
from imd.run.directory import DataDirectory, hand_over, sync
from imd.run.problem import Problem
from imd.store import migrations, sqlite, status

KEPT = "before-"
"""How directories begin that hold what was there before."""


@attrs.frozen
class Restored:
    """What a restore did. `kept` is where the data that was there before lies now."""

    directory: Path
    manifest: archive.Manifest
    kept: Path | None


def restore(path: Path, into: Path, passphrase: Callable[[], str], *, force: bool = False) -> Restored:
    """Make a data directory of a backup. Raises Problem, and then nothing that was there is lost."""
    directory = DataDirectory(into.resolve())  # systemd makes /var/lib/imd a link
    with archive.reading(path, passphrase) as backup:
        newest = migrations.available()[-1][0]
        if archive.DATABASE not in backup.manifest.files:
            raise backup.damaged(archive.DATABASE)
        if backup.manifest.schema > newest:
            raise Problem("backup.newer", path=path, version=backup.manifest.imd)
        if _found(directory, path) and not (force or directory.half_restored):
            raise Problem("restore.occupied", path=directory.path)
        directory.take()  # a daemon that runs on it would go on writing
        try:
            _refuse_links(directory)
            return Restored(into, backup.manifest, _exchange(backup, directory))
        finally:
            directory.release()


def _exchange(backup: archive.Reading, directory: DataDirectory) -> Path | None:
    """Let a backup take the place of what is there; gives where that lies now. On failure all is as it was."""
    try:
        _move_aside(directory, backup.path)
        moved = directory.set_aside.exists()
        try:
            _fill(backup, directory)
            return _name_what_was_there(directory)
        except BaseException:
            if directory.set_aside.exists() or not moved:  # else it has its final name, and the new data stay
                _remove_all(directory, _tops(backup.manifest))
            raise
    except BaseException:
        _move_back(directory)
        raise


def _refuse_links(directory: DataDirectory) -> None:
    """Take no other directory for one's own: root may run this where another user could have put a link."""
    for each in (directory.set_aside, directory.restoring):
        if each.is_symlink():
            raise Problem("restore.unmoved", path=each, reason=os.strerror(errno.ELOOP))


def _found(directory: DataDirectory, backup: Path) -> list[Path]:
    """List what has to move aside; neither the backup, nor what was kept before, nor a file system's own."""
    backup = backup.resolve()
    staying = {directory.restoring, directory.set_aside, directory.lock_file, directory.path / "lost+found"}
    staying |= {backup, *backup.parents}
    try:
        there = list(directory.path.iterdir()) if directory.path.exists() else []
    except OSError as error:
        raise Problem("data_dir", path=directory.path, reason=error.strerror) from None
    return [each for each in there if each not in staying and not each.name.startswith(KEPT)]


def _move_aside(directory: DataDirectory, backup: Path) -> None:
    try:
        if found := _found(directory, backup):
            directory.set_aside.mkdir(mode=0o700, exist_ok=True)
            hand_over([directory.set_aside], directory.path)
            for each in found:
                aside = directory.set_aside / each.name
                if os.path.lexists(aside):  # this one is of a restore that was cut short
                    _remove(directory, each.name)
                else:
                    each.rename(aside)
            sync(directory.set_aside)
            sync(directory.path)
    except OSError as error:
        raise Problem("restore.unmoved", path=directory.path, reason=error.strerror) from None


def _move_back(directory: DataDirectory) -> None:
    if directory.set_aside.is_dir() and not directory.set_aside.is_symlink():
        for each in list(directory.set_aside.iterdir()):
            each.rename(directory.path / each.name)
        directory.set_aside.rmdir()


def _name_what_was_there(directory: DataDirectory) -> Path | None:
    if not directory.set_aside.exists():
        return None
    while (kept := directory.path / f"{KEPT}{time.strftime('%Y%m%dT%H%M%S')}").exists():
        time.sleep(0.1)
    directory.set_aside.rename(kept)
    with suppress(OSError):  # all is in place; a power cut could only call it half done again
        sync(directory.path)
    return kept


def _fill(backup: archive.Reading, directory: DataDirectory) -> None:
    try:
        _unpack(backup, directory)
    except gzip.BadGzipFile:
        raise  # an OSError that is no fault of the disk: the backup is damaged
    except OSError as error:
        raise Problem("restore.unwritten", path=directory.path, reason=error.strerror or error) from None
    except sqlite3.Error as error:
        raise Problem("backup.broken", path=backup.path, reason=error) from None
    finally:
        shutil.rmtree(directory.restoring, ignore_errors=True)


def _unpack(backup: archive.Reading, directory: DataDirectory) -> None:
    workspace = directory.restoring
    shutil.rmtree(workspace, ignore_errors=True)
    workspace.mkdir(mode=0o700)
    backup.unpack(workspace)
    with closing(sqlite.connect(str(workspace / archive.DATABASE))) as connection:
        migrations.migrate(connection)
        status.begin_epoch(connection)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    hand_over(workspace.rglob("*"), directory.path)
    for each in workspace.rglob("*"):
        sync(each)
    for name in _tops(backup.manifest):
        _remove(directory, name)  # a restore that was cut short may have left it
        (workspace / name).replace(directory.path / name)
    sync(directory.path)


def _tops(manifest: archive.Manifest) -> list[str]:
    """List what comes to lie in the data directory itself, the database last."""
    return sorted({PurePath(name).parts[0] for name in manifest.files}, key=lambda name: name == archive.DATABASE)


def _remove_all(directory: DataDirectory, names: list[str]) -> None:
    for name in reversed(names):  # the database first: nothing starts on the rest
        _remove(directory, name)


def _remove(directory: DataDirectory, name: str) -> None:
    path = directory.path / name
    if path.parent != directory.path or path.name in ("", ".", ".."):
        raise ValueError(name)  # whatever a backup said, nothing else is ever removed
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
