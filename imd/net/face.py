"""Faces: a face turns bytes into requests and lines into bytes. It holds no rules of the chat."""

from typing import Protocol

from imd.engine.encoded_event import EncodedEvent
from imd.wire.base import Reply, Request


class Face(Protocol):
    """The protocol that one connection speaks, without I/O."""

    tells: bool
    """Whether the peer can receive events, such as the reason why the connection ends."""

    broken: bytes
    """The bytes that end a partly written frame, so that the peer can parse what follows."""

    @property
    def waiting(self) -> bool:
        """Whether received frames have not been read as requests yet."""

    reads: int
    """How many frames were read as requests so far."""

    def receive(self, data: bytes) -> None:
        """Receive bytes."""

    def peek(self) -> Request | None:
        """Return the next request without taking it. It reads one frame at most, so None may mean "call again"."""

    def take(self) -> None:
        """Take the request that was peeked at."""

    def frame(self, line: bytes) -> bytes:
        """Return the bytes of an outgoing line."""

    def event(self, event: EncodedEvent, language: str) -> bytes:
        """Return an event's line; empty if the peer is not shown this event."""

    def replied(self, request: Request, reply: Reply) -> None:
        """Note the reply to a request."""

    def logged_out(self) -> None:
        """Forget what belongs to the account that was logged in."""
