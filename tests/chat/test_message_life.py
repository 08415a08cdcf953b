"""Editing, recalling, reacting to, pinning and forwarding messages, and who may do it."""

from typing import Any

import pytest

from imd.chat.base.context import Caller
from imd.chat.base.limits import Limits
from imd.wire.conversations import History, Sync
from imd.wire.messages import EditMessage, Forward, MessageChanged, ReadThread, RecallMessage, SendMessage
from imd.wire.personal import ListSaved
from imd.wire.pins import ListPins, Pin, Unpin
from imd.wire.reactions import React, Unreact
from imd.wire.refusals import BadRequest, Conflict, Forbidden, NoSuchMessage, QuotaExceeded, TooLarge, TooLate
from tests.chat.rules import Rules


@pytest.fixture
def talk(rules: Rules, ann: Caller, bob: Caller) -> int:
    """A conversation with one message of Ann's and one of Bob's."""
    rules.asks(ann, SendMessage(to="bob", content="one", client_id="a1"))
    return int(rules.asks(bob, SendMessage(to="ann", content="two")).conversation)


def message(rules: Rules, who: Caller, other: str, seq: int) -> Any:
    return next(each for each in rules.asks(who, History(to=other)).messages if each.seq == seq)


def test_a_change_takes_the_next_rev_and_reaches_everybody(rules: Rules, ann: Caller, bob: Caller, talk: int) -> None:
    rules.now += 1000
    outcome = rules.does(ann, EditMessage(to="bob", seq=1, content="uno"))
    assert (outcome.reply.seq, outcome.reply.rev) == (1, 3)
    (mine, for_me), (theirs, for_bob) = outcome.told
    assert (mine, theirs) == ((ann.account,), (bob.account,))
    assert isinstance(for_bob, MessageChanged)
    assert (for_bob.what, for_bob.by, for_bob.content, for_bob.rev, for_bob.to) == ("edited", "ann", "uno", 3, "ann")
    assert (for_me.client_id, for_bob.client_id) == ("a1", None)
    seen = message(rules, bob, "ann", 1)
    assert (seen.content, seen.rev, seen.edited) == ("uno", 3, for_bob.edited)
    assert [each.seq for each in rules.asks(bob, Sync(to="ann", after_rev=2)).messages] == [1]


def test_the_same_words_are_no_change(rules: Rules, ann: Caller, talk: int) -> None:
    outcome = rules.does(ann, EditMessage(to="bob", seq=1, content="one"))
    assert (outcome.reply.rev, outcome.told) == (1, ())


def test_zero_is_the_latest(rules: Rules, ann: Caller, bob: Caller, talk: int) -> None:
    assert rules.asks(ann, EditMessage(to="bob", seq=0, content="uno")).seq == 1, "the latest of mine"
    assert rules.asks(ann, React(to="bob", seq=0, emoji="👍")).seq == 2, "the latest of all"


@pytest.mark.parametrize(
    ("who", "seq", "content", "refusal"),
    [
        ("bob", 1, "mine now", Forbidden),
        ("ann", 9, "nothing there", NoSuchMessage),
        ("ann", 1, " ", BadRequest),
        ("ann", 1, "x" * 20_000, TooLarge),
    ],
)
def test_changes_that_are_refused(
    rules: Rules, ann: Caller, bob: Caller, talk: int, who: str, seq: int, content: str, refusal: type
) -> None:
    caller, other = (ann, "bob") if who == "ann" else (bob, "ann")
    assert isinstance(rules.refuses(caller, EditMessage(to=other, seq=seq, content=content)), refusal)


@pytest.mark.parametrize(("seconds", "passed", "fits"), [(60, 60, True), (60, 61, False), (0, 10**8, True)])
def test_the_time_for_changes_is_a_limit(seconds: int, passed: int, fits: bool) -> None:
    rules = Rules(Limits(edit_seconds=seconds))
    ann, _ = rules.person("ann"), rules.person("bob")
    rules.asks(ann, SendMessage(to="bob", content="one"))
    rules.now += passed * 1000
    change = EditMessage(to="bob", seq=1, content="uno")
    if fits:
        assert rules.asks(ann, change).rev == 2
    else:
        assert isinstance(rules.refuses(ann, change), TooLate)


