"""The disk rig: a full disk, a read-only one, one with I/O errors, and a database that somebody else has locked.

python -m tests.rigs.disks --only full --seconds 30

In each a real daemon goes on while its disk does not. What it answers `success` must be there afterwards, once and in
order; what it cannot do must be refused as `unavailable`; reading goes on; and when the disk is well again, so is the
daemon, without anybody's help. Where it cannot even start, it ends with one line that says why.
"""

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import attrs

from imd.store import sqlite
from tests.live.daemon import Daemon, Line
from tests.rigs import kill
from tests.rigs.journal import Acknowledged, Journal, Kept, Reading, Sent, check
from tests.rigs.people import PASSWORD

SETTINGS = {"requests_per_second": "0", "unauthenticated_per_address": "1000", "disk_reserve_mb": "0"}


class NoMount(Exception):
    """Mounting is not allowed here."""


@attrs.define
class Person:
    """Somebody who sends to themselves and reads what is kept."""

    line: Line
    journal: Journal = attrs.field(factory=Journal)
    answers: Counter[str] = attrs.field(factory=Counter)

    @classmethod
    def of(cls, daemon: Daemon) -> "Person":
        """Register ann, unless she is there, and log in."""
        person = cls(daemon.connect())
        person.ask("register", username="ann", password=PASSWORD)
        login = {"username": "ann", "password": PASSWORD, "replay": False}
        assert until(lambda: person.ask("login", **login)["status"] == "success")  # a broken one answers too early
        return person

    def ask(self, action: str, **fields: Any) -> dict[str, Any]:
        """Send a request and give its reply."""
        self.line.say(json.dumps({"action": action, **fields}))
        while (line := self.line.next_line(90)) is not None:
            if line.startswith("{") and "status" in (found := json.loads(line)):
                assert isinstance(found, dict)
                return found
        raise RuntimeError(f"no answer to {action}")

    def send(self, size: int = 100) -> str:
        """Send a message, and give the code it was refused with, or success."""
        number = len(self.journal.sent)
        sent = Sent("ann", f"ann-{number}", "ann", f"{number} " + "x" * size)
        self.journal.sent.append(sent)
        reply = self.ask("send_message", to="ann", content=sent.content, client_id=sent.client_id)
        answer = str(reply.get("code", "success"))
        if answer == "success":
            self.journal.acknowledged.append(
                Acknowledged("ann", sent.client_id, reply["conversation"], reply["seq"], reply["duplicate"])
            )
        self.answers[answer] += 1
        return answer

    def reads(self) -> bool:
        """Read, and say whether everything acknowledged is there and nothing is wrong with it."""
        kept: list[Kept] = []
        more = True
        while more:
            page = self.ask("history", to="ann", after=kept[-1].seq if kept else 0, limit=200)
            if page["status"] != "success":
                return False
            kept += [Kept(*(each.get(name) for name in Kept._fields)) for each in page["messages"]]
            more = page["more"]
        found = check(self.journal, [Reading("ann", "history", 1, kept)])
        return not any(found.values())


@attrs.define
class Report:
    """What was expected, each with whether it came true; and figures."""

    name: str
    points: list[tuple[str, bool]] = attrs.field(factory=list)
    figures: dict[str, object] = attrs.field(factory=dict)

    def expect(self, what: str, true: object) -> None:
        """Note whether something is as it must be."""
        self.points.append((what, bool(true)))

    def faults(self) -> list[str]:
        """List what was not."""
        return [what for what, true in self.points if not true]

    def text(self) -> str:
        """Write it down."""
        figures = ", ".join(f"{name}: {value}" for name, value in self.figures.items())
        return "\n".join(
            [f"{self.name}: {figures}", *(f"  {'ok ' if ok else 'NOT'} {what}" for what, ok in self.points)]
        )


def until(reached: Callable[[], bool], seconds: float = 20, pause: float = 0.1) -> bool:
    """Wait for something; say whether it came."""
    deadline = time.monotonic() + seconds
    while not (come := reached()) and time.monotonic() < deadline:
        time.sleep(pause)
    return come


