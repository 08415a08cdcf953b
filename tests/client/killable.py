"""A database connection whose process can be killed at a statement."""

import sqlite3
from typing import Any

from twisted.internet.defer import CancelledError


class Killed(CancelledError):
    """The process is gone: nothing after this statement happens."""


class KillableConnection(sqlite3.Connection):
    """What was not committed when the statements ran out is lost."""

    statements_left: float = float("inf")

    def execute(self, *args: Any, **kwargs: Any) -> sqlite3.Cursor:
        if self.statements_left <= 0:
            raise Killed
        self.statements_left -= 1
        return super().execute(*args, **kwargs)
