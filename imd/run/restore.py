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

from imd.run import backup_file
from imd.run.directory import DataDirectory, chown_like, sync
from imd.run.encrypted import Identities
from imd.run.errors import OperatorError
from imd.store import db, life, migrations

KEPT_PREFIX = "before-"
"""How directories begin that hold what was there before."""


@attrs.frozen
class Restored:
    """What a restore did. `kept` is where the data that was there before lies now."""

    directory: Path
    manifest: backup_file.Manifest
    kept: Path | None


def restore(path: Path, into: Path, identities: Callable[[], Identities], *, force: bool = False) -> Restored:
    """Make a data directory of a backup. Raises OperatorError, and then nothing that was there is lost."""
    directory = DataDirectory(into.resolve())  # systemd makes /var/lib/imd a link
    with backup_file.open_backup(path, identities) as backup:
        newest = migrations.available()[-1][0]
        if backup_file.DATABASE not in backup.manifest.files:
            raise backup.damaged(backup_file.DATABASE)
        if backup.manifest.schema > newest:
            raise OperatorError("backup.newer", path=path, version=backup.manifest.imd)
        if _contents(directory, path) and not (force or directory.restore_incomplete):
            raise OperatorError("restore.occupied", path=directory.path)
        directory.acquire()  # a daemon that runs on it would go on writing
        try:
            _refuse_links(directory)
            return Restored(into, backup.manifest, _replace(backup, directory))
        finally:
            directory.release()


def _replace(backup: backup_file.BackupReader, directory: DataDirectory) -> Path | None:
    """Let a backup take the place of what is there; gives where that lies now. On failure all is as it was."""
    try:
        _move_aside(directory, backup.path)
        moved = directory.previous.exists()
        try:
            _fill(backup, directory)
            return _keep_previous(directory)
        except BaseException:
            if directory.previous.exists() or not moved:  # else it has its final name, and the new data stay
                _remove_all(directory, _top_level_names(backup.manifest))
            raise
    except BaseException:
        _move_back(directory)
        raise


def _refuse_links(directory: DataDirectory) -> None:
    """Take no other directory for one's own: root may run this where another user could have put a link."""
    for each in (directory.previous, directory.restoring):
        if each.is_symlink():
            raise OperatorError("restore.unmoved", path=each, reason=os.strerror(errno.ELOOP))


def _contents(directory: DataDirectory, backup: Path) -> list[Path]:
    """List what has to move aside; neither the backup, nor what was kept before, nor a file system's own."""
    backup = backup.resolve()
    staying = {directory.restoring, directory.previous, directory.lock_file, directory.path / "lost+found"}
    staying |= {backup, *backup.parents}
    try:
        there = list(directory.path.iterdir()) if directory.path.exists() else []
    except OSError as error:
        raise OperatorError("data_dir", path=directory.path, reason=error.strerror) from None
    return [each for each in there if each not in staying and not each.name.startswith(KEPT_PREFIX)]


def _move_aside(directory: DataDirectory, backup: Path) -> None:
    try:
        if found := _contents(directory, backup):
            directory.previous.mkdir(mode=0o700, exist_ok=True)
            chown_like([directory.previous], directory.path)
            for each in found:
                aside = directory.previous / each.name
                if os.path.lexists(aside):  # this one is of a restore that was cut short
                    _remove(directory, each.name)
                else:
                    each.rename(aside)
            sync(directory.previous)
            sync(directory.path)
    except OSError as error:
        raise OperatorError("restore.unmoved", path=directory.path, reason=error.strerror) from None


def _move_back(directory: DataDirectory) -> None:
    if directory.previous.is_dir() and not directory.previous.is_symlink():
        for each in list(directory.previous.iterdir()):
            each.rename(directory.path / each.name)
        directory.previous.rmdir()


def _keep_previous(directory: DataDirectory) -> Path | None:
    if not directory.previous.exists():
        return None
    while (kept := directory.path / f"{KEPT_PREFIX}{time.strftime('%Y%m%dT%H%M%S')}").exists():
        time.sleep(0.1)
    directory.previous.rename(kept)
    with suppress(OSError):  # all is in place; a power cut could only call it half done again
        sync(directory.path)
    return kept


def _fill(backup: backup_file.BackupReader, directory: DataDirectory) -> None:
    try:
        _unpack(backup, directory)
    except gzip.BadGzipFile:
        raise  # an OSError that is no fault of the disk: the backup is damaged
    except OSError as error:
        raise OperatorError("restore.unwritten", path=directory.path, reason=error.strerror or error) from None
    except sqlite3.Error as error:
        raise OperatorError("backup.broken", path=backup.path, reason=error) from None
    finally:
        shutil.rmtree(directory.restoring, ignore_errors=True)


def _unpack(backup: backup_file.BackupReader, directory: DataDirectory) -> None:
    workspace = directory.restoring
    shutil.rmtree(workspace, ignore_errors=True)
    workspace.mkdir(mode=0o700)
    backup.unpack(workspace)
    with closing(db.connect(str(workspace / backup_file.DATABASE))) as connection:
        migrations.migrate(connection)
        life.begin(connection)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    chown_like(workspace.rglob("*"), directory.path)
    for each in workspace.rglob("*"):
        sync(each)
    for name in _top_level_names(backup.manifest):
        _remove(directory, name)  # a restore that was cut short may have left it
        (workspace / name).replace(directory.path / name)
    sync(directory.path)


def _top_level_names(manifest: backup_file.Manifest) -> list[str]:
    """List what comes to lie in the data directory itself, the database last."""
    return sorted({PurePath(name).parts[0] for name in manifest.files}, key=lambda name: name == backup_file.DATABASE)


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
