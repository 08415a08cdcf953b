"""`imd backup FILE`: one file that holds a whole server, made whether the daemon runs or not.

It opens the database itself: a reader never blocks the daemon's writes. FILE appears complete or not at all. For an
encrypted backup the clear copy of the database stays in the data directory, since FILE's disk may be less trusted.
"""

import errno
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import msgspec

import imd
from imd.run import backup_file, certificates
from imd.run.config import Config
from imd.run.directory import DataDirectory, LatestBackup, chown_like, sync
from imd.run.errors import OperatorError
from imd.store import migrations

BUSY_TIMEOUT_SECONDS = 30


@attrs.frozen
class BackupResult:
    """What `make` did."""

    path: Path
    bytes: int
    seconds: float
    files: tuple[str, ...]
    left_out: dict[Path, str]
    """Files of the server that could not be read, and why."""


def make(config: Config, target: Path, recipients: Sequence[Any] = ()) -> BackupResult:
    """Make a backup of the server that a configuration describes. Raises OperatorError."""
    begun = time.monotonic()
    directory = DataDirectory(config.data_dir)
    if not directory.database.exists():
        raise OperatorError("no_data_dir", path=directory.path)
    if target.exists() and (not target.is_file() or target.samefile(directory.database)):
        raise OperatorError("backup.unwritten", path=target, reason=os.strerror(errno.EEXIST))
    try:
        with (
            directory.backing_up() as place,
            _private_directory(target.with_name(f".{target.name}.part"), target) as workspace,
            _private_directory(place if recipients else workspace / "clear", directory.path) as clear,
        ):
            files, left_out = _collect(config, directory, clear)
            manifest = _manifest(files)
            draft = workspace / target.name
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                backup_file.write(file, manifest, files, recipients)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
            sync(target.parent)
    except sqlite3.Error as error:
        raise OperatorError("backup.database", path=directory.database, reason=error) from None
    except OSError as error:
        raise OperatorError("backup.unwritten", path=target, reason=error.strerror or error) from None
    with suppress(OSError):  # the user of this process may have read access only
        latest = msgspec.json.encode(LatestBackup(int(time.time()), str(target)))
        certificates.write_atomically(directory.last_backup, latest, 0o644)  # root writes it, the daemon reads it
        chown_like([directory.last_backup], directory.path)
    return BackupResult(target, target.stat().st_size, time.monotonic() - begun, tuple(files), left_out)


@contextmanager
def _private_directory(path: Path, named: Path) -> Iterator[Path]:
    """Make a private directory, emptied of a killed backup, and remove it afterwards. Raises OperatorError."""
    shutil.rmtree(path, ignore_errors=True)
    try:
        path.mkdir(mode=0o700)
    except OSError as error:
        raise OperatorError("backup.unwritten", path=named, reason=error.strerror) from None
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _collect(config: Config, directory: DataDirectory, clear: Path) -> tuple[dict[str, Path], dict[Path, str]]:
    """Copy the database and list the server's other files, by their name in the backup; also what could not be read."""
    copy = clear / "copy"
    copy.touch(0o600)
    with closing(connect_read_only(directory.database)) as connection:
        connection.execute("PRAGMA synchronous = OFF")  # after a power cut the backup is made again anyway
        connection.execute("VACUUM INTO ?", (str(copy),))
    certificate, key = directory.certificate_pair(config)
    files = {"certificate.pem": certificate, "key.pem": key}
    if certificate == directory.acme_certificate:  # it contains its key; if both are lost, imd orders a new one
        files |= {certificate.name: certificate, "certificate.pem": directory.certificate, "key.pem": directory.key}
    if config.file is not None:
        files["config.toml"] = config.file
    faults = {path: fault for path in files.values() if (fault := _read_error(path))}
    left_out = {path: why for path, why in faults.items() if path.parent != directory.path or path.exists()}
    return {backup_file.DATABASE: copy} | {name: path for name, path in files.items() if path not in faults}, left_out


def _read_error(path: Path) -> str:
    """Say why a file cannot be read; empty if it can."""
    try:
        path.open("rb").close()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _manifest(files: dict[str, Path]) -> backup_file.Manifest:
    with closing(connect_read_only(files[backup_file.DATABASE])) as connection:
        schema = migrations.version(connection)
    return backup_file.Manifest(
        format=backup_file.FORMAT,
        imd=imd.__version__,
        schema=schema,
        made=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        files={name: backup_file.describe(path) for name, path in files.items()},
    )


def connect_read_only(database: Path, mode: str = "ro") -> sqlite3.Connection:
    """Open a database that a daemon may be writing. Raises sqlite3.Error."""
    uri = f"{database.as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
