"""Replay against live events: whenever a message comes, it is pushed once, in order, and none is missed."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from twisted.internet.defer import Deferred

from imd.engine.replay import PAGE
from imd.testing import PASSWORD, Terminal
from tests.conftest import LoggedFailures
from tests.engine.late import LateServer


class Return:
    """Bob was away while Ann wrote to him; he logs in, and every read waits for the test."""

    def __init__(self, missed: int) -> None:
        self.server = LateServer()
        self.ann = self.server.login("ann")
        self.server.login("bob").hang_up()
        self.sent = 0
        for _ in range(missed):
            self.ann_writes()
        self.bob = self.server.connect()

    def ann_writes(self) -> None:
        self.sent += 1
        assert self.ann.call("send_message", to="bob", content=str(self.sent))["seq"] == self.sent

    def log_in(self, **fields: Any) -> None:
        self.bob.ask("login", username="bob", password=PASSWORD, **fields)
        self.read()
        assert self.server.factory.online.keys() >= {2}

    def read(self) -> None:
        """Let one read be done and answered."""
        self.work()
        self.server.readers.answer()
        self.server.settle()

    def work(self) -> None:
        """Let one read be done; its answer is still on its way."""
        self.server.readers.work()

    def steps(self) -> int:
        return len(self.server.readers.waiting) + len(self.server.readers.results)

    def finish(self) -> None:
        while self.server.readers.waiting or self.server.readers.results:
            if not self.server.readers.results:
                self.work()
            self.server.readers.answer()
            self.server.settle()


def seqs(events: list[dict[str, Any]]) -> list[int]:
    return [each["seq"] for each in events if each.get("event") == "message"]


def replayed(events: list[dict[str, Any]]) -> int:
    [event] = [each for each in events if each.get("event") == "replayed"]
    return int(event["count"])


@pytest.mark.parametrize("missed", [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 250])
def test_what_was_missed_is_pushed_page_by_page(missed: int) -> None:
    back = Return(missed)
    back.bob.ask("login", username="bob", password=PASSWORD)
    events = back.bob.objects()
    assert events[0]["action"] == "login"
    assert seqs(events) == list(range(1, missed + 1))
    assert replayed(events) == missed
    assert events[-1]["event"] == "replayed"


def changed(events: list[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(each["seq"], each["content"]) for each in events if each.get("event") == "changed"]


def test_a_change_of_what_was_delivered_long_ago_is_told_after_the_replay() -> None:
    back = Return(3)
    earlier = back.server.login("bob")
    earlier.call("ack", to="ann", seq=2)
    earlier.hang_up()
    back.server.database.backend.readers = back.server.readers
    back.log_in()
    back.read()
    back.ann.call("edit_message", to="bob", seq=1, content="anew")
    back.ann_writes()
    back.finish()
    events = back.bob.objects()
    assert seqs(events) == [3, 4]
    assert changed(events) == [(1, "anew")]


def test_changes_during_a_replay_are_told_unless_a_page_shows_them() -> None:
    back = Return(PAGE + 2)
    back.server.database.backend.readers = back.server.readers
    back.log_in()
    back.read()
    back.read()
    back.ann.call("edit_message", to="bob", seq=5, content="five anew")
    back.ann.call("edit_message", to="bob", seq=PAGE + 1, content="later anew")
    back.finish()
    events = back.bob.objects()
    assert changed(events) == [(5, "five anew")]
    assert [each["content"] for each in events if each.get("seq") == PAGE + 1] == ["later anew"]


@given(
    missed=some.sampled_from([0, 1, 2, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE]),
    moves=some.lists(some.sampled_from(["write", "work", "answer", "congest", "relieve", "ping"]), max_size=25),
)
@settings(max_examples=60, deadline=None)
def test_whatever_comes_in_between_everything_is_told_once_in_order(missed: int, moves: list[str]) -> None:
    back = Return(missed)
    back.server.database.backend.readers = back.server.readers
    back.log_in()
    readers, producer = back.server.readers, back.bob.transport.producer
    assert producer is not None
    pings = 0
    for move in moves:
        if move == "write":
            back.ann_writes()
        elif move == "work" and readers.waiting:
            readers.work()
        elif move == "answer" and readers.results:
            readers.answer()
        elif move == "congest":
            producer.pauseProducing()
        elif move == "relieve":
            producer.resumeProducing()
        elif move == "ping":
            pings += 1
            back.bob.ask("ping")
        back.server.settle()
    producer.resumeProducing()
    back.finish()
    back.ann_writes()
    events = back.bob.objects()
    assert seqs(events) == list(range(1, back.sent + 1))
    revs = [each["rev"] for each in events if each.get("event") == "message"]
    assert revs == sorted(revs)
    assert replayed(events) >= missed
    assert sum(each.get("action") == "ping" for each in events) == pings


def test_a_message_between_the_page_and_its_arrival_is_told_once() -> None:
    back = Return(3)
    back.server.database.backend.readers = back.server.readers
    back.log_in()
    back.read()
    back.work()
    back.ann_writes()
    back.server.readers.answer()
    back.finish()
    events = back.bob.objects()
    assert seqs(events) == [1, 2, 3, 4]
    assert replayed(events) == 3
    assert [each["event"] for each in events if "event" in each][-2:] == ["replayed", "message"]


def test_a_message_before_the_page_was_read_is_not_told_again() -> None:
    back = Return(3)
    back.server.database.backend.readers = back.server.readers
    back.log_in()
    back.read()
    back.ann_writes()
    back.finish()
    events = back.bob.objects()
    assert seqs(events) == [1, 2, 3, 4]
    assert replayed(events) == 4


def test_a_conversation_that_begins_during_a_replay_is_told_after_it() -> None:
    back = Return(2)
    cid = back.server.login("cid")
    back.server.database.backend.readers = back.server.readers
    back.log_in()
    back.read()
    cid.ask("send_message", to="bob", content="me too")
    back.finish()
    events = back.bob.objects()
    assert [(each["sender"], each["seq"]) for each in events if each.get("event") == "message"] == [
        ("ann", 1),
        ("ann", 2),
        ("cid", 1),
    ]


def test_several_conversations_each_in_order() -> None:
    server = LateServer()
    senders = [server.login(name) for name in ("ann", "cid", "dan")]
    server.login("bob").hang_up()
    for number in range(5):
        for sender in senders:
            sender.call("send_message", to="bob", content=str(number))
    bob = server.connect()
    bob.ask("login", username="bob", password=PASSWORD)
    events = bob.objects()
    for name in ("ann", "cid", "dan"):
        assert [each["seq"] for each in events if each.get("sender") == name] == [1, 2, 3, 4, 5]
    assert replayed(events) == 15


def test_a_replay_starts_after_the_delivered_pointer() -> None:
    back = Return(5)
    first = back.server.login("bob")
    first.heard()
    first.call("ack", to="ann", seq=3)
    first.hang_up()
    back.bob.ask("login", username="bob", password=PASSWORD)
    assert seqs(back.bob.objects()) == [4, 5]


def test_resume_replays_too_and_replay_false_does_not() -> None:
    back = Return(2)
    reply = back.bob.call("login", username="bob", password=PASSWORD, replay=False)
    assert back.bob.objects() == []
    back.bob.hang_up()
    quiet = back.server.connect()
    quiet.ask("resume", token=reply["token"], replay=False)
    assert [each.get("action") for each in quiet.objects()] == ["resume"]
    loud = back.server.connect()
    loud.ask("resume", token=reply["token"])
    assert seqs(loud.objects()) == [1, 2]


@pytest.mark.parametrize("how", ["hang_up", "logout", "quit", "revoked"])
@pytest.mark.parametrize("congested", [False, True])
def test_a_replay_ends_with_its_session(how: str, congested: bool) -> None:
    back = Return(2 * PAGE + 5)
    back.server.database.backend.readers = back.server.readers
    back.log_in()
    back.read()
    back.read()
    if congested:
        assert back.bob.transport.producer is not None
        back.bob.transport.producer.pauseProducing()
        back.read()
    if how == "hang_up":
        back.bob.hang_up()
    elif how == "revoked":
        back.server.factory.server.hub.drop_devices(2, [each[0] for each in back.server.rows("SELECT id FROM device")])
    else:
        back.bob.ask(how)
        if congested:  # a peer that is behind is heard when it has read
            back.bob.transport.producer.resumeProducing()
    back.ann_writes()
    back.finish()
    back.server.settle()
    assert back.steps() == 0
    assert back.sent not in seqs(back.bob.objects())
    if how == "logout":
        assert back.bob.call("ping")["status"] == "success"


def test_a_replay_that_fails_closes_the_session(logged_failures: LoggedFailures) -> None:
    back = Return(3)
    back.server.database.backend.readers = back.server.readers
    back.log_in()
    back.server.writer.connection.execute("ALTER TABLE message RENAME TO lost")
    back.finish()
    closing = back.bob.objects()[-1]
    assert (closing["event"], closing["code"]) == ("closing", "unavailable")
    assert "lost" not in closing["message"]
    logged_failures.expect(1)


def test_text_and_chinese_replays_read_the_same_messages() -> None:
    back = Return(2)
    bob: Terminal = back.bob
    bob.say("HELLO lang=zh")
    bob.say(f"LOGIN bob {PASSWORD}")
    heard = bob.heard()
    assert [line for line in heard if line.startswith("* ann: ")] == ["* ann: 1", "* ann: 2"]
    assert heard[-1].startswith("* 错过的消息共 2 条")


def test_a_replay_that_the_server_stops_under_is_no_fault() -> None:
    back = Return(3)
    back.server.database.backend.readers = back.server.readers
    back.log_in()
    back.work()
    assert Deferred.fromCoroutine(back.server.database.close()).called
    back.finish()
    assert back.bob.objects()[-1]["code"] == "unavailable"


def test_what_the_session_itself_sends_meanwhile_does_not_come_back() -> None:
    back = Return(missed=2)
    back.server.database.backend.readers = back.server.readers
    back.log_in()
    back.bob.ask("send_message", to="ann", content="wait, I am reading")
    back.finish()
    heard = back.bob.objects()
    assert seqs(heard) == [1, 2]
    assert [each["count"] for each in heard if each.get("event") == "replayed"] == [2]
    assert [each["seq"] for each in heard if each.get("action") == "send_message"] == [3]


@pytest.mark.parametrize("asked", ["before", "during", "after"])
def test_a_friend_request_is_told_once_whenever_it_comes(asked: str) -> None:
    back = Return(1)
    if asked == "before":
        back.ann.call("friend_add", username="bob")
    back.server.database.backend.readers = back.server.readers
    back.log_in()
    if asked == "during":
        back.ann.call("friend_add", username="bob")
    back.read()
    if asked == "after":
        back.ann.call("friend_add", username="bob")
    back.finish()
    events = [each["event"] for each in back.bob.objects() if "event" in each and each["event"] != "account"]
    assert sorted(events) == ["friend_request", "message", "replayed"]
    assert events.index("message") < events.index("friend_request")
    assert (events[-1] == "replayed") is (asked != "after")
