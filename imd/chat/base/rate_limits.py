"""Two rate limits, kept in memory: failed logins of one account from one address, and registrations of one address."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import attrs

from imd.chat.base.limits import DAY
from imd.wire.refusals import InvalidCredentials, RateLimited

LONGEST_SECONDS = 900
"""The delay grows no further than this."""

REMEMBERED = 4 * LONGEST_SECONDS * 1000
"""After so many milliseconds without another failure, it begins anew."""

MOST_KEPT = 10_000

Key = tuple[str, str]
"""What is tried, and from where."""


def time_left(since: int, span: int, now: int) -> int:
    """Give what is left of a span, in milliseconds: never more than all of it, even if the clock was set back."""
    return min(since - now, 0) + span


def wait_seconds(milliseconds: int) -> int:
    """Round a wait up to whole seconds, for `retry_after`."""
    return -(-milliseconds // 1000)


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
class LoginLimit:
    """Delays the next login after failed ones, per account and address, so that nobody can lock somebody else out.

    An attempt counts as failed from its start until it has succeeded, so that many attempts at once gain nothing.
    Attempts beyond the free ones wait for the outcome of those: all devices of an account may log in together.
    Times are milliseconds.
    """

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
            left = time_left(record.last, delay * 1000, now)
            if record.under_way or left > 0:
                raise RateLimited(case, retry_after=max(1, wait_seconds(left)))
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


@attrs.define
class _Day:
    """A day of one address's, from its first registration on."""

    began: int
    count: int = 0


@attrs.define
class RegistrationLimit:
    """Counts the registrations of each address within a day. Nothing is written to disk. Times are milliseconds."""

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
            raise RateLimited("registrations", retry_after=wait_seconds(time_left(day.began, DAY, now)))
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
