"""Profiles: who is found, what is shown of them, and what a change leaves as it was."""

from typing import Any

import pytest

from imd.chat.base.context import Caller
from imd.store import accounts
from imd.wire.accounts import Register
from imd.wire.friends import Block, Decline, FriendAdd, FriendDecline, FriendNote
from imd.wire.profiles import Find, SetProfile, ShowProfile
from imd.wire.refusals import NoSuchUser
from tests.chat.rules import PASSWORD, Rules


@pytest.fixture
def crowd(rules: Rules) -> None:
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
        accounts.add(rules.tx, username, display_name, "hash", False, rules.now)


def found(rules: Rules, caller: Caller, query: str, **fields: Any) -> list[str]:
    return [each.username for each in rules.asks(caller, Find(query=query, **fields)).people]


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
    rules: Rules, cid: Caller, crowd: None, query: str, names: list[str]
) -> None:
    assert found(rules, cid, query) == names


def test_pages_follow_one_another(rules: Rules, ann: Caller) -> None:
    people = [f"x{number:02}" for number in range(7)]
    for name in people:
        rules.person(name)
    pages, after, more = [], "", True
    while more:
        reply = rules.asks(ann, Find(query="X", after=after, limit=3))
        pages.append([each.username for each in reply.people])
        after, more = reply.people[-1].username, reply.more
    assert pages == [people[:3], people[3:6], people[6:]]


def test_an_account_that_is_not_findable_is_found_by_its_whole_name_alone(
    rules: Rules, ann: Caller, bob: Caller
) -> None:
    rules.asks(bob, SetProfile(findable=False, display_name="Bobby"))
    assert (found(rules, ann, "bo"), found(rules, ann, "bobby")) == ([], [])
    assert found(rules, ann, "Bob") == ["bob"]
    assert rules.asks(ann, ShowProfile(username="bob")).display_name == "Bobby"
    rules.asks(bob, SetProfile(findable=True))
    assert found(rules, ann, "bo") == ["bob"]


def test_a_shut_account_is_not_found_and_looks_unknown(rules: Rules, ann: Caller, bob: Caller) -> None:
    accounts.set_disabled(rules.tx, bob.account, True)
    assert found(rules, ann, "bob") == []
    shut, unknown = (rules.refuses(ann, ShowProfile(username=name)) for name in ("bob", "bab"))
    assert (type(shut), type(unknown)) == (NoSuchUser, NoSuchUser)
    assert (shut.case, unknown.case) == ("", "")


def test_a_block_does_not_show(rules: Rules, ann: Caller, bob: Caller) -> None:
    before = (rules.asks(ann, Find(query="bob")), rules.asks(ann, ShowProfile(username="bob")))
    rules.asks(bob, Block(username="ann"))
    assert (rules.asks(ann, Find(query="bob")), rules.asks(ann, ShowProfile(username="bob"))) == before


def test_a_friend_is_marked(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, FriendAdd(username="bob"))
    assert [each.friend for each in rules.asks(ann, Find(query="bob")).people] == [False]
    rules.asks(bob, FriendAdd(username="ann"))
    assert [each.friend for each in rules.asks(ann, Find(query="bob")).people] == [True]


def seen(rules: Rules, caller: Caller, name: str) -> tuple[str, str | None]:
    profile = rules.asks(caller, ShowProfile(username=name))
    return profile.relation, profile.note


def test_what_they_are_to_me(rules: Rules, ann: Caller, bob: Caller) -> None:
    assert (seen(rules, ann, "bob"), seen(rules, ann, "ANN")) == (("none", None), ("self", None))
    rules.asks(ann, FriendAdd(username="bob"))
    assert (seen(rules, ann, "bob"), seen(rules, bob, "ann")) == (("asked", None), ("asking", None))
    rules.asks(bob, FriendDecline(username="ann"))
    assert (seen(rules, ann, "bob"), seen(rules, bob, "ann")) == (("asked", None), ("none", None))
    rules.asks(bob, FriendAdd(username="ann"))
    assert (seen(rules, ann, "bob"), seen(rules, bob, "ann")) == (("friend", None), ("friend", None))
    rules.asks(ann, FriendNote(username="bob", note="Bob from chess"))
    assert (seen(rules, ann, "bob"), seen(rules, bob, "ann")) == (("friend", "Bob from chess"), ("friend", None))
    rules.asks(bob, Block(username="ann"))
    assert (seen(rules, ann, "bob"), seen(rules, bob, "ann")) == (("none", None), ("blocked", None))
    rules.asks(ann, Decline(username="bob"))
    assert seen(rules, ann, "bob") == ("none", None)


def test_settings_are_their_owners_alone(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(bob, SetProfile(writers="nobody", receipts=False, forwards=False, findable=False, language="zh"))
    mine, theirs = rules.asks(bob, ShowProfile()), rules.asks(ann, ShowProfile(username="bob"))
    assert (mine.writers, mine.receipts, mine.forwards, mine.findable) == ("nobody", False, False, False)
    assert (theirs.writers, theirs.receipts, theirs.forwards, theirs.findable) == (None, None, None, None)
    assert (mine.language, theirs.language) == ("zh", "zh")
    assert (theirs.username, theirs.display_name, theirs.created) == ("bob", "Bob", "2026-09-21")


def test_what_is_not_given_stays(rules: Rules, ann: Caller) -> None:
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
        before = rules.asks(ann, ShowProfile())
        after = rules.asks(ann, SetProfile(**{name: value}))
        assert getattr(after, name) == value
        changed = {field for field in after.__struct_fields__ if getattr(after, field) != getattr(before, field)}
        assert changed == {name}
    assert rules.asks(ann, SetProfile()) == rules.asks(ann, ShowProfile())
    cleared = rules.asks(ann, SetProfile(display_name="", bio="", language=""))
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
def test_a_display_name_is_one_harmless_line(rules: Rules, ann: Caller, typed: str, kept: str) -> None:
    assert rules.asks(ann, SetProfile(display_name=typed)).display_name == kept
    rules.asks(rules.stranger(), Register(username="new", password=PASSWORD, display_name=typed))
    assert rules.asks(ann, ShowProfile(username="new")).display_name == (kept if kept != "ann" else "new")


def test_a_new_display_name_is_found_and_the_old_one_no_more(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(bob, SetProfile(display_name="Rob"))
    assert found(rules, ann, "rob") == ["bob"]
    rules.asks(bob, SetProfile(display_name="Bert"))
    assert found(rules, ann, "rob") == []
