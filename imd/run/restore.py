"""`imd restore FILE`: makes a data directory of a backup. The data begins another life: its epoch is a new one.

    unpacked and compared into DIRECTORY/.restoring  ->  another epoch, synced  ->  moved into place, the database last

Killed at any point, it leaves no database that is not whole; it may be run again.
"""

import gzip
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import attrs

from imd.run import archive
from imd.run.directory import DataDirectory, sync
from imd.run.problem import Problem
from imd.store import db, life, migrations


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
        kept = _make_room(directory, force=force)
        try:
            _fill(backup, directory)
        except BaseException:
            if kept is not None:
                shutil.rmtree(directory.path, ignore_errors=True)
                kept.rename(directory.path)
            raise
    return Restored(into, backup.manifest, kept)


def _fill(backup: archive.Reading, directory: DataDirectory) -> None:
    directory.take()
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
        directory.release()


def _make_room(directory: DataDirectory, *, force: bool) -> Path | None:
    """See to it that nothing is overwritten; with force, what is there moves aside. Gives where it went."""
    try:
        there = {each.name for each in directory.path.iterdir()} if directory.path.exists() else set()
    except OSError as error:
        raise Problem("data_dir", path=directory.path, reason=error.strerror) from None
    if not there - {directory.restoring.name, directory.lock_file.name}:
        return None
    if not force:
        raise Problem("restore.occupied", path=directory.path)
    directory.take()  # a daemon that runs on it would go on writing
    try:
        kept = directory.path.with_name(f"{directory.path.name}.before-{time.strftime('%Y%m%dT%H%M%S')}")
        return directory.path.rename(kept)
    except OSError as error:
        raise Problem("restore.unmoved", path=directory.path, reason=error.strerror) from None
    finally:
        directory.release()


def _unpack(backup: archive.Reading, directory: DataDirectory) -> None:
    workspace = directory.restoring
    shutil.rmtree(workspace, ignore_errors=True)
    workspace.mkdir(mode=0o700)
    backup.unpack(workspace)
    with closing(db.connect(str(workspace / archive.DATABASE))) as connection:
        migrations.migrate(connection)
        life.begin(connection)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    names = sorted(backup.manifest.files, key=lambda name: name == archive.DATABASE)
    for name in names:
        sync(workspace / name)
    for name in names:
        target = directory.path / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        (workspace / name).replace(target)
    sync(directory.path)
