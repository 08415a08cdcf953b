"""What the console needs of its view: `plain` writes line after line, `fullscreen` draws the whole screen."""

from typing import Protocol

from imd.wire.base import Command, Reply, Spec
from imd.wire.conversations import Page
from imd_client.client import Client
from imd_client.events import ClientEvent
from imd_client.screen_protocol import ScreenProtocol
from imd_client.state import OutboxItem


class View(Protocol):
    """A way to show the console. It is told what happens, and what the person did; it decides nothing."""

    context: int
    """How many earlier messages are wanted when somebody is chosen."""

    @property
    def screen(self) -> ScreenProtocol:
        """Where it is shown."""

    @property
    def to(self) -> str:
        """Whom the person writes to, as they would type it; nothing before they chose."""

    def begin(self, client: Client) -> None:
        """Take the client whose events are to be shown."""

    def on_event(self, event: ClientEvent) -> None:
        """Show what happened, if there is anything to show."""

    def chosen(self, to: str, page: Page | None) -> None:
        """Show whom the person writes to now, with the latest messages; None where there are none to be had."""

    def answered(self, spec: Spec, command: Command, reply: Reply) -> None:
        """Show what a command answered."""

    def queued(self, item: OutboxItem) -> None:
        """Show what the person wrote, before the server has it."""

    def mark_read(self) -> None:
        """Note that the person is there, and has seen what is shown."""
