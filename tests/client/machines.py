"""Machines that people have: where their state is, and the server they know."""

import os
import re
import subprocess
import sys
from pathlib import Path

import attrs

from tests.live.daemon import Daemon

IMD = Path(sys.executable).with_name("imd")
PASSWORD = "correct horse battery"


@attrs.define
class Machine:
    """Somebody's machine: where their state is, and which server they know."""

    directory: Path
    daemon: Daemon

    def environment(self, **more: str) -> dict[str, str]:
        mine = {"IMD_SERVER": f"localhost:{self.daemon.port}", "XDG_STATE_HOME": str(self.directory), "TZ": "UTC"}
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("IMD_", "LC_", "LANG"))}
        return kept | mine | more

    def run(self, *arguments: str, text: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
        """Run `imd` with its input from a pipe."""
        return subprocess.run(
            [IMD, *arguments], input=text, env=self.environment(**more), capture_output=True, text=True, timeout=60
        )

    def chat(self, text: str, *arguments: str) -> list[str]:
        """Chat from a pipe, with a password; gives the lines shown."""
        done = self.run("chat", "--register", *arguments, text=text, IMD_PASSWORD=PASSWORD)
        assert (done.returncode, done.stderr) == (0, "")
        return re.sub(r"(?m)^\[[^]]*\]", "[..]", done.stdout).splitlines()
