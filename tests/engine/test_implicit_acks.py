"""What a person at a terminal does without saying so: what was shown is delivered, what is answered is read."""

from typing import Any

import pytest

from imd.testing import PASSWORD, Terminal
from imd.wire import textline
from imd.wire.base import Request
from tests.engine.late import LateServer


class Talk:
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
def talk() -> Talk:
    return Talk()


def test_what_was_shown_is_delivered_with_the_next_typed_line(talk: Talk) -> None:
    talk.tell(3)
    assert len(talk.bob.heard()) == 3
    assert talk.pointers() == (0, 0)
    talk.bob.say("PING")
    assert talk.bob.heard() == ["OK PING"], "nobody hears of the acknowledgement"
    assert talk.pointers() == (3, 0)


@pytest.mark.parametrize("typed", ["NONSENSE", "POST ann"])
def test_any_line_will_do(talk: Talk, typed: str) -> None:
    talk.tell()
    talk.bob.say(typed)
    assert talk.pointers() == (1, 0)


def test_the_next_json_line_does_not_count(talk: Talk) -> None:
    talk.tell()
    talk.bob.say('{"action":"ping"}')
    assert talk.pointers() == (0, 0)


def test_what_came_by_replay_counts_too(talk: Talk) -> None:
    talk.bob.hang_up()
    talk.tell(250)
    bob = talk.terminal()
    assert talk.pointers() == (0, 0)
    bob.say("PING")
    assert talk.pointers() == (250, 0)


def test_quitting_counts_as_a_typed_line(talk: Talk) -> None:
    talk.tell(2)
    talk.bob.say("QUIT")
    assert talk.bob.closed
    assert talk.pointers() == (2, 0)
    talk.tell()
    assert [line for line in Talk.terminal(talk).heard() if line.startswith("* ann")] == []


def test_a_broken_connection_does_not_count(talk: Talk) -> None:
    talk.tell(2)
    talk.bob.hang_up()
    assert talk.pointers() == (0, 0)


def test_what_still_waits_for_the_peer_was_not_shown(talk: Talk) -> None:
    producer = talk.bob.transport.producer
    assert producer is not None
    producer.pauseProducing()
    talk.tell(2)
    talk.bob.say("PING")
    assert talk.pointers() == (0, 0)
    producer.resumeProducing()
    talk.server.settle()
    assert talk.bob.heard() == ["* ann: hi", "* ann: hi", "OK PING"]


def _taken(line: bytes) -> tuple[Request, dict[str, Any]]:
    taken = textline.take_apart(line)
    assert taken is not None
    return taken


def test_answering_marks_it_read(talk: Talk) -> None:
    talk.tell(3)
    talk.bob.say("SEND ann hello yourself")
    assert talk.pointers() == (4, 4)
    talk.tell()
    talk.bob.say("PING")
    assert talk.pointers() == (5, 4)


def test_answering_somebody_else_does_not(talk: Talk) -> None:
    talk.server.login("cid")
    talk.tell(3)
    talk.bob.say("SEND cid hello")
    [row] = talk.server.rows(
        "SELECT delivered_seq, read_seq FROM member JOIN account ON account = id"
        " WHERE username = 'bob' AND conversation = 1"
    )
    assert row == (3, 0)


def test_an_answer_that_fails_marks_nothing_read(talk: Talk) -> None:
    talk.tell(3)
    talk.bob.say("SEND ann reply_to=77 hello")
    assert talk.bob.heard()[-1].startswith("ERR no_such_message")
    assert talk.pointers() == (3, 0)


def test_a_post_is_an_answer(talk: Talk) -> None:
    talk.tell()
    for line in ("POST ann", "hello", "."):
        talk.bob.say(line)
    assert talk.pointers() == (2, 2)


def test_read_without_more_marks_all_that_was_shown(talk: Talk) -> None:
    talk.server.login("cid").call("send_message", to="bob", content="me too")
    talk.tell(2)
    talk.bob.say("READ")
    assert talk.bob.heard()[-1] == "OK READ"
    rows = talk.server.rows(
        "SELECT delivered_seq, read_seq FROM member JOIN account ON account = id WHERE username = 'bob'"
    )
    assert sorted(rows) == [(1, 1), (2, 2)]


def test_pipelined_lines_are_answered_in_order_with_the_silent_ones_between(talk: Talk) -> None:
    talk.tell(2)
    talk.bob.heard()
    talk.server.late()
    talk.bob.send(b"@1 SEND ann one\n@2 SEND ann two\n@3 HISTORY ann limit=1\n@4 READ\n@5 PING\n")
    talk.server.catch_up()
    tagged = [line.split()[0] for line in talk.bob.heard() if line.startswith("@")]
    assert tagged == ["@1", "@2", "@3", "@4", "@5"]
    assert talk.pointers() == (4, 4)


def test_the_silent_ones_cost_nothing_of_the_rate(talk: Talk) -> None:
    before = talk.bob.protocol.session._bucket.tokens
    talk.tell()
    talk.bob.say("SEND ann hello")
    assert talk.pointers() == (2, 2)
    assert talk.bob.protocol.session._bucket.tokens == before


def test_another_device_hears_of_it(talk: Talk) -> None:
    other = talk.server.login("bob")
    talk.tell()
    other.heard()
    talk.bob.say("SEND ann hello")
    receipts = [each for each in other.objects() if each["event"] == "receipt"]
    assert (receipts[-1]["delivered_seq"], receipts[-1]["read_seq"]) == (2, 2)


def test_what_was_shown_is_forgotten_at_logout(talk: Talk) -> None:
    talk.tell()
    talk.bob.say("LOGOUT")
    assert talk.pointers() == (1, 0)
    talk.bob.say(f"REGISTER cid {PASSWORD}")
    talk.bob.say(f"LOGIN cid {PASSWORD}")
    talk.bob.say("SEND ann it is me")
    assert talk.pointers() == (1, 0)
