"""Pointers: they only grow, and unread is what a recount says."""

import pytest

from imd.chat.base.context import Caller
from imd.wire.conversations import ListConversations
from imd.wire.messages import SendMessage
from imd.wire.receipts import Ack, Pointers, Read, WhoRead
from imd.wire.refusals import BadRequest, NoSuchConversation, NoSuchMessage, NoSuchUser
from tests.chat.rules import Rules


@pytest.fixture
def talk(rules: Rules, ann: Caller, bob: Caller) -> int:
    """Five messages of Ann's, the third one answered by Bob: 1 2 3 (4 is Bob's) 5 6."""
    for sender, to in [(ann, "bob")] * 3 + [(bob, "ann")] + [(ann, "bob")] * 2:
        rules.asks(sender, SendMessage(to=to, content="hi"))
    return 1


def pointers(reply: Pointers) -> tuple[int | None, int | None]:
    return reply.delivered_seq, reply.read_seq


def listed(rules: Rules, caller: Caller) -> tuple[int, int, int]:
    [one] = rules.asks(caller, ListConversations()).conversations
    return one.delivered_seq, one.read_seq, one.unread


def test_ack_moves_the_delivered_pointer_alone(rules: Rules, bob: Caller, talk: int) -> None:
    assert pointers(rules.asks(bob, Ack(to="ann", seq=3))) == (3, 0)
    assert listed(rules, bob) == (3, 0, 5)


def test_read_moves_both(rules: Rules, bob: Caller, talk: int) -> None:
    assert pointers(rules.asks(bob, Read(to="ann", seq=3))) == (3, 3)
    assert listed(rules, bob) == (3, 3, 2)


def test_pointers_never_go_back(rules: Rules, bob: Caller, talk: int) -> None:
    rules.asks(bob, Read(to="ann", seq=4))
    rules.asks(bob, Ack(to="ann", seq=6))
    for command in (Ack(to="ann", seq=1), Read(to="ann", seq=2), Read(to="ann", seq=0), Ack(to="ann", seq=0)):
        outcome = rules.does(bob, command)
        assert pointers(outcome.reply) == (6, 4)
        assert outcome.told == (), "nothing moved, nobody is told"


@pytest.mark.parametrize("command", [Ack(to="ann", seq=7), Read(to="ann", seq=7), Ack(conversation=1, seq=2**63 - 1)])
def test_pointers_never_pass_the_last_message(rules: Rules, bob: Caller, talk: int, command: Ack | Read) -> None:
    refused = rules.refuses(bob, command)
    assert isinstance(refused, BadRequest)
    assert refused.params == {"last_seq": 6}


def test_own_messages_are_not_unread(rules: Rules, ann: Caller, bob: Caller, talk: int) -> None:
    assert listed(rules, ann)[2] == 1
    assert listed(rules, bob)[2] == 5


def test_own_messages_count_as_delivered_where_nothing_is_missing(
    rules: Rules, ann: Caller, bob: Caller, talk: int
) -> None:
    assert listed(rules, ann)[0] == 3, "Bob's answer was not delivered to Ann yet"
    rules.asks(ann, Ack(to="bob", seq=6))
    rules.asks(ann, SendMessage(to="bob", content="x"))
    assert listed(rules, ann)[0] == 7


def test_null_means_all_that_was_delivered(rules: Rules, bob: Caller, talk: int) -> None:
    assert pointers(rules.asks(bob, Read(to="ann", seq=None))) == (0, 0)
    rules.asks(bob, Ack(to="ann", seq=5))
    assert pointers(rules.asks(bob, Read(to="ann", seq=None))) == (5, 5)


def test_all_conversations_at_once(rules: Rules, ann: Caller, bob: Caller, cid: Caller, talk: int) -> None:
    rules.asks(cid, SendMessage(to="bob", content="hi"))
    rules.asks(cid, SendMessage(to="bob", content="hi"))
    rules.asks(bob, Ack(to="ann", seq=6))
    rules.asks(bob, Ack(to="cid", seq=1))
    outcome = rules.does(bob, Read(conversation=0, seq=None))
    assert pointers(outcome.reply) == (None, None)
    rows = {
        each.to: (each.delivered_seq, each.read_seq, each.unread)
        for each in rules.asks(bob, ListConversations()).conversations
    }
    assert rows == {"ann": (6, 6, 0), "cid": (1, 1, 1)}
    assert sorted((event.to, event.read_seq) for _, event in outcome.told if event.own) == [("ann", 6), ("cid", 1)]
    assert rules.does(bob, Read(conversation=0, seq=None)).told == ()


def test_my_other_devices_and_the_other_one_are_told(rules: Rules, ann: Caller, bob: Caller, talk: int) -> None:
    mine, theirs = rules.does(bob, Read(to="ann", seq=3)).told
    assert (mine[0], theirs[0]) == ((bob.account,), (ann.account,))
    for receipt, to in ((mine[1], "ann"), (theirs[1], "bob")):
        assert (receipt.conversation, receipt.username, receipt.to) == (1, "bob", to)
        assert (receipt.delivered_seq, receipt.read_seq) == (3, 3)
    assert (mine[1].own, theirs[1].own) == (True, False)


def test_who_has_read_a_message(rules: Rules, ann: Caller, bob: Caller, talk: int) -> None:
    asked = WhoRead(to="bob", seq=1)
    assert [(each.username, each.delivered, each.read) for each in rules.asks(ann, asked).readers] == [
        ("bob", False, False)
    ]
    rules.asks(bob, Ack(to="ann", seq=1))
    assert [(each.delivered, each.read) for each in rules.asks(ann, asked).readers] == [(True, False)]
    rules.asks(bob, Read(to="ann", seq=1))
    assert [(each.delivered, each.read) for each in rules.asks(ann, asked).readers] == [(True, True)]
    assert isinstance(rules.refuses(ann, WhoRead(to="bob", seq=99)), NoSuchMessage)


@pytest.mark.parametrize("shape", [Ack, Read])
def test_absent_and_not_mine_look_alike(rules: Rules, cid: Caller, talk: int, shape: type[Ack]) -> None:
    for conversation in (talk, 1000):
        refused = rules.refuses(cid, shape(conversation=conversation, seq=1))
        assert (type(refused), refused.params) == (NoSuchConversation, {})
    assert isinstance(rules.refuses(cid, shape(to="ann", seq=1)), NoSuchConversation)
    assert isinstance(rules.refuses(cid, shape(to="nobody", seq=1)), NoSuchUser)
