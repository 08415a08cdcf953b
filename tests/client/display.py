"""A terminal's display in memory, for prompt_toolkit: what it draws, and what is printed above that."""

from typing import Any

import attrs
from prompt_toolkit.application import Application
from prompt_toolkit.data_structures import Size
from prompt_toolkit.output import DummyOutput


@attrs.define
class Display(DummyOutput):
    """An output of some size. `printed` holds the texts that scroll away above what is drawn."""

    columns: int = 80
    rows: int = 24
    printed: str = ""

    def get_size(self) -> Size:
        return Size(rows=self.rows, columns=self.columns)

    def write_raw(self, data: str) -> None:
        self.printed += data

    def take(self) -> str:
        """Take what was printed since the last time."""
        text, self.printed = self.printed, ""
        return text


def drawn_rows(application: Application[Any]) -> list[str]:
    """Read what is drawn; it is empty when the application has ended."""
    drawn = application.renderer.last_rendered_screen
    if drawn is None:
        return []
    size = application.output.get_size()
    return [
        "".join(drawn.data_buffer[row][column].char for column in range(size.columns)).rstrip()
        for row in range(size.rows)
    ]
