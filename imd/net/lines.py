"""The face for terminals and programs: each line is either text or JSON (PROTOCOL sections 2 and 3)."""

from collections import deque
from collections.abc import Callable

import attrs

from imd.engine.encoded_event import EncodedEvent
from imd.net.implicit_acks import ImplicitAcks
from imd.wire import textline
from imd.wire.base import Dialect, Reply, Request
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
            self._keep(piece, longest)
            self._end()
        self._keep(rest, longest)

    def _keep(self, piece: bytes, longest: int) -> None:
        if not self._skipping:
            self.partial += piece
            self.limit(longest)

    def limit(self, longest: int) -> None:
        """End an unfinished line that is too long. The rest of it is skipped."""
        if len(self.partial) > longest + 1:
            self._end()
            self._skipping = True

    def _end(self) -> None:
        if self._skipping:
            self._skipping = False
            return
        line = bytes(self.partial)
        self.partial.clear()
        self.lines.append(line[:-1] if line.endswith(b"\r") else line)


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
    dialect: Dialect = textline.DIALECT
    """The dialect of the latest request."""

    reads: int = attrs.field(default=0, init=False)
    buffer: LineBuffer = attrs.field(factory=LineBuffer, init=False)
    _requests: deque[Request] = attrs.field(factory=deque, init=False)
    _implicit_acks: ImplicitAcks = attrs.field(factory=ImplicitAcks, init=False)

    @property
    def waiting(self) -> bool:
        """Whether received lines have not been read as requests yet."""
        return bool(self.buffer.lines)

    def receive(self, data: bytes) -> None:
        """Receive bytes."""
        self.buffer.feed(data, self.longest)

    def peek(self) -> Request | None:
        """Return the next request without taking it: from the next line, or implied by a typed line."""
        if not self.buffer.lines:
            self.buffer.limit(self.longest_now())
        if not self._requests and self.buffer.lines:
            self.reads += 1
            self._read(self.buffer.lines.popleft())
        return self._requests[0] if self._requests else None

    def _read(self, line: bytes) -> None:
        limit = self.longest_now()
        request = self.reader.too_long(line, limit) if len(line) > limit else self.reader.feed(line)
        if request is None:
            return
        self.dialect = request.dialect
        if request.dialect is textline.DIALECT:
            self._requests += self._implicit_acks.typed()
        self._requests.append(request)

    def take(self) -> None:
        """Take the request that was peeked at."""
        self._requests.popleft()

    def frame(self, line: bytes) -> bytes:
        """Add the line end."""
        return line + b"\r\n"

    def event(self, event: EncodedEvent, language: str) -> bytes:
        """Return an event's line in the dialect of the latest request."""
        line = event.line(self.dialect, language)
        if self.dialect is textline.DIALECT:
            self._implicit_acks.show(event.event)
        return line

    def replied(self, request: Request, reply: Reply) -> None:
        """Queue the request that a typed answer implies: that its conversation was read."""
        if isinstance(reply, Sent) and request.dialect is textline.DIALECT:
            self._requests.extendleft(self._implicit_acks.answered(reply.conversation))

    def logged_out(self) -> None:
        """Forget what was shown to the account that was logged in."""
        self._implicit_acks = ImplicitAcks()
