"""`imd check`: inspects everything that a start depends on, and says for each what is wrong and what to do."""

import errno
import os
import shutil
import socket
import sqlite3
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import attrs
from cryptography import x509
from OpenSSL import SSL
from twisted.internet.endpoints import serverFromString

from imd.chat.base.limits import Limits
from imd.extras import install
from imd.net import tls
from imd.run import certificates, rlimits
from imd.run.backup import connect_read_only
from imd.run.config import Config
from imd.run.directory import DataDirectory
from imd.run.endpoints import tcp_address
from imd.run.errors import OperatorError
from imd.store import migrations
from imd.wire import catalog

LEAST_FREE_BYTES = 256 * 1024 * 1024
RENEW_WITHIN = timedelta(days=14)
BACKUP_WITHIN = timedelta(days=7)
EARLIEST = 1_735_689_600
"""The start of 2025, in seconds since 1970: an earlier clock is wrong."""


@attrs.frozen(init=False)
class Finding:
    """The result of one check; `[check.KEY]` in the catalog is its sentence."""

    well: bool
    text: str

    def __init__(self, well: bool, key: str, **params: object) -> None:
        self.__attrs_init__(well, catalog.say(f"check.{key}", catalog.language_here(), **params))

    @classmethod
    def of(cls, error: OperatorError) -> "Finding":
        """Make a finding of the error that would stop a start, in the same words."""
        found = cls.__new__(cls)
        found.__attrs_init__(False, str(error))
        return found

    def line(self) -> str:
        """Write the finding for a terminal."""
        return catalog.say("check.well" if self.well else "check.ill", catalog.language_here(), text=self.text)


def findings(config: Config) -> Iterator[Finding]:
    """Run every check."""
    directory = DataDirectory(config.data_dir)
    yield Finding(True, "configuration", registration=config.registration)
    yield data_directory(directory, config.limits.disk_reserve_mb * 2**20)
    if config.log_file is not None:
        yield log_file(config.log_file)
    yield from extras(config)
    if directory.restore_incomplete:
        yield Finding.of(OperatorError("restore.unfinished", path=directory.path))
    else:
        yield database(directory.database)
    certificate, key = directory.certificate_pair(config)
    if config.certificate is None and not certificate.exists():
        yield Finding(True, "certificate.none")
    else:
        yield from certificate_and_key(certificate, key)
    for listen in config.listen:
        yield port(listen, certificate)
    if config.metrics is not None:
        yield port(config.metrics, certificate)
    yield clock(directory.database)
    yield open_files(config.limits)
    if directory.database.exists():
        yield backups(directory)


