"""Waiting for something, but not for ever."""

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import TimeoutError as TookTooLong


async def wait_for(seconds: float, deferred: Deferred[Any], clock: Any) -> bool:
    """Wait for a Deferred so many seconds at most. Says whether it fired."""
    try:
        await deferred.addTimeout(seconds, clock, lambda result, timeout: _too_long(result))
    except (TookTooLong, CancelledError):
        return False
    return True


def _too_long(result: Any) -> Any:
    raise TookTooLong
