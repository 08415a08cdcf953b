"""A backup's file: a compressed tar of a manifest and the files it lists, encrypted if there are recipients.

    manifest.json    format, imd's version, schema, time, and each file's SHA-256 and size
    imd.sqlite3      a consistent copy of the database
    certificate.pem, key.pem, config.toml

`tar xzf` opens it, after `age --decrypt` if it is encrypted.
"""

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path, PurePosixPath
from typing import IO, Any

import attrs
import msgspec

from imd.run import encrypted
from imd.run.errors import OperatorError

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "imd.sqlite3"
FILES = "files"
"""The directory of uploaded files, the only directory in a backup."""

MAX_MANIFEST_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024


class FileEntry(msgspec.Struct, frozen=True):
    """One file of a backup, in the manifest."""

    sha256: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True):
    """The contents of a backup. `made` is an RFC 3339 time."""

    format: int
    imd: str
    schema: int
    made: str
    files: dict[str, FileEntry]


def describe(path: Path) -> FileEntry:
    """Hash and measure a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return FileEntry(sha256=digest.hexdigest(), bytes=path.stat().st_size)


def write(into: IO[bytes], manifest: Manifest, files: dict[str, Path], recipients: Sequence[Any]) -> None:
    """Write a backup: the manifest, then its files."""
    with (
        encrypted.encrypting(into, recipients) if recipients else nullcontext(into) as body,
        gzip.GzipFile(fileobj=body, mode="wb", compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        written = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        tar.addfile(_entry(MANIFEST, len(written)), io.BytesIO(written))
        for name, path in files.items():
            with path.open("rb") as file:
                tar.addfile(_entry(name, manifest.files[name].bytes), file)


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = size
    entry.mode = 0o600
    return entry


@attrs.frozen
class BackupReader:
    """A backup that is open for reading."""

    path: Path
    manifest: Manifest
    _packed: gzip.GzipFile
    _tar: tarfile.TarFile

    def unpack(self, into: Path) -> None:
        """Write all files into a directory, with mode 600, and check each against the manifest."""
        left = dict(self.manifest.files)
        while (entry := self._tar.next()) is not None:
            if (expected := left.pop(entry.name, None)) is None or not entry.isreg():
                raise self.damaged(entry.name)
            source = self._tar.extractfile(entry)
            target = into / entry.name
            for above in reversed(PurePosixPath(entry.name).parents):
                (into / above).mkdir(mode=0o700, exist_ok=True)
            target.touch(0o600)
            with target.open("wb") as file:
                while source is not None and (chunk := source.read(CHUNK_BYTES)):
                    file.write(chunk)
                file.flush()
            if describe(target) != expected:
                raise self.damaged(entry.name)
        while self._packed.read(CHUNK_BYTES):
            pass  # gzip's checksum stands at the end
        if left:
            raise self.damaged(next(iter(left)))

    def damaged(self, what: str) -> OperatorError:
        """Make the error for a damaged part."""
        return OperatorError("backup.damaged", path=self.path, part=what)


def _is_safe_name(name: str) -> bool:
    """Say whether a backup may contain this file: none that would make SQLite, a restore or the daemon do something."""
    first, *others = name.split("/")
    if others:
        return first == FILES and not {"", ".", ".."}.intersection(others)
    return first in (DATABASE, "config.toml") or (first.endswith(".pem") and not first.startswith("before-"))


@contextmanager
def open_backup(path: Path, identities: Callable[[], encrypted.Identities]) -> Iterator[BackupReader]:
    """Open a backup and read its manifest; asks for identities if it is encrypted. Raises OperatorError, also later."""
    try:
        with path.open("rb") as file, ExitStack() as opened:
            body: IO[bytes] = file
            if encrypted.is_encrypted(file.peek(encrypted.LONGEST_START)):
                body = opened.enter_context(encrypted.decrypting(file, identities()))
            packed = opened.enter_context(gzip.GzipFile(fileobj=body))
            tar = opened.enter_context(tarfile.open(fileobj=packed, mode="r|"))
            first = tar.next()
            if first is None or first.name != MANIFEST or first.size > MAX_MANIFEST_BYTES:
                raise OperatorError("backup.none", path=path)
            written = tar.extractfile(first)
            if written is None:
                raise OperatorError("backup.none", path=path)
            manifest = msgspec.json.decode(written.read(), type=Manifest)
            if manifest.format > FORMAT:
                raise OperatorError("backup.newer", path=path, version=manifest.imd)
            backup = BackupReader(path, manifest, packed, tar)
            for name in manifest.files:
                if not _is_safe_name(name):
                    raise backup.damaged(name)
            yield backup
    except encrypted.DecryptionError:
        raise OperatorError("backup.encrypted", path=path) from None
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError) as error:
        raise OperatorError("backup.broken", path=path, reason=error) from None
    except OSError as error:
        raise OperatorError("unreadable", path=path, reason=error.strerror or error) from None
