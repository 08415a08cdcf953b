"""Figures for Prometheus: what is counted, where it is served, and that the dashboard names nothing else."""

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.defer import Deferred

from imd.chat.base.limits import Limits
from imd.run.config import load
from imd.run.errors import OperatorError
from imd.run.metrics import TICK_SECONDS, PrometheusMetrics
from imd.testing import MemoryServer
from tests.live.daemon import Daemon, free_port

DASHBOARD = Path(__file__).parents[2] / "docs" / "grafana.json"


def figures(text: str) -> dict[str, float]:
    """Read an exposition: `name{label=value}` -> figure."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_what_happens_is_counted() -> None:
    server = MemoryServer(Limits(failed_logins=1))
    metrics = PrometheusMetrics(server.server)
    metrics.startService()
    alice, _ = server.login("alice"), server.login("bob")
    for content in ("one", "two"):
        alice.call("send_message", to="bob", content=content, client_id=content)
    alice.call("send_message", to="bob", content="two", client_id="two")
    alice.call("send_message", to="nobody", content="lost")
    alice.call("fly_away")
    for _ in range(10):
        server.pass_time(TICK_SECONDS)
    now = figures(metrics.text().decode())
    assert now["imd_messages_total"] == 2, "a repeated send is no message"
    assert now["imd_command_seconds_count{action=send_message}"] == 3
    assert 0 < now["imd_command_seconds_sum{action=send_message}"] < 5
    assert now["imd_refusals_total{code=no_such_user}"] == 1
    assert now["imd_refusals_total{code=unknown_command}"] == 1
    assert (now["imd_connections"], now["imd_people_online"], now["imd_waiting_writes"]) == (2, 2, 0)
    assert now["imd_commit_writes_count"] == now["imd_commit_seconds_count"] >= 7
    assert now["imd_loop_lag_seconds_count"] >= 10
    assert now["imd_loop_lag_seconds_bucket{le=0.001}"] == now["imd_loop_lag_seconds_count"]
    server.clock.advance(TICK_SECONDS + 0.3)
    assert figures(metrics.text().decode())["imd_loop_lag_seconds_sum"] == pytest.approx(0.3)
    metrics.stopService()


def test_a_connection_closed_for_a_reason_is_a_refusal() -> None:
    server = MemoryServer(Limits(login_seconds=5))
    metrics = PrometheusMetrics(server.server)
    stranger = server.connect()
    stranger.say("PING")
    server.pass_time(6)
    assert stranger.closed
    assert figures(metrics.text().decode())["imd_refusals_total{code=auth_required}"] == 1


def test_passwords_that_wait_are_counted_before_a_thread_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    server = MemoryServer()
    metrics = PrometheusMetrics(server.server)
    monkeypatch.setattr(server.server.passwords.executor, "submit", lambda work: Deferred(), raising=False)
    for _ in range(5):
        server.server.password_matches(None, "guess", "192.0.2.1")
    assert figures(metrics.text().decode())["imd_waiting_passwords"] == 5


def named(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:imd|process)_\w+", expression))


def test_the_dashboard_names_only_what_is_there() -> None:
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    server = MemoryServer()
    text = PrometheusMetrics(server.server).text().decode()
    there = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    series = there | {f"{name}_{part}" for name in there for part in ("bucket", "sum", "count")}
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            names = named(target["expr"])
            assert names, panel["title"]
            assert names <= series, panel["title"]
    used = {name for panel in dashboard["panels"] for target in panel["targets"] for name in named(target["expr"])}
    ours = {name for name in there if name.startswith("imd_")} - {"imd_info"}
    assert [name for name in ours if not any(each.startswith(name) for each in used)] == [], "not on the dashboard"


def get(connection: socket.socket, path: str) -> str:
    connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    with connection, connection.makefile("rb") as answer:
        return answer.read().decode()


def test_it_is_served_on_an_endpoint_of_its_own(start_daemon: Callable[..., Daemon]) -> None:
    port = free_port()
    daemon = start_daemon(metrics=f"tcp:{port}:interface=127.0.0.1")
    head, _, text = get(socket.create_connection(("127.0.0.1", port), timeout=5), "/metrics").partition("\r\n\r\n")
    assert head.startswith("HTTP/1.0 200")
    now = figures(text)
    assert now["imd_certificate_days"] > 3600
    assert now["process_resident_memory_bytes"] > 10_000_000
    assert get(socket.create_connection(("127.0.0.1", port), timeout=5), "/").startswith("HTTP/1.0 404")
    assert "GET" not in daemon.log
    assert daemon.stop() == 0


def test_it_is_served_on_a_unix_socket(start_daemon: Callable[..., Daemon], tmp_path: Path) -> None:
    start_daemon(metrics=f"unix:{tmp_path}/metrics.sock:mode=660")
    raw = socket.socket(socket.AF_UNIX)
    raw.connect(f"{tmp_path}/metrics.sock")
    assert "imd_people_online 0.0" in get(raw, "/metrics")


@pytest.mark.parametrize(
    "listen", ["tcp:9464", "imd:9464", "tcp:9464:interface=10.0.0.1", "systemd:domain=INET:index=0"]
)
def test_others_cannot_reach_it(listen: str) -> None:
    with pytest.raises(OperatorError, match="metrics must only be reachable from this machine"):
        load({"metrics": listen}, {})
    assert load({"metrics": r"tcp:9464:interface=\:\:1"}, {}).metrics
