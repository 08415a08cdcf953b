"""What a person sees and types: a terminal with a line editor, a dumb terminal, or a pipe. All three are Screens.

A Screen gives each typed line to `typed`, and None when there will be no more.
"""

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
from twisted.python.failure import Failure
from zope.interface import implementer

from imd.wire.terminal import block, harmless
from imd_client.line_editor import Key, LineEditor
from imd_client.lines import Lines
from imd_client.screen_protocol import InputEnded, OnLine


@attrs.define
class Modes:
    """How the descriptors 0 and 1 were found, and how they are to be left: blocking, and the terminal as it was."""

    terminal: bool = attrs.Factory(lambda: os.isatty(0))
    _attributes: Any = None
    _flags: tuple[int, int] = (0, 0)

    def __attrs_post_init__(self) -> None:
        self._flags = (fcntl.fcntl(0, fcntl.F_GETFL), fcntl.fcntl(1, fcntl.F_GETFL))
        if self.terminal:
            self._attributes = termios.tcgetattr(0)

    def change(self, *, echo: bool = True, by_key: bool = False) -> None:
        """Show or hide what is typed; give it by the line, or by the key and then with Ctrl-C as a key too."""
        if not self.terminal:
            return
        modes = termios.tcgetattr(0)
        local = self._attributes[3]
        if by_key:
            local &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
            modes[6] = [*modes[6]]
            modes[6][termios.VMIN], modes[6][termios.VTIME] = b"\x01", b"\x00"
        elif not echo:
            local = (local & ~termios.ECHO) | termios.ECHONL
        modes[3] = local
        termios.tcsetattr(0, termios.TCSADRAIN, modes)

    def restore(self) -> None:
        """Leave everything as it was."""
        if self.terminal:
            termios.tcsetattr(0, termios.TCSADRAIN, self._attributes)
        for descriptor, flags in enumerate(self._flags):
            fcntl.fcntl(descriptor, fcntl.F_SETFL, flags)


@implementer(IHalfCloseableProtocol)
class Screen(Lines):
    """Lines in, lines out, as a pipe and a dumb terminal have them. `interactive` says whether a person sits there."""

    def __init__(self, typed: OnLine, modes: Modes) -> None:
        super().__init__()
        self.interactive = modes.terminal
        self._typed = typed
        self._modes = modes
        self._answer: Deferred[str] | None = None
        self._ended = False
        self._closed: Deferred[None] = Deferred()

    def show(self, text: str) -> None:
        """Show a text, on lines of its own. Whatever it holds, it moves no cursor."""
        self._put(block(text))

    def _put(self, text: str) -> None:
        self.transport.write(f"{text}\n".encode(errors="replace"))

    def show_all(self, texts: Iterable[str]) -> None:
        """Show several."""
        for text in texts:
            self.show(text)

    def show_after_exit(self, text: str) -> None:
        """Show a text that is to be read after the console has ended."""
        self.show(text)

    def prompt(self, text: str) -> None:
        """Say what stands before the line being typed; here, nothing does."""

    def echo(self, line: str) -> None:
        """Leave a typed line on the screen, where it does not stay by itself."""

    def ask(self, question: str, *, secret: bool = False) -> Deferred[str]:
        """Ask something; fires with the next line typed, or fails with InputEnded. A secret is not shown."""
        answer = self._answer = Deferred[str]()
        if self._ended:
            self._end()
        else:
            self._pose(harmless(question), secret)
        return answer

    def _pose(self, question: str, secret: bool) -> None:
        self.transport.write(question.encode())
        self._modes.change(echo=not secret)

    def _question_over(self, line: str) -> None:
        self._modes.change()

    def lineReceived(self, line: bytes) -> None:
        """Take a line: the answer to a question, or something said."""
        self._take(line.decode(errors="replace"))

    def _take(self, line: str) -> None:
        if self._answer is None:
            self._typed(line)
            return
        answer, self._answer = self._answer, None
        self._question_over(line)
        answer.callback(line)

    def _end(self) -> None:
        self._ended = True
        if self._answer is not None:
            answer, self._answer = self._answer, None
            answer.errback(InputEnded())
        else:
            self._typed(None)

    def readConnectionLost(self) -> None:
        """Note that nothing more will be typed."""
        if rest := self.rest():
            self.lineReceived(rest)
        self._end()

    def writeConnectionLost(self) -> None:
        """Note that nobody reads any more: as good as the end."""
        self._closed.callback(None)
        self._end()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Let go."""
        if not self._closed.called:
            self._closed.callback(None)

    async def close(self) -> None:
        """Show the last of it, and leave the terminal as it was found."""
        self.transport.loseConnection()
        await self._closed
        self._modes.restore()


class EditedScreen(Screen):
    """A terminal where what comes in does not disturb what is being typed: the last row belongs to the line editor."""

    def __init__(self, typed: OnLine, modes: Modes) -> None:
        super().__init__(typed, modes)
        self._editor = LineEditor()
        self._prompt = ""
        self._prompt_before = ""
        modes.change(by_key=True)

    def _put(self, text: str) -> None:
        self._write("\r\x1b[K" + text.replace("\n", "\r\n") + "\r\n" + self._picture())

    def prompt(self, text: str) -> None:
        """Say what stands before the line being typed."""
        self._prompt = harmless(text)
        self._write(self._picture())

    def echo(self, line: str) -> None:
        """Leave a typed line on the screen."""
        self.show(self._prompt + line)

    def _pose(self, question: str, secret: bool) -> None:
        self._prompt_before, self._prompt = self._prompt, question
        self._editor.secret = secret
        self._write(self._picture())

    def _question_over(self, line: str) -> None:
        self._write(f"\r\x1b[K{self._prompt}{'' if self._editor.secret else line}\r\n")
        self._prompt, self._editor.secret = self._prompt_before, False

    def dataReceived(self, data: bytes) -> None:
        """Take key presses."""
        for done in self._editor.feed(data):
            if isinstance(done, Key):
                self._end()
                return
            self._take(done)
        self._write(self._picture())

    def _picture(self) -> str:
        try:
            width = os.get_terminal_size(0).columns
        except OSError:
            width = 80
        return self._editor.picture(self._prompt, width)

    def _write(self, text: str) -> None:
        self.transport.write(text.encode(errors="replace"))

    async def close(self) -> None:
        """Take the prompt away, and leave the terminal as it was found."""
        self._write("\r\x1b[K")
        await super().close()


def capable() -> bool:
    """Say whether a person sits at both ends, at a terminal that can move its cursor."""
    return os.isatty(0) and os.isatty(1) and os.environ.get("TERM", "dumb") != "dumb"


def open_screen(typed: OnLine, reactor: Any) -> Screen:
    """Open the standard input and output: with a line editor where both are a terminal that can move its cursor."""
    modes = Modes()
    sys.stdout.flush()
    screen = (EditedScreen if capable() else Screen)(typed, modes)
    StandardIO(screen, os.dup(0), os.dup(1), reactor)  # type: ignore[call-arg]  # mypy reads the one for Windows
    return screen
