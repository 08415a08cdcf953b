"""When something of ours breaks: the peer gets a code and a reference, the log gets the rest, the session goes on."""

import sqlite3
from typing import Any

import pytest

from imd.chat.base.handlers import HANDLERS, Handler
from imd.chat.base.limits import Limits
from imd.engine.hub import Hub
from imd.engine.server import BUSY_SECONDS
from imd.testing import PASSWORD, MemoryServer, Terminal
from imd.wire.base import registry
from imd.wire.messages import NewMessage
from tests.conftest import LoggedFailures
from tests.engine.late import LateServer

SECRET = "what nobody may read"


def breaks(*args: Any) -> Any:
    raise RuntimeError(SECRET)


async def breaks_later(*args: Any) -> Any:
    raise RuntimeError(SECRET)


@pytest.fixture
def ann() -> Terminal:
    return MemoryServer().login("ann")


@pytest.mark.parametrize("action", ["send_message", "history", "ping", "change_password"])
@pytest.mark.parametrize("dialect", ["json", "text"])
def test_a_fault_of_ours_is_internal_with_a_reference_and_no_detail(
    ann: Terminal, monkeypatch: pytest.MonkeyPatch, logged_failures: LoggedFailures, action: str, dialect: str
) -> None:
    shape = registry.actions[action].shape
    handler = HANDLERS[shape]
    broken = breaks_later if action == "change_password" else breaks
    monkeypatch.setitem(HANDLERS, shape, Handler(handler.lane, broken))
    ann.heard()
    if dialect == "text":
        ann.say(f"@7 {shape.example}")
        [line] = ann.heard()
        assert line.startswith("@7 ERR internal ")
        heard = line
    else:
        fields = {"to": "ann", "content": "x", "old": PASSWORD, "new": PASSWORD}
        reply = ann.call(action, id=7, **fields)
        assert (reply["code"], reply["id"], reply["action"]) == ("internal", 7, action)
        heard = str(reply)
    assert SECRET not in heard
    assert "RuntimeError" not in heard
    [event] = logged_failures
    assert event["reference"] in heard
    assert SECRET in str(event["log_failure"].value)
    logged_failures.expect(1)
    assert ann.call("whoami")["username"] == "ann"


def test_what_the_log_says_of_a_fault_holds_no_content(
    ann: Terminal, monkeypatch: pytest.MonkeyPatch, logged_failures: LoggedFailures
) -> None:
    shape = registry.actions["send_message"].shape
    monkeypatch.setitem(HANDLERS, shape, Handler(HANDLERS[shape].lane, breaks))
    ann.call("send_message", to="ann", content="for your eyes only")
    [event] = logged_failures
    assert "for your eyes only" not in event["log_format"].format(**event) + event["log_failure"].getTraceback()
    logged_failures.expect(1)


def test_a_full_queue_is_unavailable_and_nothing_is_stored() -> None:
    server = LateServer(Limits(waiting_writes=10))
    ann = server.login("ann")
    server.server.configure(Limits(waiting_writes=0), "open", "en")
    refused = ann.call("send_message", to="ann", content="x", client_id="1")
    assert (refused["code"], refused["params"]) == ("unavailable", {"reason": "busy", "retry_after": BUSY_SECONDS})
    assert ann.call("hello")["limits"]["waiting_writes"] == 0
    server.server.configure(Limits(waiting_writes=10), "open", "en")
    again = ann.call("send_message", to="ann", content="x", client_id="1")
    assert (again["seq"], again["duplicate"]) == (1, False)


def test_the_queue_is_as_long_as_was_configured_at_the_start() -> None:
    assert LateServer(Limits(waiting_writes=7)).database.waiting_limit == 7


@pytest.mark.parametrize("action", ["register", "login"])
def test_a_full_queue_is_unavailable_for_those_who_wait_too(action: str) -> None:
    server = LateServer()
    server.login("ann").hang_up()
    server.database.waiting_limit = 0
    stranger = server.connect()
    name = "ann" if action == "login" else "bob"
    assert stranger.call(action, username=name, password=PASSWORD)["code"] == "unavailable"
    assert stranger.call("ping")["status"] == "success"


def test_a_disk_that_fails_is_unavailable_and_nobody_hears_of_the_message(logged_failures: LoggedFailures) -> None:
    server = LateServer()
    ann, bob = server.login("ann"), server.login("bob")
    bob.heard()

    class FullDisk:
        def __init__(self, connection: sqlite3.Connection) -> None:
            self.connection = connection

        def execute(self, sql: str, parameters: Any = ()) -> Any:
            if sql == "COMMIT":
                raise sqlite3.OperationalError("database or disk is full")
            return self.connection.execute(sql, parameters)

        @property
        def in_transaction(self) -> bool:
            return self.connection.in_transaction

    server.late()
    server.writer.connection = FullDisk(server.writer.connection)  # type: ignore[assignment]
    ann.send(b'{"action":"send_message","to":"bob","content":"x"}\n' * 2)
    server.catch_up()
    heard = ann.objects()
    assert [each.get("code") for each in heard] == ["unavailable"] * 2
    assert "disk" not in str(heard[0]["params"])
    assert bob.objects() == []
    logged_failures.expect(1)


def test_one_listener_that_cannot_be_told_does_not_hurt_the_others(
    monkeypatch: pytest.MonkeyPatch, logged_failures: LoggedFailures
) -> None:
    server = LateServer()
    ann, bob, twin = server.login("ann"), server.login("bob"), server.login("bob")
    bob.say("PING")
    for terminal in (bob, twin):
        terminal.heard()
    monkeypatch.setattr(NewMessage, "text", breaks)
    assert ann.call("send_message", to="bob", content="x")["status"] == "success"
    assert [each["content"] for each in twin.objects()] == ["x"]
    assert ann.call("ping")["status"] == "success"
    assert bob.closed, "who missed an event must catch up"
    logged_failures.expect(1)


class BrokenHub(Hub):
    """Fails whenever something is to be told or a session to be ended."""

    tell = drop_devices = breaks


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("send_message", {"to": "ann", "content": "x"}),
        ("change_password", {"old": PASSWORD, "new": PASSWORD}),
    ],
)
def test_an_answer_that_cannot_be_carried_out_is_one_answer_and_the_session_goes_on(
    action: str, fields: dict[str, str], logged_failures: LoggedFailures
) -> None:
    server = LateServer()
    ann = server.login("ann")
    ann.heard()
    sound, server.server.hub = server.server.hub, BrokenHub(server.pacing)
    ann.ask(action, **fields)
    assert [each["status"] for each in ann.objects()] == ["success"]
    assert ann.call("ping")["status"] == "success"
    server.server.hub = sound
    logged_failures.expect(1)


def test_more_hashing_than_can_wait_is_unavailable() -> None:
    server = LateServer(Limits(requests_per_second=0, password_checks=0))
    stranger = server.connect()
    refused = stranger.call("login", username="nobody", password=PASSWORD)
    assert (refused["code"], refused["params"]) == ("unavailable", {"reason": "passwords", "retry_after": 3})
    assert stranger.call("ping")["status"] == "success"
