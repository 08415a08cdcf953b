"""What a person at a terminal does without saying so: what was shown is delivered, what is answered is read."""

from typing import Any

import pytest

from imd.testing import PASSWORD, Terminal
from imd.wire import textline
from imd.wire.base import Request
from tests.engine.late import LateServer


class Evening:
    """Ann speaks JSON, Bob types; and a witness reads Bob's pointers."""

    def __init__(self) -> None:
        self.server = LateServer()
        self.ann = self.server.login("ann")
        self.server.login("bob").hang_up()
        self.bob = self.terminal()

    def terminal(self, replay: str = "true") -> Terminal:
        terminal = self.server.connect()
        terminal.say(f"LOGIN bob replay={replay} {PASSWORD}")
        assert any(line.startswith("OK LOGIN") for line in terminal.heard())
        return terminal

    def tell(self, count: int = 1) -> None:
        for _ in range(count):
            self.ann.call("send_message", to="bob", content="hi")

    def pointers(self) -> tuple[int, int]:
        [row] = self.server.rows(
            "SELECT delivered_seq, read_seq FROM member JOIN account ON account = id WHERE username = 'bob'"
        )
        return row[0], row[1]


@pytest.fixture
def evening() -> Evening:
    return Evening()


def test_what_was_shown_is_delivered_with_the_next_typed_line(evening: Evening) -> None:
    evening.tell(3)
    assert len(evening.bob.heard()) == 3
    assert evening.pointers() == (0, 0)
    evening.bob.say("PING")
    assert evening.bob.heard() == ["OK PING"], "nobody hears of the acknowledgement"
    assert evening.pointers() == (3, 0)


@pytest.mark.parametrize("typed", ["NONSENSE", "POST ann"])
def test_any_line_will_do(evening: Evening, typed: str) -> None:
    evening.tell()
    evening.bob.say(typed)
    assert evening.pointers() == (1, 0)


def test_the_next_json_line_does_not_count(evening: Evening) -> None:
    evening.tell()
    evening.bob.say('{"action":"ping"}')
    assert evening.pointers() == (0, 0)


def test_what_came_by_replay_counts_too(evening: Evening) -> None:
    evening.bob.hang_up()
    evening.tell(250)
    bob = evening.terminal()
    assert evening.pointers() == (0, 0)
    bob.say("PING")
    assert evening.pointers() == (250, 0)


def test_quitting_counts_as_a_typed_line(evening: Evening) -> None:
    evening.tell(2)
    evening.bob.say("QUIT")
    assert evening.bob.closed
    assert evening.pointers() == (2, 0)
    evening.tell()
    assert [line for line in Evening.terminal(evening).heard() if line.startswith("* ann")] == []


def test_a_broken_connection_does_not_count(evening: Evening) -> None:
    evening.tell(2)
    evening.bob.hang_up()
    assert evening.pointers() == (0, 0)


def test_what_still_waits_for_the_peer_was_not_shown(evening: Evening) -> None:
    producer = evening.bob.transport.producer
    assert producer is not None
    producer.pauseProducing()
    evening.tell(2)
    evening.bob.say("PING")
    assert evening.pointers() == (0, 0)
    producer.resumeProducing()
    evening.server.settle()
    assert evening.bob.heard() == ["* ann: hi", "* ann: hi", "OK PING"]


def _taken(line: bytes) -> tuple[Request, dict[str, Any]]:
    taken = textline.take_apart(line)
    assert taken is not None
    return taken


def test_answering_marks_it_read(evening: Evening) -> None:
    evening.tell(3)
    evening.bob.say("SEND ann hello yourself")
    assert evening.pointers() == (4, 4)
    evening.tell()
    evening.bob.say("PING")
    assert evening.pointers() == (5, 4)


def test_answering_somebody_else_does_not(evening: Evening) -> None:
    evening.server.login("cid")
    evening.tell(3)
    evening.bob.say("SEND cid hello")
    [row] = evening.server.rows(
        "SELECT delivered_seq, read_seq FROM member JOIN account ON account = id"
        " WHERE username = 'bob' AND conversation = 1"
    )
    assert row == (3, 0)


def test_an_answer_that_fails_marks_nothing_read(evening: Evening) -> None:
    evening.tell(3)
    evening.bob.say("SEND ann reply_to=77 hello")
    assert evening.bob.heard()[-1].startswith("ERR no_such_message")
    assert evening.pointers() == (3, 0)


def test_a_post_is_an_answer(evening: Evening) -> None:
    evening.tell()
    for line in ("POST ann", "hello", "."):
        evening.bob.say(line)
    assert evening.pointers() == (2, 2)


def test_read_without_more_marks_all_that_was_shown(evening: Evening) -> None:
    evening.server.login("cid").call("send_message", to="bob", content="me too")
    evening.tell(2)
    evening.bob.say("READ")
    assert evening.bob.heard()[-1] == "OK READ"
    rows = evening.server.rows(
        "SELECT delivered_seq, read_seq FROM member JOIN account ON account = id WHERE username = 'bob'"
    )
    assert sorted(rows) == [(1, 1), (2, 2)]


def test_pipelined_lines_are_answered_in_order_with_the_silent_ones_between(evening: Evening) -> None:
    evening.tell(2)
    evening.bob.heard()
    evening.server.late()
    evening.bob.send(b"@1 SEND ann one\n@2 SEND ann two\n@3 HISTORY ann limit=1\n@4 READ\n@5 PING\n")
    evening.server.catch_up()
    tagged = [line.split()[0] for line in evening.bob.heard() if line.startswith("@")]
    assert tagged == ["@1", "@2", "@3", "@4", "@5"]
    assert evening.pointers() == (4, 4)


def test_the_silent_ones_cost_nothing_of_the_rate(evening: Evening) -> None:
    before = evening.bob.protocol.session._bucket.tokens
    evening.tell()
    evening.bob.say("SEND ann hello")
    assert evening.pointers() == (2, 2)
    assert evening.bob.protocol.session._bucket.tokens == before


def test_another_device_hears_of_it(evening: Evening) -> None:
    other = evening.server.login("bob")
    evening.tell()
    other.heard()
    evening.bob.say("SEND ann hello")
    receipts = [each for each in other.objects() if each["event"] == "receipt"]
    assert (receipts[-1]["delivered_seq"], receipts[-1]["read_seq"]) == (2, 2)


def test_what_was_shown_is_forgotten_at_logout(evening: Evening) -> None:
    evening.tell()
    evening.bob.say("LOGOUT")
    assert evening.pointers() == (1, 0)
    evening.bob.say(f"REGISTER cid {PASSWORD}")
    evening.bob.say(f"LOGIN cid {PASSWORD}")
    evening.bob.say("SEND ann it is me")
    assert evening.pointers() == (1, 0)
