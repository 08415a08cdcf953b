"""The face for terminals and programs: each line is either text or JSON (PROTOCOL sections 2 and 3)."""

from collections import deque
from collections.abc import Callable

import attrs

from imd.engine.encoded_event import EncodedEvent
from imd.net.implicit_acks import ImplicitAcks
from imd.wire import textline
from imd.wire.base import Reply, Request
from imd.wire.messages import Sent
from imd.wire.reader import LineReader


@attrs.define
class LineBuffer:
    """Splits bytes at LF, with or without a CR. LineReceiver's own loop copies its whole buffer for each line."""

    lines: deque[bytes] = attrs.field(factory=deque, init=False)
    """Lines that were not taken yet. Of a line that was too long, the first bytes."""

    partial: bytearray = attrs.field(factory=bytearray, init=False)
    _skipping: bool = attrs.field(default=False, init=False)

    def feed(self, data: bytes, longest: int) -> None:
        """Receive bytes."""
        *pieces, rest = data.split(b"\n")
        for piece in pieces:
            if self._skipping:
                self._skipping = False
                continue
            if self.partial:
                piece = bytes(self.partial) + piece
                self.partial.clear()
            self.lines.append(piece[:-1] if piece.endswith(b"\r") else piece)
        if rest and not self._skipping:
            self.partial += rest
            self.limit(longest)

    def limit(self, longest: int) -> None:
        """End an unfinished line that is too long. The rest of it is skipped."""
        if len(self.partial) > longest + 1:
            self.lines.append(bytes(self.partial))
            self.partial.clear()
            self._skipping = True


@attrs.define(eq=False)
class LinesFace:
    """One connection that speaks lines."""

    reader: LineReader
    longest: int
    """How long a line may be at most."""

    longest_now: Callable[[], int]
    """How long a line may be now: before login it is less."""

    tells = True
    broken = b"\r\n"
    reads: int = attrs.field(default=0, init=False)
    buffer: LineBuffer = attrs.field(factory=LineBuffer, init=False)
    _implied: deque[Request] = attrs.field(factory=deque, init=False)
    """The requests that a typed line implies, then that line's own request."""

    _implicit_acks: ImplicitAcks = attrs.field(factory=ImplicitAcks, init=False)

    @property
    def waiting(self) -> bool:
        """Whether received lines have not been read as requests yet."""
        buffer = self.buffer
        return bool(buffer.lines or self._implied or (buffer.partial and len(buffer.partial) > self.longest_now() + 1))

    def receive(self, data: bytes) -> None:
        """Receive bytes."""
        self.buffer.feed(data, self.longest)

    def next_request(self) -> Request | None:
        """Take the next request: one that a typed line implies, or that of the next line."""
        if self._implied:
            return self._implied.popleft()
        if not self.buffer.lines and self.buffer.partial:
            self.buffer.limit(self.longest_now())
        if not self.buffer.lines:
            return None
        self.reads += 1
        line, limit = self.buffer.lines.popleft(), self.longest_now()
        request = self.reader.too_long(line, limit) if len(line) > limit else self.reader.feed(line)
        if request is None or request.dialect is not textline.DIALECT:
            return request
        request.replied = self._replied
        self._implied += [*self._implicit_acks.typed(), request]
        return self._implied.popleft()

    def _replied(self, reply: Reply) -> list[Request]:
        """Queue the request that a typed answer implies: that its conversation was read."""
        return self._implicit_acks.answered(reply.conversation) if isinstance(reply, Sent) else []

    def frame(self, line: bytes) -> bytes:
        """Add the line end."""
        return line + b"\r\n"

    def told(self, event: EncodedEvent) -> None:
        """Note an event that the person is shown."""
        self._implicit_acks.show(event.event)

    def logged_out(self) -> None:
        """Forget what was shown to the account that was logged in."""
        self._implicit_acks = ImplicitAcks()
