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
from tests.chat.room import Room


def lists(room: Room, caller: Caller) -> tuple[list[str], list[str], list[str]]:
    reply = room.asks(caller, FriendList())
    return tuple([each.username for each in names] for names in (reply.friends, reply.incoming, reply.outgoing))


def heard(outcome: Any, caller: Caller) -> list[Any]:
    """List the types of the events that somebody is told, without those of the account log."""
    return [event for to, event in outcome.told if caller.account in to and event.__struct_config__.tag != "account"]


def relations(room: Room, caller: Caller) -> dict[str, Any]:
    """Give the relations that a device knows from the account log alone."""
    changes = room.asks(caller, AccountSync(after=0)).changes
    return {each.username: each.value for each in changes if each.what == "relation" and each.value != "none"}


def befriend(room: Room, one: Caller, two: Caller) -> None:
    room.asks(one, FriendAdd(username=two.username))
    room.asks(two, FriendAdd(username=one.username))


def test_asking_and_accepting(room: Room, ann: Caller, bob: Caller) -> None:
    [request] = heard(room.does(ann, FriendAdd(username="Bob", note=" it's Ann ")), bob)
    assert isinstance(request, FriendRequest)
    assert (request.username, request.display_name, request.note) == ("ann", "Ann", "it's Ann")
    assert (lists(room, ann), lists(room, bob)) == (([], [], ["bob"]), ([], ["ann"], []))
    outcome = room.does(bob, FriendAccept(username="ann"))
    assert heard(outcome, ann) == [FriendAdded(username="bob", display_name="Bob", presence="offline")]
    assert heard(outcome, bob) == [FriendAdded(username="ann", display_name="Ann", presence="offline")]
    assert (lists(room, ann), lists(room, bob)) == ((["bob"], [], []), (["ann"], [], []))
    assert relations(room, ann) == {"bob": "friend"}
    assert relations(room, bob) == {"ann": "friend"}


def test_crossing_requests_make_friends_at_once(room: Room, ann: Caller, bob: Caller) -> None:
    room.asks(ann, FriendAdd(username="bob"))
    outcome = room.does(bob, FriendAdd(username="ann", note="me too"))
    assert [type(each) for each in heard(outcome, ann)] == [FriendAdded]
    assert (lists(room, ann), lists(room, bob)) == ((["bob"], [], []), (["ann"], [], []))


@pytest.mark.parametrize(
    "command", [FriendAdd(username="bob", note="other words"), FriendRemove(username="cid"), Unblock(username="bob")]
)
def test_repeating_it_changes_nothing(room: Room, ann: Caller, bob: Caller, command: Command) -> None:
    room.asks(ann, FriendAdd(username="bob", note="words"))
    before = list(room.tx.iterdump())
    assert room.does(ann, command).told == ()
    assert list(room.tx.iterdump()) == before


@pytest.mark.parametrize("shape", [FriendAdd, FriendAccept])
def test_a_friend_stays_one(room: Room, ann: Caller, bob: Caller, shape: type[FriendAdd]) -> None:
    befriend(room, ann, bob)
    before = list(room.tx.iterdump())
    assert room.does(ann, shape(username="bob")).told == ()
    assert list(room.tx.iterdump()) == before


# -- what a request reveals


def someone(room: Room, kind: str) -> None:
    """Make Bob an account that cannot be told of Ann's request, or no account at all."""
    if kind == "unknown":
        return
    bob = room.person("bob")
    if kind == "blocks":
        room.asks(bob, Block(username="ann"))
    elif kind == "shut":
        accounts.set_disabled(room.tx, bob.account, True)


@pytest.mark.parametrize("kind", ["unknown", "blocks", "shut", "there"])
def test_asking_looks_the_same_whoever_has_the_name(room: Room, ann: Caller, kind: str) -> None:
    someone(room, kind)
    outcome = room.does(ann, FriendAdd(username="bob", note="hi"))
    mine = [event for to, event in outcome.told if ann.account in to]
    [asked] = room.asks(ann, FriendList()).outgoing
    assert (type(outcome.reply).__name__, [(each.what, each.username, each.value) for each in mine]) == (
        "Done",
        [("relation", "bob", "asked")],
    )
    assert (asked.username, asked.note, asked.time) == ("bob", "hi", "2026-09-21T14:13:20.000Z")
    others = [event for to, event in outcome.told if ann.account not in to]
    assert bool(others) is (kind == "there")
    room.asks(ann, FriendRemove(username="bob"))
    assert lists(room, ann) == ([], [], [])


def test_an_account_registered_later_finds_the_request(room: Room, ann: Caller) -> None:
    room.asks(ann, FriendAdd(username="bob", note="welcome"))
    bob = room.person("bob")
    assert lists(room, bob) == ([], ["ann"], [])
    assert [(each.username, each.note) for each in requests_to(room.tx, bob)] == [("ann", "welcome")]
    room.asks(bob, FriendAccept(username="ann"))
    assert lists(room, ann) == (["bob"], [], [])


