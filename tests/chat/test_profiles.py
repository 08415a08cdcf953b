"""Profiles: who is found, what is shown of them, and what a change leaves as it was."""

from typing import Any

import pytest

from imd.chat.base.context import Caller
from imd.store import accounts
from imd.wire.accounts import Register
from imd.wire.friends import Block, Decline, FriendAdd, FriendDecline, FriendNote
from imd.wire.profiles import Find, SetProfile, ShowProfile
from imd.wire.refusals import NoSuchUser
from tests.chat.room import PASSWORD, Room


@pytest.fixture
def crowd(room: Room) -> None:
    """People with names and display names that begin alike."""
    for username, display_name in (
        ("alice", "Alice L"),
        ("alina", "Zoë"),
        ("bob", "ALF the great"),
        ("小明", "王小明"),
        ("小红", "Ｗang Hong"),
        ("groß", "Straße"),
        ("100%", "100%"),
    ):
        accounts.add(room.tx, username, display_name, "hash", False, room.now)


def found(room: Room, caller: Caller, query: str, **fields: Any) -> list[str]:
    return [each.username for each in room.asks(caller, Find(query=query, **fields)).people]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("al", ["alice", "alina", "bob"]),
        ("AL", ["alice", "alina", "bob"]),
        ("ａｌ", ["alice", "alina", "bob"]),
        ("alice", ["alice"]),
        ("alice l", ["alice"]),
        ("  Alice   L ", ["alice"]),
        ("lice", []),
        ("zoë", ["alina"]),
        ("小", ["小明", "小红"]),
        ("王", ["小明"]),
        ("wang", ["小红"]),
        ("gro", ["groß"]),
        ("groß", ["groß"]),
        ("STRASSE", ["groß"]),
        ("10", ["100%"]),
        ("%", []),
        ("a_", []),
        (" ", []),
        ("'", []),
    ],
)
def test_people_are_found_by_how_their_names_begin(
    room: Room, cid: Caller, crowd: None, query: str, names: list[str]
) -> None:
    assert found(room, cid, query) == names


def test_pages_follow_one_another(room: Room, ann: Caller) -> None:
    people = [f"x{number:02}" for number in range(7)]
    for name in people:
        room.person(name)
    pages, after, more = [], "", True
    while more:
        reply = room.asks(ann, Find(query="X", after=after, limit=3))
        pages.append([each.username for each in reply.people])
        after, more = reply.people[-1].username, reply.more
    assert pages == [people[:3], people[3:6], people[6:]]


def test_an_account_that_is_not_findable_is_found_by_its_whole_name_alone(room: Room, ann: Caller, bob: Caller) -> None:
    room.asks(bob, SetProfile(findable=False, display_name="Bobby"))
    assert (found(room, ann, "bo"), found(room, ann, "bobby")) == ([], [])
    assert found(room, ann, "Bob") == ["bob"]
    assert room.asks(ann, ShowProfile(username="bob")).display_name == "Bobby"
    room.asks(bob, SetProfile(findable=True))
    assert found(room, ann, "bo") == ["bob"]


def test_a_shut_account_is_not_found_and_looks_unknown(room: Room, ann: Caller, bob: Caller) -> None:
    accounts.set_disabled(room.tx, bob.account, True)
    assert found(room, ann, "bob") == []
    shut, unknown = (room.refuses(ann, ShowProfile(username=name)) for name in ("bob", "bab"))
    assert (type(shut), type(unknown)) == (NoSuchUser, NoSuchUser)
    assert (shut.case, unknown.case) == ("", "")


def test_a_block_does_not_show(room: Room, ann: Caller, bob: Caller) -> None:
    before = (room.asks(ann, Find(query="bob")), room.asks(ann, ShowProfile(username="bob")))
    room.asks(bob, Block(username="ann"))
    assert (room.asks(ann, Find(query="bob")), room.asks(ann, ShowProfile(username="bob"))) == before


def test_a_friend_is_marked(room: Room, ann: Caller, bob: Caller) -> None:
    room.asks(ann, FriendAdd(username="bob"))
    assert [each.friend for each in room.asks(ann, Find(query="bob")).people] == [False]
    room.asks(bob, FriendAdd(username="ann"))
    assert [each.friend for each in room.asks(ann, Find(query="bob")).people] == [True]


