"""Mentions: the members that a message mentions, and the count of unread mentions."""

import pytest

from imd.chat.base.context import Caller
from imd.store import conversations as rows
from imd.wire.conversations import History, ListConversations
from imd.wire.messages import EditMessage, RecallMessage, SendMessage
from imd.wire.personal import DeleteForMe
from imd.wire.receipts import Read
from tests.chat.room import Room
from tests.chat.test_burning import group


@pytest.fixture
def team(room: Room, ann: Caller, bob: Caller) -> int:
    """A group of Ann, its admin, Bob and 小明."""
    conversation = group(room, ann, bob, room.person("小明"))
    rows.set_member(room.tx, conversation, ann.account, role="admin")
    return conversation


def called(room: Room, caller: Caller, content: str) -> list[str]:
    room.asks(caller, SendMessage(to="#team", content=content))
    mentions: list[str] = room.asks(caller, History(to="#team", limit=1)).messages[0].mentions
    return mentions


def unread(room: Room, caller: Caller) -> tuple[int, int]:
    [listed] = room.asks(caller, ListConversations()).conversations
    return listed.unread, listed.mentions


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("hello @bob", ["bob"]),
        ("@bob, @BOB and @bob.", ["bob"]),
        ("@bob @ann", ["bob", "ann"]),
        ("(@bob)", ["bob"]),
        ("@小明你好", ["小明"]),
        ("你好@小明", ["小明"]),
        ("你好 @小明", ["小明"]),
        ("mail bob@bob", []),
        ("@nobody @cid", []),
        ("@ bob", []),
        ("@@bob", []),
        ("@bobby @bob2 @bobé", []),
        ("@bob你好", ["bob"]),
        ("@all", ["all"]),
    ],
)
def test_who_is_mentioned(room: Room, ann: Caller, team: int, content: str, names: list[str]) -> None:
    room.person("cid")
    assert called(room, ann, content) == names


def test_not_everybody_may_call_everybody(room: Room, bob: Caller, team: int) -> None:
    assert called(room, bob, "@all wake up") == []


def test_calls_are_counted_until_they_are_read(room: Room, ann: Caller, bob: Caller, team: int) -> None:
    for content in ("hi", "hi @bob", "@all", "@all @bob", "@小明"):
        room.asks(ann, SendMessage(to="#team", content=content))
    assert unread(room, bob) == (5, 3)
    room.asks(bob, Read(to="#team", seq=2))
    assert unread(room, bob) == (3, 2)
    room.asks(bob, DeleteForMe(to="#team", seq=3))
    assert unread(room, bob) == (2, 1)
    room.asks(ann, RecallMessage(to="#team", seq=4))
    assert unread(room, bob) == (2, 0)
    room.asks(ann, EditMessage(to="#team", seq=5, content="@bob too"))
    assert unread(room, bob) == (2, 1)
    assert unread(room, ann) == (0, 0), "nobody calls themselves"


def test_in_a_direct_conversation_too(room: Room, ann: Caller, bob: Caller) -> None:
    room.asks(ann, SendMessage(to="bob", content="@bob?"))
    assert unread(room, bob) == (1, 1)
