"""Reading records by name: a SELECT lists its columns by the fields of the record that it fills.

    _ACCOUNT = Select(Account, "FROM account")
    _ACCOUNT.one(tx, "WHERE username = ?", (username,))

So no record depends on the order in which somebody happened to write the columns.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from imd.store.transaction import Tx

R = TypeVar("R", bound=NamedTuple)

STATEMENTS = 128
"""How many whole statements a Select remembers, so that they are not put together and hashed at each call."""


class Select(Generic[R]):
    """The beginning of a SELECT: its columns and its source.

    A field is read from the column of its name, in `table` if several tables have one. `columns` are the exceptions.
    """

    def __init__(self, record: type[R], source: str, table: str = "", **columns: str) -> None:
        if strange := columns.keys() - set(record._fields):
            raise ValueError(f"{record.__name__} has no such field: {sorted(strange)}")
        own = f"{table}." if table else ""
        listed = [f"{columns[name]} AS {name}" if name in columns else own + name for name in record._fields]
        begun = f"SELECT {', '.join(listed)} {source}"
        self._record = record._make
        self._statement = lru_cache(STATEMENTS)(lambda rest: f"{begun} {rest}")

    def one(self, tx: Tx, rest: str, parameters: Sequence[Any] = ()) -> R | None:
        """Return the first record, if there is one. `rest` is the rest of the statement."""
        row = tx.execute(self._statement(rest), parameters).fetchone()
        return None if row is None else self._record(row)

    def known(self, tx: Tx, rest: str, parameters: Sequence[Any] = ()) -> R:
        """Return a record that is known to exist."""
        return self._record(tx.execute(self._statement(rest), parameters).fetchone())

    def all(self, tx: Tx, rest: str, parameters: Sequence[Any] = ()) -> list[R]:
        """Return all records."""
        return list(map(self._record, tx.execute(self._statement(rest), parameters).fetchall()))
