"""The timeline: a conversation in lines."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from imd_client import Changed
from imd_client.fullscreen.widths import columns

from imd.wire.messages import Message, Notice, Reaction, SendMessage
from imd.wire.receipts import Receipt
from tests.client.fullscreen.models import arrive, drawn, lines, row, said, screen, styles

GONE = "2026-11-24T07:00:00.000Z"


def one(message: Message, width: int = 40, language: str = "en") -> list[str]:
    """Draw a single message, without what stands above it."""
    return drawn(screen(message, language=language), width)[3:]


def test_a_conversation() -> None:
    model = screen(
        said(1, "hello", time="2026-11-22T06:25:18.123Z", sender="ann"),
        said(2, "你好", time="2026-11-23T06:26:18.123Z"),
        said(3, "again", time="2026-11-24T06:27:18.123Z"),
        listing=[row(1, "bob", read_seq=2)],
    )
    assert drawn(model) == [
        "     The conversation starts here.",
        "───────── Sunday, 22 November ──────────",
        "06:25 ✓✓ ann  hello",
        "────────────── Yesterday ───────────────",
        "06:26    bob  你好",
        "──────────────── Today ─────────────────",
        "───────────────── New ──────────────────",
        "06:27    bob  again",
    ]


@pytest.mark.parametrize(
    ("time", "language", "rule"),
    [
        ("2025-12-31T10:00:00.000Z", "en", "Wednesday, 31 December 2025"),
        ("2025-12-31T10:00:00.000Z", "zh", "2025年12月31日 星期三"),
        ("2026-11-20T10:00:00.000Z", "zh", "11月20日 星期五"),
        ("2026-11-23T10:00:00.000Z", "zh", "昨天"),
    ],
)
def test_days(time: str, language: str, rule: str) -> None:
    assert drawn(screen(said(1, time=time), language=language))[1].strip("─ ") == rule


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"content": "two\nlines"}, ["two", "lines"]),
        ({"content": "a\tb"}, ["a   b"]),
        ({"content": "\x1b[2Jgone?"}, ["␛[2Jgone?"]),
        ({"content": "今天天气很好，我们去公园散步吧"}, ["今天天气很好，我们去公园散", "步吧"]),
        ({"edited": GONE}, ["hi (edited)"]),
        ({"content": "a long line that is full", "edited": GONE}, ["a long line that is full", "(edited)"]),
        ({"pinned": GONE, "burn_after": 10}, ["hi", "(pinned · burns 10 s after", "reading)"]),
        ({"content": "", "recalled": GONE, "edited": GONE}, ["(taken back)"]),
        ({"content": "", "burned": GONE, "burn_after": 10}, ["(burned)"]),
        ({"forwarded": "carol"}, ["from carol:", "hi"]),
        ({"forwarded": ""}, ["forwarded:", "hi"]),
        ({"reply_to": 7}, ["┆ reply to message 7", "hi"]),
        ({"kind": "sticker", "content": "cats/wave"}, ["[sticker cats/wave]"]),
        ({"kind": "location", "content": "31,121 the Bund"}, ["[place 31,121 the Bund]"]),
        ({"reactions": [Reaction(emoji="👍", count=2, users=["bob", "carol"])]}, ["hi", "👍 2"]),
    ],
)
def test_messages(fields: dict[str, Any], expected: list[str]) -> None:
    first, *others = one(said(1, **({"content": "hi"} | fields)))
    assert first.startswith("06:01    bob  ")
    assert all(other.startswith(" " * 14) for other in others)
    assert [first[14:], *(other[14:] for other in others)] == expected


def test_in_chinese() -> None:
    message = said(1, edited=GONE, burn_after=5, forwarded="carol")
    assert [line[14:] for line in one(message, language="zh")] == ["转自 carol：", "hi", "（已修改 · 读后 5 秒销毁）"]


def test_a_reply_quotes_what_it_answers() -> None:
    model = screen(said(1, "what a question\nwith two lines", sender="ann"), said(2, "an answer", reply_to=1))
    assert drawn(model)[-2:] == ["06:02    bob  ┆ ann: what a question", "              an answer"]


def test_a_change_is_seen_in_place() -> None:
    model = screen(said(1, "helo"), said(2, "second"))
    model.on_event(Changed(said(1, "hello", rev=3, edited=GONE), said(1, "helo")), 0)
    assert drawn(model)[-2:] == ["06:01    bob  hello (edited)", "06:02    bob  second"]


def test_what_happened_in_a_group() -> None:
    notice = Notice(what="joined", by="carol", who="carol")
    assert one(said(1, "", kind="notice", sender="carol", to="#team", notice=notice)) == ["06:01    carol joined."]


@pytest.mark.parametrize(
    ("receipt", "tick", "style"),
    [(None, "✓ ", "kept"), ((1, 0), "✓✓", "delivered"), ((1, 1), "✓✓", "read")],
)
def test_ticks(receipt: tuple[int, int] | None, tick: str, style: str) -> None:
    model = screen(said(1, "mine", sender="ann"))
    if receipt:
        delivered, read = receipt
        model.on_event(
            Receipt(conversation=1, username="bob", to="bob", delivered_seq=delivered, read_seq=read, own=False), 0
        )
    assert drawn(model)[-1] == f"06:01 {tick} ann  mine"
    assert styles(model, tick.strip()) == f"class:tick.{style}"


@pytest.mark.parametrize(
    ("message", "word", "style"),
    [
        (said(1, "to @ann", mentions=["ann"]), "to @ann", "class:mention"),
        (said(1, "to @all", mentions=["all"]), "to @all", "class:mention"),
        (said(1, "to @all", mentions=["all"], sender="ann"), "to @all", ""),
        (said(1, "to @bob", mentions=["bob"]), "to @bob", ""),
        (said(1, reactions=[Reaction(emoji="👍", count=1, users=["ann"])]), "👍 1", "class:reaction.mine"),
        (said(1, reactions=[Reaction(emoji="👍", count=1, users=["bob"])]), "👍 1", "class:reaction"),
    ],
)
def test_what_stands_out(message: Message, word: str, style: str) -> None:
    assert styles(screen(message), word) == style


def test_what_waits_stands_at_the_end() -> None:
    model = screen(said(1))
    for to, content, reply_to in (("bob", "yes", 1), ("carol", "elsewhere", None)):
        model.queued(model.account.queue(SendMessage(to=to, content=content, reply_to=reply_to)))
    assert drawn(model)[-2:] == ["      …  ann  ┆ bob: hi", "              yes"]


def test_notes_stand_where_they_were_said() -> None:
    model = screen(said(1))
    model.note("/ping\nHere.")
    arrive(model, said(2))
    assert drawn(model)[-4:] == ["06:01    bob  hi", "· /ping", "  Here.", "06:02    bob  hi"]


def test_a_marked_message_is_marked_over_its_whole_width() -> None:
    model = screen(said(1), said(2, "two\nlines"))
    model.current.selected = 2
    marked = [line for line in lines(model, 40) if all("class:selected" in style for style, _ in line.fragments)]
    assert [columns("".join(text for _, text in line.fragments)) for line in marked] == [40, 40]
    assert {line.part for line in marked} == {2}


def test_the_edges() -> None:
    assert drawn(screen()) == []
    model = screen()
    model.open("carol", None)
    assert "No messages with carol yet." in " ".join(drawn(model, 80))
    model = screen(said(1))
    model.current.more = model.current.fetching = True
    assert drawn(model)[0].strip() == "Loading earlier messages …"


@given(some.text(max_size=60), some.text(max_size=20), some.integers(30, 90))
def test_no_line_is_wider_than_its_room(content: str, sender: str, width: int) -> None:
    model = screen(said(1, content, sender=sender or "x", reply_to=1, forwarded=sender, edited=GONE))
    assert all(columns("".join(text for _, text in line.fragments)) <= width for line in lines(model, width))