def test_a_declined_request_looks_as_before_to_its_asker(room: Room, ann: Caller, bob: Caller) -> None:
    room.asks(ann, FriendAdd(username="bob"))
    before = (room.asks(ann, FriendList()), room.asks(ann, AccountSync(after=0)))
    outcome = room.does(bob, FriendDecline(username="ann"))
    assert all(ann.account not in to for to, _ in outcome.told)
    assert (room.asks(ann, FriendList()), room.asks(ann, AccountSync(after=0))) == before
    assert (lists(room, bob), requests_to(room.tx, bob), relations(room, bob)) == (([], [], []), [], {})
    assert room.does(bob, FriendDecline(username="ann")).told == ()


def test_a_declined_request_made_again_is_not_heard(room: Room, ann: Caller, bob: Caller) -> None:
    room.asks(ann, FriendAdd(username="bob"))
    room.asks(bob, FriendDecline(username="ann"))
    for command in (FriendAdd(username="bob"), FriendRemove(username="bob"), FriendAdd(username="bob", note="please")):
        assert all(bob.account not in to for to, _ in room.does(ann, command).told)
    assert (lists(room, ann), lists(room, bob)) == (([], [], ["bob"]), ([], [], []))
    room.asks(bob, FriendAccept(username="ann"))
    assert lists(room, ann) == (["bob"], [], [])


@pytest.mark.parametrize("shape", [FriendAccept, FriendDecline])
@pytest.mark.parametrize("name", ["bob", "nobody", "a b", "cid", "shut"])
def test_where_nobody_asks_there_is_nothing_to_answer(
    room: Room, ann: Caller, bob: Caller, cid: Caller, shape: type[FriendAccept], name: str
) -> None:
    room.asks(cid, FriendAdd(username="ann"))
    room.asks(ann, Block(username="cid"))
    shut = room.person("shut")
    room.asks(shut, FriendAdd(username="ann"))
    accounts.set_disabled(room.tx, shut.account, True)
    refused = room.refuses(ann, shape(username=name))
    assert (type(refused), refused.case, refused.params) == (NoSuchUser, "request", {"username": name})


@pytest.mark.parametrize("shape", [FriendAdd, Block, Decline])
def test_not_oneself(room: Room, ann: Caller, shape: type[Block]) -> None:
    refused = room.refuses(ann, shape(username="ANN"))
    assert (type(refused), refused.case) == (BadRequest, "oneself")


@pytest.mark.parametrize("shape", [FriendAdd, FriendRemove, Unblock])
def test_what_is_no_name(room: Room, ann: Caller, shape: type[Block]) -> None:
    assert isinstance(room.refuses(ann, shape(username="a b")), BadName)


@pytest.mark.parametrize("shape", [Block, Decline])
@pytest.mark.parametrize("name", ["nobody", "a b", "shut"])
def test_whom_one_keeps_away_must_be_there(room: Room, ann: Caller, shape: type[Block], name: str) -> None:
    accounts.set_disabled(room.tx, room.person("shut").account, True)
    assert isinstance(room.refuses(ann, shape(username=name)), NoSuchUser)


# -- the end of a friendship


def test_removing_is_mutual(room: Room, ann: Caller, bob: Caller) -> None:
    befriend(room, ann, bob)
    outcome = room.does(ann, FriendRemove(username="bob"))
    assert heard(outcome, ann) == [FriendRemoved(username="bob")]
    assert heard(outcome, bob) == [FriendRemoved(username="ann")]
    assert (lists(room, ann), lists(room, bob)) == (([], [], []), ([], [], []))
    assert (relations(room, ann), relations(room, bob)) == ({}, {})


def test_a_request_taken_back_is_gone_for_both(room: Room, ann: Caller, bob: Caller) -> None:
    room.asks(ann, FriendAdd(username="bob"))
    room.asks(ann, FriendRemove(username="bob"))
    assert (lists(room, ann), lists(room, bob)) == (([], [], []), ([], [], []))
    assert (relations(room, ann), relations(room, bob)) == ({}, {})


def test_a_note_is_mine_alone(room: Room, ann: Caller, bob: Caller, cid: Caller) -> None:
    befriend(room, ann, bob)
    room.asks(ann, FriendNote(username="bob", note=" Bob\tfrom chess"))
    assert [each.note for each in room.asks(ann, FriendList()).friends] == ["Bob from chess"]
    assert [each.note for each in room.asks(bob, FriendList()).friends] == [None]
    room.asks(ann, FriendNote(username="bob"))
    assert [each.note for each in room.asks(ann, FriendList()).friends] == [None]
    for name in ("cid", "nobody", "a b"):
        refused = room.refuses(ann, FriendNote(username=name, note="x"))
        assert (type(refused), refused.case) == (NoSuchUser, "friend")


