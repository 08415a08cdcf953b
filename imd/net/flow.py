"""Flow control towards a peer: the queue of output, and the producer that learns when the peer can take more."""

from collections import deque
from collections.abc import Callable

import attrs
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

WRITE_BYTES = 65_536
"""How much is written at a time. After each write the transport may say that the peer can take no more."""


@attrs.define
class WriteQueue:
    """Frames that wait to be written."""

    size: int = attrs.field(default=0, init=False)
    """The bytes of all frames of which nothing was written yet."""

    _frames: deque[bytes] = attrs.field(factory=deque, init=False)
    _rest: bytes = attrs.field(default=b"", init=False)
    """The rest of a partly written frame."""

    def __bool__(self) -> bool:
        return bool(self._rest or self._frames)

    def add(self, frame: bytes) -> None:
        """Queue a frame."""
        self._frames.append(frame)
        self.size += len(frame)

    def piece(self) -> bytes:
        """Take the next bytes to write, WRITE_BYTES at most. Only a frame longer than that is written in parts."""
        if self._rest or (self._frames and len(self._frames[0]) > WRITE_BYTES):
            rest = self._rest or self._next_frame()
            self._rest = rest[WRITE_BYTES:]
            return rest[:WRITE_BYTES]
        frames, room = [], WRITE_BYTES
        while self._frames and len(self._frames[0]) <= room:
            frames.append(self._next_frame())
            room -= len(frames[-1])
        return b"".join(frames)  # at once: adding one by one would copy a long queue many times over

    def _next_frame(self) -> bytes:
        frame = self._frames.popleft()
        self.size -= len(frame)
        return frame

    def drop(self) -> None:
        """Discard the frames of which nothing was written yet."""
        self._frames.clear()
        self.size = 0

    def break_off(self, end: bytes) -> None:
        """Discard everything. `end` takes the place of the rest of a partly written frame."""
        self.drop()
        if self._rest:
            self._rest = end


@implementer(IPushProducer)
@attrs.frozen(eq=False)
class Producer:
    """Called by a transport when its peer reads too slowly, and when it has caught up."""

    pause: Callable[[], None]
    resume: Callable[[], None]

    def pauseProducing(self) -> None:
        """Stop writing."""
        self.pause()

    def resumeProducing(self) -> None:
        """Write again."""
        self.resume()

    def stopProducing(self) -> None:
        """Do nothing: the connection is gone."""
