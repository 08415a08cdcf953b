"""Typing a line in a terminal that does nothing by itself: keys in, the line and its picture out. No I/O.

Enter ends the line; arrows, Home, End, Backspace, Delete, Ctrl-A E U W K as everywhere; Up and Down go through what was
typed before.
"""

import re
import unicodedata
from codecs import IncrementalDecoder, getincrementaldecoder
from collections.abc import Callable
from enum import Enum

import attrs

_KEY = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[@-~]|[^\[O])|[^\x1b]", re.DOTALL)


class Key(Enum):
    """What ends the typing instead of a line."""

    END = "Ctrl-D on an empty line"
    INTERRUPT = "Ctrl-C"


def columns(text: str) -> int:
    """Count the columns that a text takes in a terminal: two for a Chinese character, none for an accent."""
    return sum(
        0 if unicodedata.category(mark) in {"Mn", "Me", "Cf"} else 1 + (unicodedata.east_asian_width(mark) in "WF")
        for mark in text
    )


@attrs.define
class LineEditor:
    """The line being typed, with the place of the cursor in it."""

    text: str = ""
    place: int = 0
    history: list[str] = attrs.Factory(list)
    secret: bool = False
    _recalled: int = 0
    _keys: str = ""
    _decoder: IncrementalDecoder = attrs.Factory(lambda: getincrementaldecoder("utf-8")("replace"))

    def feed(self, data: bytes) -> list[str | Key]:
        """Take key presses. Gives the lines that were ended by them, in order, and Keys."""
        self._keys += self._decoder.decode(data)
        done: list[str | Key] = []
        while key := _KEY.match(self._keys):
            self._keys = self._keys[key.end() :]
            if (ended := self._press(key[0])) is not None:
                done.append(ended)
        return done

    def _press(self, key: str) -> str | Key | None:
        if key in "\r\n":
            return self._end_line()
        if key == "\x03":
            return Key.INTERRUPT
        if key == "\x04":
            return None if self.text else Key.END
        if action := _ACTIONS.get(key):
            action(self)
        elif key.isprintable():
            self.text = self.text[: self.place] + key + self.text[self.place :]
            self.place += len(key)
        return None

    def _end_line(self) -> str:
        line = self.text
        if line and not self.secret and self.history[-1:] != [line]:
            self.history.append(line)
        self._recalled = len(self.history)
        self._replace("")
        return line

    def _replace(self, text: str) -> None:
        self.text = text
        self.place = len(text)

    def left(self) -> None:
        """Go one character left."""
        self.place = max(0, self.place - 1)

    def right(self) -> None:
        """Go one character right."""
        self.place = min(len(self.text), self.place + 1)

    def home(self) -> None:
        """Go to the start."""
        self.place = 0

    def end(self) -> None:
        """Go to the end."""
        self.place = len(self.text)

    def backspace(self) -> None:
        """Erase the character before the cursor."""
        if self.place:
            self.place -= 1
            self.delete()

    def delete(self) -> None:
        """Erase the character under the cursor."""
        self.text = self.text[: self.place] + self.text[self.place + 1 :]

    def clear(self) -> None:
        """Erase all before the cursor."""
        self.text, self.place = self.text[self.place :], 0

    def cut(self) -> None:
        """Erase all from the cursor on."""
        self.text = self.text[: self.place]

    def erase_word(self) -> None:
        """Erase the word before the cursor."""
        kept = self.text[: self.place].rstrip()
        kept = kept[: kept.rfind(" ") + 1]
        self.text, self.place = kept + self.text[self.place :], len(kept)

    def up(self) -> None:
        """Bring back what was typed before."""
        self._recall(self._recalled - 1)

    def down(self) -> None:
        """Go on to what was typed after it."""
        self._recall(self._recalled + 1)

    def _recall(self, number: int) -> None:
        if not self.secret and 0 <= number <= len(self.history):
            self._recalled = number
            self._replace([*self.history, ""][number])

    def picture(self, prompt: str, width: int) -> str:
        """Give what draws prompt and line on one row, over what was there, and puts the cursor in its place."""
        if self.secret:
            return f"\r\x1b[K{prompt}"
        room = max(8, width - columns(prompt) - 1)
        start = 0
        while columns(self.text[start : self.place]) > room:
            start += 1
        end = self.place
        while end < len(self.text) and columns(self.text[start : end + 1]) <= room:
            end += 1
        back = columns(self.text[self.place : end])
        return f"\r\x1b[K{prompt}{self.text[start:end]}" + (f"\x1b[{back}D" if back else "")


_ACTIONS: dict[str, Callable[[LineEditor], None]] = {
    key: action
    for keys, action in (
        (("\x1b[D", "\x1bOD", "\x02"), LineEditor.left),
        (("\x1b[C", "\x1bOC", "\x06"), LineEditor.right),
        (("\x1b[A", "\x1bOA", "\x10"), LineEditor.up),
        (("\x1b[B", "\x1bOB", "\x0e"), LineEditor.down),
        (("\x1b[H", "\x1bOH", "\x1b[1~", "\x01"), LineEditor.home),
        (("\x1b[F", "\x1bOF", "\x1b[4~", "\x05"), LineEditor.end),
        (("\x7f", "\b"), LineEditor.backspace),
        (("\x1b[3~",), LineEditor.delete),
        (("\x15",), LineEditor.clear),
        (("\x17",), LineEditor.erase_word),
        (("\x0b",), LineEditor.cut),
    )
    for key in keys
}
