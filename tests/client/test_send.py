"""`imd send`: what its exit code promises."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from imd_client import State, send
from imd_client.connection import Connection

from imd.testing import PASSWORD
from tests.client.wires import Person, Wires

Come = Callable[..., Person]
STORED, REFUSED, UNKNOWN = 0, 1, 2


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def run(
    wires: Wires, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[list[int], str]]:
    """Start `imd send` as ann, and let a minute pass. Gives the exit code, if it ended, and what it said."""
    monkeypatch.setenv("IMD_PASSWORD", PASSWORD)
    monkeypatch.setattr(send, "Connection", partial(Connection, endpoint=wires))

    def run(*words: str, act: Callable[[], None] = lambda: None) -> tuple[list[int], str]:
        options = send.Options()
        options.parseOptions(["--state", str(state), "--lang", "en", "-u", "ann", *words])
        code: list[Any] = []
        send.main(wires.clock, options).addCallback(code.append)
        act()
        wires.pass_time(60)
        return code, capsys.readouterr().err

    return run


def test_stored(wires: Wires, run: Any, come: Come, state: Path) -> None:
    bob, _ = come("bob"), come("ann")
    assert run("bob", "-m", "hi") == ([STORED], "")
    assert run("bob", "-m", "hi") == ([STORED], "")
    assert bob.texts() == ["ann: hi", "ann: hi"], "two runs that were answered are two messages"


def test_refused(run: Any, come: Come) -> None:
    come("ann")
    assert run("nobody", "-m", "hi") == ([REFUSED], "Not sent: There is nobody called nobody here.\n")
    assert run("nobody", "-m", "") == ([REFUSED], "Not sent: The message is empty.\n")


def test_kept_out(run: Any, come: Come, state: Path) -> None:
    assert run("bob", "-m", "hi") == ([REFUSED], "Not sent: The name or the password is wrong.\n")
    assert State(state).account("localhost:7373", "ann").unanswered("bob", "hi", since=0) is None


def test_no_account(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMD_PASSWORD")
    code, said = run("bob", "-m", "hi")
    assert code == [REFUSED]
    assert said.startswith("No account is logged in here")


def test_unreachable_leaves_nothing_behind(wires: Wires, run: Any, come: Come, state: Path) -> None:
    bob, _ = come("bob"), come("ann")
    wires.up = False
    code, said = run("bob", "-m", "hi")
    assert code == [UNKNOWN]
    assert said.splitlines()[-1].startswith("Not sent: the server could not be reached.")
    assert State(state).account("localhost:7373", "ann").unanswered("bob", "hi", since=0) is None
    wires.up = True
    assert run("bob", "-m", "hi") == ([STORED], "")
    assert bob.texts() == ["ann: hi"]


def lose_the_answer(wires: Wires) -> Callable[[], None]:
    """Let the message reach the server, and then nothing any more."""

    def act() -> None:
        while b"send_message" not in wires.last.transport.value():
            wires.last.to_server()
            wires.last.to_client()
            wires.turn()
        wires.last.to_server()
        wires.up = False
        wires.last.cut()

    return act


def test_unknown_is_safe_to_repeat(wires: Wires, run: Any, come: Come) -> None:
    bob, _ = come("bob"), come("ann")
    code, said = run("bob", "-m", "hi", act=lose_the_answer(wires))
    assert code == [UNKNOWN]
    assert said.splitlines()[-1].startswith("No answer, so it is unknown")
    wires.up = True
    assert run("bob", "-m", "something else") == ([STORED], "")
    assert run("bob", "-m", "hi") == ([STORED], "")
    wires.pass_time(10)
    bob.client.connection.drop()
    wires.pass_time(10)
    assert bob.texts() == ["ann: hi", "ann: something else"]
    assert run("bob", "-m", "hi") == ([STORED], ""), "answered, so the next one is another message"
    assert bob.texts()[2:] == ["ann: hi"]


def test_a_day_later_it_is_another_message(wires: Wires, run: Any, come: Come, monkeypatch: pytest.MonkeyPatch) -> None:
    bob, _ = come("bob"), come("ann")
    run("bob", "-m", "hi", act=lose_the_answer(wires))
    wires.up = True
    wires.pass_time(60)
    monkeypatch.setattr(send.time, "time", lambda: 4_000_000_000)
    assert run("bob", "-m", "hi") == ([STORED], "")
    assert bob.texts() == ["ann: hi", "ann: hi"]


def test_a_chat_does_not_send_what_imd_send_left(wires: Wires, run: Any, come: Come, state: Path) -> None:
    come("bob")
    ann = come("ann", state=State(state))
    run("bob", "-m", "hi", act=lose_the_answer(wires))
    assert ann.client.account.waiting() == []
