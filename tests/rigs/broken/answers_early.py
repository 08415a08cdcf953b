"""Broken: the writer answers before it commits, and commits a little later. What a kill catches in between is lost."""

import time
from typing import Any

from twisted.internet.defer import Deferred
from twisted.scripts.twistd import run

from imd.store import sqlite
from imd.store.transaction import Result, Work

BETWEEN_SECONDS = 0.05


def write(self: sqlite.Sqlite, group: list[Work]) -> "Deferred[tuple[list[Result], float]]":
    """Do what the sound one does, in the wrong order: the thread commits after it has given the results."""
    results = self.writer.runWithConnection(uncommitted, group)
    self.writer.runWithConnection(committed)
    return results


def uncommitted(connection: Any, group: list[Work]) -> tuple[list[Result], float]:
    """Run the works in a transaction, and leave it open."""
    connection.execute("BEGIN IMMEDIATE")
    return [sqlite._run(connection, work) for work in group], 0.0


def committed(connection: Any) -> None:
    """Commit, too late."""
    time.sleep(BETWEEN_SECONDS)
    connection.execute("COMMIT")


if __name__ == "__main__":
    sqlite.Sqlite.write = write  # type: ignore[method-assign]
    run()
