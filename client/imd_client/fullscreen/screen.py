"""The full screen: prompt_toolkit draws the model's lines and edits the input line. It knows no rules of chat.

title
banner, while offline
sidebar │ timeline
hint
bob> the input line
footer
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from time import monotonic

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

from imd.wire.terminal import harmless
from imd_client.fullscreen import frame
from imd_client.fullscreen.completion import Completions
from imd_client.fullscreen.model import Model
from imd_client.fullscreen.scroll import Scroll
from imd_client.fullscreen.styles import style
from imd_client.fullscreen.timeline import Timeline
from imd_client.fullscreen.widths import Fragments
from imd_client.prompt import EditorScreen
from imd_client.view import OnLine

NARROW, WIDE = 60, 100
"""Columns below which there is no sidebar, and from which on it is wider."""

ESCAPE_AFTER = 0.1
"""Seconds after which an Escape is a key of its own and not the beginning of another."""

MAX_INPUT_ROWS = 6
"""How many rows of the input are visible."""


class LinesControl(UIControl):
    """A part of the screen that is drawn from the model, at its present size."""

    def __init__(self, draw: Callable[[int, int], list[Fragments]]) -> None:
        self._draw = draw

    def create_content(self, width: int, height: int) -> UIContent:
        """Draw the lines, made harmless."""
        drawn = self._draw(width, height)
        lines: list[StyleAndTextTuples] = [[(style, harmless(text)) for style, text in line] for line in drawn]
        return UIContent(get_line=lambda number: lines[number], line_count=len(lines), show_cursor=False)


class FullScreen(EditorScreen):
    """The screen. What keys and lines mean is up to the handler of the key bindings."""

    def __init__(
        self, model: Model, on_line: OnLine, theme: str, *, keyboard: Input | None = None, display: Output | None = None
    ) -> None:
        super().__init__(on_line)
        self.model = model
        self.scroll = Scroll()
        self.helping = False
        self._echo = ""
        self.buffer = Buffer(
            multiline=True,
            history=InMemoryHistory(),
            completer=DynamicCompleter(self._completer),
            complete_while_typing=Condition(lambda: not self.asking),
        )
        self.application = Application(
            layout=self._layout(),
            style=style(theme),
            full_screen=True,
            input=keyboard,
            output=display,
        )
        self.application.ttimeoutlen = self.application.timeoutlen = ESCAPE_AFTER

    def run(self, keys: KeyBindings, any_key: Callable[[], None]) -> None:
        """Take over the terminal."""
        self.application.key_bindings = keys
        self.application.key_processor.before_key_press += lambda sender: any_key()
        self.start()

    # Layout.

    def _layout(self) -> Layout:
        def row(draw: Callable[[int], Fragments]) -> Window:
            return Window(LinesControl(lambda width, height: [draw(width)]), height=1)

        def when(visible: Callable[[], bool], container: Window | VSplit) -> ConditionalContainer:
            return ConditionalContainer(container, Condition(visible))

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
        """Columns of the sidebar; 0 if there is none."""
        width = self.application.output.get_size().columns
        return 0 if width < NARROW or not self.model.conversations else 20 if width < WIDE else 28

    def _sidebar(self, width: int, height: int) -> list[Fragments]:
        return frame.sidebar(self.model, width, height)

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

    def refresh_in(self, seconds: float) -> None:
        """Draw again in some seconds, when something shown runs out."""
        asyncio.get_running_loop().call_later(seconds, self.refresh)

    # Texts.

    def show(self, text: str) -> None:
        """Show a text between the messages, below the command that it answers."""
        note = self.model.note(text, command=self.take_echo())
        self.scroll.anchor = None
        self.scroll.reveal(note)
        self.refresh()

    def show_all(self, texts: Iterable[str]) -> None:
        """Show several texts as one."""
        if text := "\n".join(texts):
            self.show(text)

    def echo(self, line: str) -> None:
        """Keep a typed command, to show it above its answer."""
        self._echo = line

    def take_echo(self) -> str:
        """Return the typed command, if nothing was shown for it yet."""
        line, self._echo = self._echo, ""
        return line
