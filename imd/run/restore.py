"""`imd restore FILE`: makes a data directory from a backup. The restored database gets a new epoch.

    move the old data to DIRECTORY/.before  ->  unpack and verify in DIRECTORY/.restoring  ->  new epoch, sync
    ->  move into place, the database last  ->  rename .before to before-TIME

The directory itself stays, since a container's volume cannot be renamed. If a restore is killed at any point, no
daemon starts on the result, and the restore can be run again.
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
from imd.store import migrations, sqlite, status

KEPT_PREFIX = "before-"
"""The start of the names of directories with previous data."""


@attrs.frozen
class Restored:
    """What a restore did. `kept` is the directory of the previous data, if there was any."""

    directory: Path
    manifest: backup_file.Manifest
    kept: Path | None


def restore(path: Path, into: Path, identities: Callable[[], Identities], *, force: bool = False) -> Restored:
    """Make a data directory from a backup. If it raises OperatorError, the previous data is back in place."""
    directory = DataDirectory(into.resolve())  # under systemd /var/lib/imd is a link
    with backup_file.open_backup(path, identities) as backup:
        newest = migrations.available()[-1][0]
        if backup_file.DATABASE not in backup.manifest.files:
            raise backup.damaged(backup_file.DATABASE)
        if backup.manifest.schema > newest:
            raise OperatorError("backup.newer", path=path, version=backup.manifest.imd)
        if _contents(directory, path) and not (force or directory.restore_incomplete):
            raise OperatorError("restore.occupied", path=directory.path)
        directory.acquire()  # a running daemon would keep writing
        try:
            _refuse_links(directory)
            return Restored(into, backup.manifest, _replace(backup, directory))
        finally:
            directory.release()


def _replace(backup: backup_file.BackupReader, directory: DataDirectory) -> Path | None:
    """Replace the data, and give the directory of the previous data. After a failure everything is as it was."""
    try:
        _move_aside(directory, backup.path)
        moved = directory.previous.exists()
        try:
            _fill(backup, directory)
            return _keep_previous(directory)
        except BaseException:
            if directory.previous.exists() or not moved:  # else the restore is complete
                _remove_all(directory, _top_level_names(backup.manifest))
            raise
    except BaseException:
        _move_back(directory)
        raise


def _refuse_links(directory: DataDirectory) -> None:
    """Refuse symbolic links that the directory's owner may have planted for a restore that runs as root."""
    for each in (directory.previous, directory.restoring):
        if each.is_symlink():
            raise OperatorError("restore.unmoved", path=each, reason=os.strerror(errno.ELOOP))


def _contents(directory: DataDirectory, backup: Path) -> list[Path]:
    """List what must move aside: not the backup, earlier previous data, or the file system's own."""
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
                if os.path.lexists(aside):  # an interrupted restore put it there
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
    with suppress(OSError):  # all data is in place; unsynced, a power cut may bring .before back
        sync(directory.path)
    return kept


def _fill(backup: backup_file.BackupReader, directory: DataDirectory) -> None:
    try:
        _unpack(backup, directory)
    except gzip.BadGzipFile:
        raise  # an OSError, but the fault is the backup's
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
    with closing(sqlite.connect(str(workspace / backup_file.DATABASE))) as connection:
        migrations.migrate(connection)
        status.begin_epoch(connection)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    chown_like(workspace.rglob("*"), directory.path)
    for each in workspace.rglob("*"):
        sync(each)
    for name in _top_level_names(backup.manifest):
        _remove(directory, name)  # an interrupted restore may have left it
        (workspace / name).replace(directory.path / name)
    sync(directory.path)


def _top_level_names(manifest: backup_file.Manifest) -> list[str]:
    """List the names that the backup puts into the data directory, the database last."""
    return sorted({PurePath(name).parts[0] for name in manifest.files}, key=lambda name: name == backup_file.DATABASE)


def _remove_all(directory: DataDirectory, names: list[str]) -> None:
    for name in reversed(names):  # the database first: no daemon starts without it
        _remove(directory, name)


def _remove(directory: DataDirectory, name: str) -> None:
    path = directory.path / name
    if path.parent != directory.path or path.name in ("", ".", ".."):
        raise ValueError(name)  # never remove anything outside the data directory, whatever a backup names
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
