"""How many strangers one address may send."""

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress

from imd.chat.base.limits import Limits
from imd.net.address import origin
from imd.testing import PASSWORD, MemoryServer
from tests.net.peer import Peer

FEW = Limits(unauthenticated_per_address=3)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:0:1::1", "2001:db8::1:ffff:0:0:2", True),
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_an_ipv6_household_is_one_address(one: str, other: str, same: bool) -> None:
    def counted(host: str) -> str:
        kind = IPv6Address if ":" in host else IPv4Address
        return origin(kind("TCP", host, 1))

    assert (counted(one) == counted(other)) is same


@pytest.mark.parametrize("dialect", ["text", "json"])
def test_one_stranger_too_many_is_told_in_its_dialect_and_closed(dialect: str) -> None:
    server = MemoryServer(FEW)
    for _ in range(3):
        assert server.connect().call("ping")["status"] == "success"
    fourth = server.connect()
    fourth.say('{"action":"ping"}' if dialect == "json" else "PING")
    assert fourth.closed
    if dialect == "json":
        [closing] = fourth.objects()
        assert (closing["event"], closing["code"]) == ("closing", "rate_limited")
        assert closing["params"] == {"retry_after": 30}
    else:
        [line] = fourth.heard()
        assert line.startswith("* Closing: ")
        assert "(rate_limited)" in line


def test_one_stranger_too_many_who_is_silent_is_told_too() -> None:
    server = MemoryServer(FEW)
    for _ in range(3):
        server.connect()
    fourth = server.connect()
    server.pass_time(0.5)
    assert fourth.closed
    [line] = fourth.heard()
    assert "(rate_limited)" in line


def test_other_addresses_are_not_concerned() -> None:
    server = MemoryServer(FEW)
    for _ in range(5):
        server.connect("192.0.2.1")
    assert server.connect("192.0.2.2").call("ping")["status"] == "success"


def test_who_logs_in_or_leaves_makes_room_and_who_logs_out_takes_it() -> None:
    server = MemoryServer(FEW)
    terminals = [server.connect() for _ in range(3)]
    terminals[0].call("register", username="ann", password=PASSWORD)
    terminals[0].call("login", username="ann", password=PASSWORD)
    fourth = server.connect()
    assert fourth.call("ping")["status"] == "success"
    terminals[0].call("logout")
    turned_away = server.connect()
    turned_away.ask("ping")
    assert turned_away.closed
    for terminal in (terminals[1], terminals[2]):
        terminal.hang_up()
    assert server.connect().call("ping")["status"] == "success"


def test_nothing_is_left_of_those_who_are_gone() -> None:
    server = MemoryServer(FEW)
    terminals = [server.connect() for _ in range(6)]
    for terminal in terminals:
        terminal.hang_up()
    admission = server.server.admission
    assert not admission._strangers
    assert not admission.strangers
    assert not admission.connections
    assert not server.server.hub.online
    assert not server.timers


def test_a_unix_socket_has_no_address_and_no_count() -> None:
    server = MemoryServer(FEW)
    address: IAddress = UNIXAddress("/run/imd.sock")
    for _ in range(10):
        peer = Peer(server, address)
        peer.send(b"PING\n")
        assert peer.read() == b"OK PING\r\n"
