"""The daemon as twistd runs it: started, stopped, killed, and turned away with one line."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.live.daemon import START_SECONDS, Daemon, free_port

pytestmark = pytest.mark.long

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]


def environment(**settings: object) -> dict[str, str]:
    """Give an environment without settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IMD_")}
    return kept | {"LC_ALL": "C.UTF-8"} | {name: str(value) for name, value in settings.items()}


def run(*command: str | Path, cwd: Path, **settings: object) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end."""
    return subprocess.run(
        [BIN / command[0], *command[1:]],
        cwd=cwd,
        env=environment(**settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def wait_for(reached: Callable[[], bool]) -> None:
    """Wait until something another process brings about."""
    until = time.monotonic() + START_SECONDS
    while not reached():
        assert time.monotonic() < until, "it never came about"
        time.sleep(0.02)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    one = Daemon(tmp_path / "first").start()
    yield one
    one.close()


def data(daemon: Daemon) -> Path:
    return daemon.directory / "data"


# -- the end


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_says_goodbye_and_ends_well(daemon: Daemon, how: signal.Signals) -> None:
    line = daemon.connect()
    line.say('{"action":"register","username":"alice","password":"correct horse battery"}')
    assert '"success"' in (line.next_line() or "")
    assert daemon.stop(how) == 0
    closing = json.loads(line.next_line() or "")
    assert (closing["event"], closing["code"]) == ("closing", "unavailable")
    assert line.is_gone()
    assert not (data(daemon) / "admin.sock").exists()
    assert "Traceback" not in daemon.log


def test_a_peer_that_does_not_read_holds_up_no_stop(daemon: Daemon) -> None:
    silent = daemon.connect()
    assert daemon.stop() == 0  # which has its patience
    silent.hang_up()


def test_a_killed_daemon_starts_again_with_everything(daemon: Daemon) -> None:
    operator = daemon.operator()
    operator.say("USER ADD alice correct horse battery")
    assert (operator.next_line() or "").startswith("OK USER ADD username=alice")
    certificate = (data(daemon) / "certificate.pem").read_bytes()
    assert daemon.stop(signal.SIGKILL) == -signal.SIGKILL
    daemon.start()
    again = daemon.operator()
    again.say("USER LIST")
    assert (again.next_line() or "").startswith("- alice, since ")
    assert (data(daemon) / "certificate.pem").read_bytes() == certificate


# -- starts that are turned away: one line on stderr, nothing else, and a code that is not 0

WAYS = {
    "in the foreground": ("twistd", "-n", "--pidfile=", "imd"),
    "in the background": ("twistd", "--pidfile=pid", "--logfile=log", "imd"),
    "imd run": ("imd", "run"),
}
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def turned_away(way: tuple[str, ...], *options: str | Path, cwd: Path) -> str:
    """Start a daemon that must be turned away, and give the line that says why."""
    ended = run(*way, *options, cwd=cwd)
    assert ended.returncode == 1
    assert ended.stdout == ""
    line, rest = ended.stderr.split("\n", 1)
    assert rest == ""
    assert not (cwd / "pid").exists()
    return line


@every_way
def test_a_taken_port(way: tuple[str, ...], daemon: Daemon, tmp_path: Path) -> None:
    listen = f"imd:{daemon.port}:interface=127.0.0.1"
    assert turned_away(way, "--listen", listen, cwd=tmp_path) == (
        f"imd: cannot listen on {listen}: another program uses the port. Stop it, or choose another port with --listen"
    )


@every_way
def test_a_data_directory_in_use(way: tuple[str, ...], daemon: Daemon, tmp_path: Path) -> None:
    listen = f"imd:{free_port()}:interface=127.0.0.1"
    assert turned_away(way, "--listen", listen, "--data-dir", data(daemon), cwd=tmp_path) == (
        f"imd: the data directory {data(daemon)} is in use by another imd"
    )


@every_way
def test_a_newer_database(way: tuple[str, ...], tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "imd.sqlite3")
    connection.execute("PRAGMA user_version = 9999")
    connection.close()
    listen = f"imd:{free_port()}:interface=127.0.0.1"
    line = turned_away(way, "--listen", listen, "--data-dir", tmp_path, cwd=tmp_path)
    assert re.fullmatch(r"imd: \S+/imd\.sqlite3: the database has schema 9999, .*\. Upgrade imd", line)


@every_way
def test_a_wrong_option(way: tuple[str, ...], tmp_path: Path) -> None:
    command = "imd run" if way == WAYS["imd run"] else "twistd imd"
    assert turned_away(way, "--regster", "open", cwd=tmp_path) == (
        f"imd: --regster is not an option of {command}. Did you mean --register?"
    )
    assert turned_away(way, "--register", "always", cwd=tmp_path) == (
        "imd: --register must be one of open, invite, closed, not 'always'"
    )


# -- twistd's own ways


def test_it_runs_in_the_background(tmp_path: Path) -> None:
    port = free_port()
    started = run(
        *("twistd", "--pidfile=imd.pid", "--logfile=imd.log", "imd", "--data-dir", "kept"),
        *("--listen", f"imd:{port}:interface=127.0.0.1"),
        cwd=tmp_path,
    )
    assert (started.returncode, started.stdout, started.stderr) == (0, "", "")
    log, process = tmp_path / "imd.log", int((tmp_path / "imd.pid").read_text())
    try:
        wait_for(lambda: "No account yet" in log.read_text("utf-8"))
        listed = run("imd", "user", "list", "--data-dir", "kept", cwd=tmp_path)
        assert listed.returncode == 0, listed.stderr
    finally:
        os.kill(process, signal.SIGTERM)
    wait_for(lambda: "Server Shut Down" in log.read_text("utf-8"))
    wait_for(lambda: not (tmp_path / "imd.pid").exists())
    assert "invite=" not in log.read_text("utf-8"), "a log is no place for an invite"
    assert "Traceback" not in log.read_text("utf-8")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_it_becomes_another_user(passable: Path) -> None:
    port = free_port()
    options = ("--uid=nobody", "--pidfile=", "imd", "--data-dir", "kept", "--listen", f"imd:{port}:interface=127.0.0.1")
    with (passable / "log").open("wb") as log:
        process = subprocess.Popen(
            [BIN / "twistd", "-n", *options], cwd=passable, env=environment(), stdout=log, stderr=log
        )
    try:
        wait_for(lambda: b"No account yet" in (passable / "log").read_bytes())
        owners = {path.stat().st_uid for path in (passable / "kept", *(passable / "kept").iterdir())}
        assert owners == {65534}
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert b"Traceback" not in (passable / "log").read_bytes()


def test_imd_tac_in_a_checkout(tmp_path: Path) -> None:
    listen = f"imd:{free_port()}:interface=127.0.0.1"
    process = subprocess.Popen(
        [BIN / "twistd", "--pidfile=", "-ny", "imd.tac"],
        cwd=ROOT,
        env=environment(IMD_DATA_DIR=tmp_path, IMD_LISTEN=listen),
        stdout=(tmp_path / "log").open("wb"),
        stderr=subprocess.STDOUT,
    )
    try:
        wait_for(lambda: b"No account yet" in (tmp_path / "log").read_bytes())
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0


def said_at_first(port: int, directory: Path, out: int, heard: Callable[[], str], last: str) -> list[str]:
    """Run `imd run` until it has said something, and give all it says to a descriptor."""
    process = subprocess.Popen(
        [BIN / "imd", "run", "--data-dir", "data", "--listen", f"imd:{port}:interface=127.0.0.1"],
        cwd=directory,
        env=environment(),
        stdout=out,
        stderr=subprocess.STDOUT,
    )
    try:
        wait_for(lambda: last in heard())
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0
    return heard().splitlines()


def test_imd_run_greets_a_newcomer(tmp_path: Path) -> None:
    port, (terminal, out) = free_port(), os.openpty()
    os.set_blocking(terminal, False)
    text: list[bytes] = []

    def heard() -> str:
        with suppress(BlockingIOError):
            text.append(os.read(terminal, 65_536))
        return b"".join(text).decode()

    lines = said_at_first(port, tmp_path, out, heard, "invite=")
    assert lines[0] == f"imd 0.1.0 listens on imd:{port}:interface=127.0.0.1"
    assert f"openssl s_client -quiet -connect localhost:{port}" in lines[3]
    assert lines[-1] == "stopped; everything that was acknowledged is stored"
    assert len(lines) == 8, "nothing that only Twisted's developers would read"
    os.close(terminal)
    os.close(out)


def test_what_is_no_terminal_may_be_kept_and_hears_no_invite(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as out:
        last = "No account yet. Whoever registers with an invite from `imd invite create --admin` becomes an admin.\n"
        lines = said_at_first(free_port(), tmp_path, out.fileno(), lambda: log.read_text("utf-8"), last)
    assert len(lines) == 7
    assert "invite=" not in "".join(lines)


# -- administration


def test_administration_of_a_running_daemon(daemon: Daemon, tmp_path: Path) -> None:
    def imd(*words: str) -> "subprocess.CompletedProcess[str]":
        return run("imd", *words, cwd=tmp_path, IMD_DATA_DIR=data(daemon))

    made = imd("user", "add", "alice", "--admin")
    assert (made.returncode, made.stderr) == (0, "")
    password = made.stdout.strip().removeprefix("username=alice password=")
    alice = daemon.connect()
    alice.say(f"LOGIN alice {password}")
    assert (alice.next_line() or "").startswith("OK LOGIN username=alice")
    assert imd("user", "list").stdout.endswith("devices: 1, admin\n")
    assert imd("user", "disable", "alice").stdout == "Done.\n"
    while heard := alice.next_line():
        last = heard
    assert last.startswith("* Goodbye") or "auth_required" in last, "her session ends at once"
    again = imd("user", "add", "alice")
    assert (again.returncode, again.stdout, again.stderr) == (
        1,
        "",
        "imd: The name alice is taken, or looks too much like one that is.\n",
    )
    assert re.fullmatch(r"invite=\S{20,} uses=2 expires=\S+ number=1\n", imd("invite", "create", "--uses", "2").stdout)


def test_check_beside_a_running_daemon(daemon: Daemon, tmp_path: Path) -> None:
    listen = f"imd:{daemon.port}:interface=127.0.0.1"
    well = run("imd", "check", "--data-dir", data(daemon), "--listen", listen, cwd=tmp_path)
    assert (well.returncode, well.stderr) == (0, "")
    assert f"ok    {listen} is served by this imd" in well.stdout
    ill = run("imd", "check", "--data-dir", tmp_path / "other", "--listen", listen, cwd=tmp_path)
    assert ill.returncode == 1
    assert f"FIX   {listen} is in use by another program" in ill.stdout


def test_what_nobody_foresaw_is_a_line_and_its_traceback_is_in_the_log(tmp_path: Path) -> None:
    (tmp_path / "data" / "admin.sock").mkdir(parents=True)
    log, listen = tmp_path / "log", f"imd:{free_port()}:interface=127.0.0.1"
    told = run("imd", "run", cwd=tmp_path, IMD_DATA_DIR="data", IMD_LISTEN=listen)
    kept = run("imd", "run", cwd=tmp_path, IMD_DATA_DIR="data", IMD_LISTEN=listen, IMD_LOG_FILE=log)
    assert (told.returncode, kept.returncode) == (1, 1)
    for text in (told.stdout, log.read_text()):
        assert "fault: please report it\n    Traceback" in text
        assert text.splitlines()[-1].endswith(f"imd: [Errno 21] Is a directory: '{tmp_path}/data/admin.sock'")
