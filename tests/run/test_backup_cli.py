"""`imd backup`, `restore` and `verify` as words of a command line."""

import os
import re
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyrage
import pytest

from imd.run import backup_cli, backup_file, cli
from imd.testing import MemoryServer
from tests.run.identities import ALICE, PASSPHRASE, PROTECTED


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    server = MemoryServer(path=str(tmp_path / "data" / "imd.sqlite3"))
    server.login("alice")
    server.stop()
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """The process of the tests goes on, and shall end as before."""
    before = {each: signal.getsignal(each) for each in backup_cli.ENDING}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


def imd(line: str) -> None:
    """Do what a command line says."""
    cli.run_command(line.split())


def listing(path: Path) -> set[str]:
    """List what lies there, but for locks and SQLite's own files."""
    return {str(each) for each in path.glob("**/*") if not each.name.endswith(("-wal", "-shm", ".lock"))}


def mistake(line: str) -> str:
    with pytest.raises(SystemExit) as ended:
        imd(line)
    return str(ended.value)


def test_there_and_back(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imd(f"keygen {tmp_path}/key")
    [recipient] = re.findall("age1[a-z0-9]+", capsys.readouterr().out)
    imd(f"backup -d {data} -r {recipient} {tmp_path}/encrypted")
    assert "(imd.sqlite3)" in capsys.readouterr().out
    assert mistake(f"verify -i {tmp_path}/key {tmp_path}/encrypted") == "0"
    assert "accounts: 1" in capsys.readouterr().out
    imd(f"restore -i {tmp_path}/key --force -d {data} {tmp_path}/encrypted")
    heard = capsys.readouterr().out
    assert f"{data} is restored to " in heard
    assert f"the previous data is kept in {data}/before-" in heard
    assert mistake(f"verify -d {data}") == "0"


def test_a_passphrase_is_asked_for_at_the_terminal(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda prompt: PASSPHRASE)
    (tmp_path / "key.age").write_text(PROTECTED)
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\n")
    other = pyrage.x25519.Identity.generate()
    imd(f"backup -r {ALICE.to_public()} -r {other.to_public()} -d {data} {tmp_path}/encrypted")
    line = f"verify -i {tmp_path}/key.age {tmp_path}/encrypted"
    assert mistake(line) == "0"
    monkeypatch.setattr("getpass.getpass", lambda prompt: "")
    assert mistake(line).startswith("imd: the identity needs its passphrase")
    assert mistake(f"{line} -p {tmp_path}/passphrase") == "0"
    (tmp_path / "key").write_text(str(other))
    assert mistake(f"verify -i {tmp_path}/key {tmp_path}/encrypted") == "0"
    assert mistake(f"verify {tmp_path}/encrypted").startswith("imd: the backup is encrypted: name the file")


def test_a_key_that_is_left_out_is_said(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    certificate, key = tmp_path / "fullchain.pem", tmp_path / "privkey.pem"
    certificate.touch()
    (tmp_path / "imd.toml").write_text(f'certificate = "{certificate}"\nkey = "{key}"\n')
    line = f"backup -d {data} -c {tmp_path}/imd.toml {tmp_path}/file"
    imd(line)
    heard = capsys.readouterr()
    assert "(imd.sqlite3, certificate.pem, config.toml)" in heard.out
    assert heard.err.startswith(
        f"imd: the backup does not contain {key}: No such file or directory. Keep a copy of it yourself"
    )
    key.mkdir()
    imd(line)
    assert f"does not contain {key}: Is a directory" in capsys.readouterr().err
    key.rmdir()
    key.touch()
    imd(line)
    assert "key.pem" in (heard := capsys.readouterr()).out
    assert heard.err == ""
    (data / "key.pem").mkdir()
    imd(f"backup -d {data} {tmp_path}/file")
    assert f"does not contain {data}/key.pem: " in capsys.readouterr().err
    (data / "key.pem").rmdir()
    imd(f"backup -d {data} {tmp_path}/file")
    assert capsys.readouterr().err == "", "the first start makes it"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("backup", "imd: imd backup needs FILE"),
        ("backup one two", "imd: two is one argument too many"),
        ("restore", "imd: imd restore needs FILE"),
        ("restore --forse x", "imd: --forse is not an option of imd restore. Did you mean --force?"),
        ("verify one two", "imd: two is one argument too many"),
        ("backup -d /nowhere x", "imd: there is no data directory /nowhere. Name the server's own with"),
        ("backup -d DATA /nowhere/x", "imd: cannot write /nowhere/x: No such file or directory"),
        ("backup -d DATA -r bob x", "imd: --recipient must be an age recipient"),
        ("keygen", "imd: imd keygen needs FILE"),
        ("keygen /nowhere/key", "imd: cannot write /nowhere/key: No such file or directory"),
        ("restore -d /nowhere /none", "imd: cannot read /none: No such file or directory"),
        ("verify -d /nowhere", "imd: cannot read /nowhere: No such file or directory"),
    ],
)
def test_what_is_wrong_is_one_line(line: str, said: str, data: Path) -> None:
    assert mistake(line.replace("DATA", str(data))).startswith(said)


def test_a_broken_database_ends_with_one(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "imd.sqlite3").write_text("this is no database")
    assert mistake(f"verify -d {data}") == "1"
    assert capsys.readouterr().out.startswith("FIX   ")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_nothing_in_clear(
    how: signal.Signals, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    imd(f"backup -d {data} {tmp_path}/whole")
    before = listing(tmp_path)
    written, unpacked, left = backup_file.write, backup_file.BackupReader.unpack, list[set[str]]()

    def killed(work: Callable[..., None]) -> Callable[..., None]:
        def working(*arguments: Any) -> None:
            work(*arguments)
            left.append(listing(tmp_path) - before)
            os.kill(os.getpid(), how)
            pytest.fail("the signal ends it")

        return working

    monkeypatch.setattr(backup_file, "write", killed(written))
    monkeypatch.setattr(backup_file.BackupReader, "unpack", killed(unpacked))
    for line in (
        f"backup -d {data} {tmp_path}/file",
        f"verify {tmp_path}/whole",
        f"restore --force -d {data} {tmp_path}/whole",
    ):
        assert mistake(line) == str(128 + how)
        assert left.pop(), "there is something to clear away"
        assert listing(tmp_path) == before, line
        for each in backup_cli.ENDING:
            assert signal.getsignal(each) is signal.SIG_IGN, "a second one waits"
            signal.signal(each, signal.SIG_DFL)


def test_what_nohup_ignores_stays_ignored(data: Path, tmp_path: Path) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    imd(f"backup -d {data} {tmp_path}/file")
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
