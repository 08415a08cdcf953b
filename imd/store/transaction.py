"""The transaction that store functions take: something that executes SQL with `?` parameters."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol


class Rows(Protocol):
    """The rows that a statement gave."""

    @property
    def rowcount(self) -> int:
        """How many rows an UPDATE or DELETE touched."""

    def fetchone(self) -> Any:
        """Give the next row, or None."""

    def fetchall(self) -> list[Any]:
        """Give the rows that are left."""


class Tx(Protocol):
    """An open transaction."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows:
        """Run one statement."""


Work = Callable[[Tx], Any]
"""A piece of work in a transaction."""

Result = tuple[Any, Exception | None]
"""What it came to: its value, or the error that undid it."""


def marks(count: int) -> str:
    """Write so many parameters for a list in SQL: `?, ?, ?`."""
    return ", ".join("?" * count)


def assigned(columns: Collection[str], values: Mapping[str, Any]) -> str:
    """Write the columns that get these values: `title = ?, topic = ?`. No name but one of `columns` gets into SQL."""
    if strange := values.keys() - set(columns):
        raise ValueError(f"no such column: {sorted(strange)}")
    return ", ".join(f"{name} = ?" for name in values)
