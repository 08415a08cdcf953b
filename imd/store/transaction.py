"""The transaction that store functions take: it executes SQL with `?` parameters."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol


class Rows(Protocol):
    """The result of a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows an UPDATE or DELETE changed."""

    def fetchone(self) -> Any:
        """Return the next row, or None."""

    def fetchall(self) -> list[Any]:
        """Return all remaining rows."""


class Tx(Protocol):
    """An open transaction."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows:
        """Run one statement."""


Work = Callable[[Tx], Any]
"""A function that works in a transaction."""

Result = tuple[Any, Exception | None]
"""The result of a work: its value, or the error that undid it."""


def marks(count: int) -> str:
    """Return so many parameters for a list in SQL: `?, ?, ?`."""
    return ", ".join("?" * count)


def assigned(columns: Collection[str], values: Mapping[str, Any]) -> str:
    """Return the assignments of these values: `title = ?, topic = ?`. Only names of `columns` get into the SQL."""
    if unknown := values.keys() - set(columns):
        raise ValueError(f"no such column: {sorted(unknown)}")
    return ", ".join(f"{name} = ?" for name in values)
