"""Faces: a face turns bytes into requests and lines into bytes. It holds no rules of the chat."""

from typing import Protocol

from imd.engine.encoded_event import EncodedEvent
from imd.wire.base import Request


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

    def next_request(self) -> Request | None:
        """Take the next request. It reads one frame at most, so None may mean "call again"."""

    def frame(self, line: bytes) -> bytes:
        """Return the bytes of an outgoing line."""

    def told(self, event: EncodedEvent) -> None:
        """Note an event that a person is shown."""

    def logged_out(self) -> None:
        """Forget what belongs to the account that was logged in."""
