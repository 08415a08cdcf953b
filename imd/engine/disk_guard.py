"""A guard of free disk space: commands that add data are refused before the disk is full, so that others still work."""

import os
from collections.abc import Callable
from pathlib import Path

import attrs
from twisted.logger import Logger

from imd.wire.refusals import Unavailable

CHECK_SECONDS = 1.0
"""How long the result of a check is used: each check is a system call, which is too much for every send."""

RETRY_SECONDS = 10


@attrs.define
class DiskGuard:
    """Watches the free space at a path. Without a path there is always room."""

    log = Logger()

    path: Path | None = None
    seconds: Callable[[], float] = lambda: 0.0
    _checked: float = attrs.field(default=float("-inf"), init=False)
    _low: bool = attrs.field(default=False, init=False)

    def check(self, reserve_mb: int) -> None:
        """Refuse a command that adds data while less than the reserve is free; 0 means no reserve."""
        if self.path is None or not reserve_mb:
            return
        if (now := self.seconds()) - self._checked >= CHECK_SECONDS:
            self._checked = now
            self._measure(self.path, reserve_mb)
        if self._low:
            raise Unavailable("disk_full", retry_after=RETRY_SECONDS)

    def _measure(self, path: Path, reserve_mb: int) -> None:
        try:
            found = os.statvfs(path)
        except OSError:
            return  # if the disk is broken, the write itself fails
        low = found.f_bavail * found.f_frsize < reserve_mb * 2**20
        if low and not self._low:
            self.log.error("less than {reserve} MiB free in {path}: sends are refused", reserve=reserve_mb, path=path)
        elif self._low and not low:
            self.log.info("there is room again in {path}: sends are accepted", path=path)
        self._low = low
