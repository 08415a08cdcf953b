"""Records read by name: the columns that a SELECT gives are written from the fields of the record it fills.

    _ACCOUNT = Select(Account, "FROM account")
    _ACCOUNT.one(tx, "WHERE username = ?", (username,))

So no record depends on the order in which somebody wrote a list of columns.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from imd.store.transaction import Tx

R = TypeVar("R", bound=NamedTuple)

STATEMENTS = 128
"""How many whole statements a Select remembers: the same text again is found without being put together and hashed."""


class Select(Generic[R]):
    """The beginning of a SELECT: what it gives, and from where.

    A field is read from the column of its name, in `table` where several have one; `columns` say so where it is not.
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
        """Give the first record, if there is one; `rest` is what follows in the statement."""
        row = tx.execute(self._statement(rest), parameters).fetchone()
        return None if row is None else self._record(row)

    def known(self, tx: Tx, rest: str, parameters: Sequence[Any] = ()) -> R:
        """Give a record that must be there."""
        return self._record(tx.execute(self._statement(rest), parameters).fetchone())

    def all(self, tx: Tx, rest: str, parameters: Sequence[Any] = ()) -> list[R]:
        """Give every record."""
        return list(map(self._record, tx.execute(self._statement(rest), parameters).fetchall()))
