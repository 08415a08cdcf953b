"""`imd check`: each thing it looks at, well and ill."""

import os
import shutil
import socket
import sqlite3
import ssl
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from imd.extras import install
from imd.run import certificates, check, verify
from imd.run.config import load
from imd.store.migrations import migrate
from imd.store.sqlite import connect


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory in which a daemon has been."""
    certificates.ensure(tmp_path / "certificate.pem", tmp_path / "key.pem", certificates.utc_now())
    connection = connect(str(tmp_path / "imd.sqlite3"))
    migrate(connection)
    connection.close()
    return tmp_path


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    """A port that somebody has."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder


def listen(holder: socket.socket) -> str:
    return f"imd:{holder.getsockname()[1]}:interface=127.0.0.1"


@pytest.fixture(autouse=True)
def many_open_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may be allowed few."""
    monkeypatch.setattr("resource.getrlimit", lambda what: (65_536, 65_536))


def ill(data: Path, **options: object) -> list[str]:
    """List what is found to need mending."""
    given = {"data_dir": str(data), "listen": ["imd:0:interface=127.0.0.1"], **options}
    return [finding.text for finding in check.findings(load(given, {})) if not finding.well]


def test_all_is_well(data: Path) -> None:
    assert ill(data) == []
    texts = [finding.line() for finding in check.findings(load({"data_dir": str(data), "listen": ["tcp:0"]}, {}))]
    assert len(texts) == 9
    assert all(text.startswith("ok    ") for text in texts)


def test_all_is_well_before_the_first_start(tmp_path: Path) -> None:
    assert ill(tmp_path / "nothing") == []
    assert not (tmp_path / "nothing").exists(), "a check changes nothing"


def test_a_port_that_another_has(data: Path, taken: socket.socket) -> None:
    (found,) = ill(data, listen=[listen(taken)])
    assert found == f"{listen(taken)} is in use by another program: stop it, or choose another with --listen"


def answer_once(taken: socket.socket, certificate: Path, key: Path) -> Thread:
    """Answer one connection by TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def serve() -> None:
        raw, _ = taken.accept()
        with context.wrap_socket(raw, server_side=True) as line:
            line.recv(1)

    server = Thread(target=serve)
    server.start()
    return server


def test_a_port_that_we_serve(data: Path, taken: socket.socket) -> None:
    server = answer_once(taken, data / "certificate.pem", data / "key.pem")
    assert ill(data, listen=[listen(taken)]) == []
    server.join()


def test_a_port_served_with_another_certificate(data: Path, taken: socket.socket, tmp_path: Path) -> None:
    other = tmp_path / "other.pem", tmp_path / "other.key"
    certificates.ensure(*other, certificates.utc_now())
    server = answer_once(taken, *other)
    assert len(ill(data, listen=[listen(taken)])) == 1
    server.join()


def test_a_port_of_somebody_elses_machine(data: Path) -> None:
    (found,) = ill(data, listen=["imd:7373:interface=203.0.113.1"])
    assert found.startswith("imd:7373:interface=203.0.113.1 cannot be opened (Cannot assign requested address)")


def test_a_key_that_others_may_read(data: Path) -> None:
    for mode, well in [(0o600, True), (0o640, True), (0o644, False), (0o660, False), (0o400, True)]:
        (data / "key.pem").chmod(mode)
        assert (ill(data) == []) is well, oct(mode)
    (data / "key.pem").chmod(0o644)
    assert ill(data) == [f"other users can read or write {data}/key.pem (0644): chmod 600 it"]


def test_a_certificate_near_its_end(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    end = certificates.load(data / "certificate.pem").not_valid_after_utc
    monkeypatch.setattr(certificates, "utc_now", lambda: end - timedelta(days=15))
    assert ill(data) == []
    monkeypatch.setattr(certificates, "utc_now", lambda: end - timedelta(days=13))
    (found,) = ill(data)
    assert f"expires on {end:%Y-%m-%d}: renew it" in found


def test_a_key_of_another_certificate(data: Path) -> None:
    (data / "key.pem").unlink()
    certificates.ensure(data / "other.pem", data / "key.pem", certificates.utc_now())
    (found,) = ill(data)
    assert found.startswith(f"{data}/certificate.pem and its key cannot be used")
    (found,) = ill(data, certificate=f"{data}/none.pem", key=f"{data}/key.pem")
    assert "No such file or directory" in found


def test_a_damaged_database(data: Path) -> None:
    path = data / "imd.sqlite3"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + bytes(4096) + whole[8192:])
    (found,) = ill(data)
    assert found.startswith(f"{path} is damaged or unreadable (")
    path.write_bytes(b"this is no database" * 100)
    assert "file is not a database" in ill(data)[0]


def lying(data: Path) -> dict[str, tuple[int, bytes]]:
    """Give each file, by name: whose it is, and what is in it; SQLite's index in memory changes by being read."""
    return {
        each.name: (each.stat().st_uid, b"" if each.name.endswith("-shm") else each.read_bytes())
        for each in data.iterdir()
    }


