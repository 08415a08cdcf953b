"""A peer that reads too slowly: its lines are held back up to a cap, for a time; then it is told why, and closed."""

import json
from typing import Any

import pytest

from imd.chat.base.limits import Limits
from imd.net.connection import WRITE_BYTES
from imd.testing import PASSWORD, MemoryServer, Terminal
from tests.engine.late import LateServer
from tests.net.peer import Peer

LIMITS = Limits(requests_per_second=0, queue_bytes=20_000)


class SlowReader:
    """Bob, who reads by hand, and Ann, who writes to him."""

    def __init__(self) -> None:
        self.server = MemoryServer(LIMITS)
        self.ann: Terminal = self.server.login("ann")
        self.server.login("bob")
        self.bob = Peer(self.server)
        self.bob.send(ask("login", username="bob", password=PASSWORD))
        self.bob.read()

    def tell_bob(self, size: int = 1000) -> None:
        self.ann.call("send_message", to="bob", content="x" * size)


def ask(action: str, **fields: Any) -> bytes:
    return json.dumps({"action": action, **fields}).encode() + b"\n"


def objects(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.decode().split("\r\n")[:-1]]


@pytest.fixture
def slow() -> SlowReader:
    return SlowReader()


def test_the_connection_is_a_push_producer_of_its_transport(slow: SlowReader) -> None:
    assert slow.bob.transport.producer is not None
    assert slow.bob.transport.streaming is True


def test_lines_are_held_back_while_the_peer_is_behind_and_come_in_order(slow: SlowReader) -> None:
    slow.bob.fill()
    for size in (10, 20, 30):
        slow.tell_bob(size)
    assert slow.bob.transport.unread == b""
    assert slow.bob.read() == b""
    heard = objects(slow.bob.read())
    assert [each["seq"] for each in heard] == [1, 2, 3]


def test_a_peer_that_is_behind_is_not_heard_until_it_has_read(slow: SlowReader) -> None:
    slow.bob.fill()
    assert slow.bob.transport.producerState == "paused"
    slow.tell_bob()
    slow.bob.send(ask("ping", id=1) + ask("ping", id=2))
    assert slow.bob.read() == b""
    assert slow.bob.transport.producerState == "producing"
    assert [each.get("id", each.get("event")) for each in objects(slow.bob.read())] == ["message", 1, 2]


def test_beyond_the_cap_it_is_told_and_closed(slow: SlowReader) -> None:
    slow.bob.fill()
    for _ in range(30):
        slow.tell_bob()
    assert slow.bob.transport.disconnecting
    assert not slow.bob.transport.aborted
    [closing] = objects(slow.bob.read())
    assert (closing["event"], closing["code"]) == ("closing", "slow_consumer")
    assert slow.ann.call("ping")["status"] == "success"


def test_what_was_not_told_comes_by_sync(slow: SlowReader) -> None:
    slow.bob.fill()
    for _ in range(30):
        slow.tell_bob()
    slow.bob.read_all()
    again = slow.server.login("bob", replay=False)
    assert len(again.call("sync", to="ann", after_rev=0)["messages"]) == 30


def test_who_reads_nothing_for_half_a_minute_is_told_and_closed(slow: SlowReader) -> None:
    slow.bob.fill()
    slow.tell_bob()
    slow.server.pass_time(29.9)
    assert not slow.bob.transport.disconnecting
    slow.server.pass_time(0.1)
    assert slow.bob.transport.disconnecting
    assert objects(slow.bob.read())[-1]["code"] == "slow_consumer"


def test_reading_in_time_starts_the_half_minute_anew(slow: SlowReader) -> None:
    for _ in range(5):
        slow.bob.fill()
        slow.server.pass_time(29)
        slow.bob.read()
    slow.tell_bob()
    assert [each["event"] for each in objects(slow.bob.read())] == ["message"]


def test_who_does_not_even_read_the_goodbye_is_cut_off(slow: SlowReader) -> None:
    slow.bob.fill()
    slow.server.pass_time(30)
    slow.server.pass_time(3.9)
    assert not slow.bob.transport.aborted
    slow.server.pass_time(0.1)
    assert slow.bob.transport.aborted
    slow.bob.end()
    assert not [call for call in slow.server.timers if call.active()]


def test_nothing_is_said_after_the_goodbye(slow: SlowReader) -> None:
    slow.bob.fill()
    slow.server.pass_time(30)
    for _ in range(5):
        slow.tell_bob()
    assert [each["event"] for each in objects(slow.bob.read())] == ["closing"]


def test_data_after_the_goodbye_is_ignored(slow: SlowReader) -> None:
    slow.bob.fill()
    slow.server.pass_time(30)
    slow.bob.send(ask("send_message", to="ann", content="too late"))
    assert slow.ann.objects() == []
    assert slow.bob.protocol.face.buffer.partial == b""


def test_the_end_can_be_read_even_when_reading_was_paused(slow: SlowReader) -> None:
    """TLS ends when the peer's close was read: a paused transport would wait for the cut."""
    slow.bob.fill()
    slow.server.pass_time(30)
    assert slow.bob.transport.producerState == "producing"
    assert slow.bob.transport.producer is None


