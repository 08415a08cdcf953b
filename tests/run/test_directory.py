"""The data directory: made private, held by one, and what its faults are called."""

import os
import sqlite3
import stat
from pathlib import Path
from threading import Thread

import pytest
from twisted.internet.testing import MemoryReactorClock

from imd.run import directory
from imd.run.directory import MAX_SOCKET_PATH_BYTES, DataDirectory
from imd.run.errors import OperatorError


def test_it_is_made_and_private(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "a" / "b")
    directory.acquire()
    assert stat.S_IMODE(directory.path.stat().st_mode) == 0o700
    directory.open_database(MemoryReactorClock())
    assert stat.S_IMODE(directory.database.stat().st_mode) == 0o600
    directory.release()


def test_one_at_a_time(tmp_path: Path) -> None:
    first, second = DataDirectory(tmp_path), DataDirectory(tmp_path)
    first.acquire()
    with pytest.raises(OperatorError, match=f"the data directory {tmp_path} is in use by another imd"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()
    second.release()


def test_one_backup_at_a_time(tmp_path: Path) -> None:
    """Two that copy into one place would spoil each other's."""
    places: list[Path] = []

    def back_up() -> None:
        with DataDirectory(tmp_path).backing_up() as place:
            places.append(place)

    second = Thread(target=back_up)
    with DataDirectory(tmp_path).backing_up():
        second.start()
        second.join(0.2)
        assert places == []
    second.join()
    assert places == [tmp_path / ".backup"]


def test_a_backup_that_hangs_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "BACKUP_WAIT_SECONDS", 0)
    with (
        DataDirectory(tmp_path).backing_up(),
        pytest.raises(OperatorError, match="has been running"),
        DataDirectory(tmp_path).backing_up(),
    ):
        pass


def test_a_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OperatorError, match="cannot use the data directory"):
        DataDirectory(tmp_path / "file" / "below").acquire()


def test_a_path_too_long_for_its_socket(tmp_path: Path) -> None:
    room = MAX_SOCKET_PATH_BYTES - len(os.fsencode(tmp_path)) - len("//admin.sock")
    DataDirectory(tmp_path / ("x" * room)).acquire()
    with pytest.raises(OperatorError, match="too long"):
        DataDirectory(tmp_path / ("x" * (room + 1))).acquire()


def test_a_database_that_is_none(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    directory.database.write_text("no database at all, but some text" * 50)
    with pytest.raises(OperatorError, match=f"cannot open {directory.database}: file is not a database"):
        directory.open_database(MemoryReactorClock())


def test_a_newer_database(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    connection = sqlite3.connect(directory.database)
    connection.execute("PRAGMA user_version = 9999")
    connection.close()
    with pytest.raises(OperatorError, match="the database has schema 9999") as error:
        directory.open_database(MemoryReactorClock())
    assert "\n" not in str(error.value)


def test_what_root_made_is_given_to_the_daemons_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = DataDirectory(tmp_path / "data")
    directory.acquire()
    directory.key.touch()
    (directory.path / "somebody-elses").touch()
    given: list[str] = []
    monkeypatch.setattr(os, "chown", lambda path, user, group: given.append(Path(path).name))
    directory.chown(1, 2)
    assert given == ["key.pem", "imd.lock", "data"]
    directory.path.chmod(0o755)
    given.clear()
    directory.chown(1, 2)
    assert given == ["key.pem", "imd.lock"], "a directory that others use stays whose it is"
    directory.release()