@pytest.mark.parametrize("daemon", ["stopped", "runs", "killed"])
def test_it_leaves_everything_as_it_was(data: Path, tmp_path_factory: pytest.TempPathFactory, daemon: str) -> None:
    running = connect(str(data / "imd.sqlite3"))
    running.execute("UPDATE account SET display_name = 'x'")
    if daemon == "stopped":
        running.close()
    if daemon == "killed":
        data = shutil.copytree(data, tmp_path_factory.mktemp("killed") / "data")
    if os.geteuid() == 0:
        for each in (data, *data.iterdir()):
            os.chown(each, 12345, 12345)
    before = lying(data)
    assert ("imd.sqlite3-wal" in before) is (daemon != "stopped")
    assert ill(data) == []
    assert all(finding.well for finding in verify.findings(data, lambda: ""))
    assert lying(data) == before
    running.close()


def test_a_newer_database(data: Path) -> None:
    with sqlite3.connect(data / "imd.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 9999")
    connection.close()
    (found,) = ill(data)
    assert found.startswith("the database has schema 9999, and this imd knows only ")


def test_a_clock_behind_what_was_written(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data / "imd.sqlite3").touch()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 3600)
    (found,) = ill(data)
    assert found.startswith("the clock is behind (")
    (data / "imd.sqlite3").unlink()
    assert ill(data) == []
    monkeypatch.setattr(time, "time", lambda: 86_400)
    assert "1970-01-02" in ill(data)[0]


def test_a_full_disk(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "LEAST_FREE_BYTES", 2**62)
    (found,) = ill(data)
    assert found.startswith(f"{data} has only ")


def test_a_disk_below_the_reserve(data: Path) -> None:
    (found,) = ill(data, disk_reserve_mb=2**30)
    assert found.startswith(f"{data} has ")
    assert f"MiB left, and disk_reserve_mb keeps {2**30} free, so messages are refused: free some space" in found


@pytest.mark.parametrize(
    ("listen", "reason"),
    [
        ("nonsense:1", "Unknown endpoint type: 'nonsense'"),
        ("imd:nonsense:1", "Unknown endpoint type: 'nonsense'"),
        ("tcp:many", "invalid literal for int"),
        ("tcp:1:backwards=yes", "unexpected keyword argument"),
        ("ssl:443:privateKey=/none", "No such file or directory"),
    ],
)
def test_an_endpoint_that_cannot_be(data: Path, listen: str, reason: str) -> None:
    (found,) = ill(data, listen=[listen])
    assert found.startswith(f"{listen} cannot be opened (")
    assert reason in found
    assert found.endswith("choose another with --listen, or run imd as a user that may open it")


def test_what_systemd_opens_is_not_tried(data: Path) -> None:
    listen = ["imd:systemd:domain=INET6:index=0", "imd:systemd:domain=INET:name=imd", "unix:/run/imd.sock"]
    assert ill(data, listen=listen) == []


def test_a_path_too_long_for_the_operators_socket(tmp_path: Path) -> None:
    for length, well in [(96, True), (97, False)]:
        path = f"/{'x' * (length - 1)}"
        assert (ill(Path(path)) == []) is well
    assert ill(Path(path)) == [
        f"the path of the data directory is too long for a unix socket in it: {path}; at most 96 bytes. "
        "Choose a shorter one with --data-dir"
    ]


def test_a_log_that_cannot_be_written(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = data / "imd.log"
    assert ill(data, log_file=str(log)) == []
    assert not log.exists(), "a check changes nothing"
    for path, reason in [(data / "none" / "log", "No such file or directory"), (data, "Is a directory")]:
        (found,) = ill(data, log_file=str(path))
        assert found.startswith(f"the log {path} cannot be written ({reason}): create its directory")
    log.touch()
    for closed in (log, log.parent):
        monkeypatch.setattr("os.access", lambda path, mode, closed=closed: path != closed)  # root may always
        assert f"the log {log} cannot be written (Permission denied)" in ill(data, log_file=str(log))[-1]


@pytest.mark.parametrize(("name", "value"), [("metrics", "tcp:0:interface=127.0.0.1"), ("acme", ["a.example"])])
def test_an_extra_that_is_not_installed(data: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object) -> None:
    assert ill(data, **{name: value}) == []
    monkeypatch.setitem(sys.modules, f"imd.run.{name}", None)
    (found,) = ill(data, **{name: value})
    assert found.endswith(f": {install(name)}")


def test_a_directory_that_cannot_be_written(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may always
    (found,) = ill(data)
    assert found.startswith(f"this user cannot write to {data}")


def test_too_few_open_files(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda what: (1024, 4096))
    (found,) = ill(data)
    assert found.startswith("only 4096 open files are allowed")
    assert "connections = 10000" in found
    assert ill(data, connections=3996) == [], "the daemon raises the soft limit by itself"


def test_an_old_backup(data: Path) -> None:
    for days, well in [(0, True), (6, True), (8, False)]:
        (data / "backup.json").write_text(f'{{"time": {int(time.time()) - days * 86_400}, "path": "/backup"}}')
        assert (ill(data) == []) is well, days
    assert ill(data) == ["the latest backup is 8 days old (/backup): make another with `imd backup FILE`"]


def test_a_certificate_of_tomorrow(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begins = certificates.load(data / "certificate.pem").not_valid_before_utc
    monkeypatch.setattr(certificates, "utc_now", lambda: begins - timedelta(hours=1))
    (found,) = ill(data)
    assert "is not valid before" in found