def test_pages_asked_for_at_once_go_out_one_by_one(slow: SlowReader) -> None:
    """Who asks for much and reads it is no slow consumer: the next page waits until this one was taken."""
    for _ in range(80):
        slow.tell_bob()
        slow.bob.read()
    slow.bob.send(b"".join(ask("history", to="ann", limit=80, id=number) for number in range(10)))
    largest, heard = 0, b""
    for _ in range(100):
        largest = max(largest, len(slow.bob.transport.unread))
        heard += slow.bob.read()
    assert [each["id"] for each in objects(heard) if "status" in each] == list(range(10))
    assert largest < 200_000
    assert not slow.bob.transport.disconnecting


def test_pages_that_take_their_time_wait_for_the_reader_too() -> None:
    server = LateServer(LIMITS)
    server.login("ann")
    ann = Peer(server)
    ann.send(ask("login", username="ann", password=PASSWORD, replay=False))
    for _ in range(80):
        ann.send(ask("send_message", to="ann", content="x" * 1000))
        ann.read()
    server.late()
    ann.send(b"".join(ask("history", to="ann", limit=80, id=number) for number in range(5)))
    for number in range(5):
        server.catch_up()
        assert ann.transport.full
        [page] = objects(ann.read())
        assert page["id"] == number
    assert not ann.transport.disconnecting


class Return:
    """Bob comes back to 400 messages, and the readers work by hand."""

    def __init__(self) -> None:
        self.server = LateServer(LIMITS)
        self.ann = self.server.login("ann")
        self.server.login("bob").hang_up()
        for _ in range(400):
            self.tell_bob()
        self.server.database.backend.readers = self.server.readers
        self.bob = Peer(self.server)
        self.bob.send(ask("login", username="bob", password=PASSWORD))
        for _ in range(4):  # the account, the list of conversations, the first page, and the second before it is needed
            self.next_page()

    def tell_bob(self) -> None:
        self.ann.call("send_message", to="bob", content="x" * 1000)

    def next_page(self) -> None:
        self.server.readers.work()
        self.server.readers.answer()
        self.server.settle()


def test_a_long_replay_waits_for_the_reader() -> None:
    back = Return()
    heard = b""
    for _ in range(2):
        assert back.bob.transport.full
        assert not back.server.readers.waiting, "a page waits until the one before it was read"
        heard += back.bob.read()
        back.next_page()
    told = objects(heard + back.bob.read_all())
    assert [each["seq"] for each in told if each.get("event") == "message"] == list(range(1, 401))
    assert told[-1] == {"event": "replayed", "count": 400}


def test_what_is_held_during_a_replay_counts_towards_the_cap() -> None:
    back = Return()
    for _ in range(15):
        back.tell_bob()
    assert not back.bob.transport.disconnecting
    for _ in range(15):
        back.tell_bob()
    assert back.bob.transport.disconnecting
    assert objects(back.bob.read_all())[-1]["code"] == "slow_consumer"
    assert not back.server.readers.waiting, "a replay that was given up reads no more pages"


def test_a_farewell_that_passes_the_cap_is_said_once(slow: SlowReader) -> None:
    slow.bob.fill()
    for _ in range(17):
        slow.tell_bob()
    slow.bob.protocol._queue.size = LIMITS.queue_bytes
    slow.server.factory.goodbye()
    [closing] = objects(slow.bob.read())
    assert closing["code"] == "slow_consumer"


def test_who_reads_slowly_but_reads_gets_a_long_page_whole(slow: SlowReader) -> None:
    """Each 64 KiB have their half minute: a page of 250 KiB may take minutes over a bad line."""
    for _ in range(25):
        slow.tell_bob(10_000)
        slow.bob.read()
    slow.bob.send(ask("history", to="ann", limit=25, id=1))
    heard = b""
    for _ in range(10):
        assert len(slow.bob.transport.unread) <= 2 * 65_536
        slow.server.pass_time(29)
        slow.tell_bob(10)  # and what comes meanwhile waits
        heard += slow.bob.read()
    heard += slow.bob.read_all()
    page, *told = objects(heard)
    assert len(page["messages"]) == 25
    assert len(told) == 10
    assert not slow.bob.transport.disconnecting


def test_a_line_that_is_half_written_is_finished_before_the_goodbye(slow: SlowReader) -> None:
    for _ in range(25):
        slow.tell_bob(10_000)
        slow.bob.read()
    slow.bob.send(ask("history", to="ann", limit=25, id=1))
    slow.bob.transport.unread, first = b"", slow.bob.transport.unread
    slow.tell_bob(10)
    slow.server.pass_time(30)
    page, closing = objects(first + slow.bob.read_all())
    assert len(page["messages"]) == 25
    assert closing["code"] == "slow_consumer"


def test_a_line_whose_end_is_half_written_too(slow: SlowReader) -> None:
    slow.bob.transport.unread = b"."
    slow.bob.protocol.write([b"x" * (WRITE_BYTES - 1)])
    assert slow.bob.transport.unread.endswith(b"x\r"), "else this test could not fail"
    slow.server.pass_time(30)
    line, closing, _ = slow.bob.read_all().split(b"\r\n")
    assert line.endswith(b"x")
    assert json.loads(closing)["code"] == "slow_consumer"
