"""The full screen: prompt_toolkit draws the model's lines and edits what is typed. It decides nothing about chat.

title
conversations │ timeline
hint
bob> the line being typed
foot
"""

import asyncio
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from time import monotonic
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import DynamicCompleter
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout import ConditionalContainer, Dimension, Float, FloatContainer, HSplit, Layout, VSplit, Window
from prompt_toolkit.layout.controls import BufferControl, UIContent, UIControl
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.layout.processors import ConditionalProcessor, PasswordProcessor
from prompt_toolkit.output import Output
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, Logger, formatEventAsClassicLogText
from twisted.python.failure import Failure

from imd.wire.terminal import block, harmless
from imd_client.fullscreen import frame
from imd_client.fullscreen.completion import Completions
from imd_client.fullscreen.model import Model
from imd_client.fullscreen.scroll import Scroll
from imd_client.fullscreen.sidebar import sidebar
from imd_client.fullscreen.styles import style
from imd_client.fullscreen.timeline import Timeline
from imd_client.fullscreen.widths import Fragments
from imd_client.screen_protocol import InputEnded, OnLine

NARROW, WIDE = 60, 100
"""Columns below which there are no conversations on the left, and from which on they have more room."""

ESCAPE_AFTER = 0.1
"""Seconds after which an Escape is one, and not the beginning of another key."""

MAX_INPUT_ROWS = 6
"""How many lines of what is being written are in sight."""


class LinesControl(UIControl):
    """A part of the screen that is drawn from the model: as many lines as there is room for."""

    def __init__(self, draw: Callable[[int, int], list[Fragments]]) -> None:
        self._draw = draw

    def create_content(self, width: int, height: int) -> UIContent:
        """Draw. Whatever the texts hold, they move no cursor."""
        drawn = self._draw(width, height)
        lines: list[StyleAndTextTuples] = [[(style, harmless(text)) for style, text in line] for line in drawn]
        return UIContent(get_line=lambda number: lines[number], line_count=len(lines), show_cursor=False)


