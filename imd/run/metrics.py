"""Metrics for Prometheus, on an endpoint of their own that only this machine can reach.

This module needs the extra `metrics` (prometheus-client).
"""

import time
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall
from twisted.web.resource import Resource
from twisted.web.server import Request as WebRequest
from twisted.web.server import Site

import imd
from imd.engine.server import Server
from imd.wire.base import Reply, Request
from imd.wire.messages import Sent

TICK_SECONDS = 0.05
"""How often the reactor's delay is measured."""

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
LAGS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)

disable_created_metrics()  # a second series for each, which nobody uses


class PrometheusMetrics(Service):
    """Counts events as they happen, reads gauges when scraped, and measures the reactor's delay."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.registry = CollectorRegistry()
        self._timer: IDelayedCall | None = None
        self._due = 0.0
        registry = self.registry
        ProcessCollector(registry=registry)
        Gauge("imd_info", "The version that runs.", ["version"], registry=registry).labels(imd.__version__).set(1)
        self._messages = Counter("imd_messages", "Messages stored.", registry=registry)
        self._commands = Histogram(
            "imd_command_seconds", "From start to answer.", ["action"], buckets=FAST, registry=registry
        )
        self._refusals = Counter("imd_refusals", "Commands refused, by code.", ["code"], registry=registry)
        self._commits = Histogram("imd_commit_seconds", "A group of writes.", buckets=FAST, registry=registry)
        self._sizes = Histogram("imd_commit_writes", "Writes in a group.", buckets=SIZES, registry=registry)
        self._lag = Histogram("imd_loop_lag_seconds", "How late the reactor is.", buckets=LAGS, registry=registry)
        self._add_gauges()
        server.observe(self)

    def _add_gauges(self) -> None:
        """Add the values that are read at each scrape."""
        for name, about, look in (
            ("imd_connections", "Open connections.", lambda: self.server.admission.size),
            ("imd_people_online", "Accounts online.", lambda: self.server.hub.people),
            ("imd_waiting_writes", "Writes that wait for the writer.", lambda: self.server.database.waiting),
            ("imd_waiting_passwords", "Passwords that wait to be hashed.", lambda: self.server.passwords.queue.waiting),
            ("imd_disk_free_bytes", "Free on the disk.", lambda: self._vital("disk_free")),
            ("imd_certificate_days", "Until the certificate ends.", lambda: self._vital("certificate_days")),
            ("imd_backup_time_seconds", "When the latest backup was made.", lambda: self._vital("backup") / 1000),
        ):
            Gauge(name, about, registry=self.registry).set_function(look)

    def _vital(self, name: str) -> float:
        return float(getattr(self.server.health(), name) or 0)

    # -- what the server reports

    def answered(self, request: Request, reply: Reply) -> None:
        """Count a command that succeeded."""
        action = request.spec.action if request.spec is not None else ""
        self._commands.labels(action).observe(time.perf_counter() - request.begun)
        if isinstance(reply, Sent) and not reply.duplicate:
            self._messages.inc()

    def refused(self, code: str) -> None:
        """Count a refusal."""
        self._refusals.labels(code).inc()

    def committed(self, writes: int, seconds: float) -> None:
        """Count the commit of a group of writes."""
        self._sizes.observe(writes)
        self._commits.observe(seconds)

    # -- the reactor's delay

    def startService(self) -> None:
        """Start measuring the reactor's delay."""
        super().startService()
        self._due = self.server.reactor.seconds()
        self._tick()

    def stopService(self) -> None:
        """Stop measuring."""
        super().stopService()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        now = self.server.reactor.seconds()
        self._lag.observe(max(0.0, now - self._due))
        self._due = now + TICK_SECONDS
        self._timer = self.server.reactor.callLater(TICK_SECONDS, self._tick)

    def text(self) -> bytes:
        """Write all metrics in the format of Prometheus."""
        return generate_latest(self.registry)


class _Page(Resource):
    isLeaf = True

    def __init__(self, metrics: PrometheusMetrics) -> None:
        super().__init__()
        self._metrics = metrics

    def render_GET(self, request: WebRequest) -> bytes:
        """Answer with the metrics."""
        request.setHeader("Content-Type", CONTENT_TYPE_LATEST)
        return self._metrics.text()


class MetricsSite(Site):
    """Serves the metrics at /metrics, without an access log."""

    noisy = False

    def __init__(self, metrics: PrometheusMetrics) -> None:
        root = Resource()
        root.putChild(b"metrics", _Page(metrics))
        super().__init__(root)

    def log(self, request: Any) -> None:
        """Write no access log."""
