"""What the log says of logins and refusals: who, from where, when; no name that was typed, and no secret."""

import json
from collections.abc import Callable, Iterator

import pytest
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from imd.chat.base.limits import Limits
from imd.engine.security_log import logged_commands
from imd.run import log
from imd.testing import PASSWORD, MemoryServer

SECRET = "hunter2-typed-in-the-wrong-place"


@pytest.fixture
def told() -> Iterator[list[LogEvent]]:
    """What the witness says, while the test runs."""
    events: list[LogEvent] = []

    def observe(event: LogEvent) -> None:
        if event.get("log_namespace", "").startswith("imd.engine.security_log"):
            events.append(event)

    globalLogPublisher.addObserver(observe)
    yield events
    globalLogPublisher.removeObserver(observe)


@pytest.fixture
def server() -> Iterator[MemoryServer]:
    server = MemoryServer(Limits(failed_logins=2))
    yield server
    server.stop()


def lines(told: list[LogEvent]) -> list[str]:
    said = [formatEvent(event) for event in told]
    told.clear()
    return said


def test_a_life_in_the_log(server: MemoryServer, told: list[LogEvent]) -> None:
    ann = server.login("ann")
    assert lines(told) == ["register from 127.0.0.1", "login from 127.0.0.1 (account 1, device 1)"]
    other = server.connect("192.0.2.7")
    token = other.call("login", username="ann", password=PASSWORD, device="phone")["token"]
    ann.call("change_password", old=PASSWORD, new="another long one")
    assert lines(told) == [
        "login from 192.0.2.7 (account 1, device 2)",
        "closed from 192.0.2.7: auth_required (account 1, device 2)",
        "change_password from 127.0.0.1 (account 1, device 1)",
    ]
    late = server.connect("192.0.2.7")
    late.call("resume", token=token)
    ann.call("user_list")
    ann.call("logout")
    assert lines(told) == [
        "resume from 192.0.2.7: refused, invalid_credentials",
        "user_list from 127.0.0.1: refused, forbidden (account 1, device 1)",
        "logout from 127.0.0.1 (account 1, device 1)",
    ]


def test_guessing_is_told_once_a_connection(server: MemoryServer, told: list[LogEvent]) -> None:
    server.login("ann").hang_up()
    told.clear()
    guesser = server.connect("192.0.2.9")
    for number in range(5):
        guesser.call("login", username="ann", password=f"{SECRET}{number}")
    guesser.call("login", username=SECRET, password="x")
    assert lines(told) == [
        "login from 192.0.2.9: refused, rate_limited",
    ]


@pytest.mark.parametrize("write", [lambda event: log.format_text(event, timed=True), log.format_json])
def test_a_line_says_when_where_who_and_what(
    server: MemoryServer, told: list[LogEvent], write: Callable[[LogEvent], str]
) -> None:
    server.login("ann")
    line = write(told[-1])
    if line.startswith("{"):
        found = json.loads(line)
        assert found["time"].endswith("Z")
        assert (found["action"], found["address"], found["account"], found["device"]) == ("login", "127.0.0.1", 1, 1)
    else:
        moment, said = line.split(" ", 1)
        assert moment.endswith("Z")
        assert said == "login from 127.0.0.1 (account 1, device 1)"
    assert log.should_log(told[-1])


def test_what_takes_a_secret_is_watched() -> None:
    names = {shape.__name__ for shape in logged_commands()}
    assert {"Register", "Login", "Resume", "Logout", "ChangePassword", "RevokeDevice", "UserPasswd"} <= names
    assert "SendMessage" not in names
