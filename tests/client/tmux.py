"""`imd chat` in a real terminal: tmux, with a window for each person."""

import subprocess
import time
from pathlib import Path

import attrs

from tests.client.machines import IMD, PASSWORD, Machine

PATIENCE = 20
KEYS = {"Enter", "Escape", "Up", "Down", "Left", "Home", "PageUp", "PageDown", "Tab", "BSpace", "C-c", "C-d", "C-Down"}


@attrs.define
class Tmux:
    """A tmux server of our own."""

    socket: Path

    def do(self, *arguments: str) -> str:
        command = ["tmux", "-u", "-f", "/dev/null", "-S", str(self.socket), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout

    def chat(self, machine: Machine, name: str, *arguments: str, size: tuple[int, int] = (80, 24)) -> "Window":
        """Open a window in which a shell starts `imd chat`."""
        command = f"{IMD} chat -u {name} --register {' '.join(arguments)}; echo it ended with $?"
        columns, rows = map(str, size)
        environment = machine.environment(IMD_PASSWORD=PASSWORD, LANG="C.UTF-8")
        given = [word for key, value in environment.items() for word in ("-e", f"{key}={value}")]
        self.do("new-session", "-d", "-s", name, "-x", columns, "-y", rows, *given, f"{command}; exec sh")
        return Window(self, name)


@attrs.define
class Window:
    """A person's terminal."""

    tmux: Tmux
    name: str

    def types(self, *keys: str) -> None:
        """Type texts; a name of tmux's such as `Enter` is that key."""
        for key in keys:
            self.tmux.do("send-keys", "-t", self.name, *(() if key in KEYS else ("-l",)), key)

    def pastes(self, text: str) -> None:
        """Paste a text, as a terminal does it (bracketed)."""
        self.tmux.do("set-buffer", text)
        self.tmux.do("paste-buffer", "-p", "-t", self.name)

    def rows(self) -> list[str]:
        return self.tmux.do("capture-pane", "-p", "-t", self.name).split("\n")

    def sees(self, *texts: str) -> list[str]:
        """Wait until texts are on the screen, all at once."""
        until = time.monotonic() + PATIENCE
        while not all(text in "\n".join(rows := self.rows()) for text in texts):
            assert time.monotonic() < until, f"{texts} do not appear:\n" + "\n".join(rows)
            time.sleep(0.1)
        return rows

    def sees_unread(self, name: str, count: int) -> None:
        """Wait until a conversation is listed with so many unread messages."""
        until = time.monotonic() + PATIENCE
        while not any(row.partition("│")[0].split() == [name, str(count)] for row in self.rows()):
            assert time.monotonic() < until, "\n".join(self.rows())
            time.sleep(0.1)
