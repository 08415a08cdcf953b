"""Rate limits that are kept in memory: failed logins by account and address, registrations by address."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import attrs

from imd.chat.base.limits import DAY
from imd.wire.refusals import InvalidCredentials, RateLimited

LONGEST_SECONDS = 900
"""The longest delay."""

REMEMBERED = 4 * LONGEST_SECONDS * 1000
"""How long without a failure, in milliseconds, until earlier ones are forgotten."""

MOST_KEPT = 10_000

Key = tuple[str, str]
"""What is tried, and where from."""


def time_left(since: int, span: int, now: int) -> int:
    """Give what is left of a span, in milliseconds; never more than all of it, even if the clock was set back."""
    return min(since - now, 0) + span


def wait_seconds(milliseconds: int) -> int:
    """Round a wait up to whole seconds, for `retry_after`."""
    return -(-milliseconds // 1000)


class Signal(Protocol, Awaitable[None]):
    """What a waiting attempt awaits: a Deferred, which this floor does not import."""

    def callback(self, result: None) -> object:
        """Let the attempt go on."""


@attrs.define
class _Record:
    failures: int
    last: int
    under_way: int = 0
    waiting: list[Signal] = attrs.field(factory=list)

    @property
    def counted(self) -> int:
        """How many attempts count: those that failed, and those under way, which may still fail."""
        return self.failures + self.under_way

    @property
    def worth(self) -> tuple[int, int, int]:
        """What speaks for keeping it: its attempts under way, its failures, its age."""
        return self.under_way, self.failures, self.last


@attrs.define
class LoginLimit:
    """Delays the next attempt after failed ones. Times are milliseconds.

    An attempt counts as failed until it has succeeded, so that many at once gain nothing. While the free attempts are
    under way, further ones wait for their outcome: all devices of an account may log in at the same time.
    """

    allowed: int
    """How many failures cause no delay."""

    signal: Callable[[], Signal]
    """Makes what a waiting attempt awaits."""

    _records: dict[Key, _Record] = attrs.field(factory=dict, init=False)

    async def free(self, key: Key) -> None:
        """Wait while all the free attempts are under way."""
        while (record := self._records.get(key)) and record.failures < self.allowed <= record.counted:
            record.waiting.append(signal := self.signal())
            await signal

    @contextmanager
    def trying(self, key: Key, now: int, case: str = "") -> Iterator[None]:
        """Count one attempt. It has failed if the body raises `invalid_credentials`; other refusals are not counted.

        Neither is one that only asks for a code, since the password was right.
        Refuses `rate_limited` while the delay of earlier failures lasts, or too many attempts are under way.
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
            for signal in waiting:
                signal.callback(None)

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
        """Forget old records; if that is not enough, the tenth of them that speaks least for being kept.

        An attacker who fills this memory to have a delay forgotten must first earn a longer one for every other record.
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
    """A day of an address's registrations, from the first one on."""

    began: int
    count: int = 0


@attrs.define
class RegistrationLimit:
    """Counts the registrations of each address within a day. Times are milliseconds."""

    _days: dict[str, _Day] = attrs.field(factory=dict, init=False)

    @contextmanager
    def registering(self, address: str, most: int, now: int) -> Iterator[None]:
        """Count one registration, unless the body fails. Refuses `rate_limited` if the address has had `most` today.

        This machine's own addresses are not counted, nor are connections without an address.
        """
        if not most or _is_local(address):
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


def _is_local(address: str) -> bool:
    return not address or address.startswith("127.") or address == "::/64"