def test_what_is_taken_back_says_nothing_and_keeps_its_place(rules: Rules, ann: Caller, bob: Caller, talk: int) -> None:
    rules.asks(bob, React(to="ann", seq=1, emoji="👍"))
    rules.asks(bob, Pin(to="ann", seq=1))
    rules.asks(ann, RecallMessage(to="bob", seq=1))
    seen = message(rules, bob, "ann", 1)
    assert (seen.content, seen.reactions, seen.pinned) == ("", [], None)
    assert seen.recalled
    assert "'one'" not in str(list(rules.tx.iterdump()))
    again = rules.does(ann, RecallMessage(to="bob", seq=1))
    assert again.told == ()
    for command in (React(to="ann", seq=1, emoji="👍"), Pin(to="ann", seq=1), Forward(to="ann", seq=1, target="ann")):
        assert isinstance(rules.refuses(bob, command), BadRequest)
    assert isinstance(rules.refuses(ann, EditMessage(to="bob", seq=1, content="x")), BadRequest)


def test_only_its_sender_takes_a_message_back(rules: Rules, bob: Caller, talk: int) -> None:
    assert isinstance(rules.refuses(bob, RecallMessage(to="ann", seq=1)), Forbidden)


def test_a_repeated_send_of_what_has_changed_since_is_still_a_duplicate(rules: Rules, ann: Caller, talk: int) -> None:
    first = SendMessage(to="bob", content="one", client_id="a1")
    for change in (EditMessage(to="bob", seq=1, content="uno"), RecallMessage(to="bob", seq=1)):
        rules.asks(ann, change)
        again = rules.asks(ann, first)
        assert (again.seq, again.duplicate) == (1, True)
    assert isinstance(rules.refuses(ann, SendMessage(to="ann", content="one", client_id="a1")), Conflict)


def test_several_people_put_several_emoji(rules: Rules, ann: Caller, bob: Caller, talk: int) -> None:
    for caller, other in ((ann, "bob"), (bob, "ann")):
        for emoji in ("👍", "❤️"):
            rules.now += 1
            rules.asks(caller, React(to=other, seq=1, emoji=emoji))
    seen = message(rules, bob, "ann", 1)
    assert [(each.emoji, each.count, each.users) for each in seen.reactions] == [
        ("👍", 2, ["ann", "bob"]),
        ("❤️", 2, ["ann", "bob"]),
    ]
    revs = [rules.asks(bob, React(to="ann", seq=1, emoji="👍")).rev for _ in range(2)]
    assert revs == [seen.rev, seen.rev], "the same again changes nothing"
    rules.asks(ann, Unreact(to="bob", seq=1, emoji="👍"))
    assert [(each.emoji, each.count) for each in message(rules, bob, "ann", 1).reactions] == [("❤️", 2), ("👍", 1)]
    assert rules.does(ann, Unreact(to="bob", seq=1, emoji="👍")).told == ()
    for emoji in ("❤️", "👍"):
        rules.asks(bob, Unreact(to="ann", seq=1, emoji=emoji))
    rules.asks(ann, Unreact(to="bob", seq=1, emoji="❤️"))
    assert message(rules, bob, "ann", 1).reactions == []


@pytest.mark.parametrize("emoji", ["👍", "👍🏽", "❤️", "1️⃣", "🇨🇳", "👩‍👩‍👧", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "✅", "〽️", "©️"])
def test_what_is_an_emoji(rules: Rules, ann: Caller, talk: int, emoji: str) -> None:
    assert rules.asks(ann, React(to="bob", seq=1, emoji=emoji)).rev == 3


