"""Friends: a request reveals nothing, crossing requests meet, and both lists are right whatever happens."""

from typing import Any

import pytest

from imd.chat.base.context import Caller
from imd.chat.base.limits import Limits
from imd.chat.friends import requests_to
from imd.store import accounts
from imd.wire.base import Command
from imd.wire.friends import (
    Block,
    BlockList,
    Decline,
    FriendAccept,
    FriendAdd,
    FriendAdded,
    FriendDecline,
    FriendList,
    FriendNote,
    FriendRemove,
    FriendRemoved,
    FriendRequest,
    Unblock,
)
from imd.wire.personal import AccountSync
from imd.wire.refusals import BadName, BadRequest, Blocked, Conflict, NoSuchUser, QuotaExceeded
from tests.chat.rules import Rules


def lists(rules: Rules, caller: Caller) -> tuple[list[str], list[str], list[str]]:
    reply = rules.asks(caller, FriendList())
    return tuple([each.username for each in names] for names in (reply.friends, reply.incoming, reply.outgoing))


def heard(outcome: Any, caller: Caller) -> list[Any]:
    """List the types of the events that somebody is told, without those of the account log."""
    return [event for to, event in outcome.told if caller.account in to and event.__struct_config__.tag != "account"]


def relations(rules: Rules, caller: Caller) -> dict[str, Any]:
    """Give the relations that a device knows from the account log alone."""
    changes = rules.asks(caller, AccountSync(after=0)).changes
    return {each.username: each.value for each in changes if each.what == "relation" and each.value != "none"}


def befriend(rules: Rules, one: Caller, two: Caller) -> None:
    rules.asks(one, FriendAdd(username=two.username))
    rules.asks(two, FriendAdd(username=one.username))


def test_asking_and_accepting(rules: Rules, ann: Caller, bob: Caller) -> None:
    [request] = heard(rules.does(ann, FriendAdd(username="Bob", note=" it's Ann ")), bob)
    assert isinstance(request, FriendRequest)
    assert (request.username, request.display_name, request.note) == ("ann", "Ann", "it's Ann")
    assert (lists(rules, ann), lists(rules, bob)) == (([], [], ["bob"]), ([], ["ann"], []))
    outcome = rules.does(bob, FriendAccept(username="ann"))
    assert heard(outcome, ann) == [FriendAdded(username="bob", display_name="Bob", presence="offline")]
    assert heard(outcome, bob) == [FriendAdded(username="ann", display_name="Ann", presence="offline")]
    assert (lists(rules, ann), lists(rules, bob)) == ((["bob"], [], []), (["ann"], [], []))
    assert relations(rules, ann) == {"bob": "friend"}
    assert relations(rules, bob) == {"ann": "friend"}


def test_crossing_requests_make_friends_at_once(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, FriendAdd(username="bob"))
    outcome = rules.does(bob, FriendAdd(username="ann", note="me too"))
    assert [type(each) for each in heard(outcome, ann)] == [FriendAdded]
    assert (lists(rules, ann), lists(rules, bob)) == ((["bob"], [], []), (["ann"], [], []))


@pytest.mark.parametrize(
    "command", [FriendAdd(username="bob", note="other words"), FriendRemove(username="cid"), Unblock(username="bob")]
)
def test_repeating_it_changes_nothing(rules: Rules, ann: Caller, bob: Caller, command: Command) -> None:
    rules.asks(ann, FriendAdd(username="bob", note="words"))
    before = list(rules.tx.iterdump())
    assert rules.does(ann, command).told == ()
    assert list(rules.tx.iterdump()) == before


@pytest.mark.parametrize("shape", [FriendAdd, FriendAccept])
def test_a_friend_stays_one(rules: Rules, ann: Caller, bob: Caller, shape: type[FriendAdd]) -> None:
    befriend(rules, ann, bob)
    before = list(rules.tx.iterdump())
    assert rules.does(ann, shape(username="bob")).told == ()
    assert list(rules.tx.iterdump()) == before


# -- what a request reveals


def someone(rules: Rules, kind: str) -> None:
    """Make Bob an account that cannot be told of Ann's request, or no account at all."""
    if kind == "unknown":
        return
    bob = rules.person("bob")
    if kind == "blocks":
        rules.asks(bob, Block(username="ann"))
    elif kind == "shut":
        accounts.set_disabled(rules.tx, bob.account, True)


@pytest.mark.parametrize("kind", ["unknown", "blocks", "shut", "there"])
def test_asking_looks_the_same_whoever_has_the_name(rules: Rules, ann: Caller, kind: str) -> None:
    someone(rules, kind)
    outcome = rules.does(ann, FriendAdd(username="bob", note="hi"))
    mine = [event for to, event in outcome.told if ann.account in to]
    [asked] = rules.asks(ann, FriendList()).outgoing
    assert (type(outcome.reply).__name__, [(each.what, each.username, each.value) for each in mine]) == (
        "Done",
        [("relation", "bob", "asked")],
    )
    assert (asked.username, asked.note, asked.time) == ("bob", "hi", "2026-09-21T14:13:20.000Z")
    others = [event for to, event in outcome.told if ann.account not in to]
    assert bool(others) is (kind == "there")
    rules.asks(ann, FriendRemove(username="bob"))
    assert lists(rules, ann) == ([], [], [])


