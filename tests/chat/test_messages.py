"""Sending: stored once, numbered without a gap, told to the recipients."""

from typing import Any

import pytest

from imd.chat.base.context import Caller
from imd.chat.base.limits import Limits
from imd.wire.conversations import History
from imd.wire.messages import SendMessage
from imd.wire.refusals import (
    BadRequest,
    Conflict,
    NoSuchConversation,
    NoSuchMessage,
    NoSuchUser,
    TooLarge,
)
from tests.chat.rules import Rules


def send(to: str | None = "bob", content: str = "hi", **fields: Any) -> SendMessage:
    return SendMessage(to=to, content=content, **fields)


def contents(rules: Rules, caller: Caller, to: str) -> list[str]:
    return [each.content for each in rules.asks(caller, History(to=to)).messages]


def test_a_first_message_begins_the_conversation(rules: Rules, ann: Caller, bob: Caller) -> None:
    outcome = rules.does(ann, send(content="hello"))
    sent = outcome.reply
    assert (sent.seq, sent.rev, sent.duplicate) == (1, 1, False)
    assert sent.time == "2026-09-21T14:13:20.000Z"
    assert contents(rules, bob, "ann") == contents(rules, ann, "bob") == ["hello"]


def test_numbers_are_dense_and_the_same_for_both(rules: Rules, ann: Caller, bob: Caller) -> None:
    seqs = [rules.asks(caller, send(to)).seq for caller, to in [(ann, "bob"), (bob, "ann"), (bob, "ann"), (ann, "bob")]]
    assert seqs == [1, 2, 3, 4]
    for caller, to in ((ann, "bob"), (bob, "ann")):
        page = rules.asks(caller, History(to=to)).messages
        assert [(each.seq, each.rev) for each in page] == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_each_conversation_counts_for_itself(rules: Rules, ann: Caller, bob: Caller, cid: Caller) -> None:
    assert [rules.asks(ann, send(to)).seq for to in ("bob", "cid", "bob", "cid")] == [1, 1, 2, 2]
    assert rules.asks(bob, send("cid")).seq == 1


def test_a_refused_message_leaves_no_gap(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, send())
    rules.refuses(ann, send(reply_to=9))
    assert rules.asks(ann, send()).seq == 2


def test_who_is_told_what(rules: Rules, ann: Caller, bob: Caller) -> None:
    outcome = rules.does(ann, send(content="hello", client_id="c1"))
    told = dict(outcome.told)
    assert set(told) == {(ann.account,), (bob.account,)}
    mine, theirs = told[ann.account,], told[bob.account,]
    assert (mine.to, mine.client_id) == ("bob", "c1")
    assert (theirs.to, theirs.client_id) == ("ann", None), "client_id is the sender's alone"
    for event in (mine, theirs):
        assert (event.sender, event.content, event.seq, event.rev) == ("ann", "hello", 1, 1)


def test_notes_to_oneself(rules: Rules, ann: Caller) -> None:
    outcome = rules.does(ann, send("ann", "buy milk", client_id="n"))
    assert [accounts for accounts, _ in outcome.told] == [(ann.account,)]
    assert rules.asks(ann, send("ann", "and bread")).seq == 2
    page = rules.asks(ann, History(to="ann"))
    assert [(each.content, each.to) for each in page.messages] == [("buy milk", "ann"), ("and bread", "ann")]
    assert rules.asks(ann, send("ann", "buy milk", client_id="n")).duplicate


def test_by_conversation_as_well_as_by_name(rules: Rules, ann: Caller, bob: Caller) -> None:
    first = rules.asks(ann, send())
    again = rules.asks(bob, send(None, conversation=first.conversation))
    assert (again.conversation, again.seq) == (first.conversation, 2)


def test_chinese_names_and_their_spellings(rules: Rules, ann: Caller) -> None:
    rules.person("小明")
    assert rules.asks(ann, send("小明", "你好")).seq == 1
    rules.person("josé")
    assert rules.asks(ann, send("JOSÉ", "hola")).seq == 1


# -- once


def test_the_same_client_id_again_is_the_same_message_for_ever(rules: Rules, ann: Caller, bob: Caller) -> None:
    first = rules.asks(ann, send(client_id="c"))
    for day in range(3):
        rules.now += 400 * 86_400_000
        outcome = rules.does(ann, send(client_id="c"))
        again = outcome.reply
        assert again.duplicate
        assert (again.conversation, again.seq, again.rev, again.time) == (
            first.conversation,
            first.seq,
            first.rev,
            first.time,
        ), day
        assert outcome.told == (), "nobody is told twice"
        rules.asks(ann, send(content=f"day {day}"))
    assert contents(rules, bob, "ann") == ["hi", "day 0", "day 1", "day 2"]


