"""The data directory: database, certificate, the operator's socket, and a lock on all of them."""

import fcntl
import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, TypeVar

import attrs
import msgspec

from imd.run.config import Config
from imd.run.errors import OperatorError
from imd.store.db import Database, Group, call_at_once
from imd.store.migrations import NewerSchema
from imd.store.sqlite import connect
from imd.store.transaction import Tx

T = TypeVar("T")

BACKUP_WAIT_SECONDS = 600
"""How long a backup waits for another one."""

MAX_SOCKET_PATH_BYTES = 107
"""The longest path of a unix socket on Linux."""


def sync(path: Path) -> None:
    """Sync a file, or the names in a directory: syncing a file need not sync its name."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(path: Path, mode: int = 0o700) -> None:
    """Make a directory and its parents, durably."""
    if not path.exists():
        make_directory(path.parent, 0o777)
        path.mkdir(mode=mode, exist_ok=True)
    with suppress(PermissionError):  # the parent may be unreadable for us
        sync(path.parent)


def chown_like(paths: Iterable[Path], like: Path) -> None:
    """As root, give files to the owner of a directory, since the daemon that opens them need not be root."""
    if os.geteuid() == 0:
        owner = like.stat()
        for path in paths:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            found = os.fstat(descriptor)
            with suppress(OSError):
                if stat.S_ISDIR(found.st_mode) or found.st_nlink == 1:  # a hard link may be someone else's file
                    os.fchown(descriptor, owner.st_uid, owner.st_gid)
            os.close(descriptor)


def _wait_for_lock(lock: int, path: Path) -> None:
    until = time.monotonic() + BACKUP_WAIT_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise OperatorError("backup.busy", path=path) from None
            time.sleep(0.1)
        else:
            return


class LatestBackup(msgspec.Struct, frozen=True):
    """The record of the latest backup, kept in the data directory."""

    time: int
    """Seconds since 1970."""

    path: str


@attrs.define
class DataDirectory:
    """A data directory. One process at a time may use it."""

    path: Path
    _lock: int | None = attrs.field(default=None, init=False)

    @property
    def database(self) -> Path:
        """The SQLite database."""
        return self.path / "imd.sqlite3"

    @property
    def certificate(self) -> Path:
        """The self-signed certificate."""
        return self.path / "certificate.pem"

    @property
    def key(self) -> Path:
        """The private key of the self-signed certificate."""
        return self.path / "key.pem"

    @property
    def acme_certificate(self) -> Path:
        """The certificate obtained by ACME and its private key, in one file so that both change at once."""
        return self.path / "acme.pem"

    @property
    def acme_account(self) -> Path:
        """The private key of the ACME account."""
        return self.path / "acme-account.pem"

    def certificate_pair(self, config: Config) -> tuple[Path, Path]:
        """Give certificate and key to serve: the operator's own, those obtained by ACME, or the self-signed ones."""
        if config.certificate is not None and config.key is not None:
            return config.certificate, config.key
        if config.acme and self.acme_certificate.exists():
            return self.acme_certificate, self.acme_certificate
        return self.certificate, self.key

    @property
    def restoring(self) -> Path:
        """Where a restore unpacks. It moves the database out last."""
        return self.path / ".restoring"

    @property
    def previous(self) -> Path:
        """Where a restore keeps the previous data until it is done and gives this its final name."""
        return self.path / ".before"

    @property
    def restore_incomplete(self) -> bool:
        """Whether a restore was interrupted: the previous data is set aside, or the new data is not in place."""
        return any(self.previous.glob("*")) or (self.restoring.exists() and not self.database.exists())

    @property
    def socket(self) -> Path:
        """The unix socket for the operator's commands."""
        return self.path / "admin.sock"

    @property
    def last_backup(self) -> Path:
        """The record of the latest backup."""
        return self.path / "backup.json"

    @property
    def lock_file(self) -> Path:
        """The file that the process using the directory holds locked."""
        return self.path / "imd.lock"

    def latest_backup(self) -> LatestBackup | None:
        """Read the record of the latest backup, if there is one."""
        try:
            return msgspec.json.decode(self.last_backup.read_bytes(), type=LatestBackup)
        except (OSError, msgspec.DecodeError):
            return None

    def check_path(self) -> None:
        """Check that the path of the operator's socket is not too long. Raises OperatorError."""
        if len(os.fsencode(self.socket)) > MAX_SOCKET_PATH_BYTES:
            raise OperatorError("long_path", path=self.path, limit=MAX_SOCKET_PATH_BYTES - len("/admin.sock"))

    def acquire(self) -> None:
        """Make the directory if it is missing, and lock it until `release` or the end. Raises OperatorError."""
        self.check_path()
        try:
            make_directory(self.path)
            lock = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            chown_like([self.lock_file], self.path)
        except OSError as error:
            raise OperatorError("data_dir", path=self.path, reason=error.strerror) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # survives the fork of a daemon; released at exit
        except BlockingIOError:
            os.close(lock)
            raise OperatorError("locked", path=self.path) from None
        self._lock = lock

    def release(self) -> None:
        """Release the lock."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def open_database(self, reactor: Any, deliver: Callable[[Group], None] = call_at_once) -> Database:
        """Open the database; the directory must be locked. Raises OperatorError."""
        if self.restore_incomplete:
            raise OperatorError("restore.unfinished", path=self.path)
        try:
            self.database.touch(0o600)  # SQLite gives its other files the same mode and owner
            chown_like([self.database], self.path)
            return Database.open(str(self.database), reactor, deliver)
        except NewerSchema as error:
            raise OperatorError("newer_schema", path=self.database, reason=error) from None
        except (OSError, sqlite3.Error) as error:
            raise OperatorError("database", path=self.database, reason=error) from None

    def read_now(self, work: Callable[[Tx], T]) -> T:
        """Read from the database synchronously, before the reactor runs. Raises OperatorError."""
        try:
            with closing(connect(str(self.database))) as connection:
                return work(connection)
        except sqlite3.Error as error:
            raise OperatorError("database", path=self.database, reason=error) from None

    @contextmanager
    def backing_up(self) -> Iterator[Path]:
        """Let one backup at a time use a workspace here, emptied of what a killed one left.

        Raises OSError, and OperatorError if another backup takes too long.
        """
        place = self.path / ".backup"
        lock = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)  # not the lock file, which the daemon holds
        try:
            _wait_for_lock(lock, self.path)
            shutil.rmtree(place, ignore_errors=True)
            yield place
        finally:
            os.close(lock)

    def scratch(self) -> BinaryIO:
        """Make a file without a name, on the same disk. It vanishes with the process."""
        return TemporaryFile(dir=self.path)

    def chown(self, user: int, group: int) -> None:
        """Give files that root made to the user that the daemon will run as."""
        ours = [self.database, *self.path.glob("*.pem"), self.lock_file]
        private = [self.path] if not self.path.stat().st_mode & 0o077 else []
        for path in filter(Path.exists, ours + private):
            if path.stat().st_uid == os.geteuid():
                os.chown(path, user, group)
