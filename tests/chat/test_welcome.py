"""Who may write to whom: policies, blocks and declined strangers. Every refusal reads the same."""

from typing import Any

import pytest

from imd.chat.base.context import Caller
from imd.chat.base.limits import Limits
from imd.wire.base import Command
from imd.wire.friends import Block, Decline, FriendAccept, FriendAdd, Unblock
from imd.wire.messages import EditMessage, Forward, RecallMessage, SendMessage
from imd.wire.personal import AccountSync
from imd.wire.pins import Pin
from imd.wire.profiles import SetProfile
from imd.wire.reactions import React
from imd.wire.receipts import Ack, Read, Receipt, WhoRead
from imd.wire.refusals import Blocked, QuotaExceeded
from tests.chat.room import Room


def befriend(room: Room, one: Caller, two: Caller) -> None:
    room.asks(one, FriendAdd(username=two.username))
    room.asks(two, FriendAdd(username=one.username))


def gets_through(room: Room, caller: Caller, to: str) -> bool:
    """Say whether a message comes; a refusal tells nothing but that."""
    try:
        room.asks(caller, SendMessage(to=to, content="hi"))
    except Blocked as refusal:
        refused = refusal
    else:
        return True
    assert (refused.case, refused.params) == ("", {})
    return False


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("friend", [False, True])
@pytest.mark.parametrize("writers", ["everyone", "friends", "nobody"])
def test_a_policy_says_who_may_write_first(
    room: Room, ann: Caller, bob: Caller, writers: Any, friend: bool, written: bool
) -> None:
    room.asks(ann, SetProfile(writers=writers))
    if friend:
        befriend(room, ann, bob)
    if written:
        room.asks(ann, SendMessage(to="bob", content="hi"))
    expected = written or writers == "everyone" or (writers == "friends" and friend)
    assert gets_through(room, bob, "ann") is expected
    assert gets_through(room, ann, "bob"), "her own policy does not bind her"


def test_my_own_earlier_words_open_nothing(room: Room, ann: Caller, bob: Caller) -> None:
    assert gets_through(room, bob, "ann")
    room.asks(ann, SetProfile(writers="friends"))
    assert not gets_through(room, bob, "ann")


def test_notes_to_myself_are_always_welcome(room: Room, ann: Caller) -> None:
    room.asks(ann, SetProfile(writers="nobody"))
    assert gets_through(room, ann, "ann")


def test_a_block_shuts_out_even_whom_i_have_written_to(room: Room, ann: Caller, bob: Caller) -> None:
    room.asks(ann, SendMessage(to="bob", content="hi"))
    room.asks(ann, Block(username="bob"))
    assert not gets_through(room, bob, "ann")
    refused = room.refuses(bob, SendMessage(conversation=1, content="hi"))
    assert (type(refused), refused.case) == (Blocked, "")
    refused = room.refuses(ann, SendMessage(to="bob", content="hi"))
    assert (type(refused), refused.case, refused.params) == (Blocked, "mine", {"username": "bob"})
    room.asks(ann, Unblock(username="bob"))
    assert gets_through(room, bob, "ann")


