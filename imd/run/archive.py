"""A backup's file: a compressed tar of a manifest and what it lists, sealed where a passphrase is given.

    manifest.json    format, imd's version, the schema, when it was made, and of each file its SHA-256 and size
    imd.sqlite3      the database, copied whole while the daemon runs
    certificate.pem, key.pem, config.toml

Any `tar xzf` opens one that is not sealed.
"""

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

import attrs
import msgspec

from imd.run import sealed
from imd.run.problem import Problem

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "imd.sqlite3"
FILES = "files"
"""The directory of what people send: the only one."""

LONGEST_MANIFEST = 64 * 1024 * 1024
PIECE = 1024 * 1024


class Carried(msgspec.Struct, frozen=True):
    """A file in a backup."""

    sha256: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds. `made` is a time in RFC 3339."""

    format: int
    imd: str
    schema: int
    made: str
    files: dict[str, Carried]


def carried(path: Path) -> Carried:
    """Describe a file as it lies there."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return Carried(sha256=digest.hexdigest(), bytes=path.stat().st_size)


def write(into: IO[bytes], manifest: Manifest, files: dict[str, Path], passphrase: str) -> None:
    """Write a backup: the manifest, then its files."""
    body: Any = sealed.Sealer(into, passphrase) if passphrase else into
    with (
        gzip.GzipFile(fileobj=body, mode="wb", compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        written = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        tar.addfile(_entry(MANIFEST, len(written)), io.BytesIO(written))
        for name, path in files.items():
            with path.open("rb") as file:
                tar.addfile(_entry(name, manifest.files[name].bytes), file)
    if passphrase:
        body.close()


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = size
    entry.mode = 0o600
    return entry


@attrs.frozen
class Reading:
    """A backup that is being read."""

    path: Path
    manifest: Manifest
    _packed: gzip.GzipFile
    _tar: tarfile.TarFile

    def unpack(self, into: Path) -> None:
        """Write each of its files into a directory, all with mode 600, and compare it with the manifest."""
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
                while source is not None and (piece := source.read(PIECE)):
                    file.write(piece)
                file.flush()
            if carried(target) != expected:
                raise self.damaged(entry.name)
        while self._packed.read(PIECE):
            pass  # to the end, where the checksum of it all stands
        if left:
            raise self.damaged(next(iter(left)))

    def damaged(self, what: str) -> Problem:
        """Give the problem that a part of it is."""
        return Problem("backup.damaged", path=self.path, part=what)


def _harmless(name: str) -> bool:
    """Say whether a file is one of a server's, and not one that SQLite, a restore or the daemon acts upon."""
    first, *others = name.split("/")
    if others:
        return first == FILES and not {"", ".", ".."}.intersection(others)
    return first in (DATABASE, "config.toml") or (first.endswith(".pem") and not first.startswith("before-"))


@contextmanager
def reading(path: Path, passphrase: Callable[[], str]) -> Iterator[Reading]:
    """Open a backup and read its manifest; asks for the passphrase where it is sealed. Raises Problem, also later."""
    try:
        with path.open("rb") as file:
            body: Any = file
            if sealed.is_sealed(file):
                body = io.BufferedReader(sealed.Opener(file, passphrase()))
            with gzip.GzipFile(fileobj=body) as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
                first = tar.next()
                if first is None or first.name != MANIFEST or first.size > LONGEST_MANIFEST:
                    raise Problem("backup.none", path=path)
                written = tar.extractfile(first)
                if written is None:
                    raise Problem("backup.none", path=path)
                manifest = msgspec.json.decode(written.read(), type=Manifest)
                if manifest.format > FORMAT:
                    raise Problem("backup.newer", path=path, version=manifest.imd)
                backup = Reading(path, manifest, packed, tar)
                for name in manifest.files:
                    if not _harmless(name):
                        raise backup.damaged(name)
                yield backup
    except sealed.Unreadable:
        raise Problem("backup.sealed", path=path) from None
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError) as error:
        raise Problem("backup.broken", path=path, reason=error) from None
    except OSError as error:
        raise Problem("unreadable", path=path, reason=error.strerror or error) from None
