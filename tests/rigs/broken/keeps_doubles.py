"""Broken: no client-id key. A message that was committed but not answered is stored again when it is sent again."""

import sqlite3
import time
from typing import Any

from twisted.scripts.twistd import run

from imd.store import db, messages

BETWEEN_SECONDS = 0.02
"""How long the answer stays behind the commit, so that each kill finds some messages in between."""

sound = {"migrate": db.migrate, "run_batch": db.run_batch}


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date, and take the unique key away."""
    sound["migrate"](connection)
    connection.execute("DROP INDEX IF EXISTS message_client_id")


def run_batch(connection: Any, batch: list[db.Write]) -> list[tuple[Any, Exception | None]]:
    """Commit, and dawdle."""
    results = sound["run_batch"](connection, batch)
    time.sleep(BETWEEN_SECONDS)
    return results


if __name__ == "__main__":
    db.migrate, db.run_batch = migrate, run_batch
    messages.by_client_id = lambda tx, sender, client_id: None
    run()
