"""The face for terminals and programs: lines, text or JSON, decided line by line (PROTOCOL sections 2 and 3)."""

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
    """Cuts bytes at LF, with or without a CR. LineReceiver's own loop copies the rest for each line."""

    lines: deque[bytes] = attrs.field(factory=deque, init=False)
    """What was cut and not taken yet. A line that was too long is its first bytes."""

    partial: bytearray = attrs.field(factory=bytearray, init=False)
    _skipping: bool = attrs.field(default=False, init=False)

    def feed(self, data: bytes, longest: int) -> None:
        """Take bytes in."""
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
        """Count an unfinished line that is too long as cut at once. Its rest is skipped."""
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
    """How long a line may be, whoever sends it."""

    longest_now: Callable[[], int]
    """How long one may be that is read now: before login less."""

    tells = True
    broken = b"\r\n"
    dialect: Dialect = textline.DIALECT
    """That of the latest request."""

    reads: int = attrs.field(default=0, init=False)
    buffer: LineBuffer = attrs.field(factory=LineBuffer, init=False)
    _requests: deque[Request] = attrs.field(factory=deque, init=False)
    _implicit_acks: ImplicitAcks = attrs.field(factory=ImplicitAcks, init=False)

    @property
    def waiting(self) -> bool:
        """Whether lines wait to be read as requests."""
        return bool(self.buffer.lines)

    def receive(self, data: bytes) -> None:
        """Take bytes in."""
        self.buffer.feed(data, self.longest)

    def peek(self) -> Request | None:
        """Give the next request without taking it: from one more line, or from what a typed line implied."""
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
        """End a line."""
        return line + b"\r\n"

    def event(self, event: EncodedEvent, language: str) -> bytes:
        """Give an event's line in the dialect of the latest request."""
        line = event.line(self.dialect, language)
        if self.dialect is textline.DIALECT:
            self._implicit_acks.show(event.event)
        return line

    def replied(self, request: Request, reply: Reply) -> None:
        """Take an answer that a person typed as a sign that they have read what they answer."""
        if isinstance(reply, Sent) and request.dialect is textline.DIALECT:
            self._requests.extendleft(self._implicit_acks.answered(reply.conversation))

    def logged_out(self) -> None:
        """Forget what was shown to the account that was logged in."""
        self._implicit_acks = ImplicitAcks()