@contextmanager
def mounted(place: Path, *options: str) -> Iterator[None]:
    """Mount something at a place for a while."""
    place.mkdir(parents=True, exist_ok=True)
    if subprocess.run(["mount", *options, str(place)], capture_output=True, check=False).returncode:
        raise NoMount
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


@contextmanager
def running(daemon: Daemon) -> Iterator[Person]:
    """Run a daemon, with somebody logged in."""
    daemon.start()
    try:
        person = Person.of(daemon)
        yield person
        person.line.hang_up()
    finally:
        daemon.close()


def afterwards(report: Report, daemon: Daemon, person: Person) -> None:
    """Note that it works again, and that a restart finds the same."""
    report.expect("it takes messages again, by itself", until(lambda: person.send() == "success"))
    report.expect("everything acknowledged is there, once, in order", person.reads())
    report.expect("a stop is clean", daemon.stop() == 0)
    daemon.start()
    again = Person.of(daemon)
    again.journal = person.journal
    report.expect("after a restart too", again.reads())
    report.figures |= {"acknowledged": len(person.journal.acknowledged)} | dict(person.answers)
    report.expect(
        "nothing but success and unavailable was answered", not person.answers.keys() - {"success", "unavailable"}
    )


def full(daemon: Daemon, seconds: float, reserve: int = 0) -> Report:
    """Fill a small disk to the last byte, or to the reserve, and make room again."""
    report = Report("full disk" if not reserve else "low-water mark")
    data = daemon.directory / "data"
    with mounted(data, "-t", "tmpfs", "-o", f"size={12 + 2 * reserve}m", "none"):
        (ballast := data / "ballast").write_bytes(bytes(3 + reserve << 20))
        daemon = attrs.evolve(daemon, settings=SETTINGS | {"disk_reserve_mb": str(reserve)})
        with running(daemon) as person:
            report.expect(
                "at some point it refuses", until(lambda: person.send(8000) == "unavailable", 60, reserve and 0.02)
            )
            free = os.statvfs(data).f_bavail * 4096
            report.figures["KiB free then"] = free // 1024
            if reserve:
                report.expect("while there is still room", free > (reserve << 20) * 0.5)
                report.expect("marking goes on", person.ask("read", to="ann", seq=1)["status"] == "success")
                report.expect("recalling goes on", person.ask("recall_message", to="ann", seq=1)["status"] == "success")
            else:
                for _ in range(20):
                    person.send(8000)
            report.expect("reading goes on", reserve or person.reads())
            report.expect("it says whom it serves", person.ask("whoami")["status"] == "success")
            ballast.unlink()
            if reserve:
                report.expect("it takes messages again, by itself", until(lambda: person.send() == "success"))
            else:
                afterwards(report, daemon, person)
    return report


def low_water(daemon: Daemon, seconds: float) -> Report:
    """Stop at the reserve."""
    return full(daemon, seconds, reserve=8)


@contextmanager
def failing(daemon: Daemon, error: str) -> Iterator[None]:
    """Let every write and sync of a daemon that runs fail for a while."""
    assert daemon.process is not None
    calls = "pwrite64,fdatasync,fsync,ftruncate,write"
    where = [
        each for name in ("imd.sqlite3", "imd.sqlite3-wal") for each in ("-P", str(daemon.directory / "data" / name))
    ]
    command = ["strace", "-f", "-o", "/dev/null", *where, "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}"]
    strace = subprocess.Popen([*command, "-p", str(daemon.process.pid)], stderr=subprocess.DEVNULL)
    try:
        status = Path(f"/proc/{daemon.process.pid}/status")
        assert until(lambda: f"TracerPid:\t{strace.pid}" in status.read_text())
        time.sleep(0.3)  # the other threads are next
        yield
    finally:
        strace.send_signal(signal.SIGINT)
        strace.wait(20)


def _with(error: str, name: str) -> Callable[[Daemon, float], Report]:
    def scenario(daemon: Daemon, seconds: float) -> Report:
        report = Report(name)
        with running(daemon) as person:
            report.expect("it works before", person.send() == "success" and person.reads())
            with failing(daemon, error):
                answers = {person.send(size) for size in (10, 100, 1000, 10_000) * 3}
                report.expect("every send is refused as unavailable", answers == {"unavailable"})
                report.expect("reading goes on", person.reads())
                report.expect("it answers", person.ask("ping")["status"] == "success")
            afterwards(report, daemon, person)
        return report

    return scenario


