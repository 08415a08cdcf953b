"""Endpoint strings, judged by reading them."""

import socket

import pytest

from imd.run.endpoints import DEFAULT_ENDPOINT, TCPAddress, loopback_only, tcp_address
from tests.live.daemon import has_ipv6


@pytest.mark.parametrize(
    ("listen", "loopback"),
    [
        (DEFAULT_ENDPOINT, True),
        ("imd:7373:interface=127.9.9.9", True),
        ("imd:7373:interface=localhost", True),
        (r"imd:7373:interface=\:\:1", True),
        ("imd:7373", False),
        ("imd:7373:interface=0.0.0.0", False),
        (r"imd:7373:interface=\:\:", False),
        ("imd:7373:interface=10.0.0.1", False),
        ("imd:7373:interface=127.0.0.1.example", False),
        ("tcp:7373:interface=127.0.0.1", True),
        ("tcp:port=7373:interface=127.0.0.1", True),
        ("tcp:7373", False),
        (r"tcp6:7373:interface=\:\:1", True),
        ("unix:/run/imd.sock", True),
        ("unix:/run/imd.sock:mode=777", True),
        ("imd:unix:/run/imd.sock", True),
        (r"imd:unix\:/run/imd.sock", True),
        ("imd:tcp:7373:interface=127.0.0.1", True),
        ("imd:tcp:7373", False),
        ("imd:systemd:domain=INET:index=0", False),
        ("systemd:domain=INET:index=0", False),
        ("haproxy:tcp:7373:interface=127.0.0.1", False),
        ("stdio:", False),
        ("tcp:", False),
        ("imd:", False),
        (":", False),
        ("", False),
        ("\\", False),
    ],
)
def test_loopback_only(listen: str, loopback: bool) -> None:
    assert loopback_only(listen) is loopback


@pytest.mark.parametrize(
    ("listen", "opened"),
    [
        (DEFAULT_ENDPOINT, TCPAddress("127.0.0.1", 7373)),
        ("imd:1", TCPAddress("", 1)),
        (r"tcp6:2:interface=\:\:1", TCPAddress("::1", 2)),
        ("imd:tcp:port=3", TCPAddress("", 3)),
        ("unix:/run/4", None),
        ("systemd:domain=INET:index=0", None),
        ("other:5", None),
    ],
)
def test_what_is_opened(listen: str, opened: TCPAddress | None) -> None:
    assert tcp_address(listen) == opened


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_port_is_tried_and_let_go(host: str) -> None:
    if ":" in host and not has_ipv6():
        pytest.skip("no IPv6 here")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as holder:
        holder.bind((host, 0))
        port = holder.getsockname()[1]
        holder.listen()
        with pytest.raises(OSError, match="in use"):
            TCPAddress(host, port).bind()
    TCPAddress(host, port).bind()
    TCPAddress(host, port).bind()
