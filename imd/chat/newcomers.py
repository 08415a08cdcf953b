"""How many accounts each address has registered within a day. Kept in memory: no address reaches the disk for it."""

from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from imd.wire.fields import wait_seconds
from imd.wire.refusals import RateLimited

DAY = 86_400_000
MOST_KEPT = 10_000


@attrs.define
class _Day:
    """A day of one address's, from its first registration on."""

    began: int
    count: int = 0


@attrs.define
class Newcomers:
    """Counts registrations. Times are milliseconds."""

    _days: dict[str, _Day] = attrs.field(factory=dict, init=False)

    @contextmanager
    def registering(self, address: str, most: int, now: int) -> Iterator[None]:
        """Hold one registration, which counts unless it fails. Refuses `rate_limited` when the address has had its day.

        This machine's own addresses, and who has none, are not counted.
        """
        if not most or _at_home(address):
            yield
            return
        day = self._day(address, now)
        if day.count >= most:
            left = min(day.began - now, 0) + DAY  # no longer than that, if the clock was set back
            raise RateLimited("registrations", retry_after=wait_seconds(left))
        day.count += 1
        try:
            yield
        except BaseException:
            day.count -= 1
            raise

    def _day(self, address: str, now: int) -> _Day:
        day = self._days.get(address)
        if day is None or now - day.began >= DAY:
            self._days.pop(address, None)
            if len(self._days) >= MOST_KEPT:
                del self._days[next(iter(self._days))]  # the one that began first
            day = self._days[address] = _Day(now)
        return day


def _at_home(address: str) -> bool:
    return not address or address.startswith("127.") or address == "::/64"
