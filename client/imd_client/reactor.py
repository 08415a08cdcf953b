"""The reactor: looked up as late as possible, since importing Twisted's own installs it.

`imd chat` needs another one where prompt_toolkit edits the line (see imd_client.prompt), and knows that by its options.
"""

import time
from collections.abc import Callable
from typing import Any, NoReturn

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import TimeoutError as TookTooLong
from twisted.internet.task import react


def current_reactor(given: Any = None) -> Any:
    """Return the given reactor, or the process's own."""
    if given is not None:
        return given
    from twisted.internet import reactor  # see above

    return reactor


def run_to_exit(main: Callable[[Any, Any], Deferred[int]], options: Any) -> NoReturn:
    """Run until `main(reactor, options)` fires with the exit code, and end the process with it."""
    react(_exit_with, [main, options])
    raise AssertionError("react ends the process")


async def _exit_with(reactor: Any, main: Callable[[Any, Any], Deferred[int]], options: Any) -> None:
    reactor.seconds = time.monotonic  # otherwise timers follow the wall clock
    code = main(reactor, options)
    reactor.addSystemEventTrigger("before", "shutdown", _cancel, code)
    try:
        raise SystemExit(await code)
    except CancelledError:
        raise SystemExit(1) from None


def _cancel(code: Deferred[int]) -> Deferred[int]:
    """Let the console restore the terminal when a signal ends the program."""
    code.cancel()
    return code


async def wait_for(seconds: float, deferred: Deferred[Any], clock: Any) -> bool:
    """Wait at most so many seconds. Returns whether the Deferred fired."""
    try:
        await deferred.addTimeout(seconds, clock, lambda result, timeout: _too_long(result))
    except (TookTooLong, CancelledError):
        return False
    return True


def _too_long(result: Any) -> Any:
    raise TookTooLong
