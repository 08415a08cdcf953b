"""Broken: the writer answers before it commits, and commits a little later. What a kill catches in between is lost."""

import time
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.scripts.twistd import run

from imd.store import sqlite
from imd.store.transaction import Result, Work

BETWEEN_SECONDS = 0.05


def write(self: sqlite.Sqlite, group: list[Work]) -> "Deferred[tuple[list[Result], float]]":
    """Do what the sound one does, in the wrong order."""
    answered: Deferred[tuple[list[Result], float]] = Deferred()

    def work(connection: Any) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            results = [sqlite._run(connection, each) for each in group]
        except Exception:
            reactor.callFromThread(answered.errback, Failure())
            return
        reactor.callFromThread(answered.callback, (results, 0.0))
        time.sleep(BETWEEN_SECONDS)
        connection.execute("COMMIT")

    self.writer.runWithConnection(work).addErrback(lambda failure: None)
    return answered


if __name__ == "__main__":
    sqlite.Sqlite.write = write  # type: ignore[method-assign]
    run()
