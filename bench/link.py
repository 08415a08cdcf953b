"""The generator's connections: TLS sockets driven by epoll, with as little Python per message as possible."""

import json
import select
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs

OPENING = 16
"""How many connections are opened at a time."""


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # loopback, and the server's work is what is measured
    context.set_alpn_protocols(["imd/1"])
    return context


CONTEXT = _context()


@attrs.frozen
class Imd:
    """How imd is spoken: JSON, resuming by token."""

    port: int
    tokens: dict[str, str]

    def hello(self, user: str) -> bytes:
        """Log a connection in."""
        return b'{"action":"resume","token":"%b","replay":false}\n' % self.tokens[user].encode()

    def request(self, to: str, client_id: str) -> bytes:
        """Send a message of 64 characters."""
        return (
            b'{"action":"send_message","to":"%b","client_id":"%b","content":'
            b'"A line as people write them: half a sentence, then another half."}\n'
        ) % (to.encode(), client_id.encode())

    def search(self, to: str, query: str) -> bytes:
        """Look for something; imd does not ask to whom."""
        return json.dumps({"action": "search", "query": query}, ensure_ascii=False).encode() + b"\n"


@attrs.frozen
class Relay(Imd):
    """The same traffic through the bare relay: the receiver's name before each line."""

    def hello(self, user: str) -> bytes:
        """Say who connects."""
        return user.encode() + b"\n"

    def request(self, to: str, client_id: str) -> bytes:
        """Have a line of the same size passed on."""
        return to.encode() + b" " + super().request(to, client_id)

    def search(self, to: str, query: str) -> bytes:
        """Have the same line passed on."""
        return to.encode() + b" " + super().search(to, query)


def open_link(face: Imd, user: str) -> ssl.SSLSocket:
    """Connect, shake hands and log in, blocking; raises RuntimeError when the login is refused."""
    raw = socket.create_connection(("127.0.0.1", face.port), timeout=60)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    link = CONTEXT.wrap_socket(raw)
    link.sendall(face.hello(user))
    reply = b""
    while not reply.endswith(b"\n"):
        received = link.recv(4096)
        if not received:
            raise RuntimeError(f"closed at login: {reply!r}")
        reply += received
    if b'"success"' not in reply:
        raise RuntimeError(f"refused at login: {reply!r}")
    return link


def open_links(face: Imd, users: list[str]) -> list[ssl.SSLSocket]:
    """Open a connection for each, several at a time, ready for polling."""
    with ThreadPoolExecutor(OPENING) as pool:
        links = list(pool.map(lambda user: open_link(face, user), users))
    for link in links:
        link.setblocking(False)
    return links


class Poller:
    """Calls each connection's function with the bytes that arrived."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, tuple[ssl.SSLSocket, Callable[[bytes], None]]] = {}

    def add(self, link: ssl.SSLSocket, received: Callable[[bytes], None]) -> None:
        """Watch a connection."""
        self._handlers[link.fileno()] = (link, received)
        self._epoll.register(link.fileno(), select.EPOLLIN)

    def turn(self) -> None:
        """Wait up to a tenth of a second and hand out what came. A TLS record holds less than one recv takes."""
        for number, _ in self._epoll.poll(0.1):
            link, received = self._handlers[number]
            try:
                data = link.recv(65536)
            except ssl.SSLWantReadError:
                continue
            if not data or b'"fail"' in data or b'"closing"' in data:
                raise RuntimeError(f"the server said: {data[-500:]!r}")
            received(data)


def ask(link: ssl.SSLSocket, request: dict[str, Any]) -> dict[str, Any]:
    """Ask one thing on a blocking connection, in JSON, and give the reply."""
    link.sendall(json.dumps(request).encode() + b"\n")
    reply = b""
    while not reply.endswith(b"\n"):
        reply += link.recv(65536)
    answer: dict[str, Any] = json.loads(reply)
    return answer
