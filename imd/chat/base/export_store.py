"""Exports that wait to be fetched: one an account, for an hour. Times are milliseconds."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

import attrs

from imd.chat.base.rate_limits import time_left, wait_seconds
from imd.wire.refusals import BadRequest, RateLimited, Unavailable

PAUSE = 600_000
"""How long an account waits between two exports."""

KEPT = 3_600_000
"""How long an export can be fetched."""

MOST_AT_ONCE = 3
"""How many are made at a time, so that reader threads are left for everybody else."""

RETRY_SECONDS = 5
"""When to ask again for an export that is being made, or for a turn to make one."""

MOST_KEPT = 100
"""How many are kept. Each holds a file open, so the oldest makes room for a new one."""


@attrs.define(eq=False)
class StoredExport:
    """One account's export, being made or ready."""

    account: int
    began: int
    file: BinaryIO | None = None
    """It has no name: nobody can guess a path, and it is gone once it is closed or the process has ended."""

    bytes: int = 0
    sha256: str = ""
    """Empty until the export is ready."""

    gone: bool = False
    """Whether it was dropped: the handler that makes it need not go on."""

    @property
    def expires(self) -> int:
        """When it is dropped."""
        return self.began + KEPT


@attrs.define(eq=False)
class ExportStore:
    """Keeps the exports. Files are made by `scratch`, and used in `aside` alone, by one piece of work at a time."""

    scratch: Callable[[], BinaryIO]
    aside: Callable[[Callable[[], None]], Any]
    _exports: dict[int, StoredExport] = attrs.field(factory=dict, init=False)
    """By account, the oldest first."""

    def begin(self, account: int, now: int) -> StoredExport:
        """Begin an export, in place of an older one; refuses an account that has just had one made."""
        earlier = self._exports.get(account)
        if earlier is not None and (left := time_left(earlier.began, PAUSE, now)) > 0:
            raise RateLimited("export", retry_after=wait_seconds(left))
        if sum(not each.sha256 for each in self._exports.values()) >= MOST_AT_ONCE:
            raise Unavailable("exports", retry_after=RETRY_SECONDS)
        self.drop(account)
        if len(self._exports) >= MOST_KEPT:
            self.drop(next(iter(self._exports)))
        export = self._exports[account] = StoredExport(account, now)
        return export

    def ready(self, account: int, now: int) -> StoredExport:
        """Find an account's export; refuses if there is none, or it is not ready."""
        self.tidy(now)
        export = self._exports.get(account)
        if export is None:
            raise BadRequest("no_export")
        if not export.sha256:
            raise Unavailable("exporting", retry_after=RETRY_SECONDS)
        return export

    def drop(self, account: int) -> None:
        """Drop an account's export."""
        export = self._exports.pop(account, None)
        if export is None:
            return
        export.gone = True
        if export.file is not None:
            with suppress(Unavailable):
                self.aside(export.file.close)

    def tidy(self, now: int) -> None:
        """Drop the exports that have expired."""
        for export in list(self._exports.values()):
            if export.sha256 and export.expires <= now:
                self.drop(export.account)

    def close(self) -> None:
        """Drop them all, once no work is done aside any more."""
        for export in self._exports.values():
            if export.file is not None:
                export.file.close()
        self._exports.clear()
