"""Flow control towards a peer: what waits to be written, and the transport's word on whether it can take more."""

from collections import deque
from collections.abc import Callable

import attrs
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

WRITE_BYTES = 65_536
"""So much is written at a time, and then asked whether the peer can take more."""


@attrs.define
class WriteQueue:
    """Frames that wait to be written."""

    size: int = attrs.field(default=0, init=False)
    """How many bytes wait in frames of which nothing is written yet."""

    _frames: deque[bytes] = attrs.field(factory=deque, init=False)
    _rest: bytes = attrs.field(default=b"", init=False)
    """What is left of a frame that is partly written."""

    def __bool__(self) -> bool:
        return bool(self._rest or self._frames)

    def add(self, frame: bytes) -> None:
        """Queue a frame."""
        self._frames.append(frame)
        self.size += len(frame)

    def piece(self) -> bytes:
        """Take what is to be written next, WRITE_BYTES at most."""
        data = self._rest
        if not data and self.size <= WRITE_BYTES:
            data = b"".join(self._frames)
            self._frames.clear()
            self.size = 0
            return data
        while self._frames and len(data) < WRITE_BYTES:
            frame = self._frames.popleft()
            self.size -= len(frame)
            if data and len(data) + len(frame) > WRITE_BYTES:
                self._frames.appendleft(frame)
                self.size += len(frame)
                break
            data += frame
        data, self._rest = data[:WRITE_BYTES], data[WRITE_BYTES:]
        return data

    def drop(self) -> None:
        """Discard the frames of which nothing is written yet."""
        self._frames.clear()
        self.size = 0

    def break_off(self, end: bytes) -> None:
        """Discard everything; a frame that is partly written ends here."""
        self.drop()
        if self._rest:
            self._rest = end


@implementer(IPushProducer)
@attrs.frozen(eq=False)
class Producer:
    """What a transport tells when its peer is behind in reading, and when it has caught up."""

    pause: Callable[[], None]
    resume: Callable[[], None]

    def pauseProducing(self) -> None:
        """Hold back what is to be written."""
        self.pause()

    def resumeProducing(self) -> None:
        """Let it go."""
        self.resume()

    def stopProducing(self) -> None:
        """Do nothing: the connection is gone."""
