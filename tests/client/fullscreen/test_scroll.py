"""Scrolling: the end is followed, a place that was sought stays."""

import pytest
from imd_client.fullscreen.scroll import Scroll
from imd_client.fullscreen.timeline import Line


def lines(first: int, last: int, each: int = 2) -> list[Line]:
    return [Line([("", f"{part}.{number}")], part) for part in range(first, last + 1) for number in range(each)]


def window(scroll: Scroll, content: list[Line], height: int = 4) -> list[str]:
    return ["".join(text for _, text in line.fragments) for line in scroll.window(content, height)]


def test_the_end_is_followed() -> None:
    scroll = Scroll()
    assert window(scroll, lines(1, 3)) == ["2.0", "2.1", "3.0", "3.1"]
    assert window(scroll, lines(1, 4)) == ["3.0", "3.1", "4.0", "4.1"]
    assert (scroll.below, scroll.at_top) == (0, False)


def test_few_lines_stand_at_the_bottom() -> None:
    assert window(Scroll(), lines(1, 1)) == ["", "", "1.0", "1.1"]
    assert Scroll().at_top


def test_a_place_stays_whatever_comes_before_or_after_it() -> None:
    scroll = Scroll()
    window(scroll, lines(5, 9))
    scroll.scroll_by(-3)
    seen = ["6.1", "7.0", "7.1", "8.0"]
    assert window(scroll, lines(5, 9)) == seen
    assert window(scroll, lines(1, 12)) == seen
    assert scroll.below == 9
    assert window(scroll, [line for line in lines(1, 12) if line.part != 8])[-1] == "12.1"


@pytest.mark.parametrize(
    ("moves", "last"),
    [([-1], "9.1"), ([-1, 1], "10.1"), ([-99], "2.1"), ([-99, 1], "3.1"), ([99], "10.1")],
)
def test_pages_overlap_and_end(moves: list[int], last: str) -> None:
    scroll = Scroll()
    window(scroll, lines(1, 10))
    for move in moves:
        scroll.scroll_pages(move)
    assert window(scroll, lines(1, 10))[-1] == last


@pytest.mark.parametrize(
    ("part", "seen"),
    [
        (20, ["19.0", "19.1", "20.0", "20.1"]),
        (18, ["18.0", "18.1", "19.0", "19.1"]),
        (3, ["2.0", "2.1", "3.0", "3.1"]),
        (99, ["19.0", "19.1", "20.0", "20.1"]),
    ],
)
def test_a_part_is_brought_into_sight(part: int, seen: list[str]) -> None:
    scroll = Scroll()
    window(scroll, lines(1, 20))
    scroll.reveal(part)
    assert window(scroll, lines(1, 20)) == seen


def test_a_part_that_is_too_long_is_shown_from_its_beginning() -> None:
    scroll = Scroll()
    content = lines(1, 3) + [Line([("", f"long {number}")], "long") for number in range(9)]
    window(scroll, content)
    scroll.reveal("long")
    assert window(scroll, content) == ["long 0", "long 1", "long 2", "long 3"]
