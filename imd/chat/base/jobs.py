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
    """What a job did: who is told, and when it is due again.

    Its effects are those on everybody's sessions: it has none of its own.
    """

    told: tuple[Delivery, ...] = ()
    again: int | None = None
    """Milliseconds since 1970; None until something wakes it."""

    effects: tuple[Effect, ...] = ()


Job = Callable[[Tx, int], JobResult]

JOBS: list[Job] = []
"""Every chore; filled as the capabilities are imported."""


def job(run: Job) -> Job:
    """Have this done when it is due: once at the start, and whenever it or a Wake effect says."""
    JOBS.append(run)
    return run
