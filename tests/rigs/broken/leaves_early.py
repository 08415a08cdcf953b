"""Broken: when it is stopped it answers what waits to be written, and does not write it."""

import sqlite3
import time

from twisted.scripts.twistd import run

from imd.store import db

BEFORE_SECONDS = 0.02
"""How long each group takes, so that something waits whenever it is stopped."""

sound_run_batch, sound_close = db.run_batch, db.Database.close


def run_batch(connection: sqlite3.Connection, batch: list[db.Write]) -> list[db.Result]:
    """Dawdle, and commit."""
    time.sleep(BEFORE_SECONDS)
    return sound_run_batch(connection, batch)


def undone(connection: sqlite3.Connection, batch: list[db.Write]) -> list[db.Result]:
    """Do it, and undo it."""
    connection.execute("BEGIN IMMEDIATE")
    results = [db._run(connection, write.work) for write in batch]
    connection.execute("ROLLBACK")
    return results


async def close(self: db.Database) -> None:
    """Answer, and close."""
    batch, self._waiting = self._waiting, []
    for write, result in zip(batch, await self.writer.runWithConnection(undone, batch), strict=True):
        write.done(*result)
    await sound_close(self)


if __name__ == "__main__":
    db.run_batch = run_batch
    db.Database.close = close  # type: ignore[method-assign]
    run()
