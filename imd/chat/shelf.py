"""The shelf: archives that wait to be fetched, one an account, for an hour. Times are milliseconds."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

import attrs

from imd.wire.fields import wait_seconds
from imd.wire.refusals import BadRequest, RateLimited, Unavailable

PAUSE = 600_000
"""How long one waits between two archives."""

KEPT = 3_600_000
"""How long an archive can be fetched."""

MOST_AT_ONCE = 3
"""How many are being made at a time, so that readers are left for everybody else."""

RETRY_SECONDS = 5
"""When to ask again for an archive that is being made, or after others' archives."""

MOST_KEPT = 100
"""Each one keeps a file open: where there are more, the oldest goes."""


@attrs.define(eq=False)
class Archive:
    """One account's archive, being made or ready."""

    account: int
    began: int
    file: BinaryIO | None = None
    """It has no name: closed, it is gone, and so it is when the process ends, however it does."""

    bytes: int = 0
    sha256: str = ""
    """Empty until it is ready."""

    gone: bool = False
    """Taken off the shelf: whoever still makes it need not go on."""

    @property
    def expires(self) -> int:
        """When it is thrown away."""
        return self.began + KEPT


@attrs.define(eq=False)
class Shelf:
    """Keeps the archives. Files are made by `scratch`, and used in `aside` alone, one thing at a time."""

    scratch: Callable[[], BinaryIO]
    aside: Callable[[Callable[[], None]], Any]
    _archives: dict[int, Archive] = attrs.field(factory=dict, init=False)
    """By account, the oldest first."""

    def begin(self, account: int, now: int) -> Archive:
        """Make room for a new archive in place of an older one; refuses who had one made only just now."""
        earlier = self._archives.get(account)
        if earlier is not None and now - earlier.began < PAUSE:
            raise RateLimited("export", retry_after=wait_seconds(earlier.began + PAUSE - now))
        if sum(not each.sha256 for each in self._archives.values()) >= MOST_AT_ONCE:
            raise Unavailable("exports", retry_after=RETRY_SECONDS)
        self.drop(account)
        if len(self._archives) >= MOST_KEPT:
            self.drop(next(iter(self._archives)))
        archive = self._archives[account] = Archive(account, now)
        return archive

    def ready(self, account: int, now: int) -> Archive:
        """Find an account's archive; refuses where there is none, or not yet."""
        self.tidy(now)
        archive = self._archives.get(account)
        if archive is None:
            raise BadRequest("no_export")
        if not archive.sha256:
            raise Unavailable("exporting", retry_after=RETRY_SECONDS)
        return archive

    def drop(self, account: int) -> None:
        """Throw an account's archive away."""
        archive = self._archives.pop(account, None)
        if archive is None:
            return
        archive.gone = True
        if archive.file is not None:
            with suppress(Unavailable):
                self.aside(archive.file.close)

    def tidy(self, now: int) -> None:
        """Throw away what is out of date."""
        for archive in list(self._archives.values()):
            if archive.sha256 and archive.expires <= now:
                self.drop(archive.account)

    def close(self) -> None:
        """Throw everything away, once nobody works aside any more."""
        for archive in self._archives.values():
            if archive.file is not None:
                archive.file.close()
        self._archives.clear()
