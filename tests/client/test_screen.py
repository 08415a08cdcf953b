"""The screen: a pipe, a dumb terminal, and one with a line editor."""

from typing import Any

import pytest
from imd_client.screen import EditedScreen, InputEnded, Screen
from twisted.internet.defer import Deferred

from tests.client.keyboard import FakeModes, connect, shown

Typed = list[str | None]


def make(kind: type[Screen], terminal: bool = True) -> tuple[Screen, Typed, FakeModes]:
    typed: Typed = []
    modes = FakeModes(terminal=terminal)
    return connect(kind(typed.append, modes)), typed, modes


def answers(deferred: "Deferred[str]") -> list[Any]:
    found: list[Any] = []
    deferred.addCallbacks(found.append, lambda failure: found.append(failure.type))
    return found


def test_a_pipe_gives_lines_and_then_the_end() -> None:
    screen, typed, _ = make(Screen, terminal=False)
    screen.dataReceived("你好\r\ntwo\nunfini".encode())
    screen.dataReceived(b"shed")
    screen.readConnectionLost()
    assert typed == ["你好", "two", "unfinished", None]
    assert not screen.interactive


def test_a_pipe_shows_text_and_nothing_else() -> None:
    screen, _, _ = make(Screen, terminal=False)
    screen.prompt("> ")
    screen.echo("/help")
    screen.show("one\n  two")
    assert shown(screen) == "one\n  two\n"


def test_a_dumb_terminal_hides_a_secret_while_it_is_typed() -> None:
    screen, typed, modes = make(Screen)
    answer = answers(screen.ask("Password: ", secret=True))
    assert (shown(screen), modes.changes) == ("Password: ", ["hidden"])
    screen.dataReceived(b"secret\nnext\n")
    assert (answer, typed, modes.changes) == (["secret"], ["next"], ["hidden", "shown"])


@pytest.mark.parametrize("kind", [Screen, EditedScreen])
def test_nobody_answers_at_the_end(kind: type[Screen]) -> None:
    screen, typed, _ = make(kind)
    first = answers(screen.ask("Name: "))
    screen.readConnectionLost()
    assert first + answers(screen.ask("Password: ")) == [InputEnded, InputEnded]
    assert typed == []


def test_text_comes_above_the_line_being_typed() -> None:
    screen, typed, modes = make(EditedScreen)
    screen.prompt("bob> ")
    screen.dataReceived(b"hel")
    shown(screen)
    screen.show("[06:25] bob: one\n    two")
    assert shown(screen) == "\r\x1b[K[06:25] bob: one\r\n    two\r\n\r\x1b[Kbob> hel"
    screen.dataReceived(b"lo\r")
    assert (typed, shown(screen)) == (["hello"], "\r\x1b[Kbob> ")
    assert modes.changes == ["by key"]


def test_a_question_takes_the_prompts_place_for_a_line() -> None:
    screen, typed, _ = make(EditedScreen)
    screen.prompt("> ")
    name = answers(screen.ask("Name: "))
    screen.dataReceived(b"ann\r")
    assert shown(screen).endswith("\r\x1b[KName: ann\r\n\r\x1b[K> ")
    password = answers(screen.ask("Password: ", secret=True))
    screen.dataReceived(b"secret\r")
    assert "secret" not in shown(screen)
    assert (name, password, typed) == (["ann"], ["secret"], [])


def test_a_command_stays_on_the_screen() -> None:
    screen, _, _ = make(EditedScreen)
    screen.prompt("bob> ")
    screen.echo("/help")
    assert "bob> /help\r\n" in shown(screen)


@pytest.mark.parametrize("key", [b"\x03", b"\x04"])
def test_the_keys_that_end_it(key: bytes) -> None:
    screen, typed, _ = make(EditedScreen)
    screen.dataReceived(b"\r" + key + b"more\r")
    assert typed == ["", None]


def test_closing_restores_the_terminal() -> None:
    screen, _, modes = make(EditedScreen)
    done: list[Any] = []
    Deferred.fromCoroutine(screen.close()).addCallback(done.append)
    assert (done, modes.changes) == ([None], ["by key", "restored"])


def test_nobody_reads_any_more() -> None:
    screen, typed, modes = make(Screen, terminal=False)
    screen.writeConnectionLost()
    assert typed == [None]
    Deferred.fromCoroutine(screen.close())
    assert modes.changes == ["restored"]
