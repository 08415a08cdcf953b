"""Which face a connection gets: lines or HTTP; and the page that a browser finds."""

import http.client
import io

import pytest
from twisted.internet.address import IPv4Address

from imd.net.sniff import Spoken, spoken
from imd.testing import MemoryServer
from tests.net.peer import Peer


@pytest.mark.parametrize(
    ("first", "chosen"),
    [
        (b"{", Spoken.LINES),
        (b"p", Spoken.LINES),
        (b"/help", Spoken.LINES),
        (b"@1 PING", Spoken.LINES),
        ("你".encode(), Spoken.LINES),
        (b"\n", Spoken.LINES),
        (b"\xff\xfb\x01", Spoken.LINES),
        (b"G", None),
        (b"GET", None),
        (b"HELP\n", Spoken.LINES),
        (b"REGISTER", Spoken.LINES),
        (b"GET /", None),
        (b"GET / HTTP/1.1", None),
        (b"GET / HTTP/1.1\r\n", Spoken.HTTP),
        (b"GET / HTTP/1.0\n", Spoken.HTTP),
        (b"HEAD /x?y HTTP/1.1\r\nHost: a\r\n", Spoken.HTTP),
        (b"OPTIONS * HTTP/1.1\r\n", Spoken.HTTP),
        (b"PRI * HTTP/2.0\r\n", Spoken.HTTP),
        (b"POST /x HTTP/1.1\r\n", Spoken.HTTP),
        (b"POST bob\n", Spoken.LINES),
        (b"POST bob", None),
        (b"POST bob HTTP is a protocol\n", Spoken.LINES),
        (b"GET lost\n", Spoken.LINES),
        (b"GET " + b"x" * 5000, Spoken.LINES),
    ],
)
def test_the_first_bytes_decide(first: bytes, chosen: Spoken | None) -> None:
    assert spoken(None, first) is chosen


def test_alpn_decides_where_it_is_offered() -> None:
    assert spoken(b"imd/1", b"") is Spoken.LINES
    assert spoken(b"http/1.1", b"") is Spoken.HTTP


class _Socket:
    """What http.client reads an answer from."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self.data)


def answer(data: bytes, method: str) -> tuple[http.client.HTTPResponse, bytes]:
    response = http.client.HTTPResponse(_Socket(data), method=method)  # type: ignore[arg-type]
    response.begin()
    return response, response.read()


@pytest.mark.parametrize("step", [1, 1000])
@pytest.mark.parametrize(
    ("method", "status"), [("GET", 200), ("HEAD", 200), ("POST", 405), ("DELETE", 405), ("TRACE", 405)]
)
def test_a_browser_gets_a_valid_page(method: str, status: int, step: int) -> None:
    terminal = MemoryServer().connect()
    request = f"{method} / HTTP/1.1\r\nHost: chat.example\r\nAccept: */*\r\n\r\n".encode()
    for start in range(0, len(request), step):
        assert terminal.transport.value() == b""
        terminal.send(request[start : start + step])
    response, body = answer(terminal.transport.value(), method)
    assert response.status == status
    assert response.getheader("Content-Type") == "text/html; charset=utf-8"
    assert response.getheader("Connection") == "close"
    assert (b"openssl s_client" in body) is (method != "HEAD")
    assert int(response.getheader("Content-Length") or 0) == len(body) or method == "HEAD"
    assert response.getheader("Allow") == (None if status == 200 else "GET, HEAD")
    assert terminal.closed


def test_a_browser_is_to_do_nothing_with_the_page() -> None:
    terminal = MemoryServer().connect()
    terminal.send(b"GET / HTTP/1.1\r\nHost: chat.example\r\nOrigin: https://evil.example\r\n\r\n")
    response, body = answer(terminal.transport.value(), "GET")
    policy = (response.getheader("Content-Security-Policy") or "").split("; ")
    assert {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(policy)
    assert response.getheader("X-Content-Type-Options") == "nosniff"
    assert response.getheader("Referrer-Policy") == "no-referrer"
    assert response.getheader("Cache-Control") == "no-store"
    for name in ("Access-Control-Allow-Origin", "Set-Cookie", "Location", "Server"):
        assert response.getheader(name) is None
    assert b"evil" not in body


def test_a_browser_is_answered_once() -> None:
    peer = Peer(MemoryServer())
    peer.send(b"GET / HTTP/1.1\r\n\r\n" * 3)
    peer.send(b"GET / HTTP/1.1\r\n\r\n")
    assert peer.transport.unread.count(b"HTTP/1.1 200") == 1


def test_a_head_that_never_ends_is_answered_or_cut() -> None:
    server = MemoryServer()
    long, silent = Peer(server), Peer(server)
    long.send(b"GET / HTTP/1.1\r\nX: ")
    long.send(b"x" * 20_000)
    assert long.transport.disconnecting
    silent.send(b"GET / HTTP/1.1\r\nX: ")
    server.pass_time(29.9)
    assert not silent.transport.aborted
    server.pass_time(0.1)
    assert silent.transport.aborted
    assert silent.transport.unread == b"", "no line of ours belongs into an HTTP answer"


def test_post_to_somebody_is_a_message() -> None:
    server = MemoryServer()
    bob = server.login("bob")
    ann = server.login("ann")
    for line in ("POST bob", "two", "lines", "."):
        ann.say(line)
    assert ann.heard()[-1].startswith("OK POST ")
    assert bob.objects()[-1]["content"] == "two\nlines"


def test_post_as_the_first_line_is_ours_too() -> None:
    terminal = MemoryServer().connect()
    terminal.say("POST bob")
    terminal.say("HTTP/1.1")
    terminal.say(".")
    assert terminal.heard()[-1].startswith("ERR auth_required ")


def test_an_http_connection_counts_as_a_stranger_until_it_ends() -> None:
    server = MemoryServer()
    peer = Peer(server, IPv4Address("TCP", "192.0.2.9", 1))
    peer.send(b"GET / HTTP/1.1\r\n\r\n")
    assert list(server.factory.server.admission._strangers) == ["192.0.2.9"]
    peer.read_all()
    assert peer.gone
    assert not server.factory.server.admission._strangers
    assert not server.timers


def test_a_request_in_two_pieces_is_read_to_its_end() -> None:
    terminal = MemoryServer().connect()
    terminal.send(b"GET / HTTP/1.1\r\nHost: x\r\n")
    assert terminal.transport.producerState == "producing", "nobody would read the rest"
    terminal.send(b"\r\n")
    assert terminal.transport.value().startswith(b"HTTP/1.1 200 OK")
