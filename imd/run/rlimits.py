"""Open files: every connection is one, and the system says how many a process may have."""

import resource
from contextlib import suppress

import attrs
from twisted.logger import Logger

from imd.chat.limits import Limits
from imd.run.banner import say

log = Logger(namespace="imd.run")

RESERVED = 100
"""What is open besides connections: database, log, ports, certificates, archives."""


def max_open_files(limits: Limits) -> int:
    """Give how many files may be open here, once the daemon has raised what it may raise."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY in (soft, hard):
        return limits.connections + RESERVED
    return max(soft, min(hard, limits.connections + RESERVED))


def fit(limits: Limits) -> Limits:
    """Have the system allow as many open files as there may be connections; where it will not, allow fewer of those."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < (wanted := max_open_files(limits)) and soft != resource.RLIM_INFINITY:
        with suppress(OSError, ValueError):  # forbidden, as by systemd: then it stays as it is
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    room = soft - RESERVED
    if soft == resource.RLIM_INFINITY or room >= limits.connections:
        return limits
    log.warn("{line}", line=say("few_files", allowed=soft, room=max(2, room), wanted=limits.connections))
    return attrs.evolve(limits, connections=max(2, room))
