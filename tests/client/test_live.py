"""The client as processes, against a daemon in another: real TLS, a real terminal, kill -9."""

import fcntl
import os
import pty
import select
import signal
import stat
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.client.machines import IMD, PASSWORD, Machine
from tests.client.tmux import Tmux
from tests.live.daemon import Daemon

pytestmark = pytest.mark.long

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE = 20


def test_two_people_at_pipes(machine: Callable[[str], Machine], daemon: Daemon) -> None:
    ann, bob = machine("ann"), machine("bob")
    bob.chat("", "-u", "bob")
    first = ann.chat("/to bob\nhello\n你好\n", "-u", "ann")
    assert first[0].startswith("First connection to localhost")
    assert "".join(line.strip() for line in first[2:4]) in daemon.log
    assert first[-2:] == ["[..] you to bob: hello", "[..] you to bob: 你好"]
    assert bob.chat("/read\n")[1:4] == ["ann: 2 unread", "[..] ann: hello", "[..] ann: 你好"]
    assert bob.chat("")[1:] == ["Nothing unread."]


def test_the_exit_code_of_imd_send(machine: Callable[[str], Machine], daemon: Daemon) -> None:
    ann, bob = machine("ann"), machine("bob")
    for each in (ann, bob):
        each.chat("", "-u", each.directory.name)
    assert ann.run("send", "bob", "-m", "one").returncode == 0
    assert ann.run("send", "bob", text="two\nlines\n").returncode == 0
    refused = ann.run("send", "nobody", "-m", "one")
    assert (refused.returncode, refused.stderr) == (1, "Not sent: There is nobody called nobody here.\n")
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGSTOP)
    unknown = ann.run("send", "bob", "-m", "three", "--wait", "1")
    daemon.process.send_signal(signal.SIGCONT)
    assert unknown.returncode == 2
    assert ann.run("send", "bob", "-m", "three").returncode == 0
    assert bob.chat("")[2:] == ["[..] ann: one", "[..] ann: two", "    lines", "[..] ann: three"]


def test_imd_export(machine: Callable[[str], Machine], daemon: Daemon, tmp_path: Path) -> None:
    ann, file = machine("ann"), tmp_path / "ann.zip"
    ann.chat("/to ann\nremember the milk\n", "-u", "ann")
    kept = sorted(path.name for path in (daemon.directory / "data").iterdir())
    done = ann.run("export", str(file))
    assert (done.returncode, done.stderr.split(": ")[0]) == (0, str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with ZipFile(file) as archive:
        assert b"remember the milk" in archive.read("imd-export/conversations/1.html")
    assert sorted(path.name for path in (daemon.directory / "data").iterdir()) == kept, "the daemon's copy has no name"
    again = ann.run("export", str(file))
    assert (again.returncode, again.stderr) == (1, f"{file} already exists, and is not overwritten.\n")


class Console:
    """`imd chat` in a terminal of 80 columns, as a person has it."""

    def __init__(self, machine: Machine, *arguments: str, **environment: str) -> None:
        self.ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.theirs)
        self.seen = ""
        self.process = subprocess.Popen(
            [IMD, "chat", "--plain", *arguments],
            env=machine.environment(**({"TERM": "xterm"} | environment)),
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            start_new_session=True,
        )

    def types(self, line: str) -> None:
        os.write(self.ours, f"{line}\r".encode())

    def sees(self, text: str) -> str:
        """Wait until a text appears after what was seen before. Gives what came with it."""
        until = time.monotonic() + PATIENCE
        while text not in self.seen:
            assert time.monotonic() < until, f"{text!r} does not appear:\n{self.seen}"
            if select.select([self.ours], [], [], 0.2)[0]:
                self.seen += os.read(self.ours, 65536).decode(errors="replace")
        before, _, self.seen = self.seen.partition(text)
        return before + text

    def ends(self) -> int:
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)


OpenConsole = Callable[..., Console]


@pytest.fixture
def open_console(machine: Callable[[str], Machine]) -> Iterator[Callable[..., Console]]:
    consoles: list[Console] = []

    def open_console(name: str, *arguments: str, **environment: str) -> Console:
        consoles.append(Console(machine(name), *arguments, **environment))
        return consoles[-1]

    yield open_console
    for each in consoles:
        each.close()


@pytest.fixture
def without_extra(tmp_path: Path) -> str:
    """A PYTHONPATH under which prompt_toolkit is not installed."""
    directory = tmp_path / "without"
    directory.mkdir()
    (directory / "sitecustomize.py").write_text("import sys\n\nsys.modules['prompt_toolkit'] = None\n")
    return str(directory)


