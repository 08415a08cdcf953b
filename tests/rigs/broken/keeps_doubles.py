"""Broken: no client-id key. A message that was committed but not answered is stored again when it is sent again."""

import sqlite3
import time
from typing import Any

from twisted.scripts.twistd import run

from imd.store import messages, sqlite

BETWEEN_SECONDS = 0.02
"""How long the answer stays behind the commit, so that each kill finds some messages in between."""

sound = {"migrate": sqlite.migrate, "run_group": sqlite.run_group}


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date, and take the unique key away."""
    sound["migrate"](connection)
    connection.execute("DROP INDEX IF EXISTS message_client_id")


def run_group(connection: Any, group: list[Any]) -> list[tuple[Any, Exception | None]]:
    """Commit, and dawdle."""
    results = sound["run_group"](connection, group)
    time.sleep(BETWEEN_SECONDS)
    return results


if __name__ == "__main__":
    sqlite.migrate, sqlite.run_group = migrate, run_group
    messages.by_client_id = lambda tx, sender, client_id: None
    run()
