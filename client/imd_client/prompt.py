"""Screens whose input line prompt_toolkit edits: PromptScreen prints above that line, FullScreen draws all around it.

prompt_toolkit's Application needs an asyncio loop, the client a Twisted reactor. Twisted has a reactor that runs on
asyncio's loop, and `imd chat` installs it first (see imd_client.reactor): one thread, one loop, and no locks. A loop in
a thread of its own would need a lock around each event; without a loop, the Application would have to be rewritten.
"""

import asyncio
import sys
from collections.abc import Iterable
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.output import Output, create_output
from prompt_toolkit.output.vt100 import Vt100_Output
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, Logger, formatEventAsClassicLogText
from twisted.python.failure import Failure

from imd.wire.terminal import block, harmless
from imd_client.formatting import SECRET_COMMANDS, split_command
from imd_client.view import InputEnded, OnLine


class EditorScreen:
    """What both screens do with the input line: take lines, ask questions in its place, and end."""

    interactive = True
    application: Application[Any]
    buffer: Buffer
    _log = Logger()

    def __init__(self, on_line: OnLine) -> None:
        self.on_line = on_line
        self.prefix = ""
        self.secret = False
        self._answer: Deferred[str] | None = None
        self._draft = ""
        self._after_exit: list[str] = []
        self._task: asyncio.Task[Any] | None = None
        self._over = False

    def start(self) -> None:
        """Take over the terminal. Twisted handles the signals."""
        self._task = asyncio.ensure_future(self.application.run_async(handle_sigint=False))
        self._task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, EOFError):
            self._log.failure("the screen failed", failure=Failure(error))
        if not self._over:
            self.end()

    def refresh(self) -> None:
        """Draw again soon."""
        self.application.invalidate()

    def prompt(self, text: str) -> None:
        """Set the prompt before the input line."""
        self.prefix = text
        self.refresh()

    @property
    def asking(self) -> bool:
        """Whether the input line answers a question."""
        return self._answer is not None

    def ask(self, question: str, *, secret: bool = False) -> "Deferred[str]":
        """Ask in place of the input line, which comes back afterwards. Fails with InputEnded."""
        answer = self._answer = Deferred()
        if self._over:
            self.end()
            return answer
        self._draft, prefix = self.buffer.text, self.prefix
        self.buffer.text, self.secret = "", secret
        self.prompt(question)
        return answer.addBoth(self._asked, prefix)

    def _asked(self, result: Any, prefix: str) -> Any:
        self.secret = False
        self.buffer.text = self._draft
        self.buffer.cursor_position = len(self._draft)
        self.prompt(prefix)
        return result

    def take_line(self) -> str | None:
        """Take the input line; None if it answered a question."""
        text = self.buffer.text
        if self._answer is not None:
            answer, self._answer = self._answer, None
            answer.callback(text)
            return None
        if split_command(text)[0] not in SECRET_COMMANDS:
            self.buffer.append_to_history()
        self.buffer.reset()
        return text

    def end(self) -> None:
        """End the input."""
        self._over = True
        if self._answer is not None:
            answer, self._answer = self._answer, None
            answer.errback(InputEnded())
        else:
            self.on_line(None)

    def log(self, event: LogEvent) -> None:
        """Keep failures until the console has ended: printed now, they would garble the screen."""
        if "log_failure" in event:
            self._after_exit.append(formatEventAsClassicLogText(event) or "")

    def show_after_exit(self, text: str) -> None:
        """Show a text on the terminal after the console has ended."""
        self._after_exit.append(text)

    async def close(self) -> None:
        """Give the terminal back, and show the texts that were kept until then."""
        self._over = True
        if self._task is not None:
            if self.application.is_running:
                self.application.exit()
            elif not self._task.done():
                self._task.cancel()
            ended: Deferred[Any] = Deferred.fromFuture(asyncio.ensure_future(asyncio.wait([self._task])))
            await ended
        for text in self._after_exit:
            print(block(text))
        sys.stdout.flush()


class PromptScreen(EditorScreen):
    """Shows texts above the input line, which stays whole."""

    def __init__(self, on_line: OnLine, *, keyboard: Input | None = None, display: Output | None = None) -> None:
        super().__init__(on_line)
        session: PromptSession[str] = PromptSession(
            lambda: harmless(self.prefix),
            is_password=Condition(lambda: self.secret),
            key_bindings=self._bindings(),
            prompt_continuation="… ",
            reserve_space_for_menu=0,
            erase_when_done=True,
            input=keyboard,
            output=display or _output(),
        )
        self.application, self.buffer = session.app, session.default_buffer
        self.start()

    def _bindings(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("enter")
        def _(event: KeyPressEvent) -> None:
            question, secret, answer = self.prefix, self.secret, self.buffer.text
            if self.asking:
                self.show(f"{question}{'' if secret else answer}")
            if (line := self.take_line()) is not None:
                self.on_line(line)

        @keys.add("c-c")
        @keys.add("c-d", filter=Condition(lambda: not self.buffer.text))
        def _(event: KeyPressEvent) -> None:
            self.end()

        return keys

    def show(self, text: str) -> None:
        """Show a text above the input line, made harmless."""
        output = self.application.output
        self.application.renderer.erase()
        output.write_raw(block(text).replace("\n", "\r\n") + "\r\n")
        output.flush()
        self.refresh()

    def show_all(self, texts: Iterable[str]) -> None:
        """Show several texts."""
        for text in texts:
            self.show(text)

    def echo(self, line: str) -> None:
        """Leave a typed line on the screen."""
        self.show(self.prefix + line)


def _output() -> Output:
    """Return the terminal. It is not asked for the row of the cursor: some never answer, and we do not need to know."""
    output = create_output()
    if isinstance(output, Vt100_Output):
        output.enable_cpr = False
    return output
