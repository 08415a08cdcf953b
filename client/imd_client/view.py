"""What the console needs of how it is shown: a Screen talks with the person, a View shows what happens.

`plain` writes line after line, on any LineScreen or PromptScreen; `fullscreen` draws the whole terminal.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from imd.wire.base import Command, Reply, Spec
from imd.wire.conversations import Page
from imd_client.client import Client
from imd_client.events import ClientEvent
from imd_client.state import OutboxItem

OnLine = Callable[[str | Command | None], None]
"""Called with each typed line, or the command that a key stands for; with None when the input ends."""


class InputEnded(Exception):
    """Nobody will answer: the input ended, or Ctrl-C was pressed."""


class Screen(Protocol):
    """What the console needs of a screen."""

    @property
    def interactive(self) -> bool:
        """Whether a person sits at it."""

    def show(self, text: str) -> None:
        """Show a text, on lines of its own."""

    def show_all(self, texts: Iterable[str]) -> None:
        """Show several texts."""

    def show_after_exit(self, text: str) -> None:
        """Show a text that must still be readable when the console has ended."""

    def prompt(self, text: str) -> None:
        """Set the prompt before the input line."""

    def echo(self, line: str) -> None:
        """Leave a typed line on the screen, where it does not stay by itself."""

    def ask(self, question: str, *, secret: bool = False) -> Awaitable[str]:
        """Ask a question; a secret answer is not shown. Fails with InputEnded if nobody answers."""

    async def close(self) -> None:
        """Show what is left to show, and leave the terminal as it was found."""


class View(Protocol):
    """A way to show the console. It is told what happens and what the person did; it decides nothing."""

    context: int
    """How many earlier messages to fetch when a conversation is chosen."""

    @property
    def screen(self) -> Screen:
        """Where it is shown."""

    @property
    def to(self) -> str:
        """The conversation that typed messages go to, as the person would type it; empty before one is chosen."""

    def begin(self, client: Client) -> None:
        """Take the client whose events are to be shown."""

    def on_event(self, event: ClientEvent) -> None:
        """Show an event, if there is anything to show."""

    def chosen(self, to: str, page: Page | None) -> None:
        """Show the conversation that was chosen, with its latest messages; None if they could not be fetched."""

    def answered(self, spec: Spec, command: Command, reply: Reply) -> None:
        """Show the reply to a command."""

    def queued(self, item: OutboxItem) -> None:
        """Show a message of the person's before the server has stored it."""

    def mark_read(self) -> None:
        """Mark as read what is shown: the person just did something."""