# -- limits


def test_requests_that_wait_are_limited(room: Room, ann: Caller, bob: Caller, cid: Caller) -> None:
    room.limits = Limits(friend_requests_per_account=1)
    room.asks(ann, FriendAdd(username="bob"))
    refused = room.refuses(ann, FriendAdd(username="cid"))
    assert (type(refused), refused.params) == (QuotaExceeded, {"limit": 1})
    assert isinstance(room.refuses(ann, FriendAdd(username="nobody")), QuotaExceeded)
    room.asks(ann, FriendAdd(username="bob"))
    room.asks(bob, FriendDecline(username="ann"))
    assert isinstance(room.refuses(ann, FriendAdd(username="cid")), QuotaExceeded), "a declined one seems to wait"
    room.asks(ann, FriendRemove(username="bob"))
    room.asks(ann, FriendAdd(username="cid"))


@pytest.mark.parametrize(("full", "case"), [("ann", "friends"), ("bob", "their_friends")])
def test_friends_are_limited(room: Room, ann: Caller, bob: Caller, cid: Caller, full: str, case: str) -> None:
    room.limits = Limits(friends_per_account=1)
    befriend(room, {"ann": ann, "bob": bob}[full], cid)
    room.asks(bob, FriendAdd(username="ann"))
    for command in (FriendAccept(username="bob"), FriendAdd(username="bob")):
        refused = room.refuses(ann, command)
        assert (type(refused), refused.case) == (QuotaExceeded, case)


# -- blocks and declines


def test_a_block_ends_friendship_and_looks_like_a_removal(room: Room, ann: Caller, bob: Caller) -> None:
    befriend(room, ann, bob)
    outcome = room.does(ann, Block(username="bob"))
    assert heard(outcome, bob) == [FriendRemoved(username="ann")]
    assert (lists(room, ann), lists(room, bob)) == (([], [], []), ([], [], []))
    assert (relations(room, ann), relations(room, bob)) == ({"bob": "blocked"}, {})
    assert [each.username for each in room.asks(ann, BlockList()).people] == ["bob"]
    assert room.asks(bob, BlockList()).people == []
    assert room.does(ann, Block(username="bob")).told == ()


def test_a_block_hides_their_requests_until_it_ends(room: Room, ann: Caller, bob: Caller) -> None:
    room.asks(bob, FriendAdd(username="ann"))
    before = lists(room, bob)
    outcome = room.does(ann, Block(username="bob"))
    assert all(bob.account not in to for to, _ in outcome.told)
    assert (lists(room, ann), requests_to(room.tx, ann), lists(room, bob)) == (([], [], []), [], before)
    room.asks(ann, Unblock(username="bob"))
    assert lists(room, ann) == ([], ["bob"], [])
    assert relations(room, ann) == {"bob": "asking"}


def test_a_block_takes_my_own_request_back(room: Room, ann: Caller, bob: Caller) -> None:
    room.asks(ann, FriendAdd(username="bob"))
    room.asks(ann, Block(username="bob"))
    assert (lists(room, ann), lists(room, bob)) == (([], [], []), ([], [], []))
    refused = room.refuses(ann, FriendAdd(username="bob"))
    assert (type(refused), refused.case) == (Blocked, "mine")
    outcome = room.does(bob, FriendAdd(username="ann"))
    assert all(ann.account not in to for to, _ in outcome.told), "no friend by crossing with what was taken back"
    assert lists(room, bob) == ([], [], ["ann"])


def test_unblocking_brings_nothing_back(room: Room, ann: Caller, bob: Caller) -> None:
    befriend(room, ann, bob)
    room.asks(ann, Block(username="bob"))
    room.asks(ann, Unblock(username="bob"))
    assert (lists(room, ann), relations(room, ann), room.asks(ann, BlockList()).people) == (([], [], []), {}, [])
    assert room.does(ann, Unblock(username="nobody")).told == ()


def test_unblocking_works_when_they_are_shut(room: Room, ann: Caller, bob: Caller) -> None:
    room.asks(ann, Block(username="bob"))
    accounts.set_disabled(room.tx, bob.account, True)
    room.asks(ann, Unblock(username="bob"))
    assert room.asks(ann, BlockList()).people == []


def test_a_friend_is_not_declined(room: Room, ann: Caller, bob: Caller) -> None:
    befriend(room, ann, bob)
    refused = room.refuses(ann, Decline(username="bob"))
    assert (type(refused), refused.case) == (Conflict, "friend")


def test_a_decline_does_not_soften_a_block(room: Room, ann: Caller, bob: Caller) -> None:
    room.asks(ann, Block(username="bob"))
    assert room.does(ann, Decline(username="bob")).told == ()
    assert [each.username for each in room.asks(ann, BlockList()).people] == ["bob"]
