"""The model: events in, state out."""

from typing import Any

import pytest
from imd_client import CaughtUp, Changed, NotSent, Offline, Online, Refused
from imd_client.fullscreen.conversation import Tick
from imd_client.fullscreen.model import AWAY, Model
from twisted.python.failure import Failure

from imd.wire.conversations import Page
from imd.wire.messages import Message, SendMessage
from imd.wire.personal import AccountChanged
from imd.wire.receipts import Receipt
from tests.client.fullscreen.models import arrive, row, said, screen


def moved(username: str = "bob", *, delivered: int = 0, read: int = 0, own: bool = False) -> Receipt:
    return Receipt(conversation=1, username=username, to="bob", delivered_seq=delivered, read_seq=read, own=own)


def noted(what: str, **fields: Any) -> AccountChanged:
    return AccountChanged(n=1, what=what, conversation=1, **fields)


# The list of conversations.


def test_the_order_is_pinned_then_latest_and_archived_ones_are_out_of_sight() -> None:
    model = screen(
        listing=[
            row(1, "old", last=said(1, time="2026-01-01T00:00:00.000Z")),
            row(2, "new", last=said(1, time="2026-02-01T00:00:00.000Z")),
            row(3, "pinned", last=said(1, time="2025-01-01T00:00:00.000Z"), pinned=True),
            row(4, "archived", last=said(1), archived=True),
        ]
    )
    assert [conversation.to for conversation in model.order()] == ["pinned", "new", "old"]
    arrive(model, said(1, conversation=1, to="old"))
    assert [conversation.to for conversation in model.order()] == ["pinned", "old", "new"]
    model.open("archived", None)
    assert "archived" in [conversation.to for conversation in model.order()]


def test_a_conversation_that_is_no_longer_listed_goes() -> None:
    model = screen(listing=[row(1, "bob"), row(2, "#team")])
    model.on_event(CaughtUp([row(1, "bob")]), 0)
    assert [conversation.to for conversation in model.conversations] == ["bob"]


def test_what_is_known_without_a_connection() -> None:
    first = screen(said(1), said(2, content="last"))
    again = Model(first.account, "en")
    assert [(conversation.to, conversation.id) for conversation in again.order()] == [("bob", 1)]
    assert [message.content for message in again.open("bob", None).messages.values()] == ["hi", "last"]


@pytest.mark.parametrize(
    ("unread", "muted", "current", "expected"),
    [
        ((0, 0, 0), (), 0, ""),
        ((0, 2, 1), (), 0, "b"),
        ((1, 2, 1), (), 1, "c"),
        ((1, 2, 0), (), 1, "a"),
        ((0, 2, 1), ("b",), 0, "c"),
        ((0, 2, 0), ("b",), 0, "b"),
    ],
)
def test_the_next_unread(unread: tuple[int, ...], muted: tuple[str, ...], current: int, expected: str) -> None:
    times = ("3", "2", "1")
    model = screen(
        listing=[
            row(number, to, unread=count, muted=to in muted, last=said(1, time=times[number - 1]))
            for number, (to, count) in enumerate(zip("abc", unread, strict=True), start=1)
        ]
    )
    model.current = model.conversations[current]
    found = model.next_unread()
    assert (found.to if found else "") == expected


def test_the_conversation_beside() -> None:
    model = screen(listing=[row(1, "a", last=said(1, time="2")), row(2, "b", last=said(1, time="1"))])
    names = []
    for step in (1, 1, 1, -1, -1):
        conversation = model.neighbour(step)
        assert conversation is not None
        model.open(conversation.to, None)
        names.append(conversation.to)
    assert names == ["a", "b", "a", "b", "a"]
    assert screen().neighbour(1) is None


# Unread.


def test_unread_counts_what_others_said_and_mentions() -> None:
    model = screen(listing=[row(1, "#team"), row(2, "other")])
    messages = [said(1, to="#team", mentions=["ann"]), said(2, to="#team", sender="ann"), said(3, to="#team")]
    arrive(model, *messages)
    conversation = model.find(1, "#team")
    assert (conversation.unread, conversation.mentions, model.unread()) == (2, 1, 2)
    conversation.muted = True
    assert model.unread() == 1


