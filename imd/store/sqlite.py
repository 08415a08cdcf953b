"""SQLite behind the database: one writer connection that commits in groups, and readers on snapshots.

A pitfall to know: Python's sqlite3 opens no transaction for SAVEPOINT. Without the explicit BEGIN IMMEDIATE,
each RELEASE would be a commit of its own.
"""

import sqlite3
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import attrs
from twisted.enterprise import adbapi
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from imd.store import status
from imd.store.confusables import skeleton
from imd.store.migrations import migrate
from imd.store.transaction import Result, Tx, Work

T = TypeVar("T")

SLOW_SECONDS = 0.020
"""Work that takes longer is logged, since it delays all other writes."""

BUSY_MILLISECONDS = 5000
"""How long a connection waits for the lock of another one."""


class Pool(Protocol):
    """The part of `adbapi.ConnectionPool` that is used here."""

    def runWithConnection(self, func: Callable[..., T], *args: Any) -> "Deferred[T]":
        """Call func(connection, *args) in a thread of the pool."""

    def close(self) -> None:
        """Stop the threads and close their connections."""


def connect(path: str) -> sqlite3.Connection:
    """Open a file with explicit transactions, a write-ahead log, and a sync at each commit."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    prepare(connection)
    return connection


def prepare(connection: sqlite3.Connection) -> None:
    """Set what every connection needs.

    With `synchronous = NORMAL` a power loss could lose acknowledged messages. `secure_delete` overwrites deleted
    content with zeros, since a burned message must not stay in a free page.
    """
    connection.create_function("skeleton", 1, skeleton, deterministic=True)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS:d}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")


@attrs.define(eq=False)
class Sqlite:
    """One SQLite file: a pool with the one writer connection, and a pool of readers."""

    writer: Pool
    readers: Pool
    epoch: str = ""
    """The name of this database's life, see `status`."""

    @classmethod
    def open(cls, path: str, reactor: Any, *, readers: int = 2) -> "Sqlite":
        """Open a file; it is created or migrated first. Raises NewerSchema and sqlite3.Error."""
        connection = connect(path)
        migrate(connection)
        epoch = status.epoch(connection)
        connection.close()

        def pool(size: int, *, query_only: bool) -> Pool:
            def opened(raw: sqlite3.Connection) -> None:
                prepare(raw)
                if query_only:
                    raw.execute("PRAGMA query_only = ON")

            settings: dict[str, Any] = {"isolation_level": None, "check_same_thread": False}
            made = adbapi.ConnectionPool(
                "sqlite3", path, cp_min=1, cp_max=size, cp_openfun=opened, cp_reactor=reactor, **settings
            )
            # Plain connections: adbapi's wrapper looks each method up by name, which costs time for nothing.
            made.connectionFactory = lambda pool: pool.connect()  # type: ignore[assignment]  # any callable will do
            return made

        return cls(writer=pool(1, query_only=False), readers=pool(readers, query_only=True), epoch=epoch)

    def write(self, group: list[Work]) -> "Deferred[tuple[list[Result], float]]":
        """Run a group in one transaction in the writer thread. Returns its results, and the seconds it took."""
        return self.writer.runWithConnection(_timed, group)

    def read(self, work: Callable[[Tx], T]) -> "Deferred[T]":
        """Run work on one snapshot in a reader thread."""
        return self.readers.runWithConnection(_snapshot, work)

    def scrub(self) -> "Deferred[bool]":
        """Empty the write-ahead log, which holds older versions of pages. False while a reader needs it."""
        return self.writer.runWithConnection(_checkpoint)

    def close(self) -> None:
        """Stop the threads and close the connections."""
        self.writer.close()
        self.readers.close()


class _Unclean(Exception):
    """A work without a savepoint failed after it had changed something."""


def _timed(connection: sqlite3.Connection, group: list[Work]) -> tuple[list[Result], float]:
    begun = time.perf_counter()
    return run_group(connection, group), time.perf_counter() - begun


def run_group(connection: sqlite3.Connection, group: list[Work]) -> list[Result]:
    """Run a group in one transaction; of a work that fails, only its own changes are undone.

    Savepoints would cost two statements for each work, and most failing works have changed nothing yet. So the group
    first runs without them. If a work must be undone, the whole group is rolled back and run again with savepoints.
    Errors of BEGIN and COMMIT are raised; then nothing of the group is stored.
    """
    try:
        return _transaction(connection, group, _run)
    except _Unclean:
        return _transaction(connection, group, _run_in_savepoint)


def _transaction(
    connection: sqlite3.Connection, group: list[Work], run: Callable[[sqlite3.Connection, Work], Result]
) -> list[Result]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        results = [run(connection, work) for work in group]
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return results


def _run(connection: sqlite3.Connection, work: Work) -> Result:
    begun, changes = time.perf_counter(), connection.total_changes
    result: Result
    try:
        result = work(connection), None
    except Exception as raised:
        if not connection.in_transaction:  # if the disk is full, SQLite rolls back the whole transaction
            raise
        if connection.total_changes != changes:
            raise _Unclean from raised
        result = None, raised
    if time.perf_counter() - begun > SLOW_SECONDS:
        _log.warn("slow write: {work}", work=work)
    return result


def _run_in_savepoint(connection: sqlite3.Connection, work: Work) -> Result:
    result: Result
    connection.execute("SAVEPOINT work")
    try:
        result = work(connection), None
    except Exception as raised:
        if not connection.in_transaction:
            raise
        connection.execute("ROLLBACK TO work")
        result = None, raised
    connection.execute("RELEASE work")
    return result


def _checkpoint(connection: sqlite3.Connection) -> bool:
    connection.execute("PRAGMA busy_timeout = 0")  # the writer must not wait for readers
    (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS:d}")
    return not busy


def _snapshot(connection: sqlite3.Connection, work: Callable[[Tx], T]) -> T:
    connection.execute("BEGIN")
    try:
        return work(connection)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


_log = Logger()
