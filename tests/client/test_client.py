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
from tests.client.network import Network, Person, live, results
from tests.conftest import LoggedFailures

Join = Callable[..., Person]


def test_two_people_talk(network: Network, join: Join) -> None:
    ann, bob = join("ann"), join("bob")
    (sent,) = results(ann.send("bob", "hi"))
    (answer,) = results(bob.send("ann", "hello\nyou"))
    assert isinstance(sent, Sent)
    assert (sent.conversation, sent.seq, answer.seq) == (answer.conversation, 1, 2)
    assert ann.texts() == bob.texts() == ["ann: hi", "bob: hello\nyou"]
    assert [event.content for event in bob.of(NewMessage)] == ["hi"]
    assert ann.client.account.waiting() == []


def test_what_is_said_at_the_start(join: Join) -> None:
    ann = join("ann")
    assert ann.told == [Online("ann"), CaughtUp([])]


def test_any_command_gives_its_typed_reply_or_is_refused(network: Network, join: Join) -> None:
    ann = join("ann")
    identity = results(Deferred.fromCoroutine(ann.client.ask(WhoAmI())))
    refused = results(ann.send("nobody", "hi"))
    network.settle()
    assert identity[0].username == "ann"
    assert isinstance(refused[0], Refused)
    assert (refused[0].code, refused[0].params) == ("no_such_user", {"username": "nobody"})
    assert [each.item.content for each in ann.of(NotSent)] == ["hi"]
    assert ann.client.account.waiting() == []


def test_what_was_written_while_away_goes_out_in_order(network: Network, join: Join) -> None:
    ann, bob = join("ann"), join("bob")
    network.up = False
    network.last.cut()
    network.links[0].cut()
    assert len(ann.of(Offline)) == 1
    sent = [results(ann.send("bob", f"{number}")) for number in range(5)]
    network.pass_time(60)
    assert sent == [[]] * 5
    network.up = True
    network.pass_time(60)
    assert [each[0].seq for each in sent] == [1, 2, 3, 4, 5]
    assert bob.texts() == [f"ann: {number}" for number in range(5)]
    assert len(ann.of(Online)) == 2


def test_a_lost_answer_stores_once(network: Network, join: Join) -> None:
    ann, bob = join("ann"), join("bob")
    sent = results(ann.client.send("bob", "hi"))
    network.links[0].to_server()
    network.links[0].cut()
    network.settle()
    assert bob.texts() == ["ann: hi"]
    network.pass_time(5)
    assert [(each.seq, each.duplicate) for each in sent] == [(1, True)]
    assert ann.texts() == bob.texts() == ["ann: hi"]


def test_a_request_whose_answer_is_lost_fails(network: Network, join: Join) -> None:
    ann = join("ann")
    identity = results(Deferred.fromCoroutine(ann.client.ask(WhoAmI())))
    network.last.cut()
    assert isinstance(identity[0], AnswerLost)


def test_messages_that_came_while_away_are_told_once(network: Network, join: Join) -> None:
    state = State()
    ann, bob = join("ann", state=state), join("bob")
    bob.send("ann", "one")
    ann.client.stopService()
    network.settle()
    for text in ("two", "three"):
        bob.send("ann", text)
    again = join("ann", state=state, password="")
    bob.send("ann", "four")
    assert ann.texts() == ["bob: one"]
    assert again.texts() == ["bob: two", "bob: three", "bob: four"]
    assert len(again.of(CaughtUp)) == 1


def test_messages_that_come_while_catching_up_leave_no_gap(network: Network, join: Join) -> None:
    ann, bob = join("ann"), network.server.login("bob")
    bob.call("send_message", to="ann", content="0")
    network.settle()
    network.last.cut()
    bob.call("send_message", to="ann", content="1")
    network.clock.advance(3)
    while b'"sync"' not in network.last.transport.value():
        network.last.to_server()
        network.last.to_client()
    bob.call("send_message", to="ann", content="2")
    network.last.to_client()
    network.turn()
    assert ann.texts() == ["bob: 0"]
    network.settle()
    assert ann.texts() == ["bob: 0", "bob: 1", "bob: 2"]


def test_a_new_device_is_told_what_is_unread(network: Network, join: Join) -> None:
    ann, bob = join("ann"), join("bob")
    for number in range(3):
        bob.send("ann", f"{number}")
    (message,) = [each.message for each in ann.told if getattr(getattr(each, "message", None), "seq", 0) == 2]
    ann.client.receipts.send(Read(conversation=message.conversation, seq=2))
    network.pass_time(2)
    other = join("ann")
    assert other.texts() == ["bob: 2"]
    bob.send("ann", "3")
    assert other.texts() == ["bob: 2", "bob: 3"]