def test_an_account_registered_later_finds_the_request(rules: Rules, ann: Caller) -> None:
    rules.asks(ann, FriendAdd(username="bob", note="welcome"))
    bob = rules.person("bob")
    assert lists(rules, bob) == ([], ["ann"], [])
    assert [(each.username, each.note) for each in requests_to(rules.tx, bob)] == [("ann", "welcome")]
    rules.asks(bob, FriendAccept(username="ann"))
    assert lists(rules, ann) == (["bob"], [], [])


def test_a_declined_request_looks_as_before_to_its_asker(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, FriendAdd(username="bob"))
    before = (rules.asks(ann, FriendList()), rules.asks(ann, AccountSync(after=0)))
    outcome = rules.does(bob, FriendDecline(username="ann"))
    assert all(ann.account not in to for to, _ in outcome.told)
    assert (rules.asks(ann, FriendList()), rules.asks(ann, AccountSync(after=0))) == before
    assert (lists(rules, bob), requests_to(rules.tx, bob), relations(rules, bob)) == (([], [], []), [], {})
    assert rules.does(bob, FriendDecline(username="ann")).told == ()


def test_a_declined_request_made_again_is_not_heard(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, FriendAdd(username="bob"))
    rules.asks(bob, FriendDecline(username="ann"))
    for command in (FriendAdd(username="bob"), FriendRemove(username="bob"), FriendAdd(username="bob", note="please")):
        assert all(bob.account not in to for to, _ in rules.does(ann, command).told)
    assert (lists(rules, ann), lists(rules, bob)) == (([], [], ["bob"]), ([], [], []))
    rules.asks(bob, FriendAccept(username="ann"))
    assert lists(rules, ann) == (["bob"], [], [])


@pytest.mark.parametrize("shape", [FriendAccept, FriendDecline])
@pytest.mark.parametrize("name", ["bob", "nobody", "a b", "cid", "shut"])
def test_where_nobody_asks_there_is_nothing_to_answer(
    rules: Rules, ann: Caller, bob: Caller, cid: Caller, shape: type[FriendAccept], name: str
) -> None:
    rules.asks(cid, FriendAdd(username="ann"))
    rules.asks(ann, Block(username="cid"))
    shut = rules.person("shut")
    rules.asks(shut, FriendAdd(username="ann"))
    accounts.set_disabled(rules.tx, shut.account, True)
    refused = rules.refuses(ann, shape(username=name))
    assert (type(refused), refused.case, refused.params) == (NoSuchUser, "request", {"username": name})


@pytest.mark.parametrize("shape", [FriendAdd, Block, Decline])
def test_not_oneself(rules: Rules, ann: Caller, shape: type[Block]) -> None:
    refused = rules.refuses(ann, shape(username="ANN"))
    assert (type(refused), refused.case) == (BadRequest, "oneself")


@pytest.mark.parametrize("shape", [FriendAdd, FriendRemove, Unblock])
def test_what_is_no_name(rules: Rules, ann: Caller, shape: type[Block]) -> None:
    assert isinstance(rules.refuses(ann, shape(username="a b")), BadName)


@pytest.mark.parametrize("shape", [Block, Decline])
@pytest.mark.parametrize("name", ["nobody", "a b", "shut"])
def test_whom_one_keeps_away_must_be_there(rules: Rules, ann: Caller, shape: type[Block], name: str) -> None:
    accounts.set_disabled(rules.tx, rules.person("shut").account, True)
    assert isinstance(rules.refuses(ann, shape(username=name)), NoSuchUser)


# -- the end of a friendship


def test_removing_is_mutual(rules: Rules, ann: Caller, bob: Caller) -> None:
    befriend(rules, ann, bob)
    outcome = rules.does(ann, FriendRemove(username="bob"))
    assert heard(outcome, ann) == [FriendRemoved(username="bob")]
    assert heard(outcome, bob) == [FriendRemoved(username="ann")]
    assert (lists(rules, ann), lists(rules, bob)) == (([], [], []), ([], [], []))
    assert (relations(rules, ann), relations(rules, bob)) == ({}, {})


def test_a_request_taken_back_is_gone_for_both(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, FriendAdd(username="bob"))
    rules.asks(ann, FriendRemove(username="bob"))
    assert (lists(rules, ann), lists(rules, bob)) == (([], [], []), ([], [], []))
    assert (relations(rules, ann), relations(rules, bob)) == ({}, {})


