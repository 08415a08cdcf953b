"""Mentions: the members that a message mentions, and the count of unread mentions."""

import pytest

from imd.chat.base.context import Caller
from imd.store import conversations as rows
from imd.wire.conversations import History, ListConversations
from imd.wire.messages import EditMessage, RecallMessage, SendMessage
from imd.wire.personal import DeleteForMe
from imd.wire.receipts import Read
from tests.chat.rules import Rules
from tests.chat.test_burning import group


@pytest.fixture
def team(rules: Rules, ann: Caller, bob: Caller) -> int:
    """A group of Ann, its admin, Bob and 小明."""
    conversation = group(rules, ann, bob, rules.person("小明"))
    rows.set_member(rules.tx, conversation, ann.account, role="admin")
    return conversation


def called(rules: Rules, caller: Caller, content: str) -> list[str]:
    rules.asks(caller, SendMessage(to="#team", content=content))
    mentions: list[str] = rules.asks(caller, History(to="#team", limit=1)).messages[0].mentions
    return mentions


def unread(rules: Rules, caller: Caller) -> tuple[int, int]:
    [listed] = rules.asks(caller, ListConversations()).conversations
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
def test_who_is_mentioned(rules: Rules, ann: Caller, team: int, content: str, names: list[str]) -> None:
    rules.person("cid")
    assert called(rules, ann, content) == names


def test_not_everybody_may_call_everybody(rules: Rules, bob: Caller, team: int) -> None:
    assert called(rules, bob, "@all wake up") == []


def test_calls_are_counted_until_they_are_read(rules: Rules, ann: Caller, bob: Caller, team: int) -> None:
    for content in ("hi", "hi @bob", "@all", "@all @bob", "@小明"):
        rules.asks(ann, SendMessage(to="#team", content=content))
    assert unread(rules, bob) == (5, 3)
    rules.asks(bob, Read(to="#team", seq=2))
    assert unread(rules, bob) == (3, 2)
    rules.asks(bob, DeleteForMe(to="#team", seq=3))
    assert unread(rules, bob) == (2, 1)
    rules.asks(ann, RecallMessage(to="#team", seq=4))
    assert unread(rules, bob) == (2, 0)
    rules.asks(ann, EditMessage(to="#team", seq=5, content="@bob too"))
    assert unread(rules, bob) == (2, 1)
    assert unread(rules, ann) == (0, 0), "nobody calls themselves"


def test_in_a_direct_conversation_too(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, SendMessage(to="bob", content="@bob?"))
    assert unread(rules, bob) == (1, 1)
