"""The client's file: its tables, transactions, and the pinned certificates."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = 1
_SCHEMA = """
CREATE TABLE pin (server TEXT PRIMARY KEY, fingerprint TEXT NOT NULL);
CREATE TABLE life (account INTEGER PRIMARY KEY, epoch TEXT NOT NULL);
CREATE TABLE account (
    id INTEGER PRIMARY KEY, server TEXT NOT NULL, username TEXT NOT NULL, token TEXT, used INTEGER NOT NULL,
    log INTEGER, UNIQUE (server, username));
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, client_id TEXT NOT NULL UNIQUE,
    recipient TEXT NOT NULL, content TEXT NOT NULL, body BLOB NOT NULL, queued INTEGER NOT NULL, once INTEGER NOT NULL);
CREATE TABLE cursor (
    account INTEGER NOT NULL, conversation INTEGER NOT NULL, rev INTEGER NOT NULL, since INTEGER NOT NULL,
    PRIMARY KEY (account, conversation));
CREATE TABLE message (
    account INTEGER NOT NULL, conversation INTEGER NOT NULL, seq INTEGER NOT NULL, rev INTEGER NOT NULL,
    handled INTEGER NOT NULL, body BLOB,
    PRIMARY KEY (account, conversation, seq));
CREATE TABLE receipt (
    account INTEGER NOT NULL, conversation INTEGER NOT NULL, username TEXT NOT NULL,
    delivered INTEGER NOT NULL, read INTEGER NOT NULL,
    PRIMARY KEY (account, conversation, username));
"""


def default_state_file() -> Path:
    """Return the default state file: $XDG_STATE_HOME/imd/client.sqlite3, or the same below ~/.local/state."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "imd" / "client.sqlite3"


class NewerState(Exception):
    """The file was written by a newer version of imd."""


class Database:
    """The file; `:memory:` is lost at the end. Raises NewerState, or sqlite3.Error if it is not a database."""

    def __init__(self, path: str | Path = ":memory:", factory: type[sqlite3.Connection] = sqlite3.Connection) -> None:
        self.path = str(path)
        if self.path != ":memory:":
            Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        self._sqlite = sqlite3.connect(path, isolation_level=None, factory=factory)
        self.execute = self._sqlite.execute
        self.execute("PRAGMA journal_mode = WAL")
        self.execute("PRAGMA synchronous = FULL")
        self.execute("PRAGMA secure_delete = ON")
        with self.transaction():
            (version,) = self.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise NewerState(self.path)
            if version == 0:
                for statement in _SCHEMA.strip().rstrip(";").split(";"):
                    self.execute(statement)
                self.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do everything inside, or nothing."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._sqlite.close()

    def scrub(self) -> None:
        """Leave nothing that was overwritten in the file's journal."""
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def pin(self, server: str) -> str | None:
        """Return the pinned fingerprint of a server's certificate, or None."""
        row = self.execute("SELECT fingerprint FROM pin WHERE server = ?", (server,)).fetchone()
        return row[0] if row else None

    def set_pin(self, server: str, fingerprint: str) -> None:
        """Pin a server's certificate: no other is trusted from now on."""
        self.execute("INSERT OR REPLACE INTO pin VALUES (?, ?)", (server, fingerprint))