class FullScreen:
    """The screen, a ScreenProtocol. Lines and keys that mean something are for the `handler` of `run`."""

    interactive = True
    _log = Logger()

    def __init__(
        self, model: Model, typed: OnLine, theme: str, *, keyboard: Input | None = None, display: Output | None = None
    ) -> None:
        self.model = model
        self.scroll = Scroll()
        self.helping = False
        self.prefix = ""
        self.secret = False
        self.typed = typed
        self._answer: Deferred[str] | None = None
        self._set_aside = ""
        self._echo = ""
        self._shown_after_exit: list[str] = []
        self._task: asyncio.Task[None] | None = None
        self._over = False
        self.buffer = Buffer(
            multiline=True,
            history=InMemoryHistory(),
            completer=DynamicCompleter(self._completer),
            complete_while_typing=Condition(lambda: not self.asking),
        )
        self.application: Application[None] = Application(
            layout=self._layout(),
            style=style(theme),
            full_screen=True,
            input=keyboard,
            output=display,
        )
        self.application.ttimeoutlen = self.application.timeoutlen = ESCAPE_AFTER

    def run(self, keys: KeyBindings, any_key: Callable[[], None]) -> None:
        """Take the terminal, and draw from now on."""
        self.application.key_bindings = keys
        self.application.key_processor.before_key_press += lambda sender: any_key()
        self._task = asyncio.ensure_future(self.application.run_async(handle_sigint=False))
        self._task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        fault = None if task.cancelled() else task.exception()
        if fault is not None and not isinstance(fault, EOFError):
            self._log.failure("the screen failed", failure=Failure(fault))
        if not self._over:
            self.end()

    # Layout.

    def _layout(self) -> Layout:
        def row(draw: Callable[[int], Fragments]) -> Window:
            return Window(LinesControl(lambda width, height: [draw(width)]), height=1)

        def when(shown: Callable[[], bool], container: Window | VSplit) -> ConditionalContainer:
            return ConditionalContainer(container, Condition(shown))

        middle = VSplit(
            [
                when(
                    lambda: self._sidebar_width > 0,
                    Window(LinesControl(self._sidebar), width=lambda: self._sidebar_width),
                ),
                when(lambda: self._sidebar_width > 0, Window(width=1, char="│", style="class:border")),
                Window(LinesControl(self._timeline)),
            ]
        )
        line = Window(
            BufferControl(self.buffer, [ConditionalProcessor(PasswordProcessor(), Condition(lambda: self.secret))]),
            height=Dimension(min=1, max=MAX_INPUT_ROWS),
            dont_extend_height=True,
            wrap_lines=True,
            get_line_prefix=self._line_prefix,
        )
        rows = HSplit(
            [
                row(lambda width: frame.title(self.model, width)),
                when(lambda: bool(frame.banner(self.model, 80)), row(lambda width: frame.banner(self.model, width))),
                middle,
                row(lambda width: frame.hint(self.model, width, self.buffer.text, self.scroll.below, monotonic())),
                line,
                row(lambda width: frame.footer(self.model, width)),
            ]
        )
        menu = Float(CompletionsMenu(max_height=8, scroll_offset=1), xcursor=True, ycursor=True)
        return Layout(FloatContainer(rows, [menu]), focused_element=line)

    @property
    def _sidebar_width(self) -> int:
        """How many columns the list of conversations has."""
        width = self.application.output.get_size().columns
        return 0 if width < NARROW or not self.model.conversations else 20 if width < WIDE else 28

    def _sidebar(self, width: int, height: int) -> list[Fragments]:
        return sidebar(self.model, width, height)

    def _timeline(self, width: int, height: int) -> list[Fragments]:
        if self.helping:
            return frame.key_help(self.model.language, width)
        now = datetime.now().astimezone()
        if self.model.results is not None:
            return self.model.results.lines(width, height, now, self.model.language)
        lines = Timeline(self.model, self.model.current, width, now).lines()
        return [line.fragments for line in self.scroll.window(lines, height)]

    def _line_prefix(self, line: int, wrapped: int) -> StyleAndTextTuples:
        if line == wrapped == 0:
            return [("class:prompt", harmless(self.prefix))]
        return [] if self.asking else [("class:prompt", "… ")]

    def _completer(self) -> Completions:
        return Completions(self.model.names, self.model.language)

    def refresh(self) -> None:
        """Draw anew, soon."""
        self.application.invalidate()

    def refresh_in(self, seconds: float) -> None:
        """Draw anew later: something is to be seen no more then."""
        asyncio.get_running_loop().call_later(seconds, self.refresh)

    # The dialogue.

    @property
    def asking(self) -> bool:
        """Whether what is typed answers a question."""
        return self._answer is not None

    def show(self, text: str) -> None:
        """Show a text between the messages, below the command that it answers."""
        note = self.model.note(text, command=self.echoed())
        self.scroll.anchor = None
        self.scroll.reveal(note)
        self.refresh()

    def show_all(self, texts: Iterable[str]) -> None:
        """Show several, as one."""
        if text := "\n".join(texts):
            self.show(text)

    def log(self, event: LogEvent) -> None:
        """Keep what failed for the last words: written to the terminal now, it would stand across the screen."""
        if "log_failure" in event:
            self._shown_after_exit.append(formatEventAsClassicLogText(event) or "")

    def show_after_exit(self, text: str) -> None:
        """Show a text on the terminal as it is when we are gone."""
        self._shown_after_exit.append(text)

    def prompt(self, text: str) -> None:
        """Say what stands before the line being typed."""
        self.prefix = text
        self.refresh()

    def echo(self, line: str) -> None:
        """Leave a typed command on the screen, if there is something to show for it."""
        self._echo = line

    def echoed(self) -> str:
        """Take the typed command, if nothing was shown for it yet."""
        line, self._echo = self._echo, ""
        return line

    def ask(self, question: str, *, secret: bool = False) -> "Deferred[str]":
        """Ask, in the place of the line being typed; that one comes back afterwards."""
        if self._over:
            raise InputEnded
        self._answer = Deferred()
        self._set_aside, before = self.buffer.text, self.prefix
        self.buffer.text, self.secret = "", secret
        self.prompt(question)
        return self._answer.addBoth(self._asked, before)

    def _asked(self, result: Any, prefix: str) -> Any:
        self.secret = False
        self.buffer.text = self._set_aside
        self.prompt(prefix)
        return result

    def answer(self) -> None:
        """Take what is typed for the answer."""
        assert self._answer is not None
        answer, self._answer = self._answer, None
        answer.callback(self.buffer.text)

    def end(self) -> None:
        """Note that nothing more will be typed."""
        self._over = True
        if self._answer is not None:
            answer, self._answer = self._answer, None
            answer.errback(InputEnded())
        else:
            self.typed(None)

    async def close(self) -> None:
        """Give the terminal back, and say the last words there."""
        self._over = True
        if self._task is not None:
            if self.application.is_running:
                self.application.exit()
            elif not self._task.done():
                self._task.cancel()
            ended: Deferred[Any] = Deferred.fromFuture(asyncio.ensure_future(asyncio.wait([self._task])))
            await ended
        for text in self._shown_after_exit:
            print(block(text))
        sys.stdout.flush()
