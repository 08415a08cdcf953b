"""Broken: when it is stopped it answers what waits to be written, and does not write it."""

import sqlite3
import time

from twisted.scripts.twistd import run

from imd.store import db, sqlite
from imd.store.transaction import Result, Work

BEFORE_SECONDS = 0.02
"""How long each group takes, so that something waits whenever it is stopped."""

sound_run_group, sound_close = sqlite.run_group, db.Database.close


def run_group(connection: sqlite3.Connection, group: list[Work]) -> list[Result]:
    """Dawdle, and commit."""
    time.sleep(BEFORE_SECONDS)
    return sound_run_group(connection, group)


def undone(connection: sqlite3.Connection, group: list[Work]) -> list[Result]:
    """Do it, and undo it."""
    connection.execute("BEGIN IMMEDIATE")
    results = [sqlite._run(connection, work) for work in group]
    connection.execute("ROLLBACK")
    return results


async def close(self: db.Database) -> None:
    """Answer, and close."""
    waiting, self._waiting = self._waiting, []
    works = [work for work, _ in waiting]
    for (_, done), result in zip(waiting, await self.backend.writer.runWithConnection(undone, works), strict=True):
        done(*result)
    await sound_close(self)


if __name__ == "__main__":
    sqlite.run_group = run_group
    db.Database.close = close  # type: ignore[method-assign]
    run()
