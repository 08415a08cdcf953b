"""The plain console's screen on a terminal: prompt_toolkit edits the input line, texts appear above it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest
from imd_client.prompt import PromptScreen
from imd_client.view import InputEnded
from prompt_toolkit.input import PipeInput, create_pipe_input
from twisted.internet.defer import Deferred

from tests.client.display import Display, drawn_rows

LEFT, RIGHT, UP, DOWN, HOME, END, DELETE = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B", "\x1b[H", "\x1b[F", "\x1b[3~"


@attrs.define
class Typist:
    """Somebody at a PromptScreen."""

    keyboard: PipeInput
    display: Display
    screen: PromptScreen
    lines: list[Any]

    async def types(self, *keys: str) -> list[str]:
        """Press keys. Gives the rows that are drawn then."""
        for key in keys:
            self.keyboard.send_text(key)
            await self.settle()
        return await self.rows()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0.001)

    async def rows(self) -> list[str]:
        self.screen.refresh()
        await self.settle()
        return [row for row in drawn_rows(self.screen.application) if row]

    def cursor(self) -> tuple[int, int]:
        """Give the row and the column of the cursor."""
        drawn = self.screen.application.renderer.last_rendered_screen
        assert drawn is not None
        position = drawn.get_cursor_position(self.screen.application.layout.current_window)
        return position.y, position.x


def at_a_prompt(story: Callable[[Typist], Awaitable[None]], columns: int = 80) -> Typist:
    """Play a story at a screen, and close it."""

    async def play(keyboard: PipeInput) -> Typist:
        lines: list[Any] = []
        display = Display(columns=columns)
        screen = PromptScreen(lines.append, keyboard=keyboard, display=display)
        typist = Typist(keyboard, display, screen, lines)
        await typist.settle()
        await story(typist)
        await Deferred.fromCoroutine(screen.close()).asFuture(asyncio.get_running_loop())
        return typist

    with create_pipe_input() as keyboard:
        return asyncio.run(play(keyboard))


def answers(deferred: "Deferred[str]") -> list[Any]:
    found: list[Any] = []
    deferred.addCallbacks(found.append, lambda failure: found.append(failure.type))
    return found


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("hello", "hello"),
        ("你好", "你好"),
        ("helo\x7f\x7fllo", "hello"),
        ("你好\x7f们", "你们"),
        ("\x7f\b", ""),
        (f"ello{HOME}h{END}!", "hello!"),
        (f"hllo{LEFT}{LEFT}{LEFT}e", "hello"),
        (f"hllo{LEFT * 9}{RIGHT}e", "hello"),
        (f"a{RIGHT * 3}b", "ab"),
        (f"hexllo{LEFT * 4}{DELETE}", "hello"),
        ("ello\x01h\x05!", "hello!"),
        ("wrong\x15right", "right"),
        (f"keep this{LEFT * 5}\x0b", "keep"),
        ("one two  \x17three", "one three"),
        ("one\x17\x17", ""),
        ("a\x1bOPc", "ac"),
        ("text\x04", "text"),
        (f"first\r{UP}", "first"),
        (f"first\rsecond\r{UP}{UP}{UP}", "first"),
        (f"first\rsecond\r{UP}{UP}{DOWN}", "second"),
        (f"first\r{UP}{DOWN}x", "x"),
        (f"same\rsame\rother\r{UP}{UP}{UP}", "same"),
        (f"/ping\r/password old new\r{UP}", "/ping"),
    ],
)
def test_keys_make_a_line(keys: str, line: str) -> None:
    async def story(ann: Typist) -> None:
        *earlier, last = keys.split("\r")
        for each in earlier:
            await ann.types(each, "\r")
        await ann.types(last, "\r")

    assert at_a_prompt(story).lines[-1] == line


def test_keys_may_be_split_anywhere() -> None:
    async def story(ann: Typist) -> None:
        for byte in f"好x{LEFT}你\r".encode():
            ann.keyboard.send_bytes(bytes([byte]))
            await asyncio.sleep(0)
        await ann.settle()

    assert at_a_prompt(story).lines == ["好你x"]


def test_several_lines_at_once() -> None:
    async def story(ann: Typist) -> None:
        assert await ann.types("one\rtwo\r\rthree") == ["three"]

    assert at_a_prompt(story).lines == ["one", "two", ""]


def test_pasted_lines_are_one_text() -> None:
    async def story(ann: Typist) -> None:
        await ann.types("so: \x1b[200~one\r\ntwo\nthree\x1b[201~")
        assert ann.lines == []
        await ann.types("\r")

    assert at_a_prompt(story).lines == ["so: one\ntwo\nthree"]


def test_text_comes_above_the_line_being_typed() -> None:
    async def story(ann: Typist) -> None:
        ann.screen.prompt("bob> ")
        assert await ann.types("hel") == ["bob> hel"]
        ann.screen.show("[06:25] bob: one\n    two")
        ann.screen.show_all(["three", "four"])
        assert ann.display.take() == "[06:25] bob: one\r\n    two\r\nthree\r\nfour\r\n"
        assert await ann.rows() == ["bob> hel"]
        assert await ann.types("lo\r") == ["bob>"]

    assert at_a_prompt(story).lines == ["hello"]


def test_a_question_takes_the_lines_place() -> None:
    async def story(ann: Typist) -> None:
        ann.screen.prompt("> ")
        await ann.types("half a line")
        name = answers(ann.screen.ask("Name: "))
        assert await ann.types("ann") == ["Name: ann"]
        await ann.types("\r")
        assert ann.display.take() == "Name: ann\r\n"
        assert await ann.types("!") == ["> half a line!"]
        await ann.types("\r")
        assert (name, ann.lines) == (["ann"], ["half a line!"])
        assert await ann.types(UP) == ["> half a line!"], "an answer is not recalled"
        assert await ann.types(UP) == ["> half a line!"]

    at_a_prompt(story)


def test_a_secret_is_neither_shown_nor_recalled() -> None:
    async def story(ann: Typist) -> None:
        password = answers(ann.screen.ask("Password: ", secret=True))
        assert await ann.types("secret") == ["Password: ******"]
        await ann.types("\r")
        assert password == ["secret"]
        assert ann.display.take() == "Password: \r\n"
        assert await ann.types(UP) == []

    at_a_prompt(story)


def test_a_command_stays_on_the_screen() -> None:
    async def story(ann: Typist) -> None:
        ann.screen.prompt("bob> ")
        ann.screen.echo("/help")
        assert ann.display.take() == "bob> /help\r\n"

    at_a_prompt(story)


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_the_keys_that_end_it(key: str) -> None:
    async def story(ann: Typist) -> None:
        await ann.types("\r", key)

    assert at_a_prompt(story).lines == ["", None]


def test_ctrl_c_ends_it_in_the_middle_of_a_line() -> None:
    async def story(ann: Typist) -> None:
        await ann.types("half a line", "\x03")

    assert at_a_prompt(story).lines == [None]


def test_nobody_answers_at_the_end() -> None:
    async def story(ann: Typist) -> None:
        first = answers(ann.screen.ask("Name: "))
        await ann.types("\x04")
        assert first + answers(ann.screen.ask("Password: ")) == [InputEnded, InputEnded]
        assert ann.lines == []

    at_a_prompt(story)


def test_a_terminal_that_hangs_up_ends_it() -> None:
    async def story(ann: Typist) -> None:
        ann.keyboard.close()
        await ann.settle()

    assert at_a_prompt(story).lines == [None]


@pytest.mark.parametrize(
    ("keys", "columns", "rows", "cursor"),
    [
        ("hi", 20, ["> hi"], (0, 4)),
        (f"hi{LEFT}", 20, ["> hi"], (0, 3)),
        (f"你好{LEFT}", 20, ["> 你好"], (0, 4)),
        ("abcdefghijkl", 12, ["> abcdefghij", "… kl"], (1, 4)),
        (f"abcdefghijkl{HOME}", 12, ["> abcdefghij", "… kl"], (0, 2)),
    ],
)
def test_where_the_cursor_is(keys: str, columns: int, rows: list[str], cursor: tuple[int, int]) -> None:
    async def story(ann: Typist) -> None:
        ann.screen.prompt("> ")
        assert await ann.types(keys) == rows
        assert ann.cursor() == cursor

    at_a_prompt(story, columns)


def test_what_was_kept_for_the_end_is_shown_there(capsys: pytest.CaptureFixture[str]) -> None:
    async def story(ann: Typist) -> None:
        ann.screen.show_after_exit("Logged out.\x1b[2J")
        assert capsys.readouterr().out == ""

    at_a_prompt(story)
    assert capsys.readouterr().out == "Logged out.␛[2J\n"
