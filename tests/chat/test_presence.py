"""Presence: who may see whom, and who is told of typing."""

from collections.abc import Callable
from typing import Any

import pytest

from imd.chat.base.context import Caller
from imd.chat.base.effects import ShowPresence
from imd.chat.base.online import MOST_KEPT, Online, PresenceSetting
from imd.store import conversations
from imd.wire.friends import Block, Decline, FriendAdd, FriendList
from imd.wire.members import ListMembers
from imd.wire.messages import SendMessage
from imd.wire.presence import IsTyping, PresenceChanged, SetPresence, Typing
from imd.wire.profiles import ShowProfile
from imd.wire.refusals import Blocked, Forbidden, NoSuchConversation, NotAMember
from tests.chat.rules import Rules

NOW = "2026-09-21T14:13:20.000Z"


def befriend(rules: Rules, one: Caller, two: Caller) -> None:
    rules.asks(one, FriendAdd(username=two.username))
    rules.asks(two, FriendAdd(username=one.username))


def come(rules: Rules, *people: Caller, presence: str = "online", words: str = "") -> None:
    for each in people:
        rules.online.come(each.account, PresenceSetting(presence, words))


def group(rules: Rules, *people: Caller, number: int = 50, size: int | None = None, **settings: Any) -> int:
    """Put people into a group, by its rows alone."""
    columns = {"handle": f"team{number}", "members": size or len(people), **settings}
    rules.tx.execute(
        f"INSERT INTO conversation (id, kind, last_seq, last_rev, created, {', '.join(columns)})"
        f" VALUES (?, 'group', 0, 0, 0{', ?' * len(columns)})",
        (number, *columns.values()),
    )
    for each in people:
        rules.tx.execute(
            "INSERT INTO member (conversation, account, name, delivered_seq, read_seq) VALUES (?, ?, ?, 0, 0)",
            (number, each.account, each.username),
        )
    return number


def seen(rules: Rules, caller: Caller, name: str) -> tuple[str | None, str | None, str | None]:
    profile = rules.asks(caller, ShowProfile(username=name))
    return profile.presence, profile.presence_text, profile.last_seen


@pytest.mark.parametrize(
    ("presence", "expected"),
    [
        ("online", ("online", "words", None)),
        ("away", ("away", "words", None)),
        ("busy", ("busy", "words", None)),
        ("invisible", ("offline", None, NOW)),
    ],
)
def test_a_friend_sees_what_one_shows_oneself_as(
    rules: Rules, ann: Caller, bob: Caller, presence: Any, expected: tuple[str | None, ...]
) -> None:
    befriend(rules, ann, bob)
    come(rules, ann)
    assert rules.does(ann, SetPresence(presence=presence, presence_text="words")).effects == (
        ShowPresence(ann.account, PresenceSetting(presence, "words")),
    )
    rules.online.change(ann.account, PresenceSetting(presence, "words"))
    assert seen(rules, bob, "ann") == expected
    [friend] = rules.asks(bob, FriendList()).friends
    assert (friend.presence, friend.presence_text, friend.last_seen) == expected


def test_an_offline_account_was_last_seen_unless_it_never_came(rules: Rules, ann: Caller, bob: Caller) -> None:
    befriend(rules, ann, bob)
    assert seen(rules, bob, "ann") == ("offline", None, None)
    rules.tx.execute("UPDATE account SET last_seen = ? WHERE id = ?", (rules.now, ann.account))
    assert seen(rules, bob, "ann") == ("offline", None, NOW)


def test_last_seen_stands_still_while_invisible(rules: Rules, ann: Caller, bob: Caller) -> None:
    befriend(rules, ann, bob)
    rules.asks(ann, SetPresence(presence="invisible"))
    rules.now += 60_000
    rules.asks(ann, SetPresence(presence="invisible", presence_text="other words"))
    assert seen(rules, bob, "ann") == ("offline", None, NOW)
    rules.asks(ann, SetPresence(presence="away"))
    rules.asks(ann, SetPresence(presence="invisible"))
    assert seen(rules, bob, "ann") == ("offline", None, "2026-09-21T14:14:20.000Z")


