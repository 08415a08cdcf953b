"""Broken: synchronous = NORMAL. Commits are written but not synced; a kill takes nothing, a power cut does."""

import sqlite3

from twisted.scripts.twistd import run

from imd.store import sqlite

sound = sqlite.prepare


def prepare(connection: sqlite3.Connection) -> None:
    """Prepare a connection, and let it sync at checkpoints only."""
    sound(connection)
    connection.execute("PRAGMA synchronous = NORMAL")


if __name__ == "__main__":
    sqlite.prepare = prepare
    run()
