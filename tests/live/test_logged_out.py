"""Whoever is logged out from afar is gone within two seconds of the answer: over TLS, reading or not, idle or busy."""

import json
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import attrs
import pytest

from tests.live.daemon import Daemon, trusting

PASSWORD = "correct horse battery"
NEW = "a wholly new secret"
SECONDS = 2.0
GONE = select.POLLHUP | select.POLLERR | select.POLLRDHUP


@attrs.define
class Client:
    """A connection that asks in JSON."""

    socket: ssl.SSLSocket
    buffer: bytes = b""

    @classmethod
    def of(cls, daemon: Daemon) -> "Client":
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        raw.settimeout(10)
        raw.connect(("127.0.0.1", daemon.port))
        return cls(trusting().wrap_socket(raw))

    def ask(self, action: str, **fields: Any) -> dict[str, Any]:
        """Ask, and give the reply; what comes before it is dropped: events, a greeting for who was slow."""
        self.socket.sendall(json.dumps({"action": action, **fields}).encode() + b"\n")
        while True:
            while b"\r\n" not in self.buffer:
                self.buffer += self.socket.recv(65536)
            line, _, self.buffer = self.buffer.partition(b"\r\n")
            if line.startswith(b"{") and "status" in (reply := json.loads(line)):
                assert reply["status"] == "success", reply
                return dict(reply)

    def gone_at(self, until: float) -> float:
        """Wait, without reading a byte, until the socket is at its end. Gives when that was."""
        poll = select.poll()
        poll.register(self.socket.fileno(), GONE)
        assert poll.poll(max(0, until - time.monotonic()) * 1000), "it is still there"
        return time.monotonic()


def read_all(client: Client, ended: list[float]) -> threading.Thread:
    """Read in a thread of its own, to the end, and note when that was."""

    def read() -> None:
        with suppress(OSError):
            while client.socket.recv(65536):
                pass
        ended.append(time.monotonic())
        client.socket.close()

    thread = threading.Thread(target=read)
    thread.start()
    return thread


def idle(client: Client) -> None:
    """Do nothing, not even read."""


def full(client: Client) -> None:
    """Ask for more than fits into all buffers, and read none of it."""
    client.socket.settimeout(1)
    with suppress(TimeoutError):
        client.socket.sendall(b'{"action":"help"}\n' * 400)
    client.socket.settimeout(10)


def busy(client: Client) -> None:
    """Always have something under way; asked before anybody reads: OpenSSL is not for two threads at once."""
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    client.socket.sendall(b'{"action":"conversations"}\n' * 5000)


def revokes(ann: Client, root: Client, operator: Callable[[str], None]) -> None:
    for each in ann.ask("devices")["devices"]:
        if not each["current"]:
            ann.ask("revoke_device", device=each["device"])


def changes_password(ann: Client, root: Client, operator: Callable[[str], None]) -> None:
    ann.ask("change_password", old=PASSWORD, new=NEW)


def signed_out(ann: Client, root: Client, operator: Callable[[str], None]) -> None:
    root.ask("user_signout", username="ann")


def disabled(ann: Client, root: Client, operator: Callable[[str], None]) -> None:
    root.ask("user_disable", username="ann")


def operator_sets_password(ann: Client, root: Client, operator: Callable[[str], None]) -> None:
    operator(f"USER PASSWD ann {NEW}")


def operator_disables(ann: Client, root: Client, operator: Callable[[str], None]) -> None:
    operator("USER DISABLE ann")


WAYS = [revokes, changes_password, signed_out, disabled, operator_sets_password, operator_disables]


@pytest.fixture
def served(start_daemon: Callable[..., Daemon]) -> Iterator[tuple[Daemon, Callable[[str], None]]]:
    daemon = start_daemon(requests_per_second="0")
    line = daemon.operator()

    def operator(command: str) -> None:
        line.say(command)
        while not (heard := str(line.next_line())).startswith("OK"):
            assert heard.startswith("- "), heard

    for name in ("ann", "root"):
        operator(f"USER ADD {name} {PASSWORD}")
    operator("USER ROLE root admin")
    yield daemon, operator
    line.hang_up()


def connections(daemon: Daemon) -> int:
    line = daemon.operator()
    line.say("SERVER STATUS")
    while "connections=" not in (heard := str(line.next_line())):
        pass
    line.hang_up()
    return int(heard.split("connections=")[1].split()[0])


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_gone_within_two_seconds(served: tuple[Daemon, Callable[[str], None]], way: Callable[..., None]) -> None:
    daemon, operator = served
    ann, root = Client.of(daemon), Client.of(daemon)
    root.ask("login", username="root", password=PASSWORD)
    victims: dict[str, Client] = {}
    for kind in (idle, full, busy):
        victims[kind.__name__] = Client.of(daemon)
        victims[kind.__name__].ask("login", username="ann", password=PASSWORD, device=kind.__name__)
    ann.ask("login", username="ann", password=PASSWORD, device="laptop")
    before = connections(daemon)
    full(victims["full"])
    ended: list[float] = []
    busy(victims["busy"])
    reader = read_all(victims["busy"], ended)
    way(ann, root, operator)
    began = time.monotonic()  # it is answered
    seconds = {name: victims[name].gone_at(began + SECONDS) - began for name in ("idle", "full")}
    reader.join(max(0, began + SECONDS - time.monotonic()))
    assert not reader.is_alive(), "the busy one is still there"
    seconds["busy"] = max(0, ended[0] - began)
    print(way.__name__, ", ".join(f"{name}: {value:.2f} s" for name, value in seconds.items()))
    left = 3
    if way not in (revokes, changes_password):  # then the laptop is logged out as well
        left = 4
        ann.gone_at(began + SECONDS)
    assert connections(daemon) == before - left
    for client in (ann, root, victims["idle"], victims["full"]):
        client.socket.close()
