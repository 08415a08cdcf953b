"""One connection's lines, with a scripted server."""

import json
from typing import Any

import msgspec
import pytest
from imd_client import AnswerLost, Refused
from imd_client.protocol import CLOSE_TIMEOUT, IDLE_TIMEOUT, ClientProtocol
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from imd.wire.messages import NewMessage, SendMessage, Sent
from imd.wire.session import Closing, Ping
from tests.conftest import LoggedFailures

SENT = {"status": "success", "action": "send_message", "conversation": 1, "seq": 2, "rev": 3, "duplicate": False}
SENT["time"] = "2026-11-23T06:25:18.123Z"


class Transport(StringTransport):
    verified: Failure | None = None

    def abortConnection(self) -> None:
        self.disconnecting = True

    def getHandle(self) -> str:
        return "the TLS connection"

    def failVerification(self, reason: Failure) -> None:
        self.verified = reason


class Scripted:
    """A protocol with a transport that the test reads and writes."""

    def __init__(self, verify: Any = None) -> None:
        self.clock = Clock()
        self.opened: list[ClientProtocol] = []
        self.heard: list[Any] = []
        self.lost: list[Failure] = []
        self.transport = Transport()
        self.protocol = ClientProtocol(
            self.clock, self.opened.append, self.heard.append, lambda _, reason: self.lost.append(reason), verify
        )
        self.protocol.makeConnection(self.transport)

    def says(self, *objects: dict[str, Any] | str) -> None:
        lines = [each if isinstance(each, str) else json.dumps(each) for each in objects]
        self.protocol.dataReceived("".join(f"{line}\r\n" for line in lines).encode())

    def asked(self) -> list[dict[str, Any]]:
        data = self.transport.value().decode()
        self.transport.clear()
        return [json.loads(line) for line in data.splitlines()]

    def ask(self, command: Any) -> list[Any]:
        found: list[Any] = []
        answer: Deferred[Any] = self.protocol.ask(command)
        answer.addCallbacks(found.append, lambda failure: found.append(failure.value))
        return found


@pytest.fixture
def script() -> Scripted:
    return Scripted()


def test_a_request_and_its_typed_answer(script: Scripted) -> None:
    found = script.ask(SendMessage(to="bob", content="嗨"))
    assert script.asked() == [{"action": "send_message", "id": 1, "to": "bob", "content": "嗨"}]
    script.says(SENT | {"id": 1, "message": "Sent.", "more": "to come"})
    assert found == [Sent(conversation=1, seq=2, rev=3, time="2026-11-23T06:25:18.123Z", duplicate=False)]


def test_answers_find_their_requests(script: Scripted) -> None:
    ping, sent = script.ask(Ping()), script.ask(SendMessage(to="bob", content="hi"))
    script.says({"status": "success", "action": "ping", "id": 1}, SENT | {"id": 2}, SENT | {"id": 2}, SENT | {"id": 77})
    assert (len(ping), sent[0].seq) == (1, 2)


def test_an_answer_without_an_id_is_the_oldest_requests(script: Scripted) -> None:
    first, second = script.ask(Ping()), script.ask(Ping())
    script.says(
        {"status": "fail", "action": "", "code": "line_too_long", "message": "Too long.", "params": {"limit": 9}}
    )
    assert isinstance(first[0], Refused)
    assert (first[0].code, str(first[0]), first[0].params) == ("line_too_long", "Too long.", {"limit": 9})
    assert second == []


def test_an_answer_of_another_shape_is_an_error_of_its_request_alone(script: Scripted) -> None:
    found = script.ask(SendMessage(to="bob", content="hi"))
    script.says({"status": "success", "action": "send_message", "id": 1})
    assert isinstance(found[0], msgspec.ValidationError)
    assert not script.transport.disconnecting


