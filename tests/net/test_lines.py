"""Bytes into lines: however they arrive, whatever their length; and who sends half a line and falls silent."""

import socket
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as some
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import ITCPTransport
from zope.interface import implementer

from imd.chat.base.limits import Limits
from imd.net.connection import KERNEL, LINES_A_TURN, ImdProtocol
from imd.net.sniff import Spoken
from imd.testing import MemoryServer, MemoryTransport
from imd.wire.base import Request
from imd.wire.reader import LineReader
from tests.net.peer import Peer

LINES = [
    b"PING",
    b"",
    b"x",
    b"GET",
    b"POST bob",
    b"GET /",
    b'{"action":"ping"}',
    b"\r",
    b"a\rb",
    "你好".encode(),
    b"y" * 300,
]


@given(
    lines=some.lists(some.sampled_from(LINES), min_size=1, max_size=8),
    ends=some.lists(some.sampled_from([b"\n", b"\r\n"]), min_size=8, max_size=8),
    cuts=some.lists(some.integers(0, 100), max_size=12),
)
def test_however_the_bytes_arrive_the_lines_are_the_same(
    lines: list[bytes], ends: list[bytes], cuts: list[int]
) -> None:
    server = MemoryServer()
    protocol = server.factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
    protocol.makeConnection(MemoryTransport("127.0.0.1"))
    got: list[bytes] = []
    protocol._speak(Spoken.LINES)
    protocol.face.reader = Gathering(got=got)
    stream = b"".join(line + end for line, end in zip(lines, ends, strict=False))
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(stream)], strict=True):
        protocol.dataReceived(stream[start:end])
    assert got == [line.removesuffix(b"\r") if end == b"\n" else line for line, end in zip(lines, ends, strict=False)]


@attrs.define
class Gathering(LineReader):
    """Keeps the lines, and makes no requests of them."""

    content_limit: int = 0
    got: list[bytes] = attrs.field(kw_only=True)

    def feed(self, line: bytes) -> Request | None:
        self.got.append(line)
        return None


class Counted(bytes):
    """A buffer that counts how often it is cut or copied."""

    touched = 0

    def split(self, *args: Any) -> list[bytes]:
        self.touched += 1
        return super().split(*args)

    def __getitem__(self, index: Any) -> Any:
        self.touched += 1
        return super().__getitem__(index)


def test_a_mebibyte_of_empty_lines_is_cut_once() -> None:
    server = MemoryServer()
    terminal = server.connect()
    terminal.say("PING")
    taken: list[bytes] = []
    terminal.protocol.face.reader = Gathering(got=taken)
    data = Counted(b"\n" * 2**20)
    terminal.protocol.dataReceived(data)
    assert len(taken) < LINES_A_TURN, "others have their turn"
    server.settle()
    assert len(taken) == 2**20
    assert data.touched == 1


@pytest.mark.parametrize("dialect", ["text", "json"])
def test_a_line_that_is_too_long_is_answered_once_at_once_and_skipped(dialect: str) -> None:
    server = MemoryServer(Limits(line_bytes=1000))
    terminal = server.connect()
    start = b'{"action":"ping","pad":"' if dialect == "json" else b"SEND bob "
    terminal.send(start + b"x" * 1500)
    [answer] = terminal.heard()
    assert "line_too_long" in answer
    assert answer.startswith("{" if dialect == "json" else "ERR line_too_long ")
    terminal.send(b"y" * 5000)
    terminal.send(b'z"}\nPI')
    assert terminal.heard() == []
    terminal.send(b"NG\n")
    assert terminal.heard() == ["OK PING"]


@pytest.mark.parametrize(
    ("length", "end", "fits"),
    [(1000, b"\n", True), (1000, b"\r\n", True), (1001, b"\n", False), (1001, b"\r\n", False)],
)
@pytest.mark.parametrize("step", [1, 7, 2000])
def test_the_limit_counts_the_line_without_its_end(length: int, end: bytes, fits: bool, step: int) -> None:
    server = MemoryServer(Limits(line_bytes=1000))
    terminal = server.connect()
    stream = b'{"action":"ping","pad":"'.ljust(length - 2, b"x") + b'"}' + end
    for start in range(0, len(stream), step):
        terminal.send(stream[start : start + step])
    [reply] = terminal.objects()
    assert reply.get("code") == (None if fits else "line_too_long")


