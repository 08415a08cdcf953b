"""The process's one loop, looked up as late as possible: whoever imports Twisted's reactor installs one thereby.

`imd chat` needs another one for the full screen (see imd_client.fullscreen), and chooses it by its options.
"""

from typing import Any


def current_reactor(given: Any = None) -> Any:
    """Give the reactor that was given, or the process's own."""
    if given is not None:
        return given
    from twisted.internet import reactor  # only now: see above

    return reactor