def test_ones_own_shows_what_was_chosen(rules: Rules, ann: Caller) -> None:
    rules.asks(ann, SetPresence(presence="invisible", presence_text=" hiding\n "))
    assert seen(rules, ann, "ann") == ("invisible", "hiding", None)


RELATIONS: dict[str, tuple[Callable[[Rules, Caller, Caller], Any], bool]] = {
    "strangers": (lambda rules, ann, bob: None, False),
    "friends": (befriend, True),
    "a request alone": (lambda rules, ann, bob: rules.asks(bob, FriendAdd(username="ann")), False),
    "a conversation alone": (lambda rules, ann, bob: rules.asks(bob, SendMessage(to="ann", content="hi")), False),
    "fellow members": (lambda rules, ann, bob: group(rules, ann, bob), True),
    "members of different groups": (
        lambda rules, ann, bob: (group(rules, ann, number=50), group(rules, bob, number=51)),
        False,
    ),
    "a fellow member who left": (
        lambda rules, ann, bob: conversations.set_member(rules.tx, group(rules, ann, bob), bob.account, left_seq=0),
        False,
    ),
    "a fellow member whom ann blocks": (
        lambda rules, ann, bob: (group(rules, ann, bob), rules.asks(ann, Block(username="bob"))),
        False,
    ),
    "a friend whom ann blocks": (
        lambda rules, ann, bob: (befriend(rules, ann, bob), rules.asks(ann, Block(username="bob"))),
        False,
    ),
}


@pytest.mark.parametrize("relation", RELATIONS)
def test_who_sees_that_ann_is_here(rules: Rules, ann: Caller, bob: Caller, relation: str) -> None:
    make, visible = RELATIONS[relation]
    make(rules, ann, bob)
    come(rules, ann, bob)
    assert seen(rules, bob, "ann") == (("online", None, None) if visible else (None, None, None))


def test_the_list_of_members_shows_who_is_here(rules: Rules, ann: Caller, bob: Caller, cid: Caller) -> None:
    dan = rules.person("dan")
    team = group(rules, ann, bob, cid, dan)
    come(rules, ann, bob, cid)
    come(rules, dan, presence="invisible")
    rules.asks(cid, Block(username="ann"))
    listed = rules.asks(ann, ListMembers(conversation=team)).members
    assert [(each.username, each.presence) for each in listed] == [
        ("ann", "online"),
        ("bob", "online"),
        ("cid", None),
        ("dan", "offline"),
    ]


def told(rules: Rules, caller: Caller, presence: Any, words: str = "") -> list[tuple[tuple[int, ...], str, str | None]]:
    outcome = rules.does(caller, SetPresence(presence=presence, presence_text=words))
    return [
        (to, event.presence, event.presence_text) for to, event in outcome.told if isinstance(event, PresenceChanged)
    ]


def test_friends_are_told_of_what_they_may_see(rules: Rules, ann: Caller, bob: Caller, cid: Caller) -> None:
    befriend(rules, ann, bob)
    group(rules, ann, cid)
    assert told(rules, ann, "away", "lunch") == [((bob.account,), "away", "lunch")]
    assert told(rules, ann, "away", "lunch") == []
    assert told(rules, ann, "invisible", "secret") == [((bob.account,), "offline", None)]
    assert told(rules, ann, "invisible", "more secret") == []
    assert told(rules, ann, "online") == [((bob.account,), "online", None)]
    rules.asks(ann, Block(username="bob"))
    assert told(rules, ann, "busy") == []


# -- typing


def hears(rules: Rules, caller: Caller, **place: Any) -> list[int]:
    outcome = rules.does(caller, Typing(**place))
    for _, event in outcome.told:
        assert isinstance(event, IsTyping)
    return sorted(account for to, _ in outcome.told for account in to)