def seen(room: Room, caller: Caller, name: str) -> tuple[str, str | None]:
    profile = room.asks(caller, ShowProfile(username=name))
    return profile.relation, profile.note


def test_what_they_are_to_me(room: Room, ann: Caller, bob: Caller) -> None:
    assert (seen(room, ann, "bob"), seen(room, ann, "ANN")) == (("none", None), ("self", None))
    room.asks(ann, FriendAdd(username="bob"))
    assert (seen(room, ann, "bob"), seen(room, bob, "ann")) == (("asked", None), ("asking", None))
    room.asks(bob, FriendDecline(username="ann"))
    assert (seen(room, ann, "bob"), seen(room, bob, "ann")) == (("asked", None), ("none", None))
    room.asks(bob, FriendAdd(username="ann"))
    assert (seen(room, ann, "bob"), seen(room, bob, "ann")) == (("friend", None), ("friend", None))
    room.asks(ann, FriendNote(username="bob", note="Bob from chess"))
    assert (seen(room, ann, "bob"), seen(room, bob, "ann")) == (("friend", "Bob from chess"), ("friend", None))
    room.asks(bob, Block(username="ann"))
    assert (seen(room, ann, "bob"), seen(room, bob, "ann")) == (("none", None), ("blocked", None))
    room.asks(ann, Decline(username="bob"))
    assert seen(room, ann, "bob") == ("none", None)


def test_settings_are_their_owners_alone(room: Room, ann: Caller, bob: Caller) -> None:
    room.asks(bob, SetProfile(writers="nobody", receipts=False, forwards=False, findable=False, language="zh"))
    mine, theirs = room.asks(bob, ShowProfile()), room.asks(ann, ShowProfile(username="bob"))
    assert (mine.writers, mine.receipts, mine.forwards, mine.findable) == ("nobody", False, False, False)
    assert (theirs.writers, theirs.receipts, theirs.forwards, theirs.findable) == (None, None, None, None)
    assert (mine.language, theirs.language) == ("zh", "zh")
    assert (theirs.username, theirs.display_name, theirs.created) == ("bob", "Bob", "2026-09-21")


def test_what_is_not_given_stays(room: Room, ann: Caller) -> None:
    settings = {
        "display_name": "Ann A",
        "bio": "likes tea",
        "language": "zh",
        "writers": "friends",
        "receipts": False,
        "forwards": False,
        "findable": False,
    }
    for name, value in settings.items():
        before = room.asks(ann, ShowProfile())
        after = room.asks(ann, SetProfile(**{name: value}))
        assert getattr(after, name) == value
        changed = {field for field in after.__struct_fields__ if getattr(after, field) != getattr(before, field)}
        assert changed == {name}
    assert room.asks(ann, SetProfile()) == room.asks(ann, ShowProfile())
    cleared = room.asks(ann, SetProfile(display_name="", bio="", language=""))
    assert (cleared.display_name, cleared.bio, cleared.language) == ("ann", None, None)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ann\nLee", "Ann Lee"),
        ("  Ann \t\r\n  Lee ", "Ann Lee"),
        ("Ann\x1b[31m", "Ann[31m"),
        ("A\u202enn\u2066", "Ann"),
        ("\ufeffAnn\u200f", "Ann"),
        ("Ann\u2028Lee\x85x", "Ann Lee x"),
        ("王小明", "王小明"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("\x00\x07\u200e", "ann"),
    ],
)
def test_a_display_name_is_one_harmless_line(room: Room, ann: Caller, typed: str, kept: str) -> None:
    assert room.asks(ann, SetProfile(display_name=typed)).display_name == kept
    room.asks(room.stranger(), Register(username="new", password=PASSWORD, display_name=typed))
    assert room.asks(ann, ShowProfile(username="new")).display_name == (kept if kept != "ann" else "new")


def test_a_new_display_name_is_found_and_the_old_one_no_more(room: Room, ann: Caller, bob: Caller) -> None:
    room.asks(bob, SetProfile(display_name="Rob"))
    assert found(room, ann, "rob") == ["bob"]
    room.asks(bob, SetProfile(display_name="Bert"))
    assert found(room, ann, "rob") == []