def test_a_line_that_comes_byte_by_byte_takes_the_room_of_its_bytes() -> None:
    server = MemoryServer()
    terminal = server.connect()
    terminal.send(b"PING ")
    for _ in range(1000):
        terminal.protocol.dataReceived(b"xx")
    assert terminal.protocol.face.buffer.partial == b"PING " + b"xx" * 1000


@pytest.mark.parametrize("half", [b"SEND bob hel", b"GET /", b"PIN", b'{"action":', b"POST bob"])
def test_half_a_line_and_silence_ends_in_the_login_deadline(half: bytes) -> None:
    server = MemoryServer()
    terminal = server.connect()
    terminal.send(half)
    server.pass_time(29.9)
    assert not terminal.closed
    server.pass_time(0.1)
    assert terminal.closed
    [goodbye] = terminal.heard()
    assert goodbye.startswith("* Closing: ")
    assert "(auth_required)" in goodbye


def test_a_byte_now_and_then_does_not_move_the_deadline() -> None:
    server = MemoryServer()
    terminal = server.connect()
    for _ in range(29):
        server.pass_time(1)
        terminal.send(b"x")
    assert not terminal.closed
    server.pass_time(1)
    assert terminal.closed


def test_commands_that_do_not_log_in_do_not_move_the_deadline() -> None:
    server = MemoryServer()
    terminal = server.connect()
    for _ in range(29):
        server.pass_time(1)
        assert terminal.call("ping")["status"] == "success"
    server.pass_time(1)
    [goodbye] = terminal.objects()
    assert goodbye["event"] == "closing"
    assert goodbye["code"] == "auth_required"


def test_who_logged_in_may_stay_and_who_logs_out_may_not() -> None:
    server = MemoryServer()
    ann = server.login("ann")
    server.pass_time(3600)
    assert not ann.closed
    ann.call("logout")
    server.pass_time(29.9)
    assert not ann.closed
    server.pass_time(0.1)
    assert ann.closed


def test_silence_is_greeted_after_half_a_second() -> None:
    server = MemoryServer()
    terminal = server.connect()
    server.pass_time(0.4)
    assert terminal.heard() == []
    server.pass_time(0.1)
    [greeting] = terminal.heard()
    assert greeting.startswith("* Welcome")
    server.pass_time(5)
    assert terminal.heard() == []
    terminal.ask("ping")
    assert terminal.objects()[0]["status"] == "success"


@pytest.mark.parametrize("first", [b"PING\n", b'{"action":"ping"}\n', b"\n", b"pi"])
def test_who_spoke_first_is_not_greeted(first: bytes) -> None:
    server = MemoryServer()
    terminal = server.connect()
    terminal.send(first)
    terminal.heard()
    server.pass_time(5)
    assert terminal.heard() == []


@pytest.mark.parametrize("first", [b"P", b"PIN", b"G", b"OPTION"])
def test_a_first_word_that_takes_its_time_is_heard_whole(first: bytes) -> None:
    server = MemoryServer()
    terminal = server.connect()
    terminal.send(first)
    server.pass_time(3)
    terminal.send(b"\x08" * len(first) + b"PING\n")
    assert terminal.heard() == ["OK PING"]


def test_what_comes_after_the_end_is_not_heard() -> None:
    server = MemoryServer()
    server.login("ann")
    peer = Peer(server)
    peer.send(b"QUIT\nREGISTER bob correct horse battery\n")
    peer.send(b"REGISTER carl correct horse battery\n")
    assert peer.read() == b"OK QUIT\r\n"
    assert server.login("ann").call("send_message", to="bob", content="x")["code"] == "no_such_user"


def test_only_one_write_a_turn() -> None:
    server = MemoryServer()
    terminal = server.connect()
    writes: list[bytes] = []
    terminal.transport.write = writes.append  # type: ignore[method-assign]
    terminal.send(b"PING\n" * 20)
    assert writes == [b"OK PING\r\n" * 20]


@implementer(ITCPTransport)
class Wired(MemoryTransport):
    """A transport with a socket beneath it."""

    def __init__(self) -> None:
        super().__init__("127.0.0.1")
        self.socket = socket.socket()

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, enabled)

    def setTcpKeepAlive(self, enabled: bool) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, enabled)


def test_who_vanishes_without_a_word_is_found_out_by_the_kernel() -> None:
    transport = Wired()
    ImdProtocol(MemoryServer().server).makeConnection(transport)
    with transport.socket as wire:
        told = {name: wire.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in KERNEL}
        assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        patience = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert told == KERNEL
    assert told["TCP_KEEPIDLE"] + told["TCP_KEEPINTVL"] * told["TCP_KEEPCNT"] == patience / 1000 == 120
