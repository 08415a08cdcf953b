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
from tests.chat.room import Room

NOW = "2026-09-21T14:13:20.000Z"


def befriend(room: Room, one: Caller, two: Caller) -> None:
    room.asks(one, FriendAdd(username=two.username))
    room.asks(two, FriendAdd(username=one.username))


def come(room: Room, *people: Caller, presence: str = "online", words: str = "") -> None:
    for each in people:
        room.online.come(each.account, PresenceSetting(presence, words))


def group(room: Room, *people: Caller, number: int = 50, size: int | None = None, **settings: Any) -> int:
    """Put people into a group, by its rows alone."""
    columns = {"handle": f"team{number}", "members": size or len(people), **settings}
    room.tx.execute(
        f"INSERT INTO conversation (id, kind, last_seq, last_rev, created, {', '.join(columns)})"
        f" VALUES (?, 'group', 0, 0, 0{', ?' * len(columns)})",
        (number, *columns.values()),
    )
    for each in people:
        room.tx.execute(
            "INSERT INTO member (conversation, account, name, delivered_seq, read_seq) VALUES (?, ?, ?, 0, 0)",
            (number, each.account, each.username),
        )
    return number


def seen(room: Room, caller: Caller, name: str) -> tuple[str | None, str | None, str | None]:
    profile = room.asks(caller, ShowProfile(username=name))
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
    room: Room, ann: Caller, bob: Caller, presence: Any, expected: tuple[str | None, ...]
) -> None:
    befriend(room, ann, bob)
    come(room, ann)
    assert room.does(ann, SetPresence(presence=presence, presence_text="words")).effects == (
        ShowPresence(ann.account, PresenceSetting(presence, "words")),
    )
    room.online.change(ann.account, PresenceSetting(presence, "words"))
    assert seen(room, bob, "ann") == expected
    [friend] = room.asks(bob, FriendList()).friends
    assert (friend.presence, friend.presence_text, friend.last_seen) == expected


def test_an_offline_account_was_last_seen_unless_it_never_came(room: Room, ann: Caller, bob: Caller) -> None:
    befriend(room, ann, bob)
    assert seen(room, bob, "ann") == ("offline", None, None)
    room.tx.execute("UPDATE account SET last_seen = ? WHERE id = ?", (room.now, ann.account))
    assert seen(room, bob, "ann") == ("offline", None, NOW)


def test_last_seen_stands_still_while_invisible(room: Room, ann: Caller, bob: Caller) -> None:
    befriend(room, ann, bob)
    room.asks(ann, SetPresence(presence="invisible"))
    room.now += 60_000
    room.asks(ann, SetPresence(presence="invisible", presence_text="other words"))
    assert seen(room, bob, "ann") == ("offline", None, NOW)
    room.asks(ann, SetPresence(presence="away"))
    room.asks(ann, SetPresence(presence="invisible"))
    assert seen(room, bob, "ann") == ("offline", None, "2026-09-21T14:14:20.000Z")


def test_ones_own_shows_what_was_chosen(room: Room, ann: Caller) -> None:
    room.asks(ann, SetPresence(presence="invisible", presence_text=" hiding\n "))
    assert seen(room, ann, "ann") == ("invisible", "hiding", None)


RELATIONS: dict[str, tuple[Callable[[Room, Caller, Caller], Any], bool]] = {
    "strangers": (lambda room, ann, bob: None, False),
    "friends": (befriend, True),
    "a request alone": (lambda room, ann, bob: room.asks(bob, FriendAdd(username="ann")), False),
    "a conversation alone": (lambda room, ann, bob: room.asks(bob, SendMessage(to="ann", content="hi")), False),
    "fellow members": (lambda room, ann, bob: group(room, ann, bob), True),
    "members of different groups": (
        lambda room, ann, bob: (group(room, ann, number=50), group(room, bob, number=51)),
        False,
    ),
    "a fellow member who left": (
        lambda room, ann, bob: conversations.set_member(room.tx, group(room, ann, bob), bob.account, left_seq=0),
        False,
    ),
    "a fellow member whom ann blocks": (
        lambda room, ann, bob: (group(room, ann, bob), room.asks(ann, Block(username="bob"))),
        False,
    ),
    "a friend whom ann blocks": (
        lambda room, ann, bob: (befriend(room, ann, bob), room.asks(ann, Block(username="bob"))),
        False,
    ),
}


@pytest.mark.parametrize("relation", RELATIONS)
def test_who_sees_that_ann_is_here(room: Room, ann: Caller, bob: Caller, relation: str) -> None:
    make, visible = RELATIONS[relation]
    make(room, ann, bob)
    come(room, ann, bob)
    assert seen(room, bob, "ann") == (("online", None, None) if visible else (None, None, None))


def test_the_list_of_members_shows_who_is_here(room: Room, ann: Caller, bob: Caller, cid: Caller) -> None:
    dan = room.person("dan")
    team = group(room, ann, bob, cid, dan)
    come(room, ann, bob, cid)
    come(room, dan, presence="invisible")
    room.asks(cid, Block(username="ann"))
    listed = room.asks(ann, ListMembers(conversation=team)).members
    assert [(each.username, each.presence) for each in listed] == [
        ("ann", "online"),
        ("bob", "online"),
        ("cid", None),
        ("dan", "offline"),
    ]