def test_a_note_is_mine_alone(rules: Rules, ann: Caller, bob: Caller, cid: Caller) -> None:
    befriend(rules, ann, bob)
    rules.asks(ann, FriendNote(username="bob", note=" Bob\tfrom chess"))
    assert [each.note for each in rules.asks(ann, FriendList()).friends] == ["Bob from chess"]
    assert [each.note for each in rules.asks(bob, FriendList()).friends] == [None]
    rules.asks(ann, FriendNote(username="bob"))
    assert [each.note for each in rules.asks(ann, FriendList()).friends] == [None]
    for name in ("cid", "nobody", "a b"):
        refused = rules.refuses(ann, FriendNote(username=name, note="x"))
        assert (type(refused), refused.case) == (NoSuchUser, "friend")


# -- limits


def test_requests_that_wait_are_limited(rules: Rules, ann: Caller, bob: Caller, cid: Caller) -> None:
    rules.limits = Limits(friend_requests_per_account=1)
    rules.asks(ann, FriendAdd(username="bob"))
    refused = rules.refuses(ann, FriendAdd(username="cid"))
    assert (type(refused), refused.params) == (QuotaExceeded, {"limit": 1})
    assert isinstance(rules.refuses(ann, FriendAdd(username="nobody")), QuotaExceeded)
    rules.asks(ann, FriendAdd(username="bob"))
    rules.asks(bob, FriendDecline(username="ann"))
    assert isinstance(rules.refuses(ann, FriendAdd(username="cid")), QuotaExceeded), "a declined one seems to wait"
    rules.asks(ann, FriendRemove(username="bob"))
    rules.asks(ann, FriendAdd(username="cid"))


@pytest.mark.parametrize(("full", "case"), [("ann", "friends"), ("bob", "their_friends")])
def test_friends_are_limited(rules: Rules, ann: Caller, bob: Caller, cid: Caller, full: str, case: str) -> None:
    rules.limits = Limits(friends_per_account=1)
    befriend(rules, {"ann": ann, "bob": bob}[full], cid)
    rules.asks(bob, FriendAdd(username="ann"))
    for command in (FriendAccept(username="bob"), FriendAdd(username="bob")):
        refused = rules.refuses(ann, command)
        assert (type(refused), refused.case) == (QuotaExceeded, case)


# -- blocks and declines


def test_a_block_ends_friendship_and_looks_like_a_removal(rules: Rules, ann: Caller, bob: Caller) -> None:
    befriend(rules, ann, bob)
    outcome = rules.does(ann, Block(username="bob"))
    assert heard(outcome, bob) == [FriendRemoved(username="ann")]
    assert (lists(rules, ann), lists(rules, bob)) == (([], [], []), ([], [], []))
    assert (relations(rules, ann), relations(rules, bob)) == ({"bob": "blocked"}, {})
    assert [each.username for each in rules.asks(ann, BlockList()).people] == ["bob"]
    assert rules.asks(bob, BlockList()).people == []
    assert rules.does(ann, Block(username="bob")).told == ()


def test_a_block_hides_their_requests_until_it_ends(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(bob, FriendAdd(username="ann"))
    before = lists(rules, bob)
    outcome = rules.does(ann, Block(username="bob"))
    assert all(bob.account not in to for to, _ in outcome.told)
    assert (lists(rules, ann), requests_to(rules.tx, ann), lists(rules, bob)) == (([], [], []), [], before)
    rules.asks(ann, Unblock(username="bob"))
    assert lists(rules, ann) == ([], ["bob"], [])
    assert relations(rules, ann) == {"bob": "asking"}


def test_a_block_takes_my_own_request_back(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, FriendAdd(username="bob"))
    rules.asks(ann, Block(username="bob"))
    assert (lists(rules, ann), lists(rules, bob)) == (([], [], []), ([], [], []))
    refused = rules.refuses(ann, FriendAdd(username="bob"))
    assert (type(refused), refused.case) == (Blocked, "mine")
    outcome = rules.does(bob, FriendAdd(username="ann"))
    assert all(ann.account not in to for to, _ in outcome.told), "no friend by crossing with what was taken back"
    assert lists(rules, bob) == ([], [], ["ann"])


def test_unblocking_brings_nothing_back(rules: Rules, ann: Caller, bob: Caller) -> None:
    befriend(rules, ann, bob)
    rules.asks(ann, Block(username="bob"))
    rules.asks(ann, Unblock(username="bob"))
    assert (lists(rules, ann), relations(rules, ann), rules.asks(ann, BlockList()).people) == (([], [], []), {}, [])
    assert rules.does(ann, Unblock(username="nobody")).told == ()


def test_unblocking_works_when_they_are_shut(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, Block(username="bob"))
    accounts.set_disabled(rules.tx, bob.account, True)
    rules.asks(ann, Unblock(username="bob"))
    assert rules.asks(ann, BlockList()).people == []


def test_a_friend_is_not_declined(rules: Rules, ann: Caller, bob: Caller) -> None:
    befriend(rules, ann, bob)
    refused = rules.refuses(ann, Decline(username="bob"))
    assert (type(refused), refused.case) == (Conflict, "friend")


def test_a_decline_does_not_soften_a_block(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, Block(username="bob"))
    assert rules.does(ann, Decline(username="bob")).told == ()
    assert [each.username for each in rules.asks(ann, BlockList()).people] == ["bob"]