@pytest.mark.parametrize(
    "command",
    [
        EditMessage(to="ann", seq=1, content="worse"),
        React(to="ann", seq=2, emoji="👎"),
        Pin(to="ann", seq=1),
        Forward(to="bob", seq=1, target="ann"),
        SendMessage(to="ann", content="hi", client_id="new"),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_blocked_account_has_no_other_way(room: Room, ann: Caller, bob: Caller, command: Command) -> None:
    room.asks(bob, SendMessage(to="ann", content="bad"))
    room.asks(ann, SendMessage(to="bob", content="go away"))
    room.asks(bob, SendMessage(to="bob", content="note"))
    room.asks(ann, Block(username="bob"))
    assert isinstance(room.refuses(bob, command), Blocked)


def test_a_blocked_account_may_recall_and_gets_the_answer_of_before(room: Room, ann: Caller, bob: Caller) -> None:
    sent = room.asks(bob, SendMessage(to="ann", content="bad", client_id="1"))
    room.asks(ann, Block(username="bob"))
    again = room.asks(bob, SendMessage(to="ann", content="bad", client_id="1"))
    assert (again.seq, again.duplicate) == (sent.seq, True)
    room.asks(bob, RecallMessage(to="ann", seq=1))


def test_a_stranger_is_declined_until_i_write(room: Room, ann: Caller, bob: Caller) -> None:
    assert gets_through(room, bob, "ann")
    room.asks(ann, Decline(username="bob"))
    assert not gets_through(room, bob, "ann")
    outcome = room.does(ann, SendMessage(to="bob", content="sorry"))
    assert {event.__struct_config__.tag for _, event in outcome.told} == {"account", "message"}
    assert gets_through(room, bob, "ann")
    [declined] = [each for each in room.asks(ann, AccountSync(after=0)).changes if each.what == "declined"]
    assert (declined.username, declined.value) == ("bob", False)


def test_a_stranger_is_declined_until_we_are_friends(room: Room, ann: Caller, bob: Caller) -> None:
    room.asks(bob, FriendAdd(username="ann"))
    room.asks(ann, Decline(username="bob"))
    assert not gets_through(room, bob, "ann")
    room.asks(ann, FriendAccept(username="bob"))
    assert gets_through(room, bob, "ann")


@pytest.mark.parametrize("forwards", [True, False])
def test_a_name_stays_on_what_is_sent_on_where_its_owner_likes(
    room: Room, ann: Caller, bob: Caller, cid: Caller, forwards: bool
) -> None:
    room.asks(ann, SetProfile(forwards=forwards))
    room.asks(ann, SendMessage(to="bob", content="wise words"))
    outcome = room.does(bob, Forward(to="ann", seq=1, target="cid"))
    assert {event.forwarded for _, event in outcome.told} == {"ann" if forwards else ""}
    outcome = room.does(cid, Forward(to="bob", seq=1, target="ann"))
    assert {event.forwarded for _, event in outcome.told} == {"ann" if forwards else ""}


@pytest.mark.parametrize("why", ["likes", "hides", "blocks"])
def test_receipts_reach_others_where_the_reader_likes(room: Room, ann: Caller, bob: Caller, why: str) -> None:
    room.asks(ann, SendMessage(to="bob", content="hi"))
    if why == "hides":
        room.asks(bob, SetProfile(receipts=False))
    if why == "blocks":
        room.asks(bob, Block(username="ann"))
    told = [
        *room.does(bob, Ack(to="ann", seq=1)).told,
        *room.does(bob, Read(to="ann", seq=1)).told,
    ]
    assert all(isinstance(event, Receipt) for _, event in told)
    assert [to for to, _ in told].count((bob.account,)) == 2, "my own devices always know"
    assert [to for to, _ in told].count((ann.account,)) == (2 if why == "likes" else 0)
    readers = [each.username for each in room.asks(ann, WhoRead(to="bob", seq=1)).readers]
    assert readers == (["bob"] if why == "likes" else [])


def test_friends_are_no_strangers_to_the_daily_limit(room: Room, ann: Caller, bob: Caller, cid: Caller) -> None:
    room.limits = Limits(strangers_per_day=1)
    befriend(room, ann, bob)
    assert gets_through(room, ann, "cid")
    assert gets_through(room, ann, "bob")
    assert isinstance(room.refuses(ann, SendMessage(to=room.person("dan").username, content="hi")), QuotaExceeded)


def test_a_send_costs_the_same_statements_to_a_friend_and_to_a_stranger(
    room: Room, ann: Caller, bob: Caller, cid: Caller
) -> None:
    befriend(room, ann, bob)
    counts = []
    for to in ("bob", "cid"):
        room.asks(ann, SendMessage(to=to, content="hi"))
        statements: list[str] = []
        room.tx.set_trace_callback(statements.append)
        room.asks(ann, SendMessage(to=to, content="hi"))
        room.tx.set_trace_callback(None)
        counts.append(len([each for each in statements if each.startswith(("SELECT", "INSERT", "UPDATE"))]))
    assert counts == [counts[0], counts[0]]
    assert counts[0] <= 5
