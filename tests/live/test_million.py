"""A server with a million messages: how soon it answers after a start, and what a backup costs those who write."""

import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imd.engine.passwords import Passwords
from imd.store import accounts, conversations, sqlite
from imd.store.migrations import migrate
from imd.testing import EPOCH, PASSWORD
from tests.live.daemon import Daemon, Line

MESSAGES, PEOPLE = 1_000_000, 201
IMD = Path(sys.executable).with_name("imd")
pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Daemon:
    """A data directory in which 200 people have written a million messages to one."""
    daemon = Daemon(tmp_path_factory.mktemp("million"), {"requests_per_second": "0", "log_format": "text"})
    (daemon.directory / "data").mkdir(mode=0o700)
    connection = sqlite.connect(str(daemon.directory / "data" / "imd.sqlite3"))
    migrate(connection)
    connection.execute("BEGIN")
    hashed = Passwords(executor=None).hasher.hash(PASSWORD)  # type: ignore[arg-type]  # nobody need wait
    people = [accounts.add(connection, f"user{number}", "", hashed, False, EPOCH) for number in range(PEOPLE)]
    each = MESSAGES // (PEOPLE - 1)
    for person in people[1:]:
        assert person is not None
        assert people[0] is not None
        place = conversations.begin_direct(connection, people[0], person, EPOCH)
        connection.executemany(
            "INSERT INTO message (conversation, seq, rev, sender, client_id, time, kind, content)"
            " VALUES (?, ?, ?, ?, ?, ?, 'text', ?)",
            (
                (place, seq, seq, person, f"{place}-{seq}", EPOCH + seq, f"message {seq} " + "x" * (seq % 100))
                for seq in range(1, each + 1)
            ),
        )
        connection.execute("UPDATE conversation SET last_seq = ?, last_rev = ? WHERE id = ?", (each, each, place))
    connection.execute("COMMIT")
    connection.close()
    return daemon


def login(daemon: Daemon, username: str) -> Line:
    line = daemon.connect()
    line.say(json.dumps({"action": "login", "username": username, "password": PASSWORD, "replay": False}))
    assert '"success"' in (line.next_line() or "")
    return line


def test_from_start_to_the_first_login(large: Daemon) -> None:
    seconds = []
    for _ in range(3):
        begun = time.monotonic()
        spawn(large)
        while large.process is not None and large.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", large.port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.005)
        login(large, "user1")
        seconds.append(time.monotonic() - begun)
        assert large.stop() == 0
    print(f"start to first login with {MESSAGES:,} messages: {min(seconds):.2f} to {max(seconds):.2f} s")
    assert statistics.median(seconds) < 2


def spawn(daemon: Daemon) -> None:
    """Start without waiting."""
    listen = f"imd:{daemon.port}:interface=127.0.0.1"
    with (daemon.directory / "log").open("ab") as log:
        daemon.process = subprocess.Popen(
            [IMD.with_name("twistd"), "-n", "--pidfile=", "imd", "-d", daemon.directory / "data", "-l", listen],
            env=os.environ | {"IMD_REQUESTS_PER_SECOND": "0"},
            stdout=log,
            stderr=log,
        )


@pytest.fixture
def running(large: Daemon) -> Iterator[Daemon]:
    spawn(large)
    large.wait()
    yield large
    assert large.stop() == 0


def write_until(daemon: Daemon, over: threading.Event, took: list[float]) -> None:
    """Send one message after the other, and note how long each took."""
    line = login(daemon, "user2")
    while not over.is_set():
        begun = time.perf_counter()
        line.say(json.dumps({"action": "send_message", "to": "user3", "content": "meanwhile " + "y" * 100}))
        assert '"success"' in (line.next_line() or "")
        took.append(time.perf_counter() - begun)


def worst(took: list[float]) -> str:
    took = sorted(took)
    figures = [took[len(took) // 2], took[int(len(took) * 0.99)], took[-1]]
    return "median {:.1f}, p99 {:.1f}, worst {:.1f} ms".format(*(1000 * each for each in figures))


def meanwhile(daemon: Daemon, *command: str | Path) -> tuple[float, list[float], str]:
    """Run something while somebody writes; gives how long it took, how long each write took, and what it said."""
    over, took = threading.Event(), list[float]()
    writer = threading.Thread(target=write_until, args=(daemon, over, took))
    writer.start()
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    seconds = time.monotonic() - begun
    over.set()
    writer.join()
    assert done.returncode == 0, done.stdout + done.stderr
    return seconds, took, done.stdout


def test_a_backup_while_people_write(running: Daemon, tmp_path: Path) -> None:
    data = running.directory / "data"
    _, quiet, _ = meanwhile(running, "sleep", "5")
    print(f"writes with nothing else: {worst(quiet)}")
    seconds, took, said = meanwhile(running, IMD, "backup", "-d", data, tmp_path / "backup")
    print(f"backup: {seconds:.1f} s; {said.strip()}; writes meanwhile: {worst(took)}")
    assert max(took) < 2
    seconds, took, said = meanwhile(running, IMD, "verify", "-d", data)
    print(f"verify beside the daemon: {seconds:.1f} s; writes meanwhile: {worst(took)}")
    assert said.count("ok    ") == 10
    begun = time.monotonic()
    restored = subprocess.run([IMD, "restore", "-d", tmp_path / "other", tmp_path / "backup"], capture_output=True)
    assert restored.returncode == 0, restored.stderr
    print(f"restore: {time.monotonic() - begun:.1f} s")
