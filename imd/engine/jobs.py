"""Running the background jobs when they are due: one timer for all of them, each run one write."""

from collections.abc import Callable
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from imd.chat.base.effects import Effect
from imd.chat.base.jobs import JOBS, Job, JobResult
from imd.engine.encoded_event import EncodedEvent
from imd.store import forgetting
from imd.store.db import Database, StoreUnavailable
from imd.store.transaction import Tx

LONGEST_SECONDS = 3600.0
"""The timer is looked at so often at least: the wall clock may have been set meanwhile."""

RETRY_MILLISECONDS = 5000


@attrs.define(eq=False)
class Jobs:
    """Runs every chore at the start, and again whenever one is due."""

    log = Logger()

    database: Database
    reactor: Any
    """IReactorTime."""

    now: Callable[[], int]
    """Milliseconds since 1970."""

    tidy: Callable[[int], None]
    """Throws away what is out of date outside the database; takes the time."""

    spread: Callable[[list[EncodedEvent], tuple[Effect, ...]], None]
    """Tells whoever is online, and applies a job's effects."""

    timer: IDelayedCall | None = attrs.field(default=None, init=False)
    """What waits for the next chore."""

    _at: int | None = attrs.field(default=None, init=False)
    _running: bool = attrs.field(default=False, init=False)
    _stopped: bool = attrs.field(default=True, init=False)

    def start(self) -> None:
        """Begin."""
        self._stopped = False
        self.schedule(self.now())

    def stop(self) -> None:
        """Do no more."""
        self._stopped = True
        self._cancel()

    def schedule(self, at: int) -> None:
        """See to it that the chores are looked at by this time (milliseconds since 1970)."""
        if self._stopped or (self._at is not None and self._at <= at):
            return
        self._cancel()
        self._at = at
        seconds = min(max(0.0, (at - self.now()) / 1000), LONGEST_SECONDS)
        self.timer = self.reactor.callLater(seconds, self._due)

    def _cancel(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer = self._at = None

    def _due(self) -> None:
        self.timer = self._at = None
        if self._running:
            self.schedule(self.now() + 100)
            return
        self._running = True
        Deferred.fromCoroutine(self._run()).addErrback(self._failed).addBoth(self._over)

    async def _run(self) -> None:
        again = []
        self.tidy(self.now())
        for job in JOBS:
            try:
                done = await self._do(job)
            except StoreUnavailable:
                raise
            except Exception:  # the others are still done
                self.log.failure("a chore failed")
                done = JobResult(again=self.now() + RETRY_MILLISECONDS)
            if done.again is not None:
                again.append(done.again)
        if not await self._clean():
            again.append(self.now() + 1000)
        if again:
            self.schedule(min(again))

    async def _clean(self) -> bool:
        """Rid the database's files of what was destroyed. False while a reader is in the way."""
        due = await self.database.read(forgetting.due)
        if due and not await self.database.scrub():
            return False
        if due:
            await self.database.written(lambda tx: forgetting.cleaned(tx, due))
        return True

    async def _do(self, job: Job) -> JobResult:
        now = self.now()

        def work(tx: Tx) -> tuple[JobResult, list[EncodedEvent]]:
            done = job(tx, now)
            return done, EncodedEvent.all(done.told)

        done, events = await self.database.written(work)
        self.spread(events, done.effects)
        return done

    def _failed(self, failure: Failure) -> None:
        if not self._stopped:
            if not failure.check(StoreUnavailable):
                self.log.failure("a chore failed", failure)
            self.schedule(self.now() + RETRY_MILLISECONDS)

    def _over(self, result: object) -> None:
        self._running = False
