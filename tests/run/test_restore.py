"""`imd restore` into a directory that has data: a mount point, or one where it is cut short anywhere."""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from imd.run import backup, backup_file, certificates, restore, verify
from imd.run.config import load
from imd.run.directory import DataDirectory
from imd.run.errors import OperatorError
from imd.store import sqlite
from imd.testing import MemoryServer

pytestmark = pytest.mark.long


def not_asked() -> list[Any]:
    raise AssertionError("nobody need be asked for an identity")


def people(data: Path) -> list[str]:
    with closing(sqlite3.connect(data / "imd.sqlite3")) as connection:
        return [name for (name,) in connection.execute("SELECT username FROM account ORDER BY id")]


def contents(data: Path) -> dict[str, bytes]:
    """Give all that moves aside."""
    return {
        each.name: each.read_bytes() for each in data.iterdir() if each.suffix in (".sqlite3", ".sqlite3-wal", ".pem")
    }


def fill(data: Path) -> Path:
    """Make a server of alice, back it up into its own directory, and have bob come; he is in the -wal alone."""
    server = MemoryServer(path=str(data / "imd.sqlite3"))
    server.login("alice")
    server.stop()
    made = backup.make(load({"data_dir": str(data)}, {}), data / "today.tar.gz")
    assert made.files == ("imd.sqlite3",)
    certificates.ensure(data / "certificate.pem", data / "key.pem", certificates.utc_now())
    with closing(sqlite.connect(str(data / "imd.sqlite3"))) as connection:
        connection.execute("UPDATE account SET username = 'bob'")
        for name in ("imd.sqlite3", "imd.sqlite3-wal"):
            shutil.copy(data / name, data / f"{name}.killed")
    for name in ("imd.sqlite3", "imd.sqlite3-wal"):
        (data / f"{name}.killed").replace(data / name)
    (data / "lost+found").mkdir()
    return data / "today.tar.gz"


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """A directory where a file system is mounted, as a container's volume is."""
    volume = tmp_path / "volume"
    volume.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", volume], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not permitted here")
    yield volume
    subprocess.run(["umount", volume], check=True)


def test_a_mount_point_takes_a_restore(volume: Path) -> None:
    file = fill(volume)
    with pytest.raises(OperatorError, match="is not empty"):
        restore.restore(file, volume, not_asked)
    done = restore.restore(file, volume, not_asked, force=True)
    assert people(volume) == ["alice"]
    assert done.kept is not None
    assert people(done.kept) == ["bob"]
    assert file.exists(), "the backup stays where it is"
    again = restore.restore(file, volume, not_asked, force=True)
    assert again.kept not in (None, done.kept)
    assert people(done.kept) == ["bob"], "what was kept stays where it is, too"


def carrying(data: Path, file: Path) -> bytes:
    """Make a backup that carries what this version has none of yet, in directories; gives what is in it."""
    content = os.urandom(backup_file.CHUNK_BYTES + 1)
    for name, held in (("one", content), ("none", b"")):
        (data.parent / name).write_bytes(held)
    files = {name: data / name for name in ("imd.sqlite3", "certificate.pem", "key.pem")}
    files |= {"files/2026/one": data.parent / "one", "files/none": data.parent / "none"}
    with file.open("wb") as into:
        backup_file.write(into, backup._manifest(files), files, [])
    return content


def test_files_in_directories_come_back(tmp_path: Path) -> None:
    data, other, file = tmp_path / "data", tmp_path / "other", tmp_path / "backup"
    data.mkdir()
    fill(data)
    content = carrying(data, file)
    assert all(finding.well for finding in verify.findings(file, not_asked))
    restore.restore(file, other, not_asked)
    for force in (False, True):
        assert (other / "files" / "2026" / "one").read_bytes() == content
        assert (other / "files" / "none").read_bytes() == b""
        modes = {each.stat().st_mode & 0o777 for each in other.rglob("*") if each.is_dir()}
        assert modes == {0o700}
        if not force:
            done = restore.restore(file, other, not_asked, force=True)
            assert done.kept is not None
            assert (done.kept / "files" / "2026" / "one").read_bytes() == content
    whole = file.read_bytes()
    file.write_bytes(whole[:-4])
    with pytest.raises(OperatorError, match="is damaged"):
        restore.restore(file, other, not_asked, force=True)
    assert (other / "files" / "2026" / "one").read_bytes() == content, "all is back where it was"


