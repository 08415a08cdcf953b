"""Reading: the list, pages of history, catching up."""

import pytest

from imd.chat.base.context import Caller
from imd.chat.conversations import replay_page, undelivered
from imd.wire.conversations import Conversation, History, ListConversations, Sync
from imd.wire.messages import SendMessage
from imd.wire.receipts import Ack, Read
from imd.wire.refusals import NoSuchConversation, NoSuchUser
from tests.chat.rules import Rules


def say(rules: Rules, caller: Caller, to: str, content: str = "hi") -> None:
    rules.now += 1000
    rules.asks(caller, SendMessage(to=to, content=content, client_id=None))


@pytest.fixture
def ten(rules: Rules, ann: Caller, bob: Caller) -> None:
    for number in range(1, 11):
        say(rules, ann, "bob", str(number))


def listed(rules: Rules, caller: Caller, **fields: bool) -> list[Conversation]:
    found: list[Conversation] = rules.asks(caller, ListConversations(**fields)).conversations
    return found


# -- history


@pytest.mark.parametrize(
    ("fields", "expected", "more"),
    [
        ({}, range(1, 11), False),
        ({"limit": 3}, range(8, 11), True),
        ({"limit": 10}, range(1, 11), False),
        ({"limit": 9}, range(2, 11), True),
        ({"before": 5}, range(1, 5), False),
        ({"before": 5, "limit": 2}, range(3, 5), True),
        ({"before": 5, "limit": 4}, range(1, 5), False),
        ({"before": 1}, [], False),
        ({"before": 11}, range(1, 11), False),
        ({"before": 2**63 - 1}, range(1, 11), False),
        ({"after": 0, "limit": 3}, range(1, 4), True),
        ({"after": 7, "limit": 3}, range(8, 11), False),
        ({"after": 7, "limit": 2}, range(8, 10), True),
        ({"after": 10}, [], False),
        ({"after": 2**63 - 1}, [], False),
        ({"after": 2, "before": 6}, range(3, 6), False),
        ({"after": 2, "before": 6, "limit": 2}, range(3, 5), True),
        ({"after": 6, "before": 2}, [], False),
        ({"after": 5, "before": 6}, [], False),
    ],
)
def test_pages_of_history(
    rules: Rules, bob: Caller, ten: None, fields: dict[str, int], expected: range, more: bool
) -> None:
    page = rules.asks(bob, History(to="ann", **fields))
    assert [each.seq for each in page.messages] == list(expected), "oldest first"
    assert page.more is more


def test_paging_back_and_forth_meets_every_message_once(rules: Rules, bob: Caller, ten: None) -> None:
    back: list[int] = []
    before = None
    while True:
        page = rules.asks(bob, History(to="ann", before=before, limit=3))
        back = [each.seq for each in page.messages] + back
        if not page.more:
            break
        before = page.messages[0].seq
    forth: list[int] = []
    after = 0
    while True:
        page = rules.asks(bob, History(to="ann", after=after, limit=3))
        forth += [each.seq for each in page.messages]
        if not page.more:
            break
        after = page.messages[-1].seq
    assert back == forth == list(range(1, 11))


def test_a_message_says_what_its_reader_would_answer_to(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, SendMessage(to="bob", content="hi", client_id="c"))
    [mine] = rules.asks(ann, History(to="bob")).messages
    [theirs] = rules.asks(bob, History(to="ann")).messages
    assert (mine.to, mine.client_id) == ("bob", "c")
    assert (theirs.to, theirs.client_id) == ("ann", None)


# -- sync


@pytest.mark.parametrize("after", range(12))
@pytest.mark.parametrize("limit", [1, 3, 9, 10, 500])
def test_sync_from_every_rev(rules: Rules, bob: Caller, ten: None, after: int, limit: int) -> None:
    got: list[int] = []
    rev, more = after, True
    while more:
        changes = rules.asks(bob, Sync(to="ann", after_rev=rev, limit=limit))
        assert len(changes.messages) <= limit
        assert changes.rev == (changes.messages[-1].rev if changes.messages else rev)
        got += [each.rev for each in changes.messages]
        rev, more = changes.rev, changes.more
    assert got == list(range(after + 1, 11))


