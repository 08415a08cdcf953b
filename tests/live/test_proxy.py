"""A balancer in front of a real daemon: the header comes before TLS, or before plain lines."""

import socket
import ssl
from collections.abc import Callable

import pytest

from tests.live.daemon import Daemon, Line, free_port, trusting

HEADER = b"PROXY TCP4 203.0.113.7 192.0.2.1 51034 7373\r\n"


def through(daemon: Daemon, header: bytes = HEADER) -> Line:
    """Connect as a balancer does."""
    raw = socket.create_connection(("127.0.0.1", daemon.port), timeout=10)
    raw.sendall(header)
    return Line(trusting().wrap_socket(raw))


def test_the_header_comes_before_tls(start_daemon: Callable[..., Daemon]) -> None:
    daemon = start_daemon(proxies="127.0.0.1", unauthenticated_per_address="1")
    first = through(daemon)
    first.say("PING")
    assert first.next_line() == "OK PING"
    second = through(daemon)
    second.say("PING")
    assert (second.next_line() or "").startswith("* Closing: "), "two from 203.0.113.7"
    other = through(daemon, HEADER.replace(b"113.7", b"113.8"))
    other.say("PING")
    assert other.next_line() == "OK PING"


def test_without_the_header_a_balancer_gets_nothing(start_daemon: Callable[..., Daemon]) -> None:
    daemon = start_daemon(proxies="127.0.0.1")
    with pytest.raises((ConnectionError, ssl.SSLError)):
        daemon.connect()


def test_a_balancer_that_ends_tls_itself(start_daemon: Callable[..., Daemon]) -> None:
    port = free_port()
    start_daemon("--listen", f"tcp:{port}:interface=127.0.0.1", proxies="127.0.0.0/8", unauthenticated_per_address="1")
    lines = []
    for host in ("203.0.113.7", "203.0.113.8"):
        line = Line(socket.create_connection(("127.0.0.1", port), timeout=10))
        line.send(HEADER.replace(b"203.0.113.7", host.encode()) + b"PING\r\n")
        assert line.next_line() == "OK PING"
        lines.append(line)
