"""Jobs: work that becomes due by itself. Each is a small write; the server runs it when it is due.

    @job
    def burn(tx, now) -> JobResult

A job does one piece of its work, and says when to call it again.
"""

from collections.abc import Callable

import attrs

from imd.chat.base.effects import Delivery, Effect
from imd.store.transaction import Tx


@attrs.frozen
class JobResult:
    """What a job did: who is told, when it is due again, and effects on the server or on any session."""

    told: tuple[Delivery, ...] = ()
    again: int | None = None
    """Milliseconds since 1970; None means that only a Schedule effect calls it again."""

    effects: tuple[Effect, ...] = ()


INDEX_DELAY = 1_000
"""After how many milliseconds a new or changed message is taken into the search index. Searches find it before."""

Job = Callable[[Tx, int], JobResult]

JOBS: list[Job] = []
"""Every job; filled as the modules of the commands are imported."""


def job(run: Job) -> Job:
    """Register a job: it runs once at the start, then when its result or a Schedule effect says."""
    JOBS.append(run)
    return run
