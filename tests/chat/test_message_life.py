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
from tests.chat.room import Room


@pytest.fixture
def talk(room: Room, ann: Caller, bob: Caller) -> int:
    """A conversation with one message of Ann's and one of Bob's."""
    room.asks(ann, SendMessage(to="bob", content="one", client_id="a1"))
    return int(room.asks(bob, SendMessage(to="ann", content="two")).conversation)


def message(room: Room, who: Caller, other: str, seq: int) -> Any:
    return next(each for each in room.asks(who, History(to=other)).messages if each.seq == seq)


def test_a_change_takes_the_next_rev_and_reaches_everybody(room: Room, ann: Caller, bob: Caller, talk: int) -> None:
    room.now += 1000
    outcome = room.does(ann, EditMessage(to="bob", seq=1, content="uno"))
    assert (outcome.reply.seq, outcome.reply.rev) == (1, 3)
    (mine, for_me), (theirs, for_bob) = outcome.told
    assert (mine, theirs) == ((ann.account,), (bob.account,))
    assert isinstance(for_bob, MessageChanged)
    assert (for_bob.what, for_bob.by, for_bob.content, for_bob.rev, for_bob.to) == ("edited", "ann", "uno", 3, "ann")
    assert (for_me.client_id, for_bob.client_id) == ("a1", None)
    seen = message(room, bob, "ann", 1)
    assert (seen.content, seen.rev, seen.edited) == ("uno", 3, for_bob.edited)
    assert [each.seq for each in room.asks(bob, Sync(to="ann", after_rev=2)).messages] == [1]


def test_the_same_words_are_no_change(room: Room, ann: Caller, talk: int) -> None:
    outcome = room.does(ann, EditMessage(to="bob", seq=1, content="one"))
    assert (outcome.reply.rev, outcome.told) == (1, ())


def test_zero_is_the_latest(room: Room, ann: Caller, bob: Caller, talk: int) -> None:
    assert room.asks(ann, EditMessage(to="bob", seq=0, content="uno")).seq == 1, "the latest of mine"
    assert room.asks(ann, React(to="bob", seq=0, emoji="👍")).seq == 2, "the latest of all"


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
    room: Room, ann: Caller, bob: Caller, talk: int, who: str, seq: int, content: str, refusal: type
) -> None:
    caller, other = (ann, "bob") if who == "ann" else (bob, "ann")
    assert isinstance(room.refuses(caller, EditMessage(to=other, seq=seq, content=content)), refusal)


@pytest.mark.parametrize(("seconds", "passed", "fits"), [(60, 60, True), (60, 61, False), (0, 10**8, True)])
def test_the_time_for_changes_is_a_limit(seconds: int, passed: int, fits: bool) -> None:
    room = Room(Limits(edit_seconds=seconds))
    ann, _ = room.person("ann"), room.person("bob")
    room.asks(ann, SendMessage(to="bob", content="one"))
    room.now += passed * 1000
    change = EditMessage(to="bob", seq=1, content="uno")
    if fits:
        assert room.asks(ann, change).rev == 2
    else:
        assert isinstance(room.refuses(ann, change), TooLate)


def test_what_is_taken_back_says_nothing_and_keeps_its_place(room: Room, ann: Caller, bob: Caller, talk: int) -> None:
    room.asks(bob, React(to="ann", seq=1, emoji="👍"))
    room.asks(bob, Pin(to="ann", seq=1))
    room.asks(ann, RecallMessage(to="bob", seq=1))
    seen = message(room, bob, "ann", 1)
    assert (seen.content, seen.reactions, seen.pinned) == ("", [], None)
    assert seen.recalled
    assert "'one'" not in str(list(room.tx.iterdump()))
    again = room.does(ann, RecallMessage(to="bob", seq=1))
    assert again.told == ()
    for command in (React(to="ann", seq=1, emoji="👍"), Pin(to="ann", seq=1), Forward(to="ann", seq=1, target="ann")):
        assert isinstance(room.refuses(bob, command), BadRequest)
    assert isinstance(room.refuses(ann, EditMessage(to="bob", seq=1, content="x")), BadRequest)


def test_only_its_sender_takes_a_message_back(room: Room, bob: Caller, talk: int) -> None:
    assert isinstance(room.refuses(bob, RecallMessage(to="ann", seq=1)), Forbidden)


def test_a_repeated_send_of_what_has_changed_since_is_still_a_duplicate(room: Room, ann: Caller, talk: int) -> None:
    first = SendMessage(to="bob", content="one", client_id="a1")
    for change in (EditMessage(to="bob", seq=1, content="uno"), RecallMessage(to="bob", seq=1)):
        room.asks(ann, change)
        again = room.asks(ann, first)
        assert (again.seq, again.duplicate) == (1, True)
    assert isinstance(room.refuses(ann, SendMessage(to="ann", content="one", client_id="a1")), Conflict)


