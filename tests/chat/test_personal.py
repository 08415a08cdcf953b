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
from tests.chat.room import Room
from tests.chat.test_burning import group


@pytest.fixture
def talk(room: Room, ann: Caller, bob: Caller) -> int:
    for number in range(1, 4):
        sent = room.asks(ann, SendMessage(to="bob", content=f"number {number}"))
    return int(sent.conversation)


def seqs(room: Room, caller: Caller, to: str) -> list[int]:
    return [each.seq for each in room.asks(caller, History(to=to)).messages]


def changes(room: Room, caller: Caller, after: int = 0) -> list[tuple[int, str, object]]:
    return [(each.n, each.what, each.value) for each in room.asks(caller, AccountSync(after=after)).changes]


def test_stars_are_listed_the_latest_first(room: Room, bob: Caller, talk: int) -> None:
    for seq in (3, 1):
        room.now += 1
        room.asks(bob, Star(to="ann", seq=seq))
    assert [each.seq for each in room.asks(bob, ListStarred()).messages] == [1, 3]
    page = room.asks(bob, ListStarred(limit=1))
    assert ([each.seq for each in page.messages], page.more) == ([1], True)
    assert [each.seq for each in room.asks(bob, ListStarred(limit=1, skip=1)).messages] == [3]
    assert room.does(bob, Star(to="ann", seq=1)).told == (), "once is enough"
    room.asks(bob, Unstar(to="ann", seq=1))
    assert [each.seq for each in room.asks(bob, ListStarred()).messages] == [3]
    assert changes(room, bob) == [(1, "starred", True), (3, "starred", False)]


def test_nobody_else_learns_of_it(room: Room, ann: Caller, bob: Caller, talk: int) -> None:
    commands = (
        Star(to="ann", seq=1),
        Mute(to="ann"),
        Archive(to="ann"),
        PinConversation(to="ann"),
        DeleteForMe(to="ann", seq=1),
        ClearHistory(to="ann"),
    )
    for command in commands:
        outcome = room.does(bob, command)
        assert {to for to, _ in outcome.told} == {(bob.account,)}
    assert room.asks(ann, ListStarred()).messages == []
    assert changes(room, ann) == []
    [mine] = room.asks(ann, ListConversations()).conversations
    assert (mine.muted, mine.archived, mine.pinned) == (False, False, False)
    assert seqs(room, ann, "bob") == [1, 2, 3]


def test_a_hidden_message_is_gone_for_one_reader(room: Room, ann: Caller, bob: Caller, talk: int) -> None:
    room.asks(bob, Star(to="ann", seq=2))
    room.asks(bob, DeleteForMe(to="ann", seq=2))
    assert seqs(room, bob, "ann") == [1, 3]
    assert [each.seq for each in room.asks(bob, Sync(to="ann", after_rev=0)).messages] == [1, 3]
    assert room.asks(bob, ListStarred()).messages == []
    [listed] = room.asks(bob, ListConversations()).conversations
    assert listed.unread == 2
    room.asks(ann, EditMessage(to="bob", seq=2, content="changed"))
    page = room.asks(bob, Sync(to="ann", after_rev=3))
    assert (page.messages, page.rev) == ([], 4), "the cursor goes on, the message stays away"
    assert isinstance(room.refuses(bob, DeleteForMe(to="ann", seq=2)), NoSuchMessage)


def test_hiding_the_last_message_shows_the_one_before(room: Room, bob: Caller, talk: int) -> None:
    room.asks(bob, DeleteForMe(to="ann", seq=3))
    [listed] = room.asks(bob, ListConversations()).conversations
    assert (listed.last.seq, listed.last_seq) == (2, 3)


def test_a_cleared_history_begins_anew(room: Room, ann: Caller, bob: Caller, talk: int) -> None:
    room.asks(bob, ClearHistory(to="ann"))
    [listed] = room.asks(bob, ListConversations()).conversations
    assert (listed.unread, listed.read_seq, listed.last) == (0, 3, None)
    room.asks(ann, SendMessage(to="bob", content="again"))
    assert seqs(room, bob, "ann") == [4]
    assert seqs(room, ann, "bob") == [1, 2, 3, 4]


def test_clearing_a_group_has_one_hear_of_later_messages_only(room: Room, ann: Caller, bob: Caller) -> None:
    conversation = group(room, ann, bob)
    room.asks(ann, SendMessage(to="#team", content="hi"))
    outcome = room.does(bob, ClearHistory(to="#team"))
    assert outcome.effects == (Follow(bob.account, Topic.members(conversation), 1),)


def test_settings_of_a_conversation(room: Room, bob: Caller, talk: int) -> None:
    for shape, name in ((Mute, "muted"), (Archive, "archived"), (PinConversation, "pinned")):
        for on in (True, False, True):
            room.asks(bob, shape(to="ann", on=on))
            [listed] = room.asks(bob, ListConversations()).conversations
            assert getattr(listed, name) is on
    assert changes(room, bob, 5) == [(6, "archived", True), (9, "pinned", True)], "each thing in its latest state"


def test_a_device_that_was_away_catches_up_page_by_page(room: Room, bob: Caller, talk: int) -> None:
    for seq in (1, 2, 3):
        room.asks(bob, Star(to="ann", seq=seq))
    page = room.asks(bob, AccountSync(after=0, limit=2))
    assert ([each.seq for each in page.changes], page.n, page.more) == ([1, 2], 2, True)
    page = room.asks(bob, AccountSync(after=page.n, limit=2))
    assert ([each.seq for each in page.changes], page.n, page.more) == ([3], 3, False)
    page = room.asks(bob, AccountSync(after=page.n))
    assert (page.changes, page.n, page.more) == ([], 3, False)


def test_notes_to_oneself(room: Room, ann: Caller) -> None:
    assert room.asks(ann, ListSaved()).conversation == 0
    for number in range(3):
        room.asks(ann, SendMessage(to="ann", content=f"note {number}"))
    page = room.asks(ann, ListSaved(limit=2))
    assert ([each.content for each in page.messages], page.more) == (["note 1", "note 2"], True)
    page = room.asks(ann, ListSaved(limit=2, before=2))
    assert ([each.content for each in page.messages], page.more) == (["note 0"], False)


@pytest.mark.parametrize("shape", [Mute, Archive, PinConversation, ClearHistory])
def test_only_in_conversations_of_mine(room: Room, cid: Caller, talk: int, shape: type[Mute]) -> None:
    for command in (shape(conversation=talk), shape(to="ann"), shape(to="#team")):
        assert isinstance(room.refuses(cid, command), NoSuchConversation)