def test_own_messages_reach_the_other_device(network: Network, join: Join) -> None:
    join("bob")
    here, there = join("ann"), join("ann")
    here.send("bob", "hi")
    network.pass_time(2)
    assert here.texts() == there.texts() == ["ann: hi"]
    assert there.client.account.after(1, 0)[0].to == "bob"


def test_delivery_is_acknowledged(network: Network, join: Join) -> None:
    ann, other, bob = join("ann"), join("ann"), join("bob")
    bob.send("ann", "hi")
    network.pass_time(2)
    told = ann.of(Receipt) + other.of(Receipt)
    assert [(each.to, each.delivered_seq, each.read_seq) for each in told] == [("bob", 1, 0)]


def test_many_messages_need_few_acknowledgements(network: Network, join: Join) -> None:
    ann, bob = join("ann"), join("bob")
    for number in range(60):
        bob.client.outbox.queue(SendMessage(to="ann", content=f"{number}"))
    network.settle()
    network.pass_time(3)
    assert len(ann.texts()) == 60
    assert 1 <= network.links[0].written.count(b'"ack"') <= 3
    assert b'"ack"' not in network.links[1].written


def test_too_fast_is_waited_for_and_keeps_the_order(network: Network, join: Join) -> None:
    ann, bob = join("ann"), join("bob")
    for number in range(250):
        ann.client.outbox.queue(SendMessage(to="bob", content=f"{number}"))
    network.pass_time(30)
    assert bob.texts() == [f"ann: {number}" for number in range(250)]


def test_without_a_password_or_a_token_it_gives_up(network: Network, join: Join) -> None:
    ann = join("ann", password="")
    assert [each.reason.type for each in ann.of(GaveUp)] == [LoginNeeded]
    network.pass_time(60)
    assert len(network.links) == 1


def test_a_wrong_password_is_not_tried_again(network: Network, join: Join) -> None:
    join("ann")
    wrong = join("ann", password="something else", register=False)
    taken = join("ann", password="something else")
    for each in (wrong, taken):
        assert [gave_up.reason.value.code for gave_up in each.of(GaveUp)] == ["invalid_credentials"]
    network.pass_time(60)
    assert len(network.links) == 3


def test_after_giving_up_it_can_be_started_again(network: Network, join: Join) -> None:
    join("ann")
    again = join("ann", password="something else", register=False)
    again.client.connection.credentials.password = PASSWORD
    again.client.connection.startService()
    network.settle()
    assert len(again.of(Online)) == 1


def test_a_dead_token_is_forgotten_and_the_password_used(network: Network, join: Join) -> None:
    state = State()
    account = state.account("memory:7373", "ann")
    account.set_token("f" * 43)
    ann = join("ann", state=state)
    assert len(ann.of(Online)) == 1
    assert account.token() not in (None, "f" * 43)


def test_whoever_waits_for_a_stopped_client_is_told(network: Network, join: Join) -> None:
    network.up = False
    ann = join("ann")
    waiting = results(ann.client.connection.ready())
    ann.client.stopService()
    assert [type(each) for each in waiting] == [CancelledError]
    assert [type(each) for each in results(ann.client.connection.ready())] == [CancelledError]


def test_a_server_set_back_to_a_backup_is_believed(network: Network, join: Join) -> None:
    state = State()
    join("bob")
    ann = join("ann", state=state)
    ann.send("bob", "real")
    ann.client.stopService()
    network.settle()
    ann.client.account._advance_cursor(1, 40, 0)  # as if the conversation had gone on to rev 40
    again = join("ann", state=state)
    bob = join("bob")
    bob.send("ann", "after the backup")
    assert ann.client.account.cursor(1) == 2
    assert again.texts()[-1:] == ["bob: after the backup"]


def test_every_attempt_that_fails_is_told_and_the_next_waits_longer(network: Network, join: Join) -> None:
    network.up = False
    ann = join("ann")
    network.pass_time(10)
    early = len(ann.of(Offline))
    network.pass_time(10)
    assert early > 2
    assert len(ann.of(Offline)) - early < early


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_bytes_may_come_in_any_pieces(network: Network, join: Join, size: int) -> None:
    ann, bob = join("ann"), join("bob")
    ann.client.outbox.queue(SendMessage(to="bob", content="中文 hi"))
    for _ in range(2000):
        for link in network.links:
            link.to_server()
            link.to_client(size)
        network.turn()
    assert bob.texts() == ["ann: 中文 hi"]