def test_several_people_put_several_emoji(room: Room, ann: Caller, bob: Caller, talk: int) -> None:
    for caller, other in ((ann, "bob"), (bob, "ann")):
        for emoji in ("👍", "❤️"):
            room.now += 1
            room.asks(caller, React(to=other, seq=1, emoji=emoji))
    seen = message(room, bob, "ann", 1)
    assert [(each.emoji, each.count, each.users) for each in seen.reactions] == [
        ("👍", 2, ["ann", "bob"]),
        ("❤️", 2, ["ann", "bob"]),
    ]
    revs = [room.asks(bob, React(to="ann", seq=1, emoji="👍")).rev for _ in range(2)]
    assert revs == [seen.rev, seen.rev], "the same again changes nothing"
    room.asks(ann, Unreact(to="bob", seq=1, emoji="👍"))
    assert [(each.emoji, each.count) for each in message(room, bob, "ann", 1).reactions] == [("❤️", 2), ("👍", 1)]
    assert room.does(ann, Unreact(to="bob", seq=1, emoji="👍")).told == ()
    for emoji in ("❤️", "👍"):
        room.asks(bob, Unreact(to="ann", seq=1, emoji=emoji))
    room.asks(ann, Unreact(to="bob", seq=1, emoji="❤️"))
    assert message(room, bob, "ann", 1).reactions == []


@pytest.mark.parametrize("emoji", ["👍", "👍🏽", "❤️", "1️⃣", "🇨🇳", "👩‍👩‍👧", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "✅", "〽️", "©️"])
def test_what_is_an_emoji(room: Room, ann: Caller, talk: int, emoji: str) -> None:
    assert room.asks(ann, React(to="bob", seq=1, emoji=emoji)).rev == 3


@pytest.mark.parametrize(
    "emoji", ["a", "1", "ok", "👍 ", " ", "!\ufe0f", "\u200d", "\ufe0f", "👍x", "字", "\u202e", "+", "\x1b"]
)
def test_what_is_none(room: Room, ann: Caller, talk: int, emoji: str) -> None:
    assert isinstance(room.refuses(ann, React(to="bob", seq=1, emoji=emoji)), BadRequest)


def test_a_message_takes_so_many_emoji(room: Room, ann: Caller, bob: Caller, talk: int) -> None:
    many = [chr(0x1F600 + number) for number in range(21)]
    for emoji in many[:20]:
        room.asks(ann, React(to="bob", seq=1, emoji=emoji))
    assert isinstance(room.refuses(ann, React(to="bob", seq=1, emoji=many[20])), QuotaExceeded)
    room.asks(bob, React(to="ann", seq=1, emoji=many[0]))


def test_pins_in_the_order_they_were_pinned(room: Room, ann: Caller, bob: Caller, talk: int) -> None:
    for caller, other, seq in ((ann, "bob", 2), (bob, "ann", 1)):
        room.now += 1
        room.asks(caller, Pin(to=other, seq=seq))
    assert [each.seq for each in room.asks(ann, ListPins(to="bob")).messages] == [1, 2]
    assert room.does(ann, Pin(to="bob", seq=1)).told == ()
    room.asks(ann, Unpin(to="bob", seq=1))
    assert [each.seq for each in room.asks(bob, ListPins(to="ann")).messages] == [2]


def test_what_is_sent_on_names_who_said_it_first(room: Room, ann: Caller, bob: Caller, cid: Caller, talk: int) -> None:
    sent = room.asks(ann, Forward(to="bob", seq=2, target="cid", client_id="f1"))
    seen = message(room, cid, "ann", 1)
    assert (seen.sender, seen.forwarded, seen.content) == ("ann", "bob", "two")
    room.asks(cid, Forward(to="ann", seq=1, target="cid"))
    [saved] = room.asks(cid, ListSaved()).messages
    assert (saved.sender, saved.forwarded, saved.content) == ("cid", "bob", "two")
    again = room.asks(ann, Forward(to="bob", seq=2, target="cid", client_id="f1"))
    assert (again.seq, again.duplicate) == (sent.seq, True)
    assert isinstance(room.refuses(ann, Forward(to="bob", seq=1, target="cid", client_id="f1")), Conflict)
    assert isinstance(room.refuses(cid, EditMessage(to="cid", seq=1, content="mine")), BadRequest)


def test_a_thread_is_a_message_with_its_answers(room: Room, ann: Caller, bob: Caller, talk: int) -> None:
    for number in range(5):
        room.asks(bob, SendMessage(to="ann", content=f"answer {number}", reply_to=1))
        room.asks(bob, SendMessage(to="ann", content="something else"))
    page = room.asks(ann, ReadThread(to="bob", seq=1, limit=2))
    assert ([each.seq for each in page.messages], page.more) == ([1, 3, 5], True)
    rest = room.asks(ann, ReadThread(to="bob", seq=1, after=5))
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
def test_kinds_have_their_forms(room: Room, ann: Caller, bob: Caller, kind: Any, content: str, good: bool) -> None:
    command = SendMessage(to="bob", kind=kind, content=content)
    if good:
        assert room.asks(ann, command).seq == 1
    else:
        assert isinstance(room.refuses(ann, command), BadRequest)
