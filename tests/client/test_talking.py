"""The client against the real server, in memory: logging in, talking, losing the connection, coming back."""

from collections.abc import Callable

import pytest
from imd_client import (
    AnswerLost,
    CaughtUp,
    Client,
    GaveUp,
    LoginNeeded,
    NotSent,
    Offline,
    Online,
    Refused,
    State,
)
from twisted.internet.defer import CancelledError, Deferred

from imd.testing import PASSWORD
from imd.wire.accounts import Logout, WhoAmI
from imd.wire.messages import NewMessage, SendMessage, Sent
from imd.wire.receipts import Read, Receipt
from imd.wire.refusals import BadName, RateLimited
from tests.client.wires import Person, Wires, live, results
from tests.conftest import LoggedFailures

Come = Callable[..., Person]


def test_two_people_talk(wires: Wires, come: Come) -> None:
    ann, bob = come("ann"), come("bob")
    (sent,) = results(ann.send("bob", "hi"))
    (answer,) = results(bob.send("ann", "hello\nyou"))
    assert isinstance(sent, Sent)
    assert (sent.conversation, sent.seq, answer.seq) == (answer.conversation, 1, 2)
    assert ann.texts() == bob.texts() == ["ann: hi", "bob: hello\nyou"]
    assert [event.content for event in bob.of(NewMessage)] == ["hi"]
    assert ann.client.account.waiting() == []


def test_what_is_said_at_the_start(come: Come) -> None:
    ann = come("ann")
    assert ann.told == [Online("ann"), CaughtUp([])]


def test_any_command_gives_its_typed_reply_or_is_refused(wires: Wires, come: Come) -> None:
    ann = come("ann")
    identity = results(Deferred.fromCoroutine(ann.client.ask(WhoAmI())))
    refused = results(ann.send("nobody", "hi"))
    wires.settle()
    assert identity[0].username == "ann"
    assert isinstance(refused[0], Refused)
    assert (refused[0].code, refused[0].params) == ("no_such_user", {"username": "nobody"})
    assert [each.item.content for each in ann.of(NotSent)] == ["hi"]
    assert ann.client.account.waiting() == []


def test_what_was_written_while_away_goes_out_in_order(wires: Wires, come: Come) -> None:
    ann, bob = come("ann"), come("bob")
    wires.up = False
    wires.last.cut()
    wires.wires[0].cut()
    assert len(ann.of(Offline)) == 1
    sent = [results(ann.send("bob", f"{number}")) for number in range(5)]
    wires.pass_time(60)
    assert sent == [[]] * 5
    wires.up = True
    wires.pass_time(60)
    assert [each[0].seq for each in sent] == [1, 2, 3, 4, 5]
    assert bob.texts() == [f"ann: {number}" for number in range(5)]
    assert len(ann.of(Online)) == 2


def test_a_lost_answer_stores_once(wires: Wires, come: Come) -> None:
    ann, bob = come("ann"), come("bob")
    sent = results(ann.client.send("bob", "hi"))
    wires.wires[0].to_server()
    wires.wires[0].cut()
    wires.settle()
    assert bob.texts() == ["ann: hi"]
    wires.pass_time(5)
    assert [(each.seq, each.duplicate) for each in sent] == [(1, True)]
    assert ann.texts() == bob.texts() == ["ann: hi"]


def test_a_request_whose_answer_is_lost_fails(wires: Wires, come: Come) -> None:
    ann = come("ann")
    identity = results(Deferred.fromCoroutine(ann.client.ask(WhoAmI())))
    wires.last.cut()
    assert isinstance(identity[0], AnswerLost)


def test_messages_that_came_while_away_are_told_once(wires: Wires, come: Come) -> None:
    state = State()
    ann, bob = come("ann", state=state), come("bob")
    bob.send("ann", "one")
    ann.client.stopService()
    wires.settle()
    for text in ("two", "three"):
        bob.send("ann", text)
    again = come("ann", state=state, password="")
    bob.send("ann", "four")
    assert ann.texts() == ["bob: one"]
    assert again.texts() == ["bob: two", "bob: three", "bob: four"]
    assert len(again.of(CaughtUp)) == 1


def test_messages_that_come_while_catching_up_leave_no_gap(wires: Wires, come: Come) -> None:
    ann, bob = come("ann"), wires.server.login("bob")
    bob.call("send_message", to="ann", content="0")
    wires.settle()
    wires.last.cut()
    bob.call("send_message", to="ann", content="1")
    wires.clock.advance(3)
    while b'"sync"' not in wires.last.transport.value():
        wires.last.to_server()
        wires.last.to_client()
    bob.call("send_message", to="ann", content="2")
    wires.last.to_client()
    wires.turn()
    assert ann.texts() == ["bob: 0"]
    wires.settle()
    assert ann.texts() == ["bob: 0", "bob: 1", "bob: 2"]


