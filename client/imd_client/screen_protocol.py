"""How the console speaks with a person: sentences, questions, lines from them. Each kind of screen can do it."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from imd.wire.base import Command

OnLine = Callable[[str | Command | None], None]
"""Takes each line that is typed, or the command that a key stands for; None when there will be no more."""


class InputEnded(Exception):
    """There is nobody to answer: the input ended, or Ctrl-C was pressed."""


class ScreenProtocol(Protocol):
    """A screen, as far as the console needs to know it."""

    @property
    def interactive(self) -> bool:
        """Whether a person sits there."""

    def show(self, text: str) -> None:
        """Show a text, on lines of its own."""

    def show_all(self, texts: Iterable[str]) -> None:
        """Show several."""

    def show_after_exit(self, text: str) -> None:
        """Show a text that is to be read after the console has ended."""

    def prompt(self, text: str) -> None:
        """Say what stands before the line being typed."""

    def echo(self, line: str) -> None:
        """Leave a typed line on the screen, where it does not stay by itself."""

    def ask(self, question: str, *, secret: bool = False) -> Awaitable[str]:
        """Ask; the answer may be meant for nobody else to see. Fails with InputEnded if there is nobody."""

    async def close(self) -> None:
        """Show the last of it, and leave the terminal as it was found."""