@pytest.mark.parametrize("name", [".before", ".restoring"])
def test_no_other_directory_is_taken_for_its_own(tmp_path: Path, name: str) -> None:
    """Root may restore where another user can place links."""
    data, victim = tmp_path / "data", tmp_path / "victim"
    data.mkdir()
    victim.mkdir()
    (victim / "kept").touch()
    file = fill(data)
    (data / name).symlink_to(victim)
    before = contents(data)
    with pytest.raises(OperatorError, match="cannot move the data in"):
        restore.restore(file, data, not_asked, force=True)
    assert [each.name for each in victim.iterdir()] == ["kept"]
    assert contents(data) == before


@pytest.mark.parametrize(
    "name",
    [".before/key.pem", "before-1/x", "imd.lock", "imd.sqlite3-journal", "files/../key.pem", "x"],
)
def test_a_backup_brings_nothing_but_a_servers_files(tmp_path: Path, name: str) -> None:
    data, file = tmp_path / "data", tmp_path / "backup"
    data.mkdir()
    fill(data)
    files = {"imd.sqlite3": data / "imd.sqlite3", name: data / "key.pem"}
    with file.open("wb") as into:
        backup_file.write(into, backup._manifest(files), files, [])
    with pytest.raises(OperatorError, match="is damaged"):
        restore.restore(file, tmp_path / "other", not_asked)


def test_nothing_stays_of_another_restore_that_was_cut_short(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    file = fill(data)
    (data / ".before").mkdir()
    for name in ("imd.sqlite3", "imd.sqlite3-wal", "key.pem"):
        shutil.copy(data / name, data / ".before" / name)
    (data / ".before" / "acme.pem").write_text("what was there")
    (data / "acme.pem").write_text("of another backup")
    done = restore.restore(file, data, not_asked)
    assert not (data / "acme.pem").exists()
    assert done.kept is not None
    assert (done.kept / "acme.pem").read_text() == "what was there"
    assert people(done.kept) == ["bob"]


def test_a_signal_once_all_is_in_place_undoes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    data.mkdir()
    file = fill(data)
    sync = restore.sync

    def ended(path: Path) -> None:
        if path == data and list(data.glob("before-*")):
            raise SystemExit(143)
        sync(path)

    monkeypatch.setattr(restore, "sync", ended)
    with pytest.raises(SystemExit):
        restore.restore(file, data, not_asked, force=True)
    [kept] = data.glob("before-*")
    assert (people(data), people(kept)) == (["alice"], ["bob"])


@pytest.mark.parametrize("name", ["..", ".", "", "files/x", "../data"])
def test_nothing_is_removed_but_what_lies_in_the_directory_itself(tmp_path: Path, name: str) -> None:
    data = tmp_path / "above" / "data"
    (data / "files").mkdir(parents=True)
    (data / "files" / "x").touch()
    with pytest.raises(ValueError, match=re.escape(name) or "^$"):
        restore._remove(DataDirectory(data), name)
    assert (data / "files" / "x").exists()


class Killed(BaseException):
    """The process is dead."""


CHANGES = ("rename", "replace", "unlink", "rmdir", "mkdir")


def killed_after(monkeypatch: pytest.MonkeyPatch, steps: int, work: Callable[[], Any]) -> bool:
    """Do some work, and let nothing change on the disk after so many changes. Gives whether it came to that."""
    done = 0

    def counting(change: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            nonlocal done
            if done == steps:
                raise Killed
            done += 1
            return change(*arguments, **options)

        return step

    with monkeypatch.context() as dying:
        for name in CHANGES:
            dying.setattr(os, name, counting(getattr(os, name)))
        try:
            work()
        except Killed:
            return True
    return False


@pytest.mark.parametrize("spoiled", [False, True])
def test_killed_anywhere_it_begins_no_server_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoiled: bool
) -> None:
    """With a damaged backup it is the way back that is cut short."""
    steps = refused = 0
    while True:
        data = tmp_path / f"data{steps}"
        data.mkdir()
        file, inode = fill(data), data.stat().st_ino
        before = contents(data)
        whole = file.read_bytes()
        file.write_bytes(whole[:-4] if spoiled else whole)

        def work(file: Path = file, data: Path = data) -> None:
            try:
                restore.restore(file, data, not_asked, force=True)
            except OperatorError:
                assert spoiled

        cut = killed_after(monkeypatch, steps, work)
        directory = DataDirectory(data)
        if directory.restore_incomplete:
            refused += 1
            with pytest.raises(OperatorError, match="was interrupted: run it again"):
                directory.open_database(None)
            file.write_bytes(whole)
            done = restore.restore(file, data, not_asked)
            assert people(data) == ["alice"]
            assert done.kept is not None
            assert before.items() <= contents(done.kept).items()
        elif kept := list(data.glob("before-*")):
            assert people(data) == ["alice"]
            assert contents(kept[0]) == before
        else:
            assert contents(data) == before
        assert data.stat().st_ino == inode
        if not cut:
            break
        steps += 1
    assert refused > 5