_HOLDER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
"""


def locked(daemon: Daemon, seconds: float) -> Report:
    """Let another process hold the database's lock."""
    report = Report(f"database locked for {seconds:g} s")
    with running(daemon) as person:
        person.send()
        reader = Person.of(daemon)
        command = [sys.executable, "-c", _HOLDER, str(daemon.directory / "data" / "imd.sqlite3"), str(seconds)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "locked\n"
            sending = Thread(
                target=lambda: until(lambda: bool(person.send() and other.poll() is not None), seconds + 30)
            )
            sending.start()
            longest, pages = 0.0, 0
            while other.poll() is None:
                before = time.monotonic()
                page = reader.ask("history", to="ann")
                pages += page["status"] == "success" and len(page["messages"]) == 1
                longest = max(longest, time.monotonic() - before)
                time.sleep(0.05)
            sending.join()
        report.figures |= {"read meanwhile": pages, "slowest reading, s": round(longest, 2)}
        report.expect("reading goes on, and nothing is kept meanwhile", pages > seconds)
        report.expect("reading is not held up", longest < 2)
        report.expect("a long lock is refused as unavailable", seconds < 6 or person.answers["unavailable"])
        afterwards(report, daemon, person)
    return report


def no_start(daemon: Daemon, seconds: float) -> Report:
    """Start where nothing can be written, where the database is locked, and where it is no database."""
    report = Report("no start")
    with running(daemon):
        daemon.stop()
    data = daemon.directory / "data"
    with mounted(data, "--bind", str(data)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(data)], check=True)
        _ends_with_a_line(report, "on a read-only disk", daemon)
    if seconds > sqlite.BUSY_MILLISECONDS / 1000:
        with closing(sqlite3.connect(data / "imd.sqlite3", isolation_level=None)) as other:
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
            other.execute("BEGIN EXCLUSIVE")
            _ends_with_a_line(report, "with a locked database", daemon)
    whole = (data / "imd.sqlite3").read_bytes()
    (data / "imd.sqlite3").write_bytes(b"x" * 8192)
    _ends_with_a_line(report, "with a file that is no database", daemon)
    (data / "imd.sqlite3").write_bytes(whole)
    with running(daemon) as person:
        report.expect("with the database back, it starts", person.send() == "success")
    return report


def _ends_with_a_line(report: Report, where: str, daemon: Daemon) -> None:
    ended = subprocess.run(
        [*kill.SOUND, "-n", "--pidfile=", "imd", "--data-dir", daemon.directory / "data", "--listen", "imd:0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = ended.stderr.strip().splitlines()
    one_line = len(lines) == 1 and lines[0].startswith("imd: ") and "Traceback" not in ended.stdout
    report.expect(
        f"{where}, it ends with one line and status 1: {ended.stderr.strip()[-160:]}",
        one_line and ended.returncode == 1,
    )


SCENARIOS: dict[str, Callable[[Daemon, float], Report]] = {
    "full": full,
    "low_water": low_water,
    "io_error": _with("EIO", "I/O errors"),
    "read_only": _with("EROFS", "a disk that became read-only"),
    "no_space": _with("ENOSPC", "no space, for every write"),
    "locked": locked,
    "no_start": no_start,
}


def run(name: str, place: Path, seconds: float, program: tuple[str, ...] = kill.SOUND) -> Report:
    """Break the disk in one way. Raises NoMount where that needs a mount and none is allowed."""
    return SCENARIOS[name](Daemon(place, SETTINGS, program=program), seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Break the disk under a daemon.")
    parser.add_argument("--only", choices=SCENARIOS, action="append")
    parser.add_argument("--seconds", type=float, default=30, help="how long the database stays locked")
    options = parser.parse_args()
    bad = False
    for name in options.only or SCENARIOS:
        with tempfile.TemporaryDirectory(prefix="imd-disk-") as place:
            report = run(name, Path(place), options.seconds)
        print(report.text(), flush=True)
        bad = bad or bool(report.faults())
    sys.exit(bad)
