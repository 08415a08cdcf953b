"""Messages found by a command, in place of the timeline: one row each, to choose from."""

from datetime import datetime

import attrs

from imd.wire.catalog import say
from imd.wire.messages import Message
from imd.wire.terminal import harmless
from imd_client.formatting import format_time
from imd_client.fullscreen.widths import Fragments, columns, pad


@attrs.define
class Results:
    """The messages, and which one is selected."""

    title: str
    messages: list[Message]
    selected: int = 0
    more: bool = False
    """Whether the server has more."""

    def move(self, count: int) -> None:
        """Move the selection."""
        self.selected = max(0, min(self.selected + count, len(self.messages) - 1))

    @property
    def message(self) -> Message:
        """The selected message."""
        return self.messages[self.selected]

    def lines(self, width: int, height: int, now: datetime, language: str) -> list[Fragments]:
        """Draw as many as there is room for, the selected one among them."""
        head = say(
            "console.fullscreen.results.more" if self.more else "console.fullscreen.results",
            language,
            count=len(self.messages),
            what=self.title,
        )
        room = max(1, height - 1)
        start = max(0, min(self.selected - room // 2, len(self.messages) - room))
        rows = [self._row(index, width, now, language) for index in range(start, len(self.messages))[:room]]
        return [[("class:results", pad(f" {head}", width))], *rows]

    def _row(self, index: int, width: int, now: datetime, language: str) -> Fragments:
        message = self.messages[index]
        at = format_time(message.time, now)
        where = message.sender if message.to == message.sender else f"{message.to} {message.sender}"
        content = harmless(message.said(language).replace("\n", " ")[:width])
        style = "class:selected" if index == self.selected else ""
        head = f" {at} {harmless(where)}  "
        return [(f"{style} class:time", head), (style, pad(content, width - columns(head)))]
