"""The data directory: the database, the self-made certificate, the operator's socket, and the lock on them all."""

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
from imd.store.db import Database, connect
from imd.store.migrations import NewerSchema
from imd.store.transaction import Tx

T = TypeVar("T")

BACKUP_WAIT_SECONDS = 600
"""How long a backup waits for another one."""

MAX_SOCKET_PATH_BYTES = 107
"""What Linux takes as a unix socket's path, in bytes."""


def sync(path: Path) -> None:
    """Let a file outlive a power cut, or the names in a directory: a file's own sync need not keep its name."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(path: Path, mode: int = 0o700) -> None:
    """Make a directory and those above it, so that they outlive a power cut."""
    if not path.exists():
        make_directory(path.parent, 0o777)
        path.mkdir(mode=mode, exist_ok=True)
    with suppress(PermissionError):  # one that was made for us, in a place that we may not read
        sync(path.parent)


def chown_like(paths: Iterable[Path], like: Path) -> None:
    """Give what root made, as far as it may, to whom a directory belongs: a daemon that is not root must open it."""
    if os.geteuid() == 0:
        owner = like.stat()
        for path in paths:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            found = os.fstat(descriptor)
            with suppress(OSError):
                if stat.S_ISDIR(found.st_mode) or found.st_nlink == 1:  # a link from elsewhere is another's as well
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
    """What is remembered of the latest backup, in the data directory."""

    time: int
    """Seconds since 1970."""

    path: str


@attrs.define
class DataDirectory:
    """One directory, which one process at a time may use."""

    path: Path
    _lock: int | None = attrs.field(default=None, init=False)

    @property
    def database(self) -> Path:
        """Where all that is kept is kept."""
        return self.path / "imd.sqlite3"

    @property
    def certificate(self) -> Path:
        """Where the self-made certificate lies."""
        return self.path / "certificate.pem"

    @property
    def key(self) -> Path:
        """Where its private key lies."""
        return self.path / "key.pem"

    @property
    def acme_certificate(self) -> Path:
        """Where the certificate lies that an authority gave, with its private key: one file changes at once."""
        return self.path / "acme.pem"

    @property
    def acme_account(self) -> Path:
        """Where the key lies by which the authority knows us."""
        return self.path / "acme-account.pem"

    def certificate_pair(self, config: Config) -> tuple[Path, Path]:
        """Give the certificate and the key to be shown: the operator's, an authority's, or the self-made ones."""
        if config.certificate is not None and config.key is not None:
            return config.certificate, config.key
        if config.acme and self.acme_certificate.exists():
            return self.acme_certificate, self.acme_certificate
        return self.certificate, self.key

    @property
    def restoring(self) -> Path:
        """Where a restore unpacks. The database is moved out of it last."""
        return self.path / ".restoring"

    @property
    def previous(self) -> Path:
        """Where a restore puts what was there before, until all is done and this is given a name for good."""
        return self.path / ".before"

    @property
    def restore_incomplete(self) -> bool:
        """Whether a restore was cut short: there are data, but not all of them here yet, or in their place any more."""
        return any(self.previous.glob("*")) or (self.restoring.exists() and not self.database.exists())

    @property
    def socket(self) -> Path:
        """Where the operator is listened to."""
        return self.path / "admin.sock"

    @property
    def last_backup(self) -> Path:
        """What the latest backup leaves behind: its time and its path."""
        return self.path / "backup.json"

    @property
    def lock_file(self) -> Path:
        """What a process that uses the directory holds locked."""
        return self.path / "imd.lock"

    def latest_backup(self) -> LatestBackup | None:
        """Tell of the latest backup, if there was one."""
        try:
            return msgspec.json.decode(self.last_backup.read_bytes(), type=LatestBackup)
        except (OSError, msgspec.DecodeError):
            return None

    def check_path(self) -> None:
        """See whether the operator's socket fits into its path. Raises OperatorError."""
        if len(os.fsencode(self.socket)) > MAX_SOCKET_PATH_BYTES:
            raise OperatorError("long_path", path=self.path, limit=MAX_SOCKET_PATH_BYTES - len("/admin.sock"))

    def acquire(self) -> None:
        """Make the directory if need be, and lock it until `release` or the process ends. Raises OperatorError."""
        self.check_path()
        try:
            make_directory(self.path)
            lock = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            chown_like([self.lock_file], self.path)
        except OSError as error:
            raise OperatorError("data_dir", path=self.path, reason=error.strerror) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # kept across the fork of a daemon, dropped at any death
        except BlockingIOError:
            os.close(lock)
            raise OperatorError("locked", path=self.path) from None
        self._lock = lock

    def release(self) -> None:
        """Let others use the directory."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def open_database(self, reactor: Any) -> Database:
        """Open the database of a directory that was taken. Raises OperatorError."""
        if self.restore_incomplete:
            raise OperatorError("restore.unfinished", path=self.path)
        try:
            self.database.touch(0o600)  # SQLite gives its other files the same mode and owner
            chown_like([self.database], self.path)
            return Database.open(str(self.database), reactor)
        except NewerSchema as error:
            raise OperatorError("newer_schema", path=self.database, reason=error) from None
        except (OSError, sqlite3.Error) as error:
            raise OperatorError("database", path=self.database, reason=error) from None

    def read_now(self, work: Callable[[Tx], T]) -> T:
        """Read from the database at once, before the reactor runs. Raises OperatorError."""
        try:
            with closing(connect(str(self.database))) as connection:
                return work(connection)
        except sqlite3.Error as error:
            raise OperatorError("database", path=self.database, reason=error) from None

    @contextmanager
    def backing_up(self) -> Iterator[Path]:
        """Let one backup at a time copy into a place here: what a killed one left there goes first.

        Raises OSError, and OperatorError where another one takes too long.
        """
        place = self.path / ".backup"
        lock = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)  # the directory itself: the daemon holds the lock file
        try:
            _wait_for_lock(lock, self.path)
            shutil.rmtree(place, ignore_errors=True)
            yield place
        finally:
            os.close(lock)

    def scratch(self) -> BinaryIO:
        """Make a file that nobody else can open, on the same disk; it is gone with the process, however that ends."""
        return TemporaryFile(dir=self.path)

    def chown(self, user: int, group: int) -> None:
        """Make over what was made as root to the user whom the daemon will run as."""
        ours = [self.database, *self.path.glob("*.pem"), self.lock_file]
        private = [self.path] if not self.path.stat().st_mode & 0o077 else []
        for path in filter(Path.exists, ours + private):
            if path.stat().st_uid == os.geteuid():
                os.chown(path, user, group)
