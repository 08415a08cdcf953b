"""Numbered schema changes: NNNN_what.sql files, each applied once, whole or not at all.

The number of the last one is stored in the database's header (`user_version`) by the same transaction, so that a kill
at any instant leaves the old or the new version. SQL may call `skeleton(name)`, which `db.prepare` defines.
"""

import re
import sqlite3
from collections.abc import Iterator
from importlib.resources import files

_NUMBERED = re.compile(r"(\d{4})_\w+\.sql")


class NewerSchema(Exception):
    """The database was written by a newer imd; this one would not understand it."""


def available() -> list[tuple[int, str]]:
    """List the changes this version knows: number and SQL, in order."""
    found = [(match, file) for file in files(__name__).iterdir() if (match := _NUMBERED.fullmatch(file.name))]
    return sorted((int(match[1]), file.read_text("utf-8")) for match, file in found)


def version(connection: sqlite3.Connection) -> int:
    """Return the number of the change applied last; 0 for an empty database."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date. The connection must be in autocommit mode. Raises NewerSchema."""
    changes = available()
    if version(connection) > changes[-1][0]:
        raise NewerSchema(f"the database has schema {version(connection)}, this version of imd knows {changes[-1][0]}")
    for number, script in changes:
        if version(connection) < number:
            _apply(connection, number, script)


def _apply(connection: sqlite3.Connection, number: int, script: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if version(connection) < number:  # another process may just have done it
            for statement in statements(script):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number:d}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def statements(script: str) -> Iterator[str]:
    """Split a script into statements. `executescript` would commit the transaction first."""
    gathered = ""
    for line in script.splitlines(keepends=True):
        gathered += line
        if sqlite3.complete_statement(gathered):
            yield gathered
            gathered = ""
    if gathered.strip():
        yield gathered
