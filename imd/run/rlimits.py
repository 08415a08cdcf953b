"""The limit of open files (RLIMIT_NOFILE): every connection needs one."""

import resource
from contextlib import suppress

import attrs
from twisted.logger import Logger

from imd.chat.base.limits import Limits
from imd.run.banner import say

log = Logger(namespace="imd.run")

RESERVED = 100
"""Open files besides connections: database, log, ports, certificates, exports."""


def max_open_files(limits: Limits) -> int:
    """Give how many files the daemon may open, after it has raised its soft limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY in (soft, hard):
        return limits.connections + RESERVED
    return max(soft, min(hard, limits.connections + RESERVED))


def fit(limits: Limits) -> Limits:
    """Raise the soft limit for as many connections as configured; if that fails, allow fewer connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < (wanted := max_open_files(limits)) and soft != resource.RLIM_INFINITY:
        with suppress(OSError, ValueError):  # forbidden, for example by systemd's SystemCallFilter
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    room = soft - RESERVED
    if soft == resource.RLIM_INFINITY or room >= limits.connections:
        return limits
    log.warn("{line}", line=say("few_files", allowed=soft, room=max(2, room), wanted=limits.connections))
    return attrs.evolve(limits, connections=max(2, room))
