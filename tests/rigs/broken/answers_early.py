"""Broken: the writer answers before it commits, and commits a little later. What a kill catches in between is lost."""

import time
from typing import Any

from twisted.internet import reactor
from twisted.scripts.twistd import run

from imd.store import db

BETWEEN_SECONDS = 0.05


def run_batch(connection: Any, batch: list[db.Write]) -> list[tuple[Any, Exception | None]]:
    """Do what the sound one does, in the wrong order."""
    connection.execute("BEGIN IMMEDIATE")
    results = [db._run(connection, write.work) for write in batch]
    reactor.callFromThread(answer, batch[:], results)
    batch[:] = [db.Write(write.work, lambda *answered_already: None) for write in batch]
    time.sleep(BETWEEN_SECONDS)
    connection.execute("COMMIT")
    return results


def answer(batch: list[db.Write], results: list[tuple[Any, Exception | None]]) -> None:
    """Call the completions."""
    for write, result in zip(batch, results, strict=True):
        write.done(*result)


if __name__ == "__main__":
    db.run_batch = run_batch
    run()
