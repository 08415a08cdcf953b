"""`imd send`: what its exit code promises."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from imd_client import State, send
from imd_client.connection import Connection

from imd.testing import PASSWORD
from tests.client.command_line import options
from tests.client.network import Network, Person

Join = Callable[..., Person]
STORED, REFUSED, UNKNOWN = 0, 1, 2


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def run(
    network: Network, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[list[int], str]]:
    """Start `imd send` as ann, and let a minute pass. Gives the exit code, if it ended, and what it said."""
    monkeypatch.setenv("IMD_PASSWORD", PASSWORD)
    monkeypatch.setattr(send, "Connection", partial(Connection, endpoint=network))

    def run(*arguments: str, act: Callable[[], None] = lambda: None) -> tuple[list[int], str]:
        given = options(send, "--state", str(state), "--lang", "en", "-u", "ann", *arguments)
        code: list[Any] = []
        send.main(network.clock, given).addCallback(code.append)
        act()
        network.pass_time(60)
        return code, capsys.readouterr().err

    return run


def test_stored(network: Network, run: Any, join: Join, state: Path) -> None:
    bob, _ = join("bob"), join("ann")
    assert run("bob", "-m", "hi") == ([STORED], "")
    assert run("bob", "-m", "hi") == ([STORED], "")
    assert bob.texts() == ["ann: hi", "ann: hi"], "two runs that were answered are two messages"


def test_refused(run: Any, join: Join) -> None:
    join("ann")
    assert run("nobody", "-m", "hi") == ([REFUSED], "Not sent: There is nobody called nobody here.\n")
    assert run("nobody", "-m", "") == ([REFUSED], "Not sent: The message is empty.\n")


def test_kept_out(run: Any, join: Join, state: Path) -> None:
    assert run("bob", "-m", "hi") == ([REFUSED], "Not sent: The name or the password is wrong.\n")
    assert State(state).account("localhost:7373", "ann").unanswered("bob", "hi", since=0) is None


def test_no_account(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMD_PASSWORD")
    code, said = run("bob", "-m", "hi")
    assert code == [REFUSED]
    assert said.startswith("No account is logged in here")


def test_unreachable_leaves_nothing_behind(network: Network, run: Any, join: Join, state: Path) -> None:
    bob, _ = join("bob"), join("ann")
    network.up = False
    code, said = run("bob", "-m", "hi")
    assert code == [UNKNOWN]
    assert said.splitlines()[-1].startswith("Not sent: the server could not be reached.")
    assert State(state).account("localhost:7373", "ann").unanswered("bob", "hi", since=0) is None
    network.up = True
    assert run("bob", "-m", "hi") == ([STORED], "")
    assert bob.texts() == ["ann: hi"]


def lose_the_answer(network: Network) -> Callable[[], None]:
    """Let the message reach the server, and then nothing any more."""

    def act() -> None:
        while b"send_message" not in network.last.transport.value():
            network.last.to_server()
            network.last.to_client()
            network.turn()
        network.last.to_server()
        network.up = False
        network.last.cut()

    return act


def test_unknown_is_safe_to_repeat(network: Network, run: Any, join: Join) -> None:
    bob, _ = join("bob"), join("ann")
    code, said = run("bob", "-m", "hi", act=lose_the_answer(network))
    assert code == [UNKNOWN]
    assert said.splitlines()[-1].startswith("No answer: it is not known")
    network.up = True
    assert run("bob", "-m", "something else") == ([STORED], "")
    assert run("bob", "-m", "hi") == ([STORED], "")
    network.pass_time(10)
    bob.client.connection.drop()
    network.pass_time(10)
    assert bob.texts() == ["ann: hi", "ann: something else"]
    assert run("bob", "-m", "hi") == ([STORED], ""), "answered, so the next one is another message"
    assert bob.texts()[2:] == ["ann: hi"]


def test_a_day_later_it_is_another_message(
    network: Network, run: Any, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob, _ = join("bob"), join("ann")
    run("bob", "-m", "hi", act=lose_the_answer(network))
    network.up = True
    network.pass_time(60)
    monkeypatch.setattr(send.time, "time", lambda: 4_000_000_000)
    assert run("bob", "-m", "hi") == ([STORED], "")
    assert bob.texts() == ["ann: hi", "ann: hi"]


def test_a_chat_does_not_send_what_imd_send_left(network: Network, run: Any, join: Join, state: Path) -> None:
    join("bob")
    ann = join("ann", state=State(state))
    run("bob", "-m", "hi", act=lose_the_answer(network))
    assert ann.client.account.waiting() == []
