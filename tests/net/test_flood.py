"""Many lines at once: others have their turn in between, and whoever asks too fast is listened to less."""

import pytest

from imd.chat.base.limits import Limits
from imd.net.connection import LINES_A_TURN, TOO_FAST_SECONDS
from imd.testing import MemoryServer
from imd.wire.base import Request
from imd.wire.reader import LineReader
from tests.conftest import LoggedFailures


def test_others_have_their_turn_while_many_lines_are_answered() -> None:
    server = MemoryServer(Limits(requests_per_second=0))
    flooder, other = server.connect(), server.connect()
    flooder.protocol.dataReceived(b"".join(b"@%d PING\n" % number for number in range(1000)))
    assert flooder.transport.producerState == "paused"
    other.protocol.dataReceived(b"PING\n")
    assert other.transport.value() == b"OK PING\r\n"
    assert flooder.transport.value().count(b"\n") <= LINES_A_TURN
    assert flooder.heard() == [f"@{number} OK PING" for number in range(1000)]
    assert flooder.transport.producerState == "producing"
    assert server.clock.seconds() == 0, "who is not too fast does not wait"


@pytest.mark.parametrize("size", [5, 50, 10_000])
def test_whoever_asks_too_fast_is_heard_ever_less(size: int) -> None:
    server = MemoryServer(Limits(requests_per_second=10, burst=10, login_seconds=3600))
    terminal = server.connect()
    data = b"PING\n" * 2000
    for start in range(0, len(data), size):
        terminal.protocol.dataReceived(data[start : start + size])
    answers = terminal.heard()
    assert len(answers) < 10 + 2 * LINES_A_TURN
    for _ in range(5):
        server.pass_time(TOO_FAST_SECONDS)
        more = terminal.heard()
        assert len(more) <= LINES_A_TURN
        answers += more
    while more := (server.pass_time(TOO_FAST_SECONDS), terminal.heard())[1]:
        answers += more
    assert len(answers) == 2000, "in the end each has its answer"
    assert {answer[:16] for answer in answers} == {"OK PING", "ERR rate_limited"}


def test_a_flooder_that_goes_leaves_no_timer() -> None:
    server = MemoryServer(Limits(burst=1))
    terminal = server.connect()
    terminal.send(b"PING\n" * 1000)
    terminal.hang_up()
    assert not server.timers


class Stumbling(LineReader):
    """Has a fault."""

    def feed(self, line: bytes) -> Request | None:
        return 1 // 0 if line == b"PONG" else super().feed(line)  # type: ignore[return-value]


@pytest.mark.parametrize("before", [0, LINES_A_TURN], ids=["at once", "at a later turn"])
def test_a_fault_in_reading_is_told_and_ends_the_connection(before: int, logged_failures: LoggedFailures) -> None:
    server = MemoryServer(Limits(requests_per_second=0))
    terminal = server.connect()
    terminal.send(b"\n")
    terminal.protocol.face.reader = Stumbling(1000)
    terminal.send(b"PING\n" * before + b"PONG\nPING\n")
    *answers, last = terminal.heard()
    assert answers == ["OK PING"] * before
    assert last.startswith("* ")
    assert terminal.closed
    logged_failures.expect(1)