def test_typing_reaches_the_other_one(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, SendMessage(to="bob", content="hi"))
    [(to, event)] = rules.does(ann, Typing(to="bob")).told
    assert (to, event) == ((bob.account,), IsTyping(conversation=1, username="ann", to="ann"))


def test_typing_is_told_once_in_three_seconds(rules: Rules, ann: Caller, bob: Caller, cid: Caller) -> None:
    for to in ("bob", "cid"):
        rules.asks(ann, SendMessage(to=to, content="hi"))
    heard = []
    for wait in (0, 1, 2998, 1, 3000):
        rules.now += wait
        heard.append((hears(rules, ann, to="bob"), hears(rules, bob, to="ann")))
    both, nobody = ([bob.account], [ann.account]), ([], [])
    assert heard == [both, nobody, nobody, both, both]
    rules.now += 1
    assert hears(rules, ann, to="cid") == [cid.account], "each conversation for itself"


def test_where_one_may_not_write_one_does_not_type(rules: Rules, ann: Caller, bob: Caller, cid: Caller) -> None:
    assert isinstance(rules.refuses(ann, Typing(to="bob")), NoSuchConversation)
    rules.asks(ann, SendMessage(to="bob", content="hi"))
    assert isinstance(rules.refuses(cid, Typing(conversation=1)), NoSuchConversation)
    readers = group(rules, ann, bob, number=50, who_writes="admins")
    assert isinstance(rules.refuses(ann, Typing(conversation=readers)), Forbidden)
    known = group(rules, bob, number=51, join_mode="open")
    rules.tx.execute(
        "INSERT INTO member (conversation, account, left_seq, delivered_seq, read_seq) VALUES (51, ?, 5, 0, 0)",
        (ann.account,),
    )
    assert isinstance(rules.refuses(ann, Typing(conversation=known)), NotAMember)


@pytest.mark.parametrize("shut", [Block, Decline])
def test_typing_does_not_reach_an_account_that_refuses_one(
    rules: Rules, ann: Caller, bob: Caller, shut: type[Block]
) -> None:
    rules.asks(bob, SendMessage(to="ann", content="hi"))
    rules.asks(ann, shut(username="bob"))
    refused = rules.refuses(bob, Typing(to="ann"))
    assert (type(refused), refused.case, refused.params) == (Blocked, "", {})


def test_typing_in_a_group_reaches_all_but_the_blocked(rules: Rules, ann: Caller, bob: Caller, cid: Caller) -> None:
    dan, eve = rules.person("dan"), rules.person("eve")
    team = group(rules, ann, bob, cid, dan, eve)
    rules.asks(ann, Block(username="bob"))
    rules.asks(cid, Block(username="ann"))
    conversations.set_member(rules.tx, team, eve.account, left_seq=0)
    assert hears(rules, ann, conversation=team) == [dan.account]


def test_nobody_types_in_a_large_group_nor_while_invisible(rules: Rules, ann: Caller, bob: Caller) -> None:
    assert hears(rules, ann, conversation=group(rules, ann, bob, number=50, size=51)) == []
    team = group(rules, ann, bob, number=51, size=50)
    come(rules, ann, presence="invisible")
    assert hears(rules, ann, conversation=team) == []
    come(rules, ann)
    assert hears(rules, ann, conversation=team) == [bob.account]


def test_typing_leaves_no_trace(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, SendMessage(to="bob", content="hi"))
    before = list(rules.tx.iterdump())
    rules.asks(ann, Typing(to="bob"))
    assert list(rules.tx.iterdump()) == before


def test_the_memory_of_typing_is_bounded() -> None:
    online = Online()
    for conversation in range(3 * MOST_KEPT):
        assert online.may_type(1, conversation, 5_000)
    assert len(online._typed) <= MOST_KEPT
    assert not online.may_type(1, 3 * MOST_KEPT - 1, 5_000)
