"""Runs the background jobs when they are due: one timer for all, and one write for each job."""

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
"""Jobs run at least this often, since the wall clock may have been set meanwhile."""

RETRY_MILLISECONDS = 5000


@attrs.define(eq=False)
class Jobs:
    """Runs every job at the start, and all of them again whenever one is due."""

    log = Logger()

    database: Database
    reactor: Any
    """IReactorTime."""

    now: Callable[[], int]
    """Milliseconds since 1970."""

    tidy: Callable[[int], None]
    """Removes outdated things that are not in the database. Takes the time."""

    spread: Callable[[list[EncodedEvent], tuple[Effect, ...]], None]
    """Sends a job's events, and applies its effects."""

    timer: IDelayedCall | None = attrs.field(default=None, init=False)
    """The timer for the next run."""

    _at: int | None = attrs.field(default=None, init=False)
    _running: bool = attrs.field(default=False, init=False)
    _stopped: bool = attrs.field(default=True, init=False)

    def start(self) -> None:
        """Start."""
        self._stopped = False
        self.schedule(self.now())

    def stop(self) -> None:
        """Stop."""
        self._stopped = True
        self._cancel()

    def schedule(self, at: int) -> None:
        """Run the jobs by this time at the latest (milliseconds since 1970)."""
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
                done = await self._run_one(job)
            except StoreUnavailable:
                raise
            except Exception:  # the other jobs must still run
                self.log.failure("a job failed")
                done = JobResult(again=self.now() + RETRY_MILLISECONDS)
            if done.again is not None:
                again.append(done.again)
        if not await self._clean():
            again.append(self.now() + 1000)
        if again:
            self.schedule(min(again))

    async def _clean(self) -> bool:
        """Remove destroyed content from the database's files. False if a reader prevents it."""
        due = await self.database.read(forgetting.due)
        if due and not await self.database.scrub():
            return False
        if due:
            await self.database.written(lambda tx: forgetting.cleaned(tx, due))
        return True

    async def _run_one(self, job: Job) -> JobResult:
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
                self.log.failure("the jobs failed", failure)
            self.schedule(self.now() + RETRY_MILLISECONDS)

    def _over(self, result: object) -> None:
        self._running = False
