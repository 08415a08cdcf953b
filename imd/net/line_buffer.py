"""Bytes to lines, for one connection."""

from collections import deque

import attrs


@attrs.define
class LineBuffer:
    """Cuts at LF, with or without a CR; LineReceiver's own loop copies the rest for each line."""

    lines: deque[bytes] = attrs.field(factory=deque, init=False)
    """What was cut and not taken yet. One that was too long is its first bytes."""

    partial: bytearray = attrs.field(factory=bytearray, init=False)
    _skipping: bool = attrs.field(default=False, init=False)

    def whole(self, data: bytes, longest: int) -> bytes:
        """Take in what ends in a LF, and give the rest."""
        *pieces, rest = data.split(b"\n")
        for piece in pieces:
            self.part(piece, longest)
            self._end()
        return rest

    def part(self, piece: bytes, longest: int) -> None:
        """Keep a piece of an unfinished line; one that is too long counts as cut at once, and its rest is skipped."""
        if self._skipping:
            return
        self.partial += piece
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