def test_reading_here() -> None:
    model = screen(said(1), said(2))
    assert model.current.unread == 2
    assert model.mark_read(0) == 2
    assert (model.current.unread, model.current.read_seq, model.mark_read(0)) == (0, 2, 0)


def test_reading_on_another_device() -> None:
    model = screen(said(1), said(2), said(3, mentions=["all"]), said(4, sender="ann"))
    model.on_event(moved("ann", read=2, own=True), 0)
    assert (model.current.unread, model.current.mentions) == (1, 1)
    model.on_event(moved("ann", read=1, own=True), 0)
    assert model.current.read_seq == 2


def test_the_rule_for_what_is_new_stands_where_it_was_opened_and_goes_when_answered() -> None:
    model = screen(listing=[row(1, "bob"), row(2, "other")])
    arrive(model, said(1, sender="ann"), said(2), said(3))
    conversation = model.open("bob", None)
    assert conversation.new_from == 2
    model.mark_read(0)
    model.open("bob", None)
    assert conversation.new_from == 2
    model.queued(model.account.queue(SendMessage(to="bob", content="yes")))
    assert conversation.new_from == 0


@pytest.mark.parametrize(("pause", "expected"), [(AWAY + 1, 2), (AWAY - 1, 0)])
def test_who_was_away_sees_what_came_meanwhile(pause: float, expected: int) -> None:
    model = screen(said(1))
    model.mark_read(0)
    model.current.new_from = 0
    arrive(model, said(2), now=pause)
    assert model.current.new_from == expected


# Messages.


def test_changes_happen_in_place() -> None:
    model = screen(said(1), said(2))
    model.on_event(Changed(said(1, "changed", rev=3), said(1)), 0)
    model.on_event(Changed(said(9, "unknown", rev=4), None), 0)
    assert [message.content for message in model.current.messages.values()] == ["changed", "hi"]
    assert model.current.unread == 2


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (noted("hidden", seq=2, value=True), [1, 3]),
        (noted("cleared", value=2), [3]),
        (noted("starred", seq=2), [1, 2, 3]),
    ],
)
def test_what_i_hide_goes_at_once(change: AccountChanged, left: list[int]) -> None:
    model = screen(said(1), said(2), said(3))
    model.on_event(change, 0)
    assert list(model.current.messages) == left


@pytest.mark.parametrize("what", ["muted", "archived", "pinned"])
def test_how_i_like_a_conversation(what: str) -> None:
    model = screen(said(1))
    model.on_event(noted(what, value=True), 0)
    assert getattr(model.current, what) is True
    model.on_event(noted(what, value=False), 0)
    assert getattr(model.current, what) is False


@pytest.mark.parametrize(
    ("receipts", "ticks"),
    [
        ([], [Tick.KEPT, Tick.KEPT]),
        ([moved(delivered=1)], [Tick.DELIVERED, Tick.KEPT]),
        ([moved(delivered=2, read=1)], [Tick.READ, Tick.DELIVERED]),
        ([moved(delivered=2, read=2), moved(delivered=1)], [Tick.READ, Tick.READ]),
        ([moved("carol", delivered=1), moved(delivered=2)], [Tick.DELIVERED, Tick.DELIVERED]),
    ],
)
def test_ticks(receipts: list[Receipt], ticks: list[Tick]) -> None:
    model = screen(said(1, sender="ann"), said(2, sender="ann"))
    for receipt in receipts:
        model.on_event(receipt, 0)
    assert [model.current.tick(seq) for seq in (1, 2)] == ticks
    assert [Model(model.account, "en").open("bob", None).tick(seq) for seq in (1, 2)] == ticks


def test_who_answers_has_had_what_was_before() -> None:
    model = screen(said(1, sender="ann"), said(2))
    assert model.current.tick(1) is Tick.DELIVERED


