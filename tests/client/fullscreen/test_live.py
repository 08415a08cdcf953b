"""The full-screen console in a real terminal (tmux) against a daemon in its own process: kill -9, sizes, signals."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.machines import Machine
from tests.client.second_factors import live_second_factor
from tests.client.tmux import KEYS, PATIENCE, Tmux, Window
from tests.live.daemon import Daemon

pytestmark = pytest.mark.long

OpenConsole = Callable[..., Window]


@pytest.fixture
def open_console(tmux: Tmux, machine: Callable[[str], Machine]) -> OpenConsole:
    def open_console(name: str, *arguments: str, size: tuple[int, int] = (80, 24)) -> Window:
        return tmux.chat(machine(name), name, *arguments, size=size)

    return open_console


@pytest.mark.parametrize(
    ("size", "language", "words"),
    [
        ((200, 50), "en", ("No messages with bob yet.", "Today", "Reply to bob", "keys")),
        ((80, 24), "zh", ("和 bob 还没有消息", "今天", "回复 bob", "按键")),
    ],
)
def test_two_people_talk(
    open_console: OpenConsole, size: tuple[int, int], language: str, words: tuple[str, ...]
) -> None:
    nothing, today, reply, keys = words
    bob = open_console("bob", "--lang", language, size=size)
    bob.sees("bob@localhost", keys)
    ann = open_console("ann", "--lang", language, "--theme", "light", size=size)
    ann.sees("ann@localhost")
    ann.types("/to bob", "Enter")
    ann.sees(nothing)
    ann.types("你好，今天天气很好 hello", "Enter")
    ann.sees(today, "✓✓ ann  你好，今天天气很好 hello")
    ann.types("半句 half a line")
    bob.sees_unread("ann", 1)
    bob.types("Tab")
    bob.sees("ann  你好，今天天气很好 hello")
    bob.types("听不清\nwhat?", "Enter")
    rows = ann.sees("bob  听不清", "what?", "bob> 半句 half a line")
    assert max(len(row) for row in rows) <= size[0]
    ann.types("C-c", "Up")
    ann.types("r")
    ann.sees(reply)
    ann.types("我说你好", "Enter")
    bob.sees("┆ bob: 听不清", "我说你好")
    ann.types("/quit", "Enter")
    assert any(row.startswith("it ended with 0") for row in ann.sees("it ended with"))


def test_a_second_factor_is_asked_for(open_console: OpenConsole, daemon: Daemon) -> None:
    code = live_second_factor(daemon, "ann")
    ann = open_console("ann")
    ann.sees("Code for ann")
    ann.types("000000", "Enter")
    ann.sees("The code is wrong, or was used already.")
    ann.types(code(), "Enter")
    ann.sees("ann@localhost", "You are ann")


def test_kill_9_in_the_middle(open_console: OpenConsole, daemon: Daemon) -> None:
    bob, ann = open_console("bob"), open_console("ann")
    bob.sees("bob@localhost", "You are bob")
    ann.sees("You are ann")
    ann.types("/to bob", "Enter")
    ann.sees("No messages with bob yet.")
    ann.types("before", "Enter")
    ann.sees("✓✓ ann  before")
    daemon.stop(signal.SIGKILL)
    ann.sees("Offline:")
    ann.types("meanwhile", "Enter")
    ann.sees("…  ann  meanwhile", "1 to be sent")
    daemon.start()
    rows = ann.sees("✓✓ ann  meanwhile")
    assert not any("Offline" in row for row in rows)
    bob.sees_unread("ann", 2)
    bob.types("Tab")
    bob.sees("ann  before", "ann  meanwhile")


def test_history_on_another_machine(
    open_console: OpenConsole, machine: Callable[[str], Machine], tmp_path: Path
) -> None:
    machine("bob").chat("", "-u", "bob")
    machine("ann").chat("/to bob\n" + "".join(f"number {number}\n" for number in range(1, 91)) + "/read\n", "-u", "ann")
    ann = open_console("ann", "--state", str(tmp_path / "elsewhere"))
    ann.sees("You are ann")
    ann.types("C-Down")
    ann.sees("number 90")
    ann.types("PageUp")
    ann.sees("more lines below")
    until = time.monotonic() + PATIENCE
    while "The conversation starts here." not in "\n".join(rows := ann.rows()):
        assert time.monotonic() < until, rows
        ann.types("PageUp")
        time.sleep(0.2)
    assert rows[3].endswith("number 1")
    ann.types("Escape")
    ann.sees("number 90")


@pytest.mark.parametrize("options", [(), ("--plain",)])
@pytest.mark.parametrize("ending", ["C-d", "SIGTERM", "SIGINT"])
def test_the_terminal_is_left_as_it_was_found(
    open_console: OpenConsole, tmux: Tmux, options: tuple[str, ...], ending: str
) -> None:
    ann = open_console("ann", *options)
    ann.sees("You are ann")
    if ending in KEYS:
        ann.types(ending)
    else:
        shell = tmux.do("display-message", "-p", "-t", "ann", "#{pane_pid}").strip()
        (child,) = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
        os.kill(int(child), getattr(signal, ending))
    rows = ann.sees(f"it ended with {0 if ending in KEYS else 1}")
    assert not any("ann@localhost" in row for row in rows)
    ann.types("echo still he're'", "Enter")
    ann.sees("\nstill here\n")