def told(room: Room, caller: Caller, presence: Any, words: str = "") -> list[tuple[tuple[int, ...], str, str | None]]:
    outcome = room.does(caller, SetPresence(presence=presence, presence_text=words))
    return [
        (to, event.presence, event.presence_text) for to, event in outcome.told if isinstance(event, PresenceChanged)
    ]


def test_friends_are_told_of_what_they_may_see(room: Room, ann: Caller, bob: Caller, cid: Caller) -> None:
    befriend(room, ann, bob)
    group(room, ann, cid)
    assert told(room, ann, "away", "lunch") == [((bob.account,), "away", "lunch")]
    assert told(room, ann, "away", "lunch") == []
    assert told(room, ann, "invisible", "secret") == [((bob.account,), "offline", None)]
    assert told(room, ann, "invisible", "more secret") == []
    assert told(room, ann, "online") == [((bob.account,), "online", None)]
    room.asks(ann, Block(username="bob"))
    assert told(room, ann, "busy") == []


# -- typing


def hears(room: Room, caller: Caller, **place: Any) -> list[int]:
    outcome = room.does(caller, Typing(**place))
    for _, event in outcome.told:
        assert isinstance(event, IsTyping)
    return sorted(account for to, _ in outcome.told for account in to)


def test_typing_reaches_the_other_one(room: Room, ann: Caller, bob: Caller) -> None:
    room.asks(ann, SendMessage(to="bob", content="hi"))
    [(to, event)] = room.does(ann, Typing(to="bob")).told
    assert (to, event) == ((bob.account,), IsTyping(conversation=1, username="ann", to="ann"))


def test_typing_is_told_once_in_three_seconds(room: Room, ann: Caller, bob: Caller, cid: Caller) -> None:
    for to in ("bob", "cid"):
        room.asks(ann, SendMessage(to=to, content="hi"))
    heard = []
    for wait in (0, 1, 2998, 1, 3000):
        room.now += wait
        heard.append((hears(room, ann, to="bob"), hears(room, bob, to="ann")))
    both, nobody = ([bob.account], [ann.account]), ([], [])
    assert heard == [both, nobody, nobody, both, both]
    room.now += 1
    assert hears(room, ann, to="cid") == [cid.account], "each conversation for itself"


def test_where_one_may_not_write_one_does_not_type(room: Room, ann: Caller, bob: Caller, cid: Caller) -> None:
    assert isinstance(room.refuses(ann, Typing(to="bob")), NoSuchConversation)
    room.asks(ann, SendMessage(to="bob", content="hi"))
    assert isinstance(room.refuses(cid, Typing(conversation=1)), NoSuchConversation)
    readers = group(room, ann, bob, number=50, who_writes="admins")
    assert isinstance(room.refuses(ann, Typing(conversation=readers)), Forbidden)
    known = group(room, bob, number=51, join_mode="open")
    room.tx.execute(
        "INSERT INTO member (conversation, account, left_seq, delivered_seq, read_seq) VALUES (51, ?, 5, 0, 0)",
        (ann.account,),
    )
    assert isinstance(room.refuses(ann, Typing(conversation=known)), NotAMember)


@pytest.mark.parametrize("shut", [Block, Decline])
def test_typing_does_not_reach_an_account_that_refuses_one(
    room: Room, ann: Caller, bob: Caller, shut: type[Block]
) -> None:
    room.asks(bob, SendMessage(to="ann", content="hi"))
    room.asks(ann, shut(username="bob"))
    refused = room.refuses(bob, Typing(to="ann"))
    assert (type(refused), refused.case, refused.params) == (Blocked, "", {})


def test_typing_in_a_group_reaches_all_but_the_blocked(room: Room, ann: Caller, bob: Caller, cid: Caller) -> None:
    dan, eve = room.person("dan"), room.person("eve")
    team = group(room, ann, bob, cid, dan, eve)
    room.asks(ann, Block(username="bob"))
    room.asks(cid, Block(username="ann"))
    conversations.set_member(room.tx, team, eve.account, left_seq=0)
    assert hears(room, ann, conversation=team) == [dan.account]


def test_nobody_types_in_a_large_group_nor_while_invisible(room: Room, ann: Caller, bob: Caller) -> None:
    assert hears(room, ann, conversation=group(room, ann, bob, number=50, size=51)) == []
    team = group(room, ann, bob, number=51, size=50)
    come(room, ann, presence="invisible")
    assert hears(room, ann, conversation=team) == []
    come(room, ann)
    assert hears(room, ann, conversation=team) == [bob.account]


def test_typing_leaves_no_trace(room: Room, ann: Caller, bob: Caller) -> None:
    room.asks(ann, SendMessage(to="bob", content="hi"))
    before = list(room.tx.iterdump())
    room.asks(ann, Typing(to="bob"))
    assert list(room.tx.iterdump()) == before


def test_the_memory_of_typing_is_bounded() -> None:
    online = Online()
    for conversation in range(3 * MOST_KEPT):
        assert online.may_type(1, conversation, 5_000)
    assert len(online._typed) <= MOST_KEPT
    assert not online.may_type(1, 3 * MOST_KEPT - 1, 5_000)