def test_a_change_comes_by_sync_in_its_present_state(rules: Rules, bob: Caller, ten: None) -> None:
    """No command changes a message yet; the store already counts revs as the contract says."""
    rules.tx.execute("UPDATE conversation SET last_rev = 11")
    rules.tx.execute("UPDATE message SET rev = 11, content = 'changed' WHERE seq = 4")
    changes = rules.asks(bob, Sync(to="ann", after_rev=9))
    assert [(each.seq, each.rev, each.content) for each in changes.messages] == [(10, 10, "10"), (4, 11, "changed")]
    assert changes.rev == 11
    assert [each.seq for each in rules.asks(bob, Sync(to="ann", after_rev=0)).messages] == [
        1,
        2,
        3,
        5,
        6,
        7,
        8,
        9,
        10,
        4,
    ]


# -- the list


def test_the_list_says_how_far_one_is(rules: Rules, ann: Caller, bob: Caller, ten: None) -> None:
    rules.asks(bob, Ack(to="ann", seq=7))
    rules.asks(bob, Read(to="ann", seq=4))
    [one] = listed(rules, bob)
    assert (one.kind, one.to, one.title) == ("direct", "ann", "ann")
    assert (one.last_seq, one.last_rev, one.delivered_seq, one.read_seq, one.unread) == (10, 10, 7, 4, 6)
    assert one.last is not None
    assert (one.last.seq, one.last.content) == (10, "10")


def test_the_latest_conversation_comes_first(rules: Rules, ann: Caller, bob: Caller, cid: Caller) -> None:
    dan = rules.person("dan")
    for caller, to in [(ann, "bob"), (cid, "ann"), (ann, "dan"), (bob, "ann")]:
        say(rules, caller, to)
    assert [each.to for each in listed(rules, ann)] == ["bob", "dan", "cid"]
    say(rules, ann, "cid")
    assert [each.to for each in listed(rules, ann)] == ["cid", "bob", "dan"]
    assert [each.to for each in listed(rules, dan)] == ["ann"]


def test_only_what_is_unread(rules: Rules, ann: Caller, bob: Caller, cid: Caller) -> None:
    say(rules, bob, "ann")
    say(rules, ann, "cid")
    assert [each.to for each in listed(rules, ann, unread_only=True)] == ["bob"]
    rules.asks(ann, Read(to="bob", seq=1))
    assert listed(rules, ann, unread_only=True) == []


def test_nothing_yet(rules: Rules, ann: Caller) -> None:
    assert listed(rules, ann) == []


def test_notes_to_oneself_are_listed_under_ones_own_name(rules: Rules, ann: Caller) -> None:
    say(rules, ann, "ann", "buy milk")
    [one] = listed(rules, ann)
    assert (one.to, one.unread, one.last_seq) == ("ann", 0, 1)


# -- what is not one's own


@pytest.mark.parametrize("shape", [History, Sync])
def test_absent_and_not_mine_look_alike(rules: Rules, cid: Caller, ten: None, shape: type[History]) -> None:
    more = {"after_rev": 0} if shape is Sync else {}
    for conversation in (1, 1000):
        refused = rules.refuses(cid, shape(conversation=conversation, **more))
        assert (type(refused), refused.params) == (NoSuchConversation, {})
    assert isinstance(rules.refuses(cid, shape(to="ann", **more)), NoSuchConversation)
    assert isinstance(rules.refuses(cid, shape(to="nobody", **more)), NoSuchUser)
    assert isinstance(rules.refuses(cid, shape(to="cid", **more)), NoSuchConversation)


# -- replay


def test_replay_lists_what_was_not_delivered(rules: Rules, ann: Caller, bob: Caller, cid: Caller, ten: None) -> None:
    say(rules, cid, "bob")
    rules.asks(bob, Ack(to="ann", seq=4))
    assert [each[:2] for each in undelivered(rules.tx, bob)] == [(1, 4), (2, 0)]
    page, more = replay_page(rules.tx, bob, 1, 4, 3)
    assert ([each.seq for each in page], more) == ([5, 6, 7], True)
    page, more = replay_page(rules.tx, bob, 1, 7, 3)
    assert ([each.seq for each in page], more) == ([8, 9, 10], False)
    assert undelivered(rules.tx, ann) == []
