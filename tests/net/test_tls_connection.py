"""Strangers have a share of each turn of the reactor; who is logged in is heard at once; nothing of either is lost."""

from typing import Any

import attrs
import pytest
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure

from imd.engine import pacing
from imd.engine.pacing import Pacing
from imd.net.tls_connection import HELD_BYTES, TlsConnection
from tests.conftest import LoggedFailures


@attrs.define
class Transport:
    """What is below TLS."""

    reading: bool = True
    aborted: bool = False

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        self.reading = True

    def abortConnection(self) -> None:
        self.aborted = True


@attrs.define
class Inner:
    """What is above it."""

    stranger: bool = True


class Room:
    """Connections before login; what is heard takes as long as a test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Clock()
        self.pacing = Pacing(self.clock)
        self.heard: list[tuple[Any, bytes]] = []
        self.now = 0.0
        self.cost = 0.001
        monkeypatch.setattr(pacing.time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(TLSMemoryBIOProtocol, "dataReceived", lambda of, data: self._hear(of, data))
        monkeypatch.setattr(TLSMemoryBIOProtocol, "connectionLost", lambda *_: None)
        monkeypatch.setattr(TLSMemoryBIOProtocol, "abortConnection", lambda of: of.transport.abortConnection())

    def _hear(self, connection: Any, data: bytes) -> None:
        self.now += self.cost
        if data == b"bad":
            raise ValueError(data)
        self.heard.append((connection, data))

    def connection(self, *, stranger: bool = True) -> Any:
        """Give a TLS connection between two dummies; no factory is asked."""
        kind: Any = TlsConnection
        made = kind(None, Inner(stranger))
        made.transport, made.connected, made.pacing = Transport(), 1, self.pacing
        return made

    def turn(self) -> None:
        """Do what is due in one turn of the reactor, and not what it makes due."""
        for call in self.clock.getDelayedCalls():
            self.clock.calls.remove(call)
            call.called = 1
            call.func(*call.args, **call.kw)

    def said(self) -> list[bytes]:
        return [data for _, data in self.heard]


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    return Room(monkeypatch)


def test_a_crowd_is_heard_in_turns_in_its_order_and_who_is_logged_in_at_once(room: Room) -> None:
    for number in range(10):
        room.connection().dataReceived(str(number).encode())
    assert room.said() == [b"0", b"1", b"2"], "three milliseconds are theirs"
    room.connection(stranger=False).dataReceived(b"known")
    assert room.said()[3:] == [b"known"]
    room.turn()
    assert room.said()[4:] == [b"3", b"4", b"5"]
    room.connection().dataReceived(b"late")
    room.turn()
    room.turn()
    assert room.said()[7:] == [b"6", b"7", b"8", b"9", b"late"]
    room.turn()
    assert room.clock.getDelayedCalls() == [], "it does not come back for nothing"


def test_what_follows_is_heard_after_what_waits_also_of_who_has_logged_in_meanwhile(room: Room) -> None:
    room.cost = 1
    room.connection().dataReceived(b"first")
    late = room.connection()
    late.dataReceived(b"a")
    late.wrappedProtocol.stranger = False
    late.dataReceived(b"b")
    room.turn()
    late.dataReceived(b"c")
    assert room.said() == [b"first", b"ab", b"c"]


def test_what_came_before_the_end_is_heard_unless_we_have_ended_it(room: Room) -> None:
    room.cost = 1
    room.connection().dataReceived(b"first")
    gone, cut = room.connection(), room.connection()
    for each in (gone, cut):
        each.dataReceived(b"last words")
    cut.disconnecting = True
    for each in (gone, cut):
        each.connectionLost(Failure(ConnectionResetError()))
    room.turn()
    assert room.heard[1:] == [(gone, b"last words")]


def test_who_sends_much_is_read_no_more_until_it_is_heard_nor_while_others_hold_it(room: Room) -> None:
    room.cost = 1
    room.connection().dataReceived(b"first")
    much = room.connection()
    much.dataReceived(b"x" * HELD_BYTES)
    assert much.transport.reading
    much.dataReceived(b"x")
    assert not much.transport.reading
    much.resumeProducing()
    assert not much.transport.reading
    much.pauseProducing()
    room.turn()
    assert not much.transport.reading, "ImdProtocol has asked for that"
    much.resumeProducing()
    assert much.transport.reading


def test_a_fault_with_one_ends_that_one_alone(room: Room, logged_failures: LoggedFailures) -> None:
    room.cost = 1
    room.connection().dataReceived(b"first")
    bad, good = room.connection(), room.connection()
    bad.dataReceived(b"bad")
    good.dataReceived(b"good")
    room.turn()
    room.turn()
    assert (bad.transport.aborted, good.transport.aborted) == (True, False)
    assert room.said() == [b"first", b"good"]
    logged_failures.expect(1)
