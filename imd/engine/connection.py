"""What the engine needs of a connection. The network layer above implements it."""

from typing import Protocol

from imd.engine.encoded_event import EncodedEvent
from imd.wire.base import Reply, Request


class Connection(Protocol):
    """A peer's connection, whatever face it speaks."""

    def peek(self) -> Request | None:
        """Return the next request without taking it; None if there is none, or none may start now."""

    def take(self) -> None:
        """Take the request that was peeked at."""

    def ready(self) -> bool:
        """Say whether the peer can take more. New requests and pages of a replay wait for it."""

    def send(self, line: bytes) -> None:
        """Queue a reply, without its line end."""

    def tell(self, event: EncodedEvent, language: str) -> None:
        """Queue an event, in the dialect of the latest request."""

    def replied(self, request: Request, reply: Reply) -> None:
        """Note the reply to a request: a reply may imply that earlier messages were read."""

    def identified(self, logged_in: bool) -> None:
        """Note whether an account is logged in."""

    def flush(self) -> None:
        """Write what is queued."""

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
