"""Backup and restore: what a server was comes back whole, and nothing that is there is lost on the way."""

import json
import os
import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import attrs
import pyrage
import pytest

from imd.run import backup, backup_file, certificates, check, restore, verify
from imd.run.config import Config, load
from imd.run.directory import DataDirectory
from imd.run.errors import OperatorError
from imd.store import migrations, sqlite
from imd.testing import MemoryServer

IDENTITY = pyrage.x25519.Identity.generate()
ENCRYPTED = [IDENTITY.to_public()]


def identity() -> list[Any]:
    return [IDENTITY]


def not_asked() -> list[Any]:
    raise AssertionError("nobody need be asked for an identity")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A server with some life in it."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    certificates.ensure(data / "certificate.pem", data / "key.pem", certificates.utc_now())
    server = MemoryServer(path=str(data / "imd.sqlite3"))
    alice, bob = server.login("alice"), server.login("bob")
    for number in range(5):
        alice.call("send_message", to="bob", content=f"hello {number}")
    bob.call("read", to="alice", seq=3)
    alice.call("edit", to="bob", seq=2, content="hello two")
    server.stop()
    (tmp_path / "imd.toml").write_text('register = "closed"\n')
    return load({"data_dir": str(data), "config": str(tmp_path / "imd.toml")}, {})


def rows(data: Path) -> list[str]:
    """Dump a database, without the epoch; a copy need not list its triggers and indexes in the same order."""
    connection = sqlite3.connect(data / "imd.sqlite3")
    dump = [line for line in connection.iterdump() if '"life"' not in line]
    connection.close()
    return sorted(dump)


def epoch(data: Path) -> str:
    connection = sqlite3.connect(data / "imd.sqlite3")
    (found,) = connection.execute("SELECT epoch FROM life").fetchone()
    connection.close()
    return str(found)


both = pytest.mark.parametrize("recipients", [[], ENCRYPTED], ids=["clear", "encrypted"])


@both
def test_what_was_saved_comes_back(config: Config, tmp_path: Path, recipients: list[Any]) -> None:
    file = tmp_path / "backup.imd"
    made = backup.make(config, file, recipients)
    assert made.files == ("imd.sqlite3", "certificate.pem", "key.pem", "config.toml")
    assert made.bytes == file.stat().st_size
    assert file.stat().st_mode & 0o777 == 0o600
    done = restore.restore(file, tmp_path / "other", identity if recipients else not_asked)
    other = tmp_path / "other"
    assert done.kept is None
    assert rows(other) == rows(config.data_dir)
    assert epoch(other) != epoch(config.data_dir), "another life"
    for name in ("certificate.pem", "key.pem"):
        assert (other / name).read_bytes() == (config.data_dir / name).read_bytes()
    assert (other / "config.toml").read_text() == 'register = "closed"\n'
    assert {path.stat().st_mode & 0o777 for path in other.iterdir()} == {0o600}
    assert other.stat().st_mode & 0o777 == 0o700
    assert not (other / ".restoring").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"data", "other", "backup.imd", "imd.toml"}, "no litter"
    assert all(finding.well for finding in verify.findings(file, identity))


def test_any_tar_opens_a_backup(config: Config, tmp_path: Path) -> None:
    backup.make(config, tmp_path / "backup.tar.gz")
    with tarfile.open(tmp_path / "backup.tar.gz") as tar:
        assert tar.getnames() == ["manifest.json", "imd.sqlite3", "certificate.pem", "key.pem", "config.toml"]
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert manifest["schema"] == migrations.available()[-1][0]
    assert len(manifest["files"]["imd.sqlite3"]["sha256"]) == 64


def test_an_encrypted_backup_tells_nothing(config: Config, tmp_path: Path) -> None:
    backup.make(config, tmp_path / "backup.age", ENCRYPTED)
    data = (tmp_path / "backup.age").read_bytes()
    assert b"manifest" not in data
    assert b"PRIVATE KEY" not in data
    with pytest.raises(OperatorError, match="it is encrypted for another identity, or damaged"):
        restore.restore(tmp_path / "backup.age", tmp_path / "other", lambda: [pyrage.x25519.Identity.generate()])
    assert not (tmp_path / "other").exists()


def test_a_backup_beside_a_writer_is_one_moment(config: Config, tmp_path: Path) -> None:
    server = MemoryServer(path=str(config.data_dir / "imd.sqlite3"))
    alice = server.login("alice")
    backup.make(config, tmp_path / "one")
    assert alice.call("send_message", to="bob", content="later")["seq"] == 6
    restore.restore(tmp_path / "one", tmp_path / "other", not_asked)
    assert not any("later" in row for row in rows(tmp_path / "other"))
    assert all(finding.well for finding in verify.findings(tmp_path / "other", not_asked))
    server.stop()


