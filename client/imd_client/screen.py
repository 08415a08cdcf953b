"""Standard input and output line by line: a pipe, or a terminal that edits the line itself (canonical mode)."""

import fcntl
import os
import sys
import termios
from collections.abc import Iterable
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import connectionDone
from twisted.internet.stdio import StandardIO
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from imd.wire.terminal import block, harmless
from imd_client.view import InputEnded, OnLine


@attrs.define
class TerminalModes:
    """The state of descriptors 0 and 1, to be restored: blocking mode, and the terminal's echo."""

    terminal: bool = attrs.Factory(lambda: os.isatty(0))
    _attributes: Any = None
    _flags: tuple[int, int] = (0, 0)

    def __attrs_post_init__(self) -> None:
        self._flags = (fcntl.fcntl(0, fcntl.F_GETFL), fcntl.fcntl(1, fcntl.F_GETFL))
        if self.terminal:
            self._attributes = termios.tcgetattr(0)

    def set_echo(self, on: bool) -> None:
        """Show what is typed, or hide everything but the line break."""
        if not self.terminal:
            return
        modes = termios.tcgetattr(0)
        modes[3] = self._attributes[3] if on else (self._attributes[3] & ~termios.ECHO) | termios.ECHONL
        termios.tcsetattr(0, termios.TCSADRAIN, modes)

    def restore(self) -> None:
        """Restore the state that was found."""
        if self.terminal:
            termios.tcsetattr(0, termios.TCSADRAIN, self._attributes)
        for descriptor, flags in enumerate(self._flags):
            fcntl.fcntl(descriptor, fcntl.F_SETFL, flags)


@implementer(IHalfCloseableProtocol)
class LineScreen(LineReceiver):
    """Reads and writes lines. `interactive` says whether the input is a terminal, with a person at it."""

    delimiter = b"\n"
    MAX_LENGTH = 16 * 1024 * 1024
    transport: Any

    def __init__(self, on_line: OnLine, modes: TerminalModes) -> None:
        self.interactive = modes.terminal
        self._on_line = on_line
        self._modes = modes
        self._answer: Deferred[str] | None = None
        self._ended = False
        self._closed: Deferred[None] = Deferred()

    def show(self, text: str) -> None:
        """Show a text on lines of its own, made harmless."""
        self.transport.write(f"{block(text)}\n".encode(errors="replace"))

    def show_all(self, texts: Iterable[str]) -> None:
        """Show several texts."""
        for text in texts:
            self.show(text)

    def show_after_exit(self, text: str) -> None:
        """Show a text now; nothing shown before is lost at the end."""
        self.show(text)

    def prompt(self, text: str) -> None:
        """Show no prompt: the next text would be written right behind it."""

    def echo(self, line: str) -> None:
        """Do nothing: the terminal has shown the line as it was typed."""

    def ask(self, question: str, *, secret: bool = False) -> Deferred[str]:
        """Ask a question; the next line answers it. A secret answer is not shown. Fails with InputEnded."""
        answer = self._answer = Deferred[str]()
        if self._ended:
            self._end()
        else:
            self.transport.write(harmless(question).encode())
            self._modes.set_echo(not secret)
        return answer

    def lineReceived(self, line: bytes) -> None:
        """Take a line: the answer to a question, or something to do."""
        text = line.removesuffix(b"\r").decode(errors="replace")
        if self._answer is None:
            self._on_line(text)
            return
        answer, self._answer = self._answer, None
        self._modes.set_echo(True)
        answer.callback(text)

    def _end(self) -> None:
        self._ended = True
        if self._answer is not None:
            answer, self._answer = self._answer, None
            answer.errback(InputEnded())
        else:
            self._on_line(None)

    def readConnectionLost(self) -> None:
        """Take the last line, which may have no line break; nothing more will be typed."""
        if rest := self.clearLineBuffer():
            self.lineReceived(rest)
        self._end()

    def writeConnectionLost(self) -> None:
        """End: nobody reads the output any more."""
        self._closed.callback(None)
        self._end()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Let `close` finish."""
        if not self._closed.called:
            self._closed.callback(None)

    async def close(self) -> None:
        """Write what is left, and leave the terminal as it was found."""
        self.transport.loseConnection()
        await self._closed
        self._modes.restore()


def is_capable_terminal() -> bool:
    """Return whether a person sits at both ends, at a terminal that can move its cursor."""
    return os.isatty(0) and os.isatty(1) and os.environ.get("TERM", "dumb") != "dumb"


def open_line_screen(on_line: OnLine, reactor: Any) -> LineScreen:
    """Open standard input and output."""
    modes = TerminalModes()
    sys.stdout.flush()
    screen = LineScreen(on_line, modes)
    StandardIO(screen, os.dup(0), os.dup(1), reactor)  # type: ignore[call-arg]  # mypy reads the one for Windows
    return screen
