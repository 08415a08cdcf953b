"""Announcements: who is told, when, and until when."""

import pytest

from imd.chat.announcements import unseen
from imd.chat.base.context import Caller
from imd.chat.base.effects import Followers, Topic
from imd.chat.base.limits import DAY
from imd.wire.announcements import AnnouncementAdd, AnnouncementList, AnnouncementRemove, AnnouncementSeen
from imd.wire.refusals import BadRequest
from tests.chat.rules import Rules


@pytest.fixture
def root(rules: Rules) -> Caller:
    return rules.person("root", admin=True)


def announce(rules: Rules, root: Caller, content: str, days: int = 30) -> int:
    number: int = rules.asks(root, AnnouncementAdd(content=content, days=days)).number
    return number


def to_see(rules: Rules, caller: Caller) -> list[str]:
    """List what this person would be told if they logged in now."""
    return [event.content for event in unseen(rules.tx, rules.as_now(caller))]


def test_everybody_online_is_told(rules: Rules, root: Caller) -> None:
    outcome = rules.does(root, AnnouncementAdd(content="tea at four", days=2))
    [(addressee, event)] = outcome.told
    assert addressee == Followers(Topic.everyone())
    assert (event.number, event.content, event.time) == (1, "tea at four", "2026-09-21T14:13:20.000Z")
    assert (outcome.reply.number, outcome.reply.expires) == (1, "2026-09-23T14:13:20.000Z")


def test_it_is_told_until_it_was_seen(rules: Rules, root: Caller, ann: Caller, bob: Caller) -> None:
    first, second = announce(rules, root, "one"), announce(rules, root, "two")
    assert to_see(rules, ann) == ["one", "two"]
    rules.asks(ann, AnnouncementSeen(number=first))
    assert to_see(rules, ann) == ["two"]
    rules.asks(ann, AnnouncementSeen(number=second))
    rules.asks(ann, AnnouncementSeen(number=first))
    assert to_see(rules, ann) == [], "the pointer never goes back"
    assert to_see(rules, bob) == ["one", "two"], "one's seeing is not another's"


def test_what_was_said_before_an_account_was_made_is_not_for_it(rules: Rules, root: Caller) -> None:
    announce(rules, root, "old")
    late = rules.person("late")
    announce(rules, root, "new")
    assert to_see(rules, late) == ["new"]


def test_it_expires_to_the_millisecond(rules: Rules, root: Caller, ann: Caller) -> None:
    announce(rules, root, "short", days=1)
    rules.now += DAY - 1
    assert to_see(rules, ann) == ["short"]
    rules.now += 1
    assert to_see(rules, ann) == []
    assert rules.asks(root, AnnouncementList()).announcements == []


def test_what_is_taken_down_is_told_no_more_and_keeps_its_number(rules: Rules, root: Caller, ann: Caller) -> None:
    wrong = announce(rules, root, "wrong")
    rules.asks(ann, AnnouncementSeen(number=wrong))
    for _ in range(2):
        rules.asks(root, AnnouncementRemove(number=wrong))
    announce(rules, root, "right")
    assert to_see(rules, ann) == ["right"], "a number used again would count as seen"


def test_the_list_says_who_and_when(rules: Rules, root: Caller) -> None:
    announce(rules, root, "one")
    announce(rules, rules.operator(), "two")
    listed = rules.asks(root, AnnouncementList()).announcements
    assert [(each.number, each.by, each.content) for each in listed] == [(1, "root", "one"), (2, "*operator", "two")]
    assert listed[0].text("en") == "1 2026-09-21 14:13Z root: one"


def test_what_is_refused(rules: Rules, root: Caller, ann: Caller) -> None:
    announce(rules, root, "one")
    assert rules.refuses(root, AnnouncementAdd(content=" \n ")).case == "empty"
    for caller, command in ((root, AnnouncementRemove(number=2)), (ann, AnnouncementSeen(number=2))):
        refused = rules.refuses(caller, command)
        assert (type(refused), refused.case, refused.params) == (BadRequest, "announcement", {"number": 2})