def data_directory(directory: DataDirectory, reserve: int) -> Finding:
    """Check that the daemon can write to the data directory, and how much space is left."""
    path = directory.path
    try:
        directory.check_path()
    except OperatorError as error:
        return Finding.of(error)
    if not path.exists():
        return Finding(True, "data_dir.none", path=path)
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return Finding(False, "data_dir.closed", path=path)
    free = shutil.disk_usage(path).free
    if free < reserve:
        return Finding(False, "data_dir.reserve", path=path, free=free // 2**20, reserve=reserve // 2**20)
    return Finding(
        free >= LEAST_FREE_BYTES,
        "data_dir" if free >= LEAST_FREE_BYTES else "data_dir.full",
        path=path,
        free=f"{free / 2**30:.1f} GiB",
    )


def log_file(path: Path) -> Finding:
    """Check that the log can be written, and rotated in its directory."""
    fault = 0
    if path.is_dir() or not path.parent.is_dir():
        fault = errno.EISDIR if path.is_dir() else errno.ENOENT
    elif not os.access(path.parent, os.W_OK | os.X_OK) or (path.exists() and not os.access(path, os.W_OK)):
        fault = errno.EACCES
    return Finding(not fault, "log_file.closed" if fault else "log_file", path=path, reason=os.strerror(fault))


def extras(config: Config) -> Iterator[Finding]:
    """Check that the extras which this configuration needs are installed."""
    for name, wanted in (("metrics", config.metrics), ("acme", config.acme)):
        if wanted:
            try:
                import_module(f"imd.run.{name}")
            except ImportError:
                yield Finding.of(OperatorError(f"{name}_extra", command=install(name)))


def database(path: Path) -> Finding:
    """Check that the database opens and is intact. A daemon may be running."""
    if not path.exists():
        return Finding(True, "database.none")
    try:
        with closing(connect_untouched(path)) as connection:
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            version, newest = migrations.version(connection), migrations.available()[-1][0]
    except sqlite3.Error as error:
        return Finding(False, "database.broken", path=path, reason=error)
    if verdict != "ok":
        return Finding(False, "database.broken", path=path, reason=verdict)
    if version > newest:
        return Finding(False, "database.newer", version=version, newest=newest)
    return Finding(True, "database", version=version)


def connect_untouched(database: Path) -> sqlite3.Connection:
    """Open a database for inspection, and leave its files as they were. Raises sqlite3.Error."""
    if Path(f"{database}-wal").exists():
        return connect_read_only(
            database, "ro"
        )  # with write access, SQLite would remove the write-ahead log at the end
    if database.stat().st_uid != os.geteuid():
        return connect_read_only(database, "ro&immutable=1")  # SQLite must not obey a journal that another user planted
    return connect_read_only(
        database, "rw"
    )  # SQLite makes a log in order to read; only with write access it removes it


def certificate_and_key(certificate: Path, key: Path) -> Iterator[Finding]:
    """Check that certificate and key match, when the certificate expires, and who may read the key."""
    try:
        loaded = certificates.load(certificate)
        tls.context(certificate, key)
        mode = key.stat().st_mode & 0o777
    except (OSError, ValueError, SSL.Error) as error:
        yield Finding(False, "certificate.broken", path=certificate, reason=error)
        return
    until = loaded.not_valid_after_utc
    if (begins := loaded.not_valid_before_utc) > certificates.utc_now():
        yield Finding(False, "certificate.early", path=certificate, begins=f"{begins:%Y-%m-%d %H:%M}")
        return
    good = until - certificates.utc_now() > RENEW_WITHIN
    yield Finding(good, "certificate" if good else "certificate.old", path=certificate, until=f"{until:%Y-%m-%d}")
    private = not mode & 0o027  # a group may read it, as Debian's ssl-cert does
    yield Finding(private, "key" if private else "key.open", path=key, mode=f"{mode:04o}")


def port(listen: str, certificate: Path) -> Finding:
    """Check that a port is free, or already serves our certificate."""
    try:
        serverFromString(None, listen)
    except (IndexError, KeyError):
        pass  # a socket that systemd passes exists in the daemon alone
    except (ValueError, TypeError, OSError, SSL.Error) as error:
        return Finding(False, "port.unusable", listen=listen, reason=error)
    at = tcp_address(listen)
    if at is None:
        return Finding(True, "port.other", listen=listen)
    try:
        at.bind()
    except OverflowError:  # above 65535
        return Finding(False, "port.unusable", listen=listen, reason=os.strerror(errno.EINVAL))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            return Finding(False, "port.unusable", listen=listen, reason=error.strerror)
        ours = answers_with(at.host or "localhost", at.port, certificate)
        return Finding(ours, "port.ours" if ours else "port.taken", listen=listen)
    return Finding(True, "port", listen=listen)


def answers_with(host: str, port: int, certificate: Path) -> bool:
    """Say whether a port serves this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the certificate is compared below
    try:
        with socket.create_connection((host, port), timeout=5) as raw, context.wrap_socket(raw) as line:
            shown = x509.load_der_x509_certificate(line.getpeercert(binary_form=True) or b"")
        return shown == certificates.load(certificate)
    except (OSError, ValueError):
        return False


def clock(database: Path) -> Finding:
    """Check that the clock is not earlier than the database's last write."""
    now = time.time()
    written = database.stat().st_mtime if database.exists() else 0
    sane = now > max(EARLIEST, written - 60)
    return Finding(sane, "clock" if sane else "clock.behind", now=time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now)))


def open_files(limits: Limits) -> Finding:
    """Check that the process may open a file for every connection."""
    allowed = rlimits.max_open_files(limits)
    well = allowed >= limits.connections + rlimits.RESERVED
    return Finding(well, "open_files" if well else "open_files.few", allowed=allowed, wanted=limits.connections)


def backups(directory: DataDirectory) -> Finding:
    """Check the age of the latest backup. A new server without one is well."""
    latest = directory.latest_backup()
    if latest is None:
        return Finding(True, "backup.none")
    age = timedelta(seconds=max(0, time.time() - latest.time))
    well = age <= BACKUP_WITHIN
    return Finding(well, "backup" if well else "backup.old", days=age.days, path=latest.path)
