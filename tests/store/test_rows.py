"""Records are read by name: whatever order their fields stand in, each gets what its own column holds."""

import ast
import sqlite3
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import NamedTuple

import pytest

from imd import store
from imd.store.rows import Select
from imd.testing import memory_connection
from tests.store.source import sources


class Invite(NamedTuple):
    """Fields in another order than the table's columns."""

    uses_left: int
    code_hash: str
    number: int


class Renamed(NamedTuple):
    code: str
    uses: int


@pytest.fixture
def tx() -> Iterator[sqlite3.Connection]:
    connection = memory_connection()
    for number in (1, 2):
        connection.execute(
            "INSERT INTO invite (code_hash, uses_left, expires, admin) VALUES (?, ?, 0, 0)", (f"c{number}", number * 10)
        )
    yield connection
    connection.close()


def test_a_field_gets_the_column_of_its_name(tx: sqlite3.Connection) -> None:
    invite = Select(Invite, "FROM invite")
    assert invite.one(tx, "WHERE number = ?", (2,)) == Invite(uses_left=20, code_hash="c2", number=2)
    assert invite.known(tx, "WHERE number = 1").code_hash == "c1"
    assert [each.number for each in invite.all(tx, "ORDER BY number DESC")] == [2, 1]


def test_nothing_is_found_where_there_is_nothing(tx: sqlite3.Connection) -> None:
    invite = Select(Invite, "FROM invite")
    assert invite.one(tx, "WHERE number = 3") is None
    assert invite.all(tx, "WHERE number = 3") == []
    with pytest.raises(TypeError):
        invite.known(tx, "WHERE number = 3")


def test_a_field_may_be_read_from_elsewhere(tx: sqlite3.Connection) -> None:
    renamed = Select(Renamed, "FROM invite i", "i", code="upper(i.code_hash)", uses="i.uses_left")
    assert renamed.one(tx, "WHERE i.number = 1") == Renamed(code="C1", uses=10)


def test_what_is_no_field_is_refused() -> None:
    with pytest.raises(ValueError, match="no such field"):
        Select(Invite, "FROM invite", used="uses_left")


def selects() -> list[tuple[str, Select[NamedTuple]]]:
    """List every Select of the store's modules."""
    return [
        (f"{module.name}.{name}", each)
        for module in iter_modules(store.__path__)
        for name, each in vars(import_module(f"imd.store.{module.name}")).items()
        if isinstance(each, Select)
    ]


@pytest.mark.parametrize(("name", "select"), selects(), ids=[name for name, _ in selects()])
def test_every_select_fits_the_schema(tx: sqlite3.Connection, name: str, select: Select[NamedTuple]) -> None:
    statement = select._statement("LIMIT 0")
    described = tx.execute(statement, [0] * statement.count("?")).description
    fields = select._record.__self__._fields  # type: ignore[attr-defined]  # a bound class method
    assert tuple(column[0] for column in described) == fields


def test_no_record_is_made_by_position() -> None:
    """Nothing in the store turns a row into a record itself, with a star or by numbers."""
    for name, source in sources().items():
        if not name.startswith("imd/store/") or name == "imd/store/rows.py":
            continue
        for node in ast.walk(source.tree):
            starred = isinstance(node, ast.Call) and [ast.unparse(each) for each in node.args]
            assert "*row" not in (starred or []), f"{name}:{node.lineno}"  # type: ignore[attr-defined]  # a call has one
            if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "row":
                assert ast.unparse(node.slice) == "0", f"{name}:{node.lineno}: use a record and a Select"
