"""The screen that reads and writes lines: a pipe, or a terminal in canonical mode."""

from typing import Any

from imd_client.screen import LineScreen
from imd_client.view import InputEnded
from twisted.internet.defer import Deferred

from tests.client.line_screen import FakeModes, connect, written

Lines = list[str | None]


def make(terminal: bool = True) -> tuple[LineScreen, Lines, FakeModes]:
    lines: Lines = []
    modes = FakeModes(terminal=terminal)
    return connect(LineScreen(lines.append, modes)), lines, modes


def answers(deferred: "Deferred[str]") -> list[Any]:
    found: list[Any] = []
    deferred.addCallbacks(found.append, lambda failure: found.append(failure.type))
    return found


def test_a_pipe_gives_lines_and_then_the_end() -> None:
    screen, lines, _ = make(terminal=False)
    screen.dataReceived("你好\r\ntwo\nunfini".encode())
    screen.dataReceived(b"shed")
    screen.readConnectionLost()
    assert lines == ["你好", "two", "unfinished", None]
    assert not screen.interactive


def test_a_pipe_may_hold_long_lines() -> None:
    screen, lines, _ = make(terminal=False)
    screen.dataReceived(b"x" * 100_000)
    screen.dataReceived(b"y\n")
    assert lines == ["x" * 100_000 + "y"]


def test_a_pipe_shows_text_and_nothing_else() -> None:
    screen, _, _ = make(terminal=False)
    screen.prompt("> ")
    screen.echo("/help")
    screen.show("one\n  two")
    assert written(screen) == "one\n  two\n"


def test_a_terminal_hides_a_secret_while_it_is_typed() -> None:
    screen, lines, modes = make()
    answer = answers(screen.ask("Password: ", secret=True))
    assert (written(screen), modes.changes) == ("Password: ", ["hidden"])
    screen.dataReceived(b"secret\nnext\n")
    assert (answer, lines, modes.changes) == (["secret"], ["next"], ["hidden", "shown"])


def test_a_question_at_the_end_of_the_input_fails() -> None:
    screen, lines, _ = make()
    first = answers(screen.ask("Name: "))
    screen.readConnectionLost()
    assert first + answers(screen.ask("Password: ")) == [InputEnded, InputEnded]
    assert lines == []


def test_closing_restores_the_terminal() -> None:
    screen, _, modes = make()
    done: list[Any] = []
    Deferred.fromCoroutine(screen.close()).addCallback(done.append)
    assert (done, modes.changes) == ([None], ["restored"])


def test_it_ends_when_nobody_reads_the_output_any_more() -> None:
    screen, lines, modes = make(terminal=False)
    screen.writeConnectionLost()
    assert lines == [None]
    Deferred.fromCoroutine(screen.close())
    assert modes.changes == ["restored"]