def test_by_name_and_by_conversation_are_the_same_message(rules: Rules, ann: Caller, bob: Caller) -> None:
    first = rules.asks(ann, send(client_id="c"))
    assert rules.asks(ann, send(None, conversation=first.conversation, client_id="c")).duplicate


@pytest.mark.parametrize(
    "other",
    [
        {"content": "other"},
        {"to": "cid"},
        {"to": "ann"},
        {"reply_to": 1},
        {"content": "hi "},
    ],
)
def test_a_client_id_for_another_message_is_a_conflict(
    rules: Rules, ann: Caller, bob: Caller, cid: Caller, other: dict[str, Any]
) -> None:
    rules.asks(ann, send(client_id="c"))
    assert isinstance(rules.refuses(ann, send(**{"client_id": "c", **other})), Conflict)
    rules.asks(ann, send("cid"))
    assert isinstance(rules.refuses(ann, send(**{"client_id": "c", **other})), Conflict)


def test_an_answer_without_what_it_answers_is_a_conflict(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, send())
    rules.asks(ann, send(client_id="c", reply_to=1))
    assert isinstance(rules.refuses(ann, send(client_id="c")), Conflict)
    assert rules.asks(ann, send(client_id="c", reply_to=1)).duplicate


def test_a_message_of_another_kind_is_a_conflict(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, send(client_id="c"))
    rules.tx.execute("UPDATE message SET kind = 'file'")
    assert isinstance(rules.refuses(ann, send(client_id="c")), Conflict)


def test_client_ids_are_each_senders_own(rules: Rules, ann: Caller, bob: Caller) -> None:
    assert not rules.asks(ann, send(client_id="c")).duplicate
    assert not rules.asks(bob, send("ann", client_id="c")).duplicate


def test_without_a_client_id_each_message_is_its_own(rules: Rules, ann: Caller, bob: Caller) -> None:
    assert [rules.asks(ann, send()).seq for _ in range(3)] == [1, 2, 3]


# -- what is refused


@pytest.mark.parametrize("content", ["", " ", "\n\t ", "\u3000\u2003\u2028"])
def test_nothing_to_say(rules: Rules, ann: Caller, bob: Caller, content: str) -> None:
    refused = rules.refuses(ann, send(content=content))
    assert isinstance(refused, BadRequest)
    assert refused.case == "empty"


@pytest.mark.parametrize(
    ("content", "fits"),
    [
        ("x" * 100, True),
        ("x" * 101, False),
        ("好" * 33, True),
        ("好" * 34, False),
        ("😀" * 25, True),
        ("😀" * 25 + "x", False),
        ("é" * 50, True),
    ],
)
def test_the_limit_counts_bytes_not_characters(content: str, fits: bool) -> None:
    rules = Rules(Limits(content_bytes=100))
    ann = rules.person("ann")
    if fits:
        assert rules.asks(ann, send("ann", content)).seq == 1
    else:
        refused = rules.refuses(ann, send("ann", content))
        assert isinstance(refused, TooLarge)
        assert refused.params == {"limit": 100}


@pytest.mark.parametrize("to", ["nobody", "", "a b", "ann@example", "x" * 200, "\0"])
def test_nobody_of_that_name(rules: Rules, ann: Caller, to: str) -> None:
    assert isinstance(rules.refuses(ann, send(to)), NoSuchUser)


def test_an_answer_needs_its_message(rules: Rules, ann: Caller, bob: Caller) -> None:
    assert isinstance(rules.refuses(ann, send(reply_to=1)), NoSuchMessage)
    rules.asks(ann, send())
    assert isinstance(rules.refuses(bob, send("ann", reply_to=2)), NoSuchMessage)
    rules.asks(bob, send("ann", reply_to=1))
    assert [each.reply_to for each in rules.asks(ann, History(to="bob")).messages] == [None, 1]


def test_a_conversation_of_others_looks_like_none(rules: Rules, ann: Caller, bob: Caller, cid: Caller) -> None:
    theirs = rules.asks(ann, send()).conversation
    for conversation in (theirs, theirs + 1000):
        refused = rules.refuses(cid, send(None, conversation=conversation))
        assert (type(refused), refused.params) == (NoSuchConversation, {})
