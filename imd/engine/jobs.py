"""Doing chores when they are due: one timer for all of them, each chore one write."""

from typing import Any, Protocol

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from imd.chat.base.effects import Effect
from imd.chat.base.jobs import JOBS, Job, JobResult
from imd.engine.encoded_event import EncodedEvent
from imd.store import forgetting
from imd.store.db import StoreUnavailable
from imd.store.transaction import Tx

LONGEST_SECONDS = 3600.0
"""The timer is looked at so often at least: the wall clock may have been set meanwhile."""

RETRY_MILLISECONDS = 5000


class JobHost(Protocol):
    """The house, as its chores see it."""

    database: Any
    reactor: Any
    now: Any
    exports: Any

    def spread(self, events: list[EncodedEvent], effects: tuple[Effect, ...]) -> None:
        """Tell whoever is online, and do to sessions what a chore says."""


@attrs.define(eq=False)
class Jobs:
    """Runs every chore at the start, and again whenever one is due."""

    log = Logger()

    server: JobHost
    timer: IDelayedCall | None = attrs.field(default=None, init=False)
    """What waits for the next chore."""

    _at: int | None = attrs.field(default=None, init=False)
    _running: bool = attrs.field(default=False, init=False)
    _stopped: bool = attrs.field(default=True, init=False)

    def start(self) -> None:
        """Begin."""
        self._stopped = False
        self.wake(self.server.now())

    def stop(self) -> None:
        """Do no more."""
        self._stopped = True
        self._cancel()

    def wake(self, at: int) -> None:
        """See to it that the chores are looked at by this time (milliseconds since 1970)."""
        if self._stopped or (self._at is not None and self._at <= at):
            return
        self._cancel()
        self._at = at
        seconds = min(max(0.0, (at - self.server.now()) / 1000), LONGEST_SECONDS)
        self.timer = self.server.reactor.callLater(seconds, self._due)

    def _cancel(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer = self._at = None

    def _due(self) -> None:
        self.timer = self._at = None
        if self._running:
            self.wake(self.server.now() + 100)
            return
        self._running = True
        Deferred.fromCoroutine(self._run()).addErrback(self._failed).addBoth(self._over)

    async def _run(self) -> None:
        again = []
        self.server.exports.tidy(self.server.now())
        for job in JOBS:
            try:
                done = await self._do(job)
            except StoreUnavailable:
                raise
            except Exception:  # the others are still done
                self.log.failure("a chore failed")
                done = JobResult(again=self.server.now() + RETRY_MILLISECONDS)
            if done.again is not None:
                again.append(done.again)
        if not await self._clean():
            again.append(self.server.now() + 1000)
        if again:
            self.wake(min(again))

    async def _clean(self) -> bool:
        """Rid the database's files of what was destroyed. False while a reader is in the way."""
        database = self.server.database
        due = await database.read(forgetting.due)
        if due and not await database.scrub():
            return False
        if due:
            await database.written(lambda tx: forgetting.cleaned(tx, due))
        return True

    async def _do(self, job: Job) -> JobResult:
        now = self.server.now()

        def work(tx: Tx) -> tuple[JobResult, list[EncodedEvent]]:
            done = job(tx, now)
            return done, [EncodedEvent.of(*told) for told in done.told]

        done, events = await self.server.database.written(work)
        self.server.spread(events, done.effects)
        return done  # type: ignore[no-any-return]  # what work gave

    def _failed(self, failure: Failure) -> None:
        if not self._stopped:
            if not failure.check(StoreUnavailable):
                self.log.failure("a chore failed", failure)
            self.wake(self.server.now() + RETRY_MILLISECONDS)

    def _over(self, result: object) -> None:
        self._running = False
