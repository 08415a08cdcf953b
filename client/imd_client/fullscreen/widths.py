"""Text in columns: a Chinese character takes two, an accent none. Counted as prompt_toolkit does when it draws."""

import re
from functools import lru_cache

from prompt_toolkit.utils import get_cwidth

Fragments = list[tuple[str, str]]
"""The pieces of one line for prompt_toolkit: style classes, and text."""

columns = get_cwidth
"""Counts the columns of a text."""

ELLIPSIS = "…"


def truncate(text: str, width: int) -> str:
    """Return as much of a text as fits, with an ellipsis if it was cut."""
    if columns(text) <= width:
        return text
    return _start(text, width - 1) + ELLIPSIS if width > 0 else ""


def pad(text: str, width: int) -> str:
    """Return a text of exactly this width: cut, or padded with spaces."""
    text = truncate(text, width)
    return text + " " * (width - columns(text))


def _start(text: str, width: int) -> str:
    taken = 0
    for index, character in enumerate(text):
        taken += columns(character)
        if taken > width:
            return text[:index]
    return text


@lru_cache(maxsize=2048)
def wrap(text: str, width: int) -> tuple[str, ...]:
    """Break a line to a width: at spaces, or between Chinese characters."""
    pieces: list[str] = []
    start = 0
    while start < len(text):
        end = _end_of_piece(text, start, width)
        pieces.append(text[start:end].rstrip(" "))
        while end < len(text) and text[end] == " ":
            end += 1
        start = end
    return tuple(pieces) or ("",)


def wrap_hanging(text: str, width: int) -> list[str]:
    """Break a line, and indent the pieces that follow: as the line is, or to its second column."""
    head = _HEAD.match(text)
    start = head[0] if head and columns(head[0]) <= width // 2 else ""
    first, *others = wrap(text[len(start) :], width - columns(start))
    return [start + first, *(" " * columns(start) + piece for piece in others)]


def _end_of_piece(text: str, start: int, width: int) -> int:
    taken = 0
    for index in range(start, len(text)):
        taken += columns(text[index])
        if taken > width and index > start:
            breaks = (each for each in range(index, start, -1) if _may_break(text, each))
            return next(breaks, index)
    return len(text)


def _may_break(text: str, index: int) -> bool:
    before, after = text[index - 1], text[index]
    if after in _NEVER_FIRST or before == _JOINER or not columns(after):
        return False
    return " " in (before, after) or 2 in (columns(before), columns(after))


_HEAD = re.compile(r" *(?:\S+(?: \S+)* {2,}(?=\S))?")
"""An indent, and the text of a first column."""

_JOINER = "\u200d"
"""Joins two emoji into one."""

_NEVER_FIRST = frozenset("，。、；：？！）》」』”’…")
"""Chinese punctuation that may not start a line."""
