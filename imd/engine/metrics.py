"""Metrics: what the server reports when the operator asks for figures. Otherwise it costs one comparison a command."""

from typing import Protocol

from imd.wire.base import Reply, Request


class Metrics(Protocol):
    """Counts what happens. Its methods must be quick, and must not fail."""

    def answered(self, request: Request, reply: Reply) -> None:
        """Count a command that succeeded; `request.begun` says when it was started, by `time.perf_counter`."""

    def refused(self, code: str) -> None:
        """Count a refusal, or a connection that was closed with this code."""

    def committed(self, writes: int, seconds: float) -> None:
        """Count a group of writes that was committed."""