def test_many_unread_messages_come_in_pages(network: Network, join: Join) -> None:
    join("ann").client.stopService()
    bob = join("bob")
    for number in range(450):
        bob.client.outbox.queue(SendMessage(to="ann", content=f"{number}"))
    network.pass_time(40)
    new = join("ann")
    network.pass_time(5)
    assert new.texts() == [f"bob: {number}" for number in range(450)]


def test_many_missed_messages_come_in_pages(network: Network, join: Join) -> None:
    ann, bob = join("ann"), join("bob")
    bob.send("ann", "first")
    network.up = False
    network.links[0].cut()
    for number in range(550):
        bob.client.outbox.queue(SendMessage(to="ann", content=f"{number}"))
    network.pass_time(40)
    network.up = True
    network.pass_time(60)
    assert ann.texts() == ["bob: first", *(f"bob: {number}" for number in range(550))]


def test_a_lost_copy_is_fetched_again(network: Network, join: Join) -> None:
    ann, bob = join("ann"), join("bob")
    for number in range(3):
        bob.send("ann", f"{number}")
    ann.client.account.forget(1)
    ann.client.inbox.receive(live(3))
    network.pass_time(5)
    assert [message.content for message in ann.client.account.after(1, 0)] == ["0", "1", "2"]


def test_a_conversation_that_is_no_longer_ours_is_left_alone(network: Network, join: Join) -> None:
    ann, bob = join("ann"), join("bob")
    ann.client.inbox.receive(live(7, conversation=99))
    network.pass_time(5)
    bob.send("ann", "hi")
    assert ann.texts() == ["bob: hi"]
    assert len(ann.of(Online)) == 1


def test_a_fault_nobody_foresaw_begins_afresh(network: Network, join: Join, logged_failures: LoggedFailures) -> None:
    async def stumble() -> None:
        raise ZeroDivisionError

    ann = join("ann")
    ann.client.spawn(stumble())
    network.pass_time(5)
    assert len(ann.of(Online)) == 2
    logged_failures.expect(1)


def test_a_message_is_not_lost_when_the_login_is(network: Network, join: Join) -> None:
    ann, bob = join("ann"), join("bob")
    results(Deferred.fromCoroutine(ann.client.ask(Logout())))
    sent = results(ann.send("bob", "hi"))
    network.pass_time(5)
    assert sent[0].seq == 1
    assert bob.texts() == ["ann: hi"]


def test_a_client_from_plain_words() -> None:
    client = Client.of("Ann", "secret", server="chat.example", state=State())
    assert (client.account.username, client.account.server) == ("ann", "chat.example:7373")
    with pytest.raises(BadName):
        Client.of("a b")


def test_a_server_that_hangs_up_at_once_is_tried_less_and_less(network: Network, join: Join) -> None:
    join("ann")
    for _ in range(80):
        network.cut()
        network.clock.advance(0.5)
    assert 5 < len(network.links) < 15


def test_a_server_that_says_when_to_come_back_is_left_alone_till_then(network: Network, join: Join) -> None:
    join("ann").client.stopService()
    wait = 0
    while wait < 10:
        network.server.pass_time(wait)
        refused = network.server.connect().call("login", username="ann", password="a guess")
        wait = refused["params"].get("retry_after", 0)
    ann = join("ann")
    connections = len(network.links)
    network.pass_time(wait - 1)
    assert (len(network.links), ann.of(Online)) == (connections, [])
    assert [each.reason.value.code for each in ann.of(Offline)] == ["rate_limited"]
    network.pass_time(10)
    assert len(ann.of(Online)) == 1


@pytest.mark.parametrize("asked", [1e308, "inf", "abc", -5, None, [1]])
def test_no_server_makes_it_wait_for_ever(network: Network, join: Join, asked: object) -> None:
    ann = join("ann")
    [sessions] = network.server.factory.server.hub.online.values()
    next(iter(sessions)).close(RateLimited("crowded", retry_after=asked))
    network.settle()
    network.pass_time(3_700)
    assert len(ann.of(Online)) == 2


def test_a_server_that_closes_and_says_when_to_come_back_is_left_alone_till_then(network: Network, join: Join) -> None:
    ann = join("ann")
    [sessions] = network.server.factory.server.hub.online.values()
    next(iter(sessions)).close(RateLimited("crowded", retry_after=60))
    network.settle()
    network.pass_time(55)
    assert (len(ann.of(Offline)), len(ann.of(Online))) == (1, 1)
    network.pass_time(15)
    assert len(ann.of(Online)) == 2
