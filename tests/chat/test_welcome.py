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
from tests.chat.rules import Rules


def befriend(rules: Rules, one: Caller, two: Caller) -> None:
    rules.asks(one, FriendAdd(username=two.username))
    rules.asks(two, FriendAdd(username=one.username))


def gets_through(rules: Rules, caller: Caller, to: str) -> bool:
    """Say whether a message comes; a refusal tells nothing but that."""
    try:
        rules.asks(caller, SendMessage(to=to, content="hi"))
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
    rules: Rules, ann: Caller, bob: Caller, writers: Any, friend: bool, written: bool
) -> None:
    rules.asks(ann, SetProfile(writers=writers))
    if friend:
        befriend(rules, ann, bob)
    if written:
        rules.asks(ann, SendMessage(to="bob", content="hi"))
    expected = written or writers == "everyone" or (writers == "friends" and friend)
    assert gets_through(rules, bob, "ann") is expected
    assert gets_through(rules, ann, "bob"), "her own policy does not bind her"


def test_my_own_earlier_words_open_nothing(rules: Rules, ann: Caller, bob: Caller) -> None:
    assert gets_through(rules, bob, "ann")
    rules.asks(ann, SetProfile(writers="friends"))
    assert not gets_through(rules, bob, "ann")


def test_notes_to_myself_are_always_welcome(rules: Rules, ann: Caller) -> None:
    rules.asks(ann, SetProfile(writers="nobody"))
    assert gets_through(rules, ann, "ann")


def test_a_block_shuts_out_even_whom_i_have_written_to(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, SendMessage(to="bob", content="hi"))
    rules.asks(ann, Block(username="bob"))
    assert not gets_through(rules, bob, "ann")
    refused = rules.refuses(bob, SendMessage(conversation=1, content="hi"))
    assert (type(refused), refused.case) == (Blocked, "")
    refused = rules.refuses(ann, SendMessage(to="bob", content="hi"))
    assert (type(refused), refused.case, refused.params) == (Blocked, "mine", {"username": "bob"})
    rules.asks(ann, Unblock(username="bob"))
    assert gets_through(rules, bob, "ann")


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
def test_a_blocked_account_has_no_other_way(rules: Rules, ann: Caller, bob: Caller, command: Command) -> None:
    rules.asks(bob, SendMessage(to="ann", content="bad"))
    rules.asks(ann, SendMessage(to="bob", content="go away"))
    rules.asks(bob, SendMessage(to="bob", content="note"))
    rules.asks(ann, Block(username="bob"))
    assert isinstance(rules.refuses(bob, command), Blocked)


def test_a_blocked_account_may_recall_and_gets_the_answer_of_before(rules: Rules, ann: Caller, bob: Caller) -> None:
    sent = rules.asks(bob, SendMessage(to="ann", content="bad", client_id="1"))
    rules.asks(ann, Block(username="bob"))
    again = rules.asks(bob, SendMessage(to="ann", content="bad", client_id="1"))
    assert (again.seq, again.duplicate) == (sent.seq, True)
    rules.asks(bob, RecallMessage(to="ann", seq=1))


def test_a_stranger_is_declined_until_i_write(rules: Rules, ann: Caller, bob: Caller) -> None:
    assert gets_through(rules, bob, "ann")
    rules.asks(ann, Decline(username="bob"))
    assert not gets_through(rules, bob, "ann")
    outcome = rules.does(ann, SendMessage(to="bob", content="sorry"))
    assert {event.__struct_config__.tag for _, event in outcome.told} == {"account", "message"}
    assert gets_through(rules, bob, "ann")
    [declined] = [each for each in rules.asks(ann, AccountSync(after=0)).changes if each.what == "declined"]
    assert (declined.username, declined.value) == ("bob", False)


def test_a_stranger_is_declined_until_we_are_friends(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(bob, FriendAdd(username="ann"))
    rules.asks(ann, Decline(username="bob"))
    assert not gets_through(rules, bob, "ann")
    rules.asks(ann, FriendAccept(username="bob"))
    assert gets_through(rules, bob, "ann")


@pytest.mark.parametrize("forwards", [True, False])
def test_a_name_stays_on_what_is_sent_on_where_its_owner_likes(
    rules: Rules, ann: Caller, bob: Caller, cid: Caller, forwards: bool
) -> None:
    rules.asks(ann, SetProfile(forwards=forwards))
    rules.asks(ann, SendMessage(to="bob", content="wise words"))
    outcome = rules.does(bob, Forward(to="ann", seq=1, target="cid"))
    assert {event.forwarded for _, event in outcome.told} == {"ann" if forwards else ""}
    outcome = rules.does(cid, Forward(to="bob", seq=1, target="ann"))
    assert {event.forwarded for _, event in outcome.told} == {"ann" if forwards else ""}


@pytest.mark.parametrize("why", ["likes", "hides", "blocks"])
def test_receipts_reach_others_where_the_reader_likes(rules: Rules, ann: Caller, bob: Caller, why: str) -> None:
    rules.asks(ann, SendMessage(to="bob", content="hi"))
    if why == "hides":
        rules.asks(bob, SetProfile(receipts=False))
    if why == "blocks":
        rules.asks(bob, Block(username="ann"))
    told = [
        *rules.does(bob, Ack(to="ann", seq=1)).told,
        *rules.does(bob, Read(to="ann", seq=1)).told,
    ]
    assert all(isinstance(event, Receipt) for _, event in told)
    assert [to for to, _ in told].count((bob.account,)) == 2, "my own devices always know"
    assert [to for to, _ in told].count((ann.account,)) == (2 if why == "likes" else 0)
    readers = [each.username for each in rules.asks(ann, WhoRead(to="bob", seq=1)).readers]
    assert readers == (["bob"] if why == "likes" else [])


def test_friends_are_no_strangers_to_the_daily_limit(rules: Rules, ann: Caller, bob: Caller, cid: Caller) -> None:
    rules.limits = Limits(strangers_per_day=1)
    befriend(rules, ann, bob)
    assert gets_through(rules, ann, "cid")
    assert gets_through(rules, ann, "bob")
    assert isinstance(rules.refuses(ann, SendMessage(to=rules.person("dan").username, content="hi")), QuotaExceeded)


def test_a_send_costs_the_same_statements_to_a_friend_and_to_a_stranger(
    rules: Rules, ann: Caller, bob: Caller, cid: Caller
) -> None:
    befriend(rules, ann, bob)
    counts = []
    for to in ("bob", "cid"):
        rules.asks(ann, SendMessage(to=to, content="hi"))
        statements: list[str] = []
        rules.tx.set_trace_callback(statements.append)
        rules.asks(ann, SendMessage(to=to, content="hi"))
        rules.tx.set_trace_callback(None)
        counts.append(len([each for each in statements if each.startswith(("SELECT", "INSERT", "UPDATE"))]))
    assert counts == [counts[0], counts[0]]
    assert counts[0] <= 5