def test_a_new_device_is_told_what_is_unread(wires: Wires, come: Come) -> None:
    ann, bob = come("ann"), come("bob")
    for number in range(3):
        bob.send("ann", f"{number}")
    (message,) = [each.message for each in ann.told if getattr(getattr(each, "message", None), "seq", 0) == 2]
    ann.client.receipts.send(Read(conversation=message.conversation, seq=2))
    wires.pass_time(2)
    other = come("ann")
    assert other.texts() == ["bob: 2"]
    bob.send("ann", "3")
    assert other.texts() == ["bob: 2", "bob: 3"]


def test_own_messages_reach_the_other_device(wires: Wires, come: Come) -> None:
    come("bob")
    here, there = come("ann"), come("ann")
    here.send("bob", "hi")
    wires.pass_time(2)
    assert here.texts() == there.texts() == ["ann: hi"]
    assert there.client.account.after(1, 0)[0].to == "bob"


def test_delivery_is_acknowledged(wires: Wires, come: Come) -> None:
    ann, other, bob = come("ann"), come("ann"), come("bob")
    bob.send("ann", "hi")
    wires.pass_time(2)
    told = ann.of(Receipt) + other.of(Receipt)
    assert [(each.to, each.delivered_seq, each.read_seq) for each in told] == [("bob", 1, 0)]


def test_many_messages_need_few_acknowledgements(wires: Wires, come: Come) -> None:
    ann, bob = come("ann"), come("bob")
    for number in range(60):
        bob.client.outbox.queue(SendMessage(to="ann", content=f"{number}"))
    wires.settle()
    wires.pass_time(3)
    assert len(ann.texts()) == 60
    assert 1 <= wires.wires[0].written.count(b'"ack"') <= 3
    assert b'"ack"' not in wires.wires[1].written


def test_too_fast_is_waited_for_and_keeps_the_order(wires: Wires, come: Come) -> None:
    ann, bob = come("ann"), come("bob")
    for number in range(250):
        ann.client.outbox.queue(SendMessage(to="bob", content=f"{number}"))
    wires.pass_time(30)
    assert bob.texts() == [f"ann: {number}" for number in range(250)]


def test_without_a_password_or_a_token_it_gives_up(wires: Wires, come: Come) -> None:
    ann = come("ann", password="")
    assert [each.reason.type for each in ann.of(GaveUp)] == [LoginNeeded]
    wires.pass_time(60)
    assert len(wires.wires) == 1


def test_a_wrong_password_is_not_tried_again(wires: Wires, come: Come) -> None:
    come("ann")
    wrong = come("ann", password="something else", register=False)
    taken = come("ann", password="something else")
    for each in (wrong, taken):
        assert [gave_up.reason.value.code for gave_up in each.of(GaveUp)] == ["invalid_credentials"]
    wires.pass_time(60)
    assert len(wires.wires) == 3


def test_after_giving_up_it_can_be_started_again(wires: Wires, come: Come) -> None:
    come("ann")
    again = come("ann", password="something else", register=False)
    again.client.connection.credentials.password = PASSWORD
    again.client.connection.startService()
    wires.settle()
    assert len(again.of(Online)) == 1


def test_a_dead_token_is_forgotten_and_the_password_used(wires: Wires, come: Come) -> None:
    state = State()
    account = state.account("memory:7373", "ann")
    account.set_token("f" * 43)
    ann = come("ann", state=state)
    assert len(ann.of(Online)) == 1
    assert account.token() not in (None, "f" * 43)


def test_whoever_waits_for_a_stopped_client_is_told(wires: Wires, come: Come) -> None:
    wires.up = False
    ann = come("ann")
    waiting = results(ann.client.connection.ready())
    ann.client.stopService()
    assert [type(each) for each in waiting] == [CancelledError]
    assert [type(each) for each in results(ann.client.connection.ready())] == [CancelledError]


def test_a_server_set_back_to_a_backup_is_believed(wires: Wires, come: Come) -> None:
    state = State()
    come("bob")
    ann = come("ann", state=state)
    ann.send("bob", "real")
    ann.client.stopService()
    wires.settle()
    ann.client.account._advance_cursor(1, 40, 0)  # as if the conversation had gone on to rev 40
    again = come("ann", state=state)
    bob = come("bob")
    bob.send("ann", "after the backup")
    assert ann.client.account.cursor(1) == 2
    assert again.texts()[-1:] == ["bob: after the backup"]


def test_every_attempt_that_fails_is_told_and_the_next_waits_longer(wires: Wires, come: Come) -> None:
    wires.up = False
    ann = come("ann")
    wires.pass_time(10)
    early = len(ann.of(Offline))
    wires.pass_time(10)
    assert early > 2
    assert len(ann.of(Offline)) - early < early


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_bytes_may_come_in_any_pieces(wires: Wires, come: Come, size: int) -> None:
    ann, bob = come("ann"), come("bob")
    ann.client.outbox.queue(SendMessage(to="bob", content="中文 hi"))
    for _ in range(2000):
        for wire in wires.wires:
            wire.to_server()
            wire.to_client(size)
        wires.turn()
    assert bob.texts() == ["ann: 中文 hi"]


