"""Lines out of bytes, for the connection and for the keyboard."""

from typing import Any

from twisted.protocols.basic import LineReceiver


class Lines(LineReceiver):
    """A LineReceiver that cuts the whole buffer at once; the original copies what is left for every line."""

    delimiter = b"\n"
    transport: Any
    MAX_LENGTH = 16 * 1024 * 1024
    """Bytes of the longest line that is taken: a page of `sync` is one line."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def dataReceived(self, data: bytes) -> None:
        """Give each whole line to lineReceived, without its end; keep the rest."""
        self._pieces.append(data)
        if b"\n" not in data:
            if sum(map(len, self._pieces)) > self.MAX_LENGTH:
                self._pieces.clear()
                self.lineLengthExceeded(b"")
            return
        *lines, rest = b"".join(self._pieces).split(b"\n")
        self._pieces = [rest]
        for line in lines:
            if self.transport is None or self.transport.disconnecting:
                return
            self.lineReceived(line.removesuffix(b"\r"))

    def lineLengthExceeded(self, line: bytes) -> None:
        """Cut the connection: nobody sends such lines."""
        self.transport.abortConnection()

    def rest(self) -> bytes:
        """Give the last line, if it had no end."""
        return b"".join(self._pieces)
