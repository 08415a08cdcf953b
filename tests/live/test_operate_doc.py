"""docs/operate.md: every command in its boxes is run, in their order, and does what the page says of it."""

import os
import re
import resource
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from imd.run.cli import program
from tests.live.daemon import free_port

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operate.md"
BIN = Path(sys.executable).parent
NEEDED = ("openssl", "curl")

pytestmark = [pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not here") for name in NEEDED]


def commands() -> list[str]:
    """Give the commands of the page's boxes."""
    boxes = re.findall(r"```console\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    lines = [line for box in boxes for line in box.splitlines()]
    assert all(line.startswith(("# ", "$ ")) for line in lines)
    return [line[2:] for line in lines]


@attrs.define
class Machine:
    """A machine of its own: its paths lead into a directory, its ports are free, systemd and docker are pretended."""

    directory: Path
    ports: dict[str, str] = attrs.Factory(lambda: {"7373": str(free_port()), "9464": str(free_port())})
    said: dict[str, str] = attrs.Factory(dict)

    def prepare(self) -> None:
        """Put there what a machine has."""
        for place in ("bin", "etc/systemd/system", "etc/cron.daily", "var/lib", "usr/local/bin", "opt"):
            (self.directory / place).mkdir(parents=True)
        self._program("systemctl", f'exec {shlex.quote(sys.executable)} -m tests.live.pretend.systemctl "$@"')
        self._program("journalctl", f"tail -n 20 {self.directory}/journal")
        inside = (
            'shift 3; case $1 in exec) shift 2; exec "$@" ;; cp) exec cp "${2#*:}" "$3" ;; run) shift 3; exec "$@" ;;'
        )
        inside += ' stop | start) exec systemctl "$1" imd ;; esac'
        self._program("docker", inside)
        venv = 'mkdir -p "$3/bin"; ln -s {0} "$3/bin/imd"; ln -s "$(command -v pip)" "$3/bin/pip"'
        self._program("python3", f'[ "$1 $2" = "-m venv" ] || exit 1; {venv.format(shlex.quote(str(BIN / "imd")))}')
        self._program("pip", 'for last; do :; done; test -e "$last"')
        source = self.directory / "checkout"
        for room in ("deploy", "requirements"):
            shutil.copytree(ROOT / room, source / room)
        for file in ("imd.toml", "imd.socket", "imd.cron"):
            self._rewrite(source / "deploy" / file)

    def _program(self, name: str, line: str) -> None:
        program = self.directory / "bin" / name
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(0o755)

    def _rewrite(self, file: Path) -> None:
        file.write_text(self.here(file.read_text("utf-8")))

    def here(self, text: str) -> str:
        """Put the page's paths and ports where they are on this machine."""
        text = re.sub(r"(?<![\w/.])/(opt|etc|var|usr)/", rf"{self.directory}/\1/", text)
        return re.sub("|".join(self.ports), lambda found: self.ports[found[0]], text)

    def run_all(self, lines: list[str]) -> "subprocess.CompletedProcess[str]":
        """Run the commands in one shell, as an operator would; it ends at the first that fails."""
        script = ["set -eu -o pipefail"]
        for number, line in enumerate(lines):
            shown = line.replace("'", "'\\''")
            script += [f"echo '@@{number}@@ {shown}'", self.here(line)]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("IMD_")}
        path = f"{self.directory}/bin:{self.directory}/usr/local/bin:{kept['PATH']}"
        paths = f"{ROOT}:{ROOT / 'client'}"
        return subprocess.run(
            ["bash", "-c", "\n".join(script)],
            cwd=self.directory / "checkout",
            env=kept | {"PATH": path, "SANDBOX": str(self.directory), "PYTHONPATH": paths, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    machine.prepare()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield machine
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if (tmp_path / "pid").exists():
        os.kill(int((tmp_path / "pid").read_text()), 9)


def test_every_command_of_the_page_works(machine: Machine) -> None:
    lines = commands()
    done = machine.run_all(lines)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    pieces = re.split(r"^@@\d+@@ (.*)\n", done.stdout, flags=re.MULTILINE)[1:]
    said = list(zip(pieces[::2], pieces[1::2], strict=True))
    assert [line for line, _ in said] == lines

    def answers(start: str) -> list[str]:
        found = [text for line, text in said if line.startswith(start)]
        assert found, start
        return found

    first, later = answers("imd check")
    assert "FIX" not in first + later
    assert "is served by this imd" in later
    assert all(text.startswith("imd 0.1.0, running for ") for text in answers("imd status")[:2])
    assert "OK PING" in answers("printf")[0]
    assert "alice, since" in answers("imd user list")[0]
    assert "SHA256 Fingerprint" in answers("openssl x509")[0].replace("sha256", "SHA256")
    restores = ("imd restore", "docker compose -f deploy/compose.yaml run --rm imd imd restore")
    assert all("the previous data is kept in" in answers(line)[0] for line in restores)
    assert "imd_people_online 0.0" in answers("curl")[0]
    assert '"uptime":' in answers("imd status --json")[0]
    assert "latest backup" in answers("imd status")[1]
    assert answers("/etc/cron.daily/imd") == [""], "nothing is mailed when all is well"
    backups = list((machine.directory / "var/backups").iterdir())
    assert [path for path in backups if path.match("imd-[1-7].tar.gz")]
    assert {path.stat().st_mode & 0o777 for path in backups} == {0o600}
    journal = (machine.directory / "journal").read_text("utf-8")
    assert "were read again" in journal
    assert journal.count("stopped; everything that was acknowledged is stored") == 4
    assert "Traceback" not in journal


def test_the_page_tells_every_command_of_the_program() -> None:
    page = PAGE.read_text("utf-8")
    words = list(program().commands)
    assert [word for word in words if not re.search(rf"`imd {word}\b|^# imd {word}\b", page, re.MULTILINE)] == [
        "send",
        "export",
    ]