def test_what_waits() -> None:
    model = screen(said(1))
    item = model.account.queue(SendMessage(to="bob", content="hello"))
    model.queued(item)
    assert model.waiting == [item]
    mine = said(2, "hello", sender="ann", client_id=item.message.client_id)
    model.account.stored(item, mine)
    arrive(model, said(3))
    assert model.waiting == [item]
    model.on_event(NotSent(item, Refused("blocked", "no", {})), 0)
    assert model.waiting == []


def test_the_connection() -> None:
    model = screen()
    states = []
    for event in (Online("ann"), Offline(Failure(OSError())), Online("ann")):
        model.on_event(event, 0)
        states.append(model.online)
    assert states == [True, False, True]


# The window on a conversation.


def page(*messages: Message, more: bool) -> Page:
    return Page(conversation=1, messages=list(messages), more=more)


def test_a_new_device_opens_with_a_page() -> None:
    model = screen(listing=[row(1, "bob", last_rev=9, read_seq=9)])
    model.account.merge(1, [], 9, since=9)
    conversation = model.open("bob", page(said(8), said(9), more=True))
    assert (list(conversation.messages), conversation.more) == ([8, 9], True)
    again = Model(model.account, "en").open("bob", None)
    assert (list(again.messages), again.more) == ([8, 9], True)


def test_a_page_that_does_not_reach_what_is_known_stands_alone() -> None:
    model = screen(said(1), said(2))
    model.account.forget(1)
    model.account.merge(1, [], 9, since=9)
    model.account.add_history([said(1), said(2)])
    assert list(model.open("bob", page(said(8), said(9), more=True)).messages) == [8, 9]


def test_earlier_messages_come_from_the_local_copy_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imd_client.fullscreen.model.WINDOW", 2)
    model = screen(*map(said, range(1, 6)))
    conversation = model.current
    assert list(conversation.messages) == [4, 5]
    assert model.load_earlier(conversation)
    assert model.load_earlier(conversation)
    assert (list(conversation.messages), conversation.more) == ([1, 2, 3, 4, 5], False)
    assert not model.load_earlier(conversation)


def test_a_place_in_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imd_client.fullscreen.model.WINDOW", 2)
    model = screen(*map(said, range(1, 7)))
    conversation = model.current
    conversation.show_past(page(said(2), said(3), more=True))
    arrive(model, said(7))
    assert (list(conversation.messages), conversation.detached) == ([2, 3], True)
    assert (conversation.unread, model.mark_read(0)) == (7, 0)
    conversation.append(page(said(4), more=True))
    conversation.prepend(page(said(1), more=False))
    assert (list(conversation.messages), conversation.detached, conversation.more) == ([1, 2, 3, 4], True, False)
    model.load(conversation)
    assert (list(conversation.messages), conversation.detached, model.mark_read(0)) == ([6, 7], False, 7)


def test_a_server_set_back_to_a_backup_is_believed() -> None:
    model = screen(said(1), said(2, "lost"))
    model.account.forget(1)
    model.account.merge(1, [said(1)], 1)
    model.on_event(CaughtUp([row(1, "bob", last_rev=1)]), 0)
    assert list(model.current.messages) == [1]


@pytest.mark.parametrize(
    ("steps", "marked"),
    [([-1], 3), ([-1, -1, -1], 1), ([-1] * 9, 1), ([-1, 1], 0), ([1], 0), ([-1, -1, 1], 3)],
)
def test_marking_a_message(steps: list[int], marked: int) -> None:
    model = screen(said(1), said(2), said(3))
    for step in steps:
        model.current.select(step)
    assert model.current.selected == marked


def test_names_at_hand() -> None:
    listing = [row(1, "#team", last=said(1)), row(2, "dave", last=said(1, time="2025-01-01T00:00:00.000Z"))]
    model = screen(said(1, to="#team"), said(2, to="#team", sender="carol"), listing=listing)
    assert model.names() == ["#team", "dave", "carol", "bob"]


def test_notes_stay_where_they_were_said() -> None:
    model = screen(said(1))
    model.note("an answer")
    arrive(model, said(2))
    assert [(note.text, note.after) for note in model.current.notes] == [("an answer", 1)]
