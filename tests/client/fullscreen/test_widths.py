"""Columns: nothing drawn is wider than its room, and nothing of a text is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as some
from imd_client.fullscreen.widths import columns, pad, truncate, wrap, wrap_hanging

TEXTS = some.text(alphabet=some.sampled_from("ab 中文，。é́👍"))


@pytest.mark.parametrize(("text", "count"), [("abc", 3), ("中文", 4), ("é", 1), ("👍", 2), ("", 0)])
def test_columns(text: str, count: int) -> None:
    assert columns(text) == count


@pytest.mark.parametrize(
    ("text", "width", "kept"),
    [("hello", 5, "hello"), ("hello", 4, "hel…"), ("中文字", 5, "中文…"), ("中文字", 4, "中…"), ("hi", 0, "")],
)
def test_cut(text: str, width: int, kept: str) -> None:
    assert truncate(text, width) == kept


@pytest.mark.parametrize(
    ("text", "width", "pieces"),
    [
        ("hello world this is long", 11, ["hello world", "this is", "long"]),
        ("averyverylongword", 7, ["averyve", "rylongw", "ord"]),
        ("今天天气好，我们去公园。", 10, ["今天天气", "好，我们去", "公园。"]),
        ("mixed 中文 and", 10, ["mixed 中文", "and"]),
        ("    indented", 20, ["    indented"]),
        ("", 10, [""]),
    ],
)
def test_wrap(text: str, width: int, pieces: list[str]) -> None:
    assert list(wrap(text, width)) == pieces


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("one two three four", ["one two three", "four"]),
        ("  one two three", ["  one two", "  three"]),
        ("/to  bob and ann too", ["/to  bob and", "     ann too"]),
        ("a long first one  two three", ["a long first", "one  two three"]),
        ("中文  一二三四五六", ["中文  一二三四", "      五六"]),
    ],
)
def test_further_pieces_hang_below_the_text(text: str, pieces: list[str]) -> None:
    assert wrap_hanging(text, 14) == pieces


@given(TEXTS, some.integers(2, 12))
def test_what_is_wrapped_fits_and_is_whole(text: str, width: int) -> None:
    pieces = wrap(text, width)
    assert all(columns(piece) <= width for piece in pieces)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


@given(TEXTS, some.integers(0, 12))
def test_what_is_padded_has_exactly_its_width(text: str, width: int) -> None:
    assert columns(pad(text, width)) == width
