"""Failed logins slow the next one down, for one account and one origin, so that nobody can lock a stranger out.

A try counts from its beginning, as if it failed, until it is known not to have: who tries many at once gains nothing.
Where more come at once than are free, the others wait until they know; all of somebody's devices may log in together.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import attrs

from imd.wire.fields import wait_seconds
from imd.wire.refusals import InvalidCredentials, RateLimited

LONGEST_SECONDS = 900
"""The delay grows no further than this."""

REMEMBERED = 4 * LONGEST_SECONDS * 1000
"""After so many milliseconds without another failure, it begins anew."""

MOST_KEPT = 10_000

Key = tuple[str, str]
"""What is tried, and from where."""


class Verdict(Protocol, Awaitable[None]):
    """What somebody waits for: a Deferred, whose name is not known here."""

    def callback(self, result: None) -> object:
        """Let them go on."""


@attrs.define
class _Record:
    failures: int
    last: int
    under_way: int = 0
    waiting: list[Verdict] = attrs.field(factory=list)

    @property
    def counted(self) -> int:
        """How many tries count: those that failed, and those that still may."""
        return self.failures + self.under_way

    @property
    def worth(self) -> tuple[int, int, int]:
        """What speaks for keeping it: its tries under way, how long a delay it holds, how fresh it is."""
        return self.under_way, self.failures, self.last


@attrs.define
class Throttle:
    """Remembers failures in memory. Times are milliseconds."""

    allowed: int
    """How many failures are free."""

    verdict: Callable[[], Verdict]
    """Makes what a try that must wait waits for."""

    _records: dict[Key, _Record] = attrs.field(factory=dict, init=False)

    async def free(self, key: Key) -> None:
        """Wait while the tries that are free are all under way."""
        while (record := self._records.get(key)) and record.failures < self.allowed <= record.counted:
            record.waiting.append(verdict := self.verdict())
            await verdict

    @contextmanager
    def trying(self, key: Key, now: int, case: str = "") -> Iterator[None]:
        """Hold one try: it failed if it ends in `invalid_credentials`, and counts for nothing in any other refusal.

        That a code is asked for is half a success: the password was right. It counts for nothing too.
        Refuses `rate_limited` while the delay of earlier failures lasts, and while too many tries are under way.
        """
        record = self._begin(key, now, case)
        try:
            yield
        except InvalidCredentials as refusal:
            if refusal.case != "code":
                record.failures += 1
                record.last = now
            raise
        else:
            record.failures = 0
        finally:
            record.under_way -= 1
            if not record.failures and not record.under_way and self._records.get(key) is record:
                del self._records[key]
            waiting, record.waiting = record.waiting, []
            for verdict in waiting:
                verdict.callback(None)

    def _begin(self, key: Key, now: int, case: str) -> _Record:
        record = self._records.get(key)
        if record is None:
            self._make_room(now)
            record = self._records[key] = _Record(0, now)
        elif record.failures and now - record.last > REMEMBERED:
            record.failures = 0
        over = record.counted - self.allowed
        if over >= 0 and (record.failures or record.under_way):
            delay = min(2 ** min(over, 10), LONGEST_SECONDS)
            left = min(record.last - now, 0) + delay * 1000  # no longer than that, if the clock was set back
            if record.under_way or left > 0:
                raise RateLimited(case, retry_after=wait_seconds(left))
        record.under_way += 1
        return record

    def _make_room(self, now: int) -> None:
        """Forget what is old; if that is not enough, the tenth of all that slows the least down.

        Whoever fills this memory to have a delay of theirs forgotten must earn a delay for each of the others first.
        """
        if len(self._records) < MOST_KEPT:
            return
        kept = {key: each for key, each in self._records.items() if each.under_way or now - each.last <= REMEMBERED}
        if len(kept) >= MOST_KEPT:
            best = sorted(kept, key=lambda key: kept[key].worth, reverse=True)
            kept = {key: kept[key] for key in best[: MOST_KEPT * 9 // 10]}
        self._records = kept
