"""The PROXY protocol: whose connection it is, who may say so, and what is no header."""

import ipaddress
import struct

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress

from imd.chat.base.limits import Limits
from imd.net.proxy import SIGNATURE, Header, NotAHeader, ProxiedFactory, parse
from imd.testing import MemoryServer, MemoryTransport, Terminal


def binary(command: int, family: int, body: bytes) -> bytes:
    return SIGNATURE + struct.pack("!BBH", command, family, len(body)) + body


V4 = bytes([203, 0, 113, 7]) + bytes([192, 0, 2, 1]) + struct.pack("!HH", 51_034, 7373)
V6 = ipaddress.IPv6Address("2001:db8::7").packed + bytes(16) + struct.pack("!HH", 51_034, 7373)
HEADERS = [
    (b"PROXY TCP4 203.0.113.7 192.0.2.1 51034 7373\r\n", IPv4Address("TCP", "203.0.113.7", 51_034)),
    (b"PROXY TCP6 2001:db8::7 ::1 51034 7373\r\n", IPv6Address("TCP", "2001:db8::7", 51_034)),
    (b"PROXY UNKNOWN\r\n", None),
    (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None),
    (binary(0x21, 0x11, V4), IPv4Address("TCP", "203.0.113.7", 51_034)),
    (binary(0x21, 0x21, V6), IPv6Address("TCP", "2001:db8::7", 51_034)),
    (binary(0x21, 0x11, V4 + b"\x04\x00\x01x"), IPv4Address("TCP", "203.0.113.7", 51_034)),
    (binary(0x20, 0x00, b""), None),
    (binary(0x21, 0x31, bytes(216)), None),
]


@pytest.mark.parametrize(("data", "source"), HEADERS, ids=lambda each: repr(each)[:30])
def test_a_header_is_read_however_it_comes(data: bytes, source: object) -> None:
    assert parse(data) == Header(source, len(data))  # type: ignore[arg-type]
    assert parse(data + b"REGISTER") == Header(source, len(data))  # type: ignore[arg-type]
    for cut in range(len(data)):
        assert parse(data[:cut]) is None, cut


@pytest.mark.parametrize(
    "data",
    [
        b"REGISTER alice\r\n",
        b"\x16\x03\x01",
        b"PROXY TCP4 203.0.113.7 192.0.2.1 51034\r\n",
        b"PROXY TCP4 203.0.113.7 192.0.2.1 51034 7373 \r\n",
        b"PROXY TCP4 2001:db8::7 192.0.2.1 51034 7373\r\n",
        b"PROXY TCP6 203.0.113.7 192.0.2.1 51034 7373\r\n",
        b"PROXY TCP4 203.0.113.777 192.0.2.1 51034 7373\r\n",
        b"PROXY TCP4 \xff03.0.113.7 192.0.2.1 51034 7373\r\n",
        b"PROXY TCP4 203.0.113.7 192.0.2.1 65536 7373\r\n",
        b"PROXY TCP4 203.0.113.7 192.0.2.1 -1 7373\r\n",
        b"PROXY UDP4 203.0.113.7 192.0.2.1 1 7373\r\n",
        b"PROXY " + b"x" * 101,
        binary(0x11, 0x11, V4),
        binary(0x22, 0x11, V4),
        binary(0x21, 0x11, V4[:-1]),
        binary(0x21, 0x11, b"")[:14] + b"\xff\xff",
    ],
    ids=lambda data: repr(data)[:40],
)
def test_what_is_no_header(data: bytes) -> None:
    with pytest.raises(NotAHeader):
        parse(data)


def knock(server: MemoryServer, host: str) -> Terminal:
    """Connect from an address, through the factory that believes 10.0.0.0/8."""
    networks = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")]
    factory = ProxiedFactory(server.factory, networks, server.server)
    address = (IPv6Address if ":" in host else IPv4Address)("TCP", host, 54_321)
    terminal = Terminal(server, factory.buildProtocol(address), MemoryTransport(host))
    server.terminals.append(terminal)
    terminal.protocol.makeConnection(terminal.transport)
    return terminal


def strangers(server: MemoryServer) -> dict[str, int]:
    return {address: len(there) for address, there in server.factory.server.admission._strangers.items()}


@pytest.mark.parametrize("balancer", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::1"])
@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_a_balancer_says_whose_connection_it_is(balancer: str, piece: int) -> None:
    server = MemoryServer()
    terminal = knock(server, balancer)
    data = HEADERS[0][0] + b"PING\r\n"
    for start in range(0, len(data), piece):
        terminal.send(data[start : start + piece])
    assert terminal.heard() == ["OK PING"]
    assert strangers(server) == {"203.0.113.7": 1}
    terminal.hang_up()
    assert strangers(server) == {}


def test_a_balancers_own_connection_is_its_own() -> None:
    server = MemoryServer()
    terminal = knock(server, "10.0.0.1")
    terminal.send(binary(0x20, 0, b"") + b"PING\r\n")
    assert terminal.heard() == ["OK PING"]
    assert strangers(server) == {"10.0.0.1": 1}


def test_nobody_else_is_believed() -> None:
    server = MemoryServer()
    terminal = knock(server, "198.51.100.9")
    terminal.send(HEADERS[0][0])
    assert terminal.heard()[0].startswith("ERR unknown_command")
    assert strangers(server) == {"198.51.100.9": 1}


def test_who_promised_a_header_and_sends_none_is_cut_off() -> None:
    server = MemoryServer(Limits())
    liar, silent = knock(server, "10.0.0.1"), knock(server, "10.0.0.1")
    liar.send(b"PING\r\n")
    assert liar.transport.aborted
    server.pass_time(9)
    assert not silent.transport.aborted
    server.pass_time(2)
    assert silent.transport.aborted
    assert server.timers == []


def test_a_unix_socket_has_no_address_to_trust() -> None:
    server = MemoryServer()
    factory = ProxiedFactory(server.factory, [ipaddress.ip_network("0.0.0.0/0")], server.server)
    assert not factory._trusted(UNIXAddress("/x"))