@pytest.mark.parametrize("terminal", ["xterm", "dumb", "xterm without prompt_toolkit"])
def test_a_person_at_a_terminal(
    open_console: OpenConsole, machine: Callable[[str], Machine], terminal: str, without_extra: str
) -> None:
    machine("bob").chat("", "-u", "bob")
    name, *lacking = terminal.split(" ", 1)
    ann = open_console("ann", TERM=name, **({"PYTHONPATH": without_extra} if lacking else {}))
    ann.sees("Name:")
    ann.types("ann")
    ann.sees("Password for ann:")
    ann.types(PASSWORD)
    shown = ann.sees("[y/N]")
    ann.types("y")
    ann.sees("Repeat the password:")
    ann.types(PASSWORD)
    shown += ann.sees("Nothing unread.")
    assert PASSWORD not in shown
    assert (b"\x1b" in shown.encode()) == (terminal == "xterm"), "only prompt_toolkit moves the cursor"
    ann.types("/to bob")
    ann.sees("no messages yet.")
    ann.types("你好")
    ann.sees("you to bob: 你好")
    ann.types("/quit")
    assert ann.ends() == 0
    assert termios.tcgetattr(ann.theirs) == ann.before
    assert os.get_blocking(ann.theirs)
    assert machine("bob").chat("")[-1] == "[..] ann: 你好"


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_a_key_ends_it_and_leaves_the_terminal_as_it_was(
    open_console: OpenConsole, machine: Callable[[str], Machine], key: str
) -> None:
    machine("ann").chat("", "-u", "ann")
    ann = open_console("ann")
    ann.sees("Nothing unread.")
    os.write(ann.ours, key.encode())
    assert ann.ends() == 0
    assert termios.tcgetattr(ann.theirs) == ann.before


def test_the_input_line_stays_whole(tmux: Tmux, machine: Callable[[str], Machine], daemon: Daemon) -> None:
    machine("bob").chat("", "-u", "bob")
    ann = tmux.chat(machine("ann"), "ann", "--plain", size=(60, 20))
    ann.sees("Nothing unread.")
    ann.types("/to bob", "Enter")
    ann.sees("no messages yet.", "bob>")
    ann.types("你好们", "BSpace", "Left", "Left", "早，")
    ann.sees("bob> 早，你好")
    machine("bob").chat("/to ann\nhello\nare you there?\n")
    rows = [row.rstrip() for row in ann.sees("bob: are you there?") if row.strip()]
    assert [row[8:] for row in rows[-3:-1]] == ["bob: hello", "bob: are you there?"]
    assert rows[-1] == "bob> 早，你好"
    ann.types("Enter")
    ann.sees("you to bob: 早，你好")
    ann.pastes("one\ntwo 字\nthree")
    rows = ann.sees("bob> one", "… two 字", "… three")
    assert not any("you to bob: one" in row for row in rows), "pasted lines wait for Enter"
    ann.types("Enter")
    ann.sees("you to bob: one", "    two 字", "    three")
    ann.types("Up", "Up", "Up", "Up")
    ann.sees("bob> 早，你好")
    ann.types("C-c")
    ann.sees("it ended with 0")
    ann.types("echo still he're'", "Enter")
    ann.sees("\nstill here\n")
    shown = machine("bob").chat("")
    assert shown[-4:] == ["[..] ann: 早，你好", "[..] ann: one", "    two 字", "    three"]


def test_kill_9_in_the_middle(open_console: OpenConsole, machine: Callable[[str], Machine], daemon: Daemon) -> None:
    for name in ("ann", "bob"):
        machine(name).chat("", "-u", name)
    ann, bob = open_console("ann"), open_console("bob")
    for each, other in ((ann, "bob"), (bob, "ann")):
        each.sees("Nothing unread.")
        each.types(f"/to {other}")
        each.sees("no messages yet.")
    ann.types("before")
    bob.sees("ann: before")
    daemon.stop(signal.SIGKILL)
    ann.sees("Offline:")
    ann.types("meanwhile")
    ann.sees("Kept for bob")
    daemon.start()
    ann.sees("you to bob: meanwhile")
    bob.sees("ann: meanwhile")
    bob.types("after")
    ann.sees("bob: after")
    ann.types("/history bob")
    for text in ("you to bob: before", "you to bob: meanwhile", "bob: after"):
        ann.sees(text)


def test_a_second_console_of_the_same_account_is_turned_away(
    open_console: OpenConsole, machine: Callable[[str], Machine]
) -> None:
    machine("ann").chat("", "-u", "ann")
    first = open_console("ann")
    first.sees("Nothing unread.")
    second = open_console("ann")
    second.sees("ann is already chatting from this machine.")
    assert second.ends() == 1


@pytest.fixture
def bot(machine: Callable[[str], Machine]) -> Iterator[Callable[[], "subprocess.Popen[bytes]"]]:
    bots: list[subprocess.Popen[bytes]] = []

    def start() -> "subprocess.Popen[bytes]":
        environment = machine("echo").environment(IMD_PASSWORD=PASSWORD)
        bots.append(
            subprocess.Popen([sys.executable, EXAMPLES / "echo_bot.py"], env=environment, stdout=subprocess.PIPE)
        )
        assert bots[-1].stdout is not None
        while b"echo is on" not in (line := bots[-1].stdout.readline()):
            assert line, "the bot ended"
        return bots[-1]

    yield start
    for each in bots:
        each.kill()
        each.wait()
        assert each.stdout is not None
        each.stdout.close()


def test_the_echo_bot(
    bot: Callable[[], "subprocess.Popen[bytes]"],
    open_console: OpenConsole,
    machine: Callable[[str], Machine],
) -> None:
    machine("ann").chat("", "-u", "ann")
    running = bot()
    ann = open_console("ann")
    ann.sees("Nothing unread.")
    ann.types("/to echo hello")
    ann.sees("echo: You said: hello")
    running.kill()
    running.wait()
    ann.types("are you there?")
    ann.sees("you to echo: are you there?")
    bot()
    ann.sees("echo: You said: are you there?")
