"""`imd verify`: each promise about what is kept, broken by hand."""

import errno
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from imd import store
from imd.run import backup, backup_file, verify
from imd.run.config import load
from imd.run.errors import OperatorError
from imd.testing import MemoryServer


@pytest.fixture
def data(tmp_path: Path) -> Path:
    server = MemoryServer(path=str(tmp_path / "imd.sqlite3"))
    alice, bob = server.login("alice"), server.login("bob")
    for number in range(4):
        alice.call("send_message", to="bob", content=f"hello {number}")
    alice.call("send_message", to="bob", content="soon gone", burn_after=60)
    bob.call("read", to="alice", seq=2)
    bob.call("react", to="alice", seq=2, emoji="👍")
    server.stop()
    return tmp_path


def ill(path: Path) -> list[str]:
    return [finding.text for finding in verify.findings(path, lambda: "") if not finding.well]


def test_all_is_well(data: Path) -> None:
    texts = [finding.line() for finding in verify.findings(data, lambda: "")]
    assert texts[0] == "ok    accounts: 2, conversations: 1, memberships: 2, messages: 5"
    assert len(texts) == 12
    assert all(text.startswith("ok    ") for text in texts)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM message WHERE seq = 3", "conversations that lack messages: 1, first 1"),
        ("DELETE FROM message WHERE seq = 5", "conversations that lack messages: 1, first 1"),
        ("UPDATE conversation SET last_seq = 6", "conversations that lack messages: 1, first 1"),
        ("UPDATE message SET rev = 1 WHERE seq = 5", "conversations with wrong revisions: 1, first 1"),
        ("UPDATE message SET rev = 99 WHERE seq = 5", "conversations with wrong revisions: 1, first 1"),
        ("UPDATE message SET rev = 0 WHERE seq = 5", "conversations with wrong revisions: 1, first 1"),
        ("UPDATE member SET delivered_seq = 6 WHERE account = 2", "members with pointers out of range: 1"),
        ("UPDATE member SET read_seq = -1 WHERE account = 2", "members with pointers out of range: 1"),
        ("UPDATE member SET delivered_seq = 1 WHERE account = 2", "members with pointers out of range: 1"),
        ("UPDATE member SET joined_seq = 6 WHERE account = 2", "members with pointers out of range: 1"),
        ("UPDATE member SET hidden_seq = 6 WHERE account = 2", "members with pointers out of range: 1"),
        ("UPDATE member SET left_seq = 6 WHERE account = 2", "members with pointers out of range: 1"),
        ("UPDATE conversation SET members = 3", "conversations with a wrong member count: 1, first 1"),
        ("UPDATE message SET conversation = 7 WHERE seq = 5", "conversations that do not exist but have messages: 1"),
        ("UPDATE reaction SET seq = 6", "reactions, mentions, stars or hidden marks of messages that do not exist"),
        (
            "UPDATE member SET account = 77 WHERE account = 2",
            "rows that refer to rows that do not exist: 1, first member",
        ),
        ("UPDATE message SET sender = 77 WHERE seq < 3", "rows of accounts that do not exist: 2 (message 2)"),
        ("UPDATE reaction SET account = 77", "rows of accounts that do not exist: 1 (reaction 1)"),
        (
            "INSERT INTO second_factor VALUES (77, 'secret', NULL, 0); INSERT INTO recovery_code VALUES (77, 'hash')",
            "rows of accounts that do not exist: 2 (second_factor 1, recovery_code 1)",
        ),
        ("DELETE FROM message WHERE seq = 5", "burning messages or texts without the other half: 1 (burning_words 1)"),
        ("DELETE FROM burning_words", "burning messages or texts without the other half: 1 (message 1)"),
        ("DELETE FROM message WHERE seq = 4", "wrong unread counts: 2, first in conversation 1"),
    ],
)
def test_what_is_broken_is_said(data: Path, statement: str, said: str) -> None:
    connection = sqlite3.connect(data / "imd.sqlite3")
    connection.executescript(statement)
    connection.close()
    assert [text for text in ill(data) if text.startswith(said)]


def test_a_damaged_index(data: Path) -> None:
    connection = sqlite3.connect(data / "imd.sqlite3")
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'seq)', 'rev)') WHERE name = 'message_seq'")
    connection.execute("UPDATE message SET rev = 99 WHERE seq = 5")
    connection.commit()
    connection.close()
    assert [text for text in ill(data) if text.startswith("the database is damaged (")]


def test_a_database_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "imd.sqlite3").write_text("this is no database")
    (said,) = ill(tmp_path)
    assert "is damaged or unreadable" in said
    (tmp_path / "empty").mkdir()
    with pytest.raises(OperatorError, match="there is no data directory"):
        ill(tmp_path / "empty")


def test_a_database_of_another_version(data: Path) -> None:
    connection = sqlite3.connect(data / "imd.sqlite3")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    assert "the database has schema 1, and this imd needs" in ill(data)[0]


def failing(error: Exception) -> Callable[..., NoReturn]:
    def fail(*arguments: object, **options: object) -> NoReturn:
        raise error

    return fail


def test_a_full_disk_is_not_the_backups_fault(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backup.make(load({"data_dir": str(data)}, {}), tmp_path / "backup")
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    for where, name, error in [
        (backup_file.BackupReader, "unpack", OSError(errno.ENOSPC, "No space left on device")),
        (backup_file.BackupReader, "unpack", OSError(errno.EDQUOT, "Disk quota exceeded")),
        (tempfile, "TemporaryDirectory", FileNotFoundError(errno.ENOENT, "No usable temporary directory found")),
        (store.verify, "verdicts", full),
    ]:
        with monkeypatch.context() as patched:
            patched.setattr(where, name, failing(error))
            with pytest.raises(OperatorError, match="no space for temporary files"):
                ill(tmp_path / "backup")
    monkeypatch.setattr(backup_file.BackupReader, "unpack", failing(OSError(errno.EIO, "Input/output error")))
    with pytest.raises(OperatorError, match="cannot read"):
        ill(tmp_path / "backup")
