"""Faces: a face turns bytes into requests and lines into bytes, and holds no rule."""

from typing import Protocol

from imd.engine.encoded_event import EncodedEvent
from imd.wire.base import Request


class Face(Protocol):
    """One connection's language. Everything here is without I/O."""

    tells: bool
    """Whether the peer can be told events, such as why the connection ends."""

    broken: bytes
    """What ends a frame that is partly written, so that the peer can read what follows."""

    @property
    def waiting(self) -> bool:
        """Whether something that came has not been read as a request yet."""

    reads: int
    """How many lines, or what stands for them, were read as requests."""

    def receive(self, data: bytes) -> None:
        """Take bytes in."""

    def next_request(self) -> Request | None:
        """Take the next request, reading one line more at most. None does not mean that there is none."""

    def frame(self, line: bytes) -> bytes:
        """Make the bytes of a line on its way out."""

    def told(self, event: EncodedEvent) -> None:
        """Learn what a person is told."""

    def logged_out(self) -> None:
        """Forget what is only true of the account that was logged in."""
