"""Writing a ZIP archive file by file; its SHA-256 is computed on the way."""

import hashlib
from datetime import UTC, datetime
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

FOLDER = "imd-export"
"""The folder in the archive that contains everything."""


class ZipWriter:
    """An archive in the making. Times are milliseconds."""

    def __init__(self, file: BinaryIO, now: int) -> None:
        self.bytes = 0
        self._file = file
        self._digest = hashlib.sha256()
        self._time = datetime.fromtimestamp(now // 1000, UTC).timetuple()[:6]
        self._zip = ZipFile(self, "w", ZIP_DEFLATED)  # type: ignore[call-overload]  # it needs no more than write and flush

    def write(self, data: bytes) -> int:
        """Take what ZipFile writes. It writes the end of an abandoned archive too, when the file is closed already."""
        if self._file.closed:
            return len(data)
        self._digest.update(data)
        self.bytes += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        """Do nothing: the archive is read where it was written."""

    def add(self, name: str, text: str | bytes) -> None:
        """Add a file, readable only by its owner once it is unpacked."""
        info = ZipInfo(f"{FOLDER}/{name}", self._time)
        info.compress_type = ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        self._zip.writestr(info, text)

    def finish(self) -> str:
        """Write the end, and return the SHA-256 of the archive."""
        self._zip.close()
        self._file.flush()
        return self._digest.hexdigest()
