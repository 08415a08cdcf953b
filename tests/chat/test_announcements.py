"""Announcements: who is told, when, and until when."""

import pytest

from imd.chat.announcements import unseen
from imd.chat.base.context import Caller
from imd.chat.base.effects import Followers, Topic
from imd.chat.base.limits import DAY
from imd.wire.announcements import AnnouncementAdd, AnnouncementList, AnnouncementRemove, AnnouncementSeen
from imd.wire.refusals import BadRequest
from tests.chat.room import Room


@pytest.fixture
def root(room: Room) -> Caller:
    return room.person("root", admin=True)


def announce(room: Room, root: Caller, content: str, days: int = 30) -> int:
    number: int = room.asks(root, AnnouncementAdd(content=content, days=days)).number
    return number


def to_see(room: Room, caller: Caller) -> list[str]:
    """List what this person would be told if they logged in now."""
    return [event.content for event in unseen(room.tx, room.as_now(caller))]


def test_everybody_online_is_told(room: Room, root: Caller) -> None:
    outcome = room.does(root, AnnouncementAdd(content="tea at four", days=2))
    [(addressee, event)] = outcome.told
    assert addressee == Followers(Topic.everyone())
    assert (event.number, event.content, event.time) == (1, "tea at four", "2026-09-21T14:13:20.000Z")
    assert (outcome.reply.number, outcome.reply.expires) == (1, "2026-09-23T14:13:20.000Z")


def test_it_is_told_until_it_was_seen(room: Room, root: Caller, ann: Caller, bob: Caller) -> None:
    first, second = announce(room, root, "one"), announce(room, root, "two")
    assert to_see(room, ann) == ["one", "two"]
    room.asks(ann, AnnouncementSeen(number=first))
    assert to_see(room, ann) == ["two"]
    room.asks(ann, AnnouncementSeen(number=second))
    room.asks(ann, AnnouncementSeen(number=first))
    assert to_see(room, ann) == [], "the pointer never goes back"
    assert to_see(room, bob) == ["one", "two"], "one's seeing is not another's"


def test_what_was_said_before_an_account_was_made_is_not_for_it(room: Room, root: Caller) -> None:
    announce(room, root, "old")
    late = room.person("late")
    announce(room, root, "new")
    assert to_see(room, late) == ["new"]


def test_it_expires_to_the_millisecond(room: Room, root: Caller, ann: Caller) -> None:
    announce(room, root, "short", days=1)
    room.now += DAY - 1
    assert to_see(room, ann) == ["short"]
    room.now += 1
    assert to_see(room, ann) == []
    assert room.asks(root, AnnouncementList()).announcements == []


def test_what_is_taken_down_is_told_no_more_and_keeps_its_number(room: Room, root: Caller, ann: Caller) -> None:
    wrong = announce(room, root, "wrong")
    room.asks(ann, AnnouncementSeen(number=wrong))
    for _ in range(2):
        room.asks(root, AnnouncementRemove(number=wrong))
    announce(room, root, "right")
    assert to_see(room, ann) == ["right"], "a number used again would count as seen"


def test_the_list_says_who_and_when(room: Room, root: Caller) -> None:
    announce(room, root, "one")
    announce(room, room.operator(), "two")
    listed = room.asks(root, AnnouncementList()).announcements
    assert [(each.number, each.by, each.content) for each in listed] == [(1, "root", "one"), (2, "*operator", "two")]
    assert listed[0].text("en") == "1 2026-09-21 14:13Z root: one"


def test_what_is_refused(room: Room, root: Caller, ann: Caller) -> None:
    announce(room, root, "one")
    assert room.refuses(root, AnnouncementAdd(content=" \n ")).case == "empty"
    for caller, command in ((root, AnnouncementRemove(number=2)), (ann, AnnouncementSeen(number=2))):
        refused = room.refuses(caller, command)
        assert (type(refused), refused.case, refused.params) == (BadRequest, "announcement", {"number": 2})
