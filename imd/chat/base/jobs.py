"""Chores: what becomes due by itself, without anybody asking. Each is a small write; the house runs them in time.

    @chore
    def burn(tx, now) -> Chored

A chore does one piece of its work and says when it wants to be called again.
"""

from collections.abc import Callable

import attrs

from imd.chat.base.effects import Delivery, Effect
from imd.store.transaction import Tx


@attrs.frozen
class JobResult:
    """What a chore did: who is told, when it is due again, and whether what it erased must leave the files as well.

    Its effects are those on everybody's sessions: it has none of its own.
    """

    told: tuple[Delivery, ...] = ()
    again: int | None = None
    """Milliseconds since 1970; None until something wakes it."""

    scrub: bool = False
    effects: tuple[Effect, ...] = ()


INDEX_DELAY = 1_000
"""After how many milliseconds a new or changed message is taken into the search index; a search finds it before."""

Job = Callable[[Tx, int], JobResult]

JOBS: list[Job] = []
"""Every chore; filled as the capabilities are imported."""


def job(run: Job) -> Job:
    """Have this done when it is due: once at the start, and whenever it or a Wake effect says."""
    JOBS.append(run)
    return run