def test_a_backup_after_a_kill_has_what_is_in_the_log_of_writes(config: Config, tmp_path: Path) -> None:
    """The database's own file lags behind; what was answered lies in the -wal file beside it."""
    writer = sqlite.connect(str(config.data_dir / "imd.sqlite3"))
    writer.execute("PRAGMA wal_autocheckpoint = 0")
    writer.execute("UPDATE account SET display_name = 'only in the wal' WHERE username = 'bob'")
    killed = tmp_path / "killed"
    killed.mkdir()
    for path in config.data_dir.glob("imd.sqlite3*"):
        if not path.name.endswith("-shm"):
            (killed / path.name).write_bytes(path.read_bytes())
    writer.close()
    backup.make(load({"data_dir": str(killed)}, {}), tmp_path / "one")
    restore.restore(tmp_path / "one", tmp_path / "other", not_asked)
    assert any("only in the wal" in row for row in rows(tmp_path / "other"))


def test_the_latest_backup_is_remembered(config: Config, tmp_path: Path) -> None:
    directory = DataDirectory(config.data_dir)
    assert directory.latest_backup() is None
    backup.make(config, tmp_path / "one")
    latest = directory.latest_backup()
    assert latest is not None
    assert latest.path == str(tmp_path / "one")
    directory.last_backup.write_text("nonsense")
    assert directory.latest_backup() is None


def test_a_failed_backup_leaves_the_old_one(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "backup"
    backup.make(config, file)
    before = file.read_bytes()

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup.backup_file, "write", full)
    with pytest.raises(OperatorError, match=f"cannot write {file}: No space left on device"):
        backup.make(config, file)
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@both
def test_what_is_to_be_encrypted_lies_clear_in_the_data_directory_alone(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipients: list[Any]
) -> None:
    private, elsewhere = config.data_dir / ".backup", tmp_path / "elsewhere"
    for killed in (private, elsewhere / ".file.part"):
        killed.mkdir(parents=True)
        (killed / "left by kill -9").touch()
    written, seen = backup_file.write, dict[str, tuple[int, bytes]]()

    def looking(into: IO[bytes], manifest: backup_file.Manifest, files: dict[str, Path], to: list[Any]) -> None:
        written(into, manifest, files, to)
        into.flush()
        for path in (each for place in (private, elsewhere) for each in place.glob("**/*") if each.is_file()):
            seen[str(path.relative_to(tmp_path))] = path.stat().st_mode & 0o777, path.read_bytes()[:10]
        assert {path.parent.stat().st_mode & 0o777 for path in (*private.glob("*"), *elsewhere.glob("*/*"))} == {0o700}

    monkeypatch.setattr(backup_file, "write", looking)
    backup.make(config, elsewhere / "file", recipients)
    if recipients:
        clear, made = "data/.backup/copy", b"age-encryp"
    else:
        clear, made = "elsewhere/.file.part/clear/copy", seen["elsewhere/.file.part/file"][1]
    assert seen == {clear: (0o600, b"SQLite for"), "elsewhere/.file.part/file": (0o600, made)}
    assert not private.exists()
    assert list(elsewhere.iterdir()) == [elsewhere / "file"]


