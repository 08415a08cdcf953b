"""What the engine needs of a connection. The network layer above implements it."""

from typing import Protocol

from imd.engine.encoded_event import EncodedEvent
from imd.wire.base import Request


class Connection(Protocol):
    """A peer's connection, whatever face it speaks."""

    @property
    def congested(self) -> bool:
        """Whether the peer reads too slowly."""

    @property
    def more(self) -> bool:
        """Whether something waits to be read as a request."""

    def next_request(self) -> Request | None:
        """Take the next request; None if there is none, or none may start now."""

    def write(self, lines: list[bytes]) -> None:
        """Write lines, without their line ends. What the peer cannot take yet is written later."""

    def told(self, event: EncodedEvent) -> None:
        """Note that a person is shown an event."""

    def identified(self, logged_in: bool) -> None:
        """Note whether an account is logged in."""

    def hang_up(self) -> None:
        """Send what is queued and close."""

    def drop(self) -> None:
        """Discard what is queued for a peer that reads too slowly, and do not wait long for it to read the rest."""

    def goodbye(self) -> None:
        """Close because the server stops; a peer that speaks lines is told why."""

    def evict(self) -> bool:
        """Close to make room for another connection. True if it stays for a moment to be told why."""

    def cut_off(self) -> None:
        """Close at once, without sending what is queued."""