@pytest.mark.parametrize(
    "emoji", ["a", "1", "ok", "👍 ", " ", "!\ufe0f", "\u200d", "\ufe0f", "👍x", "字", "\u202e", "+", "\x1b"]
)
def test_what_is_none(rules: Rules, ann: Caller, talk: int, emoji: str) -> None:
    assert isinstance(rules.refuses(ann, React(to="bob", seq=1, emoji=emoji)), BadRequest)


def test_a_message_takes_so_many_emoji(rules: Rules, ann: Caller, bob: Caller, talk: int) -> None:
    many = [chr(0x1F600 + number) for number in range(21)]
    for emoji in many[:20]:
        rules.asks(ann, React(to="bob", seq=1, emoji=emoji))
    assert isinstance(rules.refuses(ann, React(to="bob", seq=1, emoji=many[20])), QuotaExceeded)
    rules.asks(bob, React(to="ann", seq=1, emoji=many[0]))


def test_pins_in_the_order_they_were_pinned(rules: Rules, ann: Caller, bob: Caller, talk: int) -> None:
    for caller, other, seq in ((ann, "bob", 2), (bob, "ann", 1)):
        rules.now += 1
        rules.asks(caller, Pin(to=other, seq=seq))
    assert [each.seq for each in rules.asks(ann, ListPins(to="bob")).messages] == [1, 2]
    assert rules.does(ann, Pin(to="bob", seq=1)).told == ()
    rules.asks(ann, Unpin(to="bob", seq=1))
    assert [each.seq for each in rules.asks(bob, ListPins(to="ann")).messages] == [2]


def test_what_is_sent_on_names_who_said_it_first(
    rules: Rules, ann: Caller, bob: Caller, cid: Caller, talk: int
) -> None:
    sent = rules.asks(ann, Forward(to="bob", seq=2, target="cid", client_id="f1"))
    seen = message(rules, cid, "ann", 1)
    assert (seen.sender, seen.forwarded, seen.content) == ("ann", "bob", "two")
    rules.asks(cid, Forward(to="ann", seq=1, target="cid"))
    [saved] = rules.asks(cid, ListSaved()).messages
    assert (saved.sender, saved.forwarded, saved.content) == ("cid", "bob", "two")
    again = rules.asks(ann, Forward(to="bob", seq=2, target="cid", client_id="f1"))
    assert (again.seq, again.duplicate) == (sent.seq, True)
    assert isinstance(rules.refuses(ann, Forward(to="bob", seq=1, target="cid", client_id="f1")), Conflict)
    assert isinstance(rules.refuses(cid, EditMessage(to="cid", seq=1, content="mine")), BadRequest)


def test_a_thread_is_a_message_with_its_answers(rules: Rules, ann: Caller, bob: Caller, talk: int) -> None:
    for number in range(5):
        rules.asks(bob, SendMessage(to="ann", content=f"answer {number}", reply_to=1))
        rules.asks(bob, SendMessage(to="ann", content="something else"))
    page = rules.asks(ann, ReadThread(to="bob", seq=1, limit=2))
    assert ([each.seq for each in page.messages], page.more) == ([1, 3, 5], True)
    rest = rules.asks(ann, ReadThread(to="bob", seq=1, after=5))
    assert ([each.seq for each in rest.messages], rest.more) == ([7, 9, 11], False)


@pytest.mark.parametrize(
    ("kind", "content", "good"),
    [
        ("sticker", "cats/hello", True),
        ("sticker", "cats", False),
        ("sticker", "a b/c", False),
        ("location", "31.23,121.47", True),
        ("location", "-90,180 the end of the world", True),
        ("location", "91,0", False),
        ("location", "0,181", False),
        ("location", "here", False),
        ("markdown", "**yes**", True),
    ],
)
def test_kinds_have_their_forms(rules: Rules, ann: Caller, bob: Caller, kind: Any, content: str, good: bool) -> None:
    command = SendMessage(to="bob", kind=kind, content=content)
    if good:
        assert rules.asks(ann, command).seq == 1
    else:
        assert isinstance(rules.refuses(ann, command), BadRequest)
