"""`imd verify`: checks the consistency of everything in a data directory or a backup.

A backup is unpacked, in clear, into a private directory below TMPDIR, so no data directory is needed.
"""

import errno
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from imd.run import backup_file
from imd.run.check import Finding, connect_untouched
from imd.run.directory import DataDirectory
from imd.run.encrypted import Identities
from imd.run.errors import OperatorError
from imd.store import migrations, verify

FULL = (errno.ENOSPC, errno.EDQUOT)


def findings(path: Path, identities: Callable[[], Identities]) -> Iterator[Finding]:
    """Check a data directory, with or without a running daemon, or a backup. Raises OperatorError."""
    if path.is_dir():
        yield from _of_database(DataDirectory(path).database)
        return
    try:
        workspace = tempfile.TemporaryDirectory(prefix="imd-verify.")
    except OSError:  # no temporary directory is writable
        raise OperatorError("verify.no_room") from None
    with workspace as made, backup_file.open_backup(path, identities) as backup:
        try:
            backup.unpack(Path(made))
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise OperatorError("verify.no_room") from None
        manifest = backup.manifest
        yield Finding(True, "verify.archive", made=manifest.made, imd=manifest.imd, files=", ".join(manifest.files))
        yield from _of_database(Path(made) / backup_file.DATABASE)


def _of_database(path: Path) -> Iterator[Finding]:
    if not path.exists():
        raise OperatorError("no_data_dir", path=path.parent)
    try:
        with closing(connect_untouched(path)) as connection:
            connection.execute("BEGIN")  # one snapshot for all checks
            version, newest = migrations.version(connection), migrations.available()[-1][0]
            if version != newest:
                yield Finding(False, "verify.schema", version=version, newest=newest)
                return
            yield Finding(True, "verify.counts", **verify.counts(connection))
            for verdict in verify.verdicts(connection):
                key = f"verify.broken.{verdict.check}" if verdict.broken else f"verify.{verdict.check}"
                yield Finding(not verdict.broken, key, count=verdict.broken, first=verdict.first)
    except sqlite3.Error as error:
        if (
            getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL
        ):  # of the disk for SQLite's temporary files; the database is only read
            raise OperatorError("verify.no_room") from None
        yield Finding(False, "database.broken", path=path, reason=error)
