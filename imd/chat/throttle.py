"""Failed logins slow the next one down, for one account and address, so that nobody can lock a stranger out."""

import attrs

from imd.wire.refusals import RateLimited

LONGEST_SECONDS = 900
"""The delay grows no further than this."""

REMEMBERED = 4 * LONGEST_SECONDS * 1000
"""After so many milliseconds without another failure, it begins anew."""

MOST_KEPT = 10_000


@attrs.define
class _Record:
    failures: int
    last: int


@attrs.define
class Throttle:
    """Remembers failures in memory. Times are milliseconds."""

    allowed: int
    """How many failures are free."""

    _records: dict[tuple[str, str], _Record] = attrs.field(factory=dict, init=False)

    def check(self, username: str, address: str, now: int) -> None:
        """Refuse `rate_limited` while the delay of earlier failures lasts."""
        record = self._records.get((username, address))
        if record is None or record.failures < self.allowed:
            return
        delay = min(2 ** (record.failures - self.allowed), LONGEST_SECONDS)
        left = min(record.last - now, 0) + delay * 1000  # no longer than that, if the clock was set back
        if left > 0:
            raise RateLimited(retry_after=-(-left // 1000))

    def failed(self, username: str, address: str, now: int) -> None:
        """Count a failure."""
        self._make_room(now)
        record = self._records.get((username, address))
        if record is None or now - record.last > REMEMBERED:
            record = self._records[username, address] = _Record(0, now)
        record.failures += 1
        record.last = now

    def passed(self, username: str, address: str) -> None:
        """Forget an account's failures after a login that worked."""
        self._records.pop((username, address), None)

    def _make_room(self, now: int) -> None:
        if len(self._records) >= MOST_KEPT:
            kept = {key: record for key, record in self._records.items() if now - record.last <= REMEMBERED}
            self._records = kept if len(kept) < MOST_KEPT else {}