def test_many_unread_messages_come_in_pages(wires: Wires, come: Come) -> None:
    come("ann").client.stopService()
    bob = come("bob")
    for number in range(450):
        bob.client.outbox.queue(SendMessage(to="ann", content=f"{number}"))
    wires.pass_time(40)
    new = come("ann")
    wires.pass_time(5)
    assert new.texts() == [f"bob: {number}" for number in range(450)]


def test_many_missed_messages_come_in_pages(wires: Wires, come: Come) -> None:
    ann, bob = come("ann"), come("bob")
    bob.send("ann", "first")
    wires.up = False
    wires.wires[0].cut()
    for number in range(550):
        bob.client.outbox.queue(SendMessage(to="ann", content=f"{number}"))
    wires.pass_time(40)
    wires.up = True
    wires.pass_time(60)
    assert ann.texts() == ["bob: first", *(f"bob: {number}" for number in range(550))]


def test_a_lost_copy_is_fetched_again(wires: Wires, come: Come) -> None:
    ann, bob = come("ann"), come("bob")
    for number in range(3):
        bob.send("ann", f"{number}")
    ann.client.account.forget(1)
    ann.client.inbox.receive(live(3))
    wires.pass_time(5)
    assert [message.content for message in ann.client.account.after(1, 0)] == ["0", "1", "2"]


def test_a_conversation_that_is_no_longer_ours_is_left_alone(wires: Wires, come: Come) -> None:
    ann, bob = come("ann"), come("bob")
    ann.client.inbox.receive(live(7, conversation=99))
    wires.pass_time(5)
    bob.send("ann", "hi")
    assert ann.texts() == ["bob: hi"]
    assert len(ann.of(Online)) == 1


def test_a_fault_nobody_foresaw_begins_afresh(wires: Wires, come: Come, logged_failures: LoggedFailures) -> None:
    async def stumble() -> None:
        raise ZeroDivisionError

    ann = come("ann")
    ann.client.spawn(stumble())
    wires.pass_time(5)
    assert len(ann.of(Online)) == 2
    logged_failures.expect(1)


def test_a_message_is_not_lost_when_the_login_is(wires: Wires, come: Come) -> None:
    ann, bob = come("ann"), come("bob")
    results(Deferred.fromCoroutine(ann.client.ask(Logout())))
    sent = results(ann.send("bob", "hi"))
    wires.pass_time(5)
    assert sent[0].seq == 1
    assert bob.texts() == ["ann: hi"]


def test_a_client_from_plain_words() -> None:
    client = Client.of("Ann", "secret", server="chat.example", state=State())
    assert (client.account.username, client.account.server) == ("ann", "chat.example:7373")
    with pytest.raises(BadName):
        Client.of("a b")


def test_a_server_that_hangs_up_at_once_is_tried_less_and_less(wires: Wires, come: Come) -> None:
    come("ann")
    for _ in range(80):
        wires.cut()
        wires.clock.advance(0.5)
    assert 5 < len(wires.wires) < 15


def test_a_server_that_says_when_to_come_back_is_left_alone_till_then(wires: Wires, come: Come) -> None:
    come("ann").client.stopService()
    wait = 0
    while wait < 10:
        wires.server.pass_time(wait)
        refused = wires.server.connect().call("login", username="ann", password="a guess")
        wait = refused["params"].get("retry_after", 0)
    ann = come("ann")
    connections = len(wires.wires)
    wires.pass_time(wait - 1)
    assert (len(wires.wires), ann.of(Online)) == (connections, [])
    assert [each.reason.value.code for each in ann.of(Offline)] == ["rate_limited"]
    wires.pass_time(10)
    assert len(ann.of(Online)) == 1


@pytest.mark.parametrize("asked", [1e308, "inf", "abc", -5, None, [1]])
def test_no_server_makes_it_wait_for_ever(wires: Wires, come: Come, asked: object) -> None:
    ann = come("ann")
    [sessions] = wires.server.factory.audience.online.values()
    next(iter(sessions)).close(RateLimited("crowded", retry_after=asked))
    wires.settle()
    wires.pass_time(3_700)
    assert len(ann.of(Online)) == 2


def test_a_server_that_closes_and_says_when_to_come_back_is_left_alone_till_then(wires: Wires, come: Come) -> None:
    ann = come("ann")
    [sessions] = wires.server.factory.audience.online.values()
    next(iter(sessions)).close(RateLimited("crowded", retry_after=60))
    wires.settle()
    wires.pass_time(55)
    assert (len(ann.of(Offline)), len(ann.of(Online))) == (1, 1)
    wires.pass_time(15)
    assert len(ann.of(Online)) == 2
