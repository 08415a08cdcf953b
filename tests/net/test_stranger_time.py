"""A stranger's time and a stranger's lines: both short, and nothing that is sent makes them longer."""

import json

import pytest

from imd.chat.base.limits import Limits
from imd.testing import PASSWORD, MemoryServer, Terminal
from tests.engine.late import LateServer
from tests.net.peer import Peer

SECONDS = Limits().login_seconds


def gone_after(server: MemoryServer, terminal: Terminal, data: list[bytes]) -> int:
    """Send a piece a second until the server ends the connection; gives how many seconds that took."""
    for second in range(1, 100):
        server.pass_time(1)
        if terminal.closed:
            return second
        terminal.send(data[second % len(data)])
    raise AssertionError("it stays for ever")


@pytest.mark.parametrize(
    "data",
    [
        [b"x"],
        [b"P", b"O", b"S", b"T", b" "],
        [b"PING\n"],
        [b"G", b"E"],
        [b"\n"],
        [b'{"action":"ping"}\n'],
        [b"HELLO\n"],
    ],
    ids=repr,
)
def test_no_bytes_make_the_time_to_log_in_longer(data: list[bytes]) -> None:
    server = MemoryServer()
    assert gone_after(server, server.connect(), data) == SECONDS
    assert not server.timers


@pytest.mark.parametrize("late", [0, 20])
def test_a_browser_that_dribbles_has_no_more_time_than_others(late: int) -> None:
    server = MemoryServer()
    browser = server.connect()
    browser.send(b"GE")
    server.pass_time(late)
    browser.send(b"T / HTTP/1.1\r\n")
    assert gone_after(server, browser, [b"X", b": y\r\n"]) == SECONDS - late


def test_failed_logins_and_registering_do_not_make_it_longer() -> None:
    server = MemoryServer()
    terminal = server.connect()
    tries = [b"LOGIN nobody wrong\n", b"REGISTER ann correct horse battery\n", b"RESUME x\n"]
    assert gone_after(server, terminal, tries) == SECONDS


def test_who_logs_out_has_the_time_anew_and_no_more() -> None:
    server = MemoryServer()
    terminal = server.login("ann")
    for _ in range(3):
        server.pass_time(300)
        assert not terminal.closed
        terminal.call("logout")
        server.pass_time(SECONDS - 1)
        terminal.call("login", username="ann", password=PASSWORD)
    server.pass_time(300)
    terminal.call("logout")
    assert gone_after(server, terminal, [b"PING\n"]) == SECONDS


def test_a_strangers_line_is_short_and_what_follows_is_heard() -> None:
    server = MemoryServer()
    terminal = server.connect()
    longest = Limits().stranger_line_bytes
    terminal.send(b"x" * (longest + 1) + b"\nPING\n")
    assert terminal.heard() == [f"ERR line_too_long The line is too long: at most {longest} bytes.", "OK PING"]
    terminal.send(b"HELP " + b"x" * (longest - 5) + b"\n")
    assert terminal.heard()[0].startswith("ERR bad_request")


def test_a_strangers_line_without_an_end_is_not_kept() -> None:
    terminal = MemoryServer().connect()
    for _ in range(100):
        terminal.send(b"x" * 1000)
    assert len(terminal.heard()) == 1
    assert len(terminal.protocol.face.buffer.partial) <= 5000


def message(size: int) -> bytes:
    return json.dumps({"action": "send_message", "id": size, "to": "ann", "content": "x" * size}).encode()


def test_after_a_login_that_took_its_time_the_connection_is_read_again() -> None:
    server = LateServer()
    server.login("ann")
    server.late()
    peer = Peer(server)
    peer.send(LOGIN + b"\n")
    assert peer.transport.producerState == "paused"
    for _ in range(4):
        server.catch_up()
    assert peer.transport.producerState == "producing"


LOGIN = json.dumps({"action": "login", "username": "ann", "password": PASSWORD}).encode()


def test_after_the_login_lines_are_long() -> None:
    terminal = MemoryServer().login("ann")
    assert terminal.call("send_message", to="ann", content="x" * 16_000)["status"] == "success"
    terminal.call("logout")
    terminal.send(message(16_000) + b"\n")
    assert terminal.objects()[-1]["code"] == "line_too_long"


@pytest.mark.parametrize("end", [b"\n", b""], ids=["whole", "without its end"])
def test_a_long_line_right_behind_a_login_is_judged_by_its_outcome(end: bytes) -> None:
    for password, code in ((PASSWORD, None), ("wrong horse battery", "line_too_long")):
        server = LateServer()
        server.login("ann")
        server.late()
        peer = Peer(server)
        login = LOGIN.replace(PASSWORD.encode(), password.encode())
        peer.send(login + b"\n" + message(16_000) + end)
        assert peer.transport.producerState == "paused", "nobody reads on before it is known who they are"
        for _ in range(4):
            server.catch_up()
        assert peer.transport.producerState == "producing"
        peer.send(b"\n")
        for _ in range(4):
            server.catch_up()
        answers = [json.loads(line) for line in peer.read_all().splitlines() if line.startswith(b'{"status')]
        assert [each["status"] for each in answers[:1]] == ["success" if code is None else "fail"]
        assert answers[1].get("code") == code, answers
