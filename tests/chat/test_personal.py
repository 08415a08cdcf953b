"""What is for the account alone: nobody else sees it, and each of its devices learns of it."""

import pytest

from imd.chat.base.context import Caller
from imd.chat.base.effects import Follow, Topic
from imd.wire.conversations import History, ListConversations, Sync
from imd.wire.messages import EditMessage, SendMessage
from imd.wire.personal import (
    AccountSync,
    Archive,
    ClearHistory,
    DeleteForMe,
    ListSaved,
    ListStarred,
    Mute,
    PinConversation,
    Star,
    Unstar,
)
from imd.wire.refusals import NoSuchConversation, NoSuchMessage
from tests.chat.rules import Rules
from tests.chat.test_burning import group


@pytest.fixture
def talk(rules: Rules, ann: Caller, bob: Caller) -> int:
    for number in range(1, 4):
        sent = rules.asks(ann, SendMessage(to="bob", content=f"number {number}"))
    return int(sent.conversation)


def seqs(rules: Rules, caller: Caller, to: str) -> list[int]:
    return [each.seq for each in rules.asks(caller, History(to=to)).messages]


def changes(rules: Rules, caller: Caller, after: int = 0) -> list[tuple[int, str, object]]:
    return [(each.n, each.what, each.value) for each in rules.asks(caller, AccountSync(after=after)).changes]


def test_stars_are_listed_the_latest_first(rules: Rules, bob: Caller, talk: int) -> None:
    for seq in (3, 1):
        rules.now += 1
        rules.asks(bob, Star(to="ann", seq=seq))
    assert [each.seq for each in rules.asks(bob, ListStarred()).messages] == [1, 3]
    page = rules.asks(bob, ListStarred(limit=1))
    assert ([each.seq for each in page.messages], page.more) == ([1], True)
    assert [each.seq for each in rules.asks(bob, ListStarred(limit=1, skip=1)).messages] == [3]
    assert rules.does(bob, Star(to="ann", seq=1)).told == (), "once is enough"
    rules.asks(bob, Unstar(to="ann", seq=1))
    assert [each.seq for each in rules.asks(bob, ListStarred()).messages] == [3]
    assert changes(rules, bob) == [(1, "starred", True), (3, "starred", False)]


def test_nobody_else_learns_of_it(rules: Rules, ann: Caller, bob: Caller, talk: int) -> None:
    commands = (
        Star(to="ann", seq=1),
        Mute(to="ann"),
        Archive(to="ann"),
        PinConversation(to="ann"),
        DeleteForMe(to="ann", seq=1),
        ClearHistory(to="ann"),
    )
    for command in commands:
        outcome = rules.does(bob, command)
        assert {to for to, _ in outcome.told} == {(bob.account,)}
    assert rules.asks(ann, ListStarred()).messages == []
    assert changes(rules, ann) == []
    [mine] = rules.asks(ann, ListConversations()).conversations
    assert (mine.muted, mine.archived, mine.pinned) == (False, False, False)
    assert seqs(rules, ann, "bob") == [1, 2, 3]


def test_a_hidden_message_is_gone_for_one_reader(rules: Rules, ann: Caller, bob: Caller, talk: int) -> None:
    rules.asks(bob, Star(to="ann", seq=2))
    rules.asks(bob, DeleteForMe(to="ann", seq=2))
    assert seqs(rules, bob, "ann") == [1, 3]
    assert [each.seq for each in rules.asks(bob, Sync(to="ann", after_rev=0)).messages] == [1, 3]
    assert rules.asks(bob, ListStarred()).messages == []
    [listed] = rules.asks(bob, ListConversations()).conversations
    assert listed.unread == 2
    rules.asks(ann, EditMessage(to="bob", seq=2, content="changed"))
    page = rules.asks(bob, Sync(to="ann", after_rev=3))
    assert (page.messages, page.rev) == ([], 4), "the cursor goes on, the message stays away"
    assert isinstance(rules.refuses(bob, DeleteForMe(to="ann", seq=2)), NoSuchMessage)


def test_hiding_the_last_message_shows_the_one_before(rules: Rules, bob: Caller, talk: int) -> None:
    rules.asks(bob, DeleteForMe(to="ann", seq=3))
    [listed] = rules.asks(bob, ListConversations()).conversations
    assert (listed.last.seq, listed.last_seq) == (2, 3)


def test_a_cleared_history_begins_anew(rules: Rules, ann: Caller, bob: Caller, talk: int) -> None:
    rules.asks(bob, ClearHistory(to="ann"))
    [listed] = rules.asks(bob, ListConversations()).conversations
    assert (listed.unread, listed.read_seq, listed.last) == (0, 3, None)
    rules.asks(ann, SendMessage(to="bob", content="again"))
    assert seqs(rules, bob, "ann") == [4]
    assert seqs(rules, ann, "bob") == [1, 2, 3, 4]


def test_clearing_a_group_has_one_hear_of_later_messages_only(rules: Rules, ann: Caller, bob: Caller) -> None:
    conversation = group(rules, ann, bob)
    rules.asks(ann, SendMessage(to="#team", content="hi"))
    outcome = rules.does(bob, ClearHistory(to="#team"))
    assert outcome.effects == (Follow(bob.account, Topic.members(conversation), 1),)


def test_settings_of_a_conversation(rules: Rules, bob: Caller, talk: int) -> None:
    for shape, name in ((Mute, "muted"), (Archive, "archived"), (PinConversation, "pinned")):
        for on in (True, False, True):
            rules.asks(bob, shape(to="ann", on=on))
            [listed] = rules.asks(bob, ListConversations()).conversations
            assert getattr(listed, name) is on
    assert changes(rules, bob, 5) == [(6, "archived", True), (9, "pinned", True)], "each thing in its latest state"


def test_a_device_that_was_away_catches_up_page_by_page(rules: Rules, bob: Caller, talk: int) -> None:
    for seq in (1, 2, 3):
        rules.asks(bob, Star(to="ann", seq=seq))
    page = rules.asks(bob, AccountSync(after=0, limit=2))
    assert ([each.seq for each in page.changes], page.n, page.more) == ([1, 2], 2, True)
    page = rules.asks(bob, AccountSync(after=page.n, limit=2))
    assert ([each.seq for each in page.changes], page.n, page.more) == ([3], 3, False)
    page = rules.asks(bob, AccountSync(after=page.n))
    assert (page.changes, page.n, page.more) == ([], 3, False)


def test_notes_to_oneself(rules: Rules, ann: Caller) -> None:
    assert rules.asks(ann, ListSaved()).conversation == 0
    for number in range(3):
        rules.asks(ann, SendMessage(to="ann", content=f"note {number}"))
    page = rules.asks(ann, ListSaved(limit=2))
    assert ([each.content for each in page.messages], page.more) == (["note 1", "note 2"], True)
    page = rules.asks(ann, ListSaved(limit=2, before=2))
    assert ([each.content for each in page.messages], page.more) == (["note 0"], False)


@pytest.mark.parametrize("shape", [Mute, Archive, PinConversation, ClearHistory])
def test_only_in_conversations_of_mine(rules: Rules, cid: Caller, talk: int, shape: type[Mute]) -> None:
    for command in (shape(conversation=talk), shape(to="ann"), shape(to="#team")):
        assert isinstance(rules.refuses(cid, command), NoSuchConversation)
