"""Which lines of a conversation are visible: the last ones, until the person scrolls up; then they stay in place."""

from collections.abc import Hashable

import attrs

from imd_client.fullscreen.timeline import Line

Anchor = tuple[Hashable, int]
"""A part and the number of a line in it: it names the same line whatever is added before or after."""


@attrs.define
class Scroll:
    """A window on lines. `anchor` is its last line; None is the end."""

    anchor: Anchor | None = None
    _lines: list[Line] = attrs.Factory(list)
    _height: int = 1
    _wanted: Hashable = None

    def window(self, lines: list[Line], height: int) -> list[Line]:
        """Return the visible lines, below empty ones if there are few."""
        self._lines, self._height = lines, max(1, height)
        if self._wanted is not None:
            self._reveal(self._wanted)
            self._wanted = None
        end = self._end()
        visible = lines[max(0, end - self._height) : end]
        return [Line([], "empty")] * (self._height - len(visible)) + visible

    def _end(self) -> int:
        least = min(self._height, len(self._lines))
        if self.anchor is not None:
            part, number = self.anchor
            for index, line in enumerate(self._lines):
                if line.part == part:
                    return max(least, min(index + number + 1, len(self._lines)))
        self.anchor = None
        return len(self._lines)

    def scroll_by(self, count: int) -> None:
        """Scroll down by so many lines; up if negative."""
        least = min(self._height, len(self._lines))
        end = max(least, min(self._end() + count, len(self._lines)))
        self.anchor = None if end == len(self._lines) else self._anchor_at(end - 1)

    def scroll_pages(self, count: int) -> None:
        """Scroll down by so many windows; up if negative. Two lines stay visible."""
        self.scroll_by(count * max(1, self._height - 2))

    def _anchor_at(self, index: int) -> Anchor:
        part = self._lines[index].part
        start = index
        while start and self._lines[start - 1].part == part:
            start -= 1
        return part, index - start

    @property
    def at_top(self) -> bool:
        """Whether the first line is visible."""
        return self._end() <= self._height

    @property
    def below(self) -> int:
        """How many lines are below the window."""
        return len(self._lines) - self._end()

    def reveal(self, part: Hashable) -> None:
        """Make a part visible when it is drawn next."""
        self._wanted = part

    def _reveal(self, part: Hashable) -> None:
        indices = [index for index, line in enumerate(self._lines) if line.part == part]
        if not indices:
            return
        end = self._end()
        below, above = indices[-1] + 1 - end, end - self._height - indices[0]
        if len(indices) > self._height:
            self.scroll_by(-above)
        elif max(below, above) > self._height:
            self.scroll_by(indices[0] + self._height // 2 - end)
        elif below > 0 or above > 0:
            self.scroll_by(below if below > 0 else -above)