def test_events_are_typed_and_unknown_ones_are_kept_as_they_are(script: Scripted) -> None:
    message = {"conversation": 1, "seq": 2, "rev": 3, "sender": "bob", "to": "bob", "kind": "text", "content": "hi"}
    script.says(
        {"event": "message", "time": "t", "new_field": 1, **message},
        {"event": "typing", "who": "bob"},
        {"event": "message", "seq": "no number"},
        {"event": "closing", "code": "unavailable", "message": "Bye."},
        "* a line for people",
        "",
    )
    assert script.heard == [
        NewMessage(time="t", **message),  # type: ignore[arg-type]
        {"event": "typing", "who": "bob"},
        {"event": "message", "seq": "no number"},
        Closing(code="unavailable", message="Bye."),
    ]


def test_a_lost_connection_leaves_the_outcome_unknown(script: Scripted) -> None:
    found = script.ask(Ping())
    script.protocol.connectionLost(Failure(ConnectionDone()))
    assert [type(each) for each in found + script.ask(Ping())] == [AnswerLost, AnswerLost]
    assert [reason.type for reason in script.lost] == [ConnectionDone]
    assert script.clock.getDelayedCalls() == []


def test_what_is_no_json_ends_the_connection(script: Scripted, logged_failures: LoggedFailures) -> None:
    script.says("{broken", {"event": "typing"})
    assert script.transport.disconnecting
    assert script.heard == []
    logged_failures.expect(1)


def test_lines_come_in_any_pieces(script: Scripted) -> None:
    data = '{"event": "typing", "who": "小明"}\r\n{"event": "gone"}\n'.encode()
    for byte in data:
        script.protocol.dataReceived(bytes([byte]))
    assert script.heard == [{"event": "typing", "who": "小明"}, {"event": "gone"}]


def test_a_line_without_end_ends_the_connection(script: Scripted) -> None:
    script.protocol.MAX_LENGTH = 1000
    script.protocol.dataReceived(b"{" * 1000)
    assert not script.transport.disconnecting
    script.protocol.dataReceived(b"{")
    assert script.transport.disconnecting


def test_a_silent_server_is_asked_and_then_given_up(script: Scripted) -> None:
    script.clock.advance(IDLE_TIMEOUT)
    assert [each["action"] for each in script.asked()] == ["ping"]
    script.says({"status": "success", "action": "ping", "id": 1})
    script.clock.advance(IDLE_TIMEOUT)
    assert [each["action"] for each in script.asked()] == ["ping"]
    assert not script.transport.disconnecting
    script.clock.advance(IDLE_TIMEOUT)
    assert script.transport.disconnecting


def test_nothing_is_said_before_the_certificate_was_judged() -> None:
    seen: list[Any] = []
    script = Scripted(verify=seen.append)
    assert script.opened == []
    script.protocol.handshakeCompleted()
    assert (seen, script.opened) == (["the TLS connection"], [script.protocol])


def test_a_stranger_is_told_nothing() -> None:
    def verify(connection: Any) -> None:
        raise ValueError("a stranger")

    script = Scripted(verify)
    script.protocol.handshakeCompleted()
    assert script.transport.verified is not None
    assert script.transport.verified.type is ValueError
    assert (script.opened, script.transport.value()) == ([], b"")


def test_a_handshake_that_hangs_is_given_up() -> None:
    script = Scripted(verify=lambda connection: None)
    script.clock.advance(IDLE_TIMEOUT)
    assert script.transport.disconnecting
    assert script.transport.value() == b""


def test_a_goodbye_is_not_waited_for_long(script: Scripted) -> None:
    aborted: list[None] = []
    script.transport.abortConnection = lambda: aborted.append(None)  # type: ignore[method-assign]
    script.protocol.leave()
    assert (script.transport.disconnecting, aborted) == (True, [])
    script.clock.advance(CLOSE_TIMEOUT)
    assert aborted == [None]


def test_the_loss_is_known_before_the_answers_fail(script: Scripted) -> None:
    known: list[int] = []
    script.protocol.ask(Ping()).addErrback(lambda failure: known.append(len(script.lost)))
    script.protocol.connectionLost(Failure(ConnectionDone()))
    assert known == [1]
