"""The disk's low-water mark: what would fill it is refused while there is still room for everything else."""

import os
from collections.abc import Callable
from pathlib import Path

import attrs
from twisted.logger import Logger

from imd.wire.refusals import Unavailable

LOOK_SECONDS = 1.0
"""How old the last look at the free space may be: a look costs a system call, and a send must not."""

RETRY_SECONDS = 10


@attrs.define
class DiskGuard:
    """The free space where the data lies. Without a path there is always room."""

    log = Logger()

    path: Path | None = None
    seconds: Callable[[], float] = lambda: 0.0
    _looked: float = attrs.field(default=float("-inf"), init=False)
    _low: bool = attrs.field(default=False, init=False)

    def check(self, reserve_mb: int) -> None:
        """Refuse what adds to the data when less than the reserve is free; 0 is none."""
        if self.path is None or not reserve_mb:
            return
        if (now := self.seconds()) - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._look(self.path, reserve_mb)
        if self._low:
            raise Unavailable("disk_full", retry_after=RETRY_SECONDS)

    def _look(self, path: Path, reserve_mb: int) -> None:
        try:
            found = os.statvfs(path)
        except OSError:
            return  # the write itself will tell
        low = found.f_bavail * found.f_frsize < reserve_mb * 2**20
        if low and not self._low:
            self.log.error("less than {reserve} MiB free in {path}: sends are refused", reserve=reserve_mb, path=path)
        elif self._low and not low:
            self.log.info("there is room again in {path}: sends are taken", path=path)
        self._low = low