def test_there_is_nothing_to_save(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="there is no data directory"):
        backup.make(load({"data_dir": str(tmp_path / "typo")}, {}), tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []


# -- restore


def test_nothing_is_overwritten(config: Config, tmp_path: Path) -> None:
    backup.make(config, tmp_path / "backup")
    before = rows(config.data_dir)
    with pytest.raises(OperatorError, match="is not empty"):
        restore.restore(tmp_path / "backup", config.data_dir, not_asked)
    assert rows(config.data_dir) == before


def test_force_keeps_what_was_there(config: Config, tmp_path: Path) -> None:
    backup.make(config, tmp_path / "backup")
    server = MemoryServer(path=str(config.data_dir / "imd.sqlite3"))
    server.login("carol")
    server.stop()
    before = rows(config.data_dir)
    done = restore.restore(tmp_path / "backup", config.data_dir, not_asked, force=True)
    assert done.kept is not None
    assert rows(done.kept) == before
    assert not any("carol" in row for row in rows(config.data_dir))


def test_after_a_restore_that_was_cut_short_no_empty_server_starts(config: Config, tmp_path: Path) -> None:
    backup.make(config, tmp_path / "backup")
    cut = DataDirectory(tmp_path / "cut")
    cut.restoring.mkdir(parents=True)
    with pytest.raises(OperatorError, match="was interrupted: run it again") as error:
        cut.open_database(None)
    findings = check.findings(attrs.evolve(config, data_dir=cut.path, listen=("imd:0:interface=127.0.0.1",)))
    assert [each.text for each in findings if not each.well] == [str(error.value)]
    restore.restore(tmp_path / "backup", cut.path, not_asked)
    assert rows(cut.path) == rows(config.data_dir)


def test_a_backup_takes_no_others_place(config: Config, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for target in (tmp_path / "pipe", config.data_dir / "imd.sqlite3", tmp_path):
        before = target.lstat().st_ino
        with pytest.raises(OperatorError, match="cannot write"):
            backup.make(config, target)
        assert target.lstat().st_ino == before


def test_the_certificate_of_an_authority_is_saved_beside_the_self_made_one(config: Config, tmp_path: Path) -> None:
    named = attrs.evolve(config, acme=("chat.example",))
    both = (config.data_dir / "certificate.pem").read_bytes() + (config.data_dir / "key.pem").read_bytes()
    (config.data_dir / "acme.pem").write_bytes(both)
    backup.make(named, tmp_path / "backup")
    restore.restore(tmp_path / "backup", tmp_path / "again", not_asked)
    for name in ("acme.pem", "certificate.pem", "key.pem"):
        assert (tmp_path / "again" / name).read_bytes() == (config.data_dir / name).read_bytes()


def test_a_running_daemon_keeps_its_directory(config: Config, tmp_path: Path) -> None:
    backup.make(config, tmp_path / "backup")
    running = DataDirectory(config.data_dir)
    running.acquire()
    with pytest.raises(OperatorError, match="in use by another imd"):
        restore.restore(tmp_path / "backup", config.data_dir, not_asked, force=True)
    running.release()


def test_a_damaged_backup_changes_nothing(config: Config, tmp_path: Path) -> None:
    backup.make(config, tmp_path / "backup")
    data, before = (tmp_path / "backup").read_bytes(), rows(config.data_dir)
    middle = len(data) // 2
    for spoiled in (data[:middle], data[:-4], data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :]):
        (tmp_path / "spoiled").write_bytes(spoiled)
        with pytest.raises(OperatorError, match="is damaged"):
            restore.restore(tmp_path / "spoiled", config.data_dir, not_asked, force=True)
        assert rows(config.data_dir) == before
    assert [path.name for path in config.data_dir.iterdir() if "before" in path.name] == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"this is no backup", "is damaged, or not a backup"),
        (b"", "is damaged, or not a backup"),
        (b"age-encryption.org/v1\n", "it is encrypted for another identity, or damaged"),
    ],
)
def test_what_is_no_backup(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(OperatorError, match=said):
        restore.restore(tmp_path / "file", tmp_path / "other", identity)


def forged(path: Path, change: Callable[[dict[str, bytes]], None], tmp_path: Path) -> Path:
    """Give a backup with its members changed by hand."""
    with tarfile.open(path) as tar:
        members = {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]
    change(members)
    made = tmp_path / "forged"
    with tarfile.open(made, "w:gz") as tar:
        for name, content in members.items():
            (tmp_path / "member").write_bytes(content)
            tar.add(tmp_path / "member", name)
    (tmp_path / "member").unlink()
    return made


def renamed(members: dict[str, bytes]) -> None:
    members["manifest.json"] = members["manifest.json"].replace(b"key.pem", b"../evil")
    members["../evil"] = members.pop("key.pem")


def exchanged(members: dict[str, bytes]) -> None:
    members["key.pem"] = members["certificate.pem"]


def added(members: dict[str, bytes]) -> None:
    members["more"] = b""


def from_the_future(members: dict[str, bytes]) -> None:
    manifest = json.loads(members["manifest.json"]) | {"schema": 9999}
    members["manifest.json"] = json.dumps(manifest).encode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (renamed, r"\.\./evil differs from what was saved"),
        (exchanged, "key.pem differs from what was saved"),
        (added, "more differs from what was saved"),
        (lambda members: members.pop("key.pem"), "key.pem differs from what was saved"),
        (lambda members: members.pop("manifest.json"), "is not a backup of imd"),
        (from_the_future, "which is newer. Upgrade imd"),
    ],
)
def test_a_forged_backup(change: Callable[[dict[str, bytes]], None], said: str, config: Config, tmp_path: Path) -> None:
    backup.make(config, tmp_path / "backup")
    with pytest.raises(OperatorError, match=said):
        restore.restore(forged(tmp_path / "backup", change, tmp_path), tmp_path / "a" / "other", not_asked)
    assert not (tmp_path / "a" / "evil").exists()
    assert not (tmp_path / "a" / "other" / "imd.sqlite3").exists()
