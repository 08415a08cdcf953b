"""What the engine needs of a connection: the one seam between it and the network, which stands above it."""

from typing import Protocol

from imd.engine.encoded_event import EncodedEvent
from imd.wire.base import Reply, Request


class Connection(Protocol):
    """A peer's connection, whatever face it speaks."""

    def peek(self) -> Request | None:
        """Give the next request without taking it; None while there is none, or none is to be started."""

    def take(self) -> None:
        """Take the request that was peeked at."""

    def ready(self) -> bool:
        """Say whether the peer can take more: a reply or a page that need not be made yet waits for it."""

    def send(self, line: bytes) -> None:
        """Queue a reply, without its line end."""

    def tell(self, event: EncodedEvent, language: str) -> None:
        """Queue an event, in the dialect of the latest request."""

    def replied(self, request: Request, reply: Reply) -> None:
        """Learn what was replied: it may tell something of the person who reads it."""

    def identified(self, logged_in: bool) -> None:
        """Learn whether an account is logged in."""

    def flush(self) -> None:
        """Write what is queued."""

    def hang_up(self) -> None:
        """Send what is queued and close."""

    def drop(self) -> None:
        """Discard what is held back for a peer that is behind, and do not wait long for it to read the rest."""

    def goodbye(self) -> None:
        """Close since the server stops, with the reason for a peer that speaks lines."""

    def turn_out(self) -> bool:
        """Make room for another connection. True when it takes a moment longer, to be told why."""

    def cut_off(self) -> None:
        """Be gone at once."""
