"""No SQL is put together from anything but our own literals, in the daemon and in the client."""

import ast

import pytest

from imd.store.transaction import assigned
from tests.store.source import Source, sources

MIGRATIONS = "imd/store/migrations/__init__.py"
"""The statements of our own .sql files are read, not written there."""
ROWS = "imd/store/rows.py"
"""Puts statements together from what is looked at where it is called."""


def unfixed(code: str) -> list[str]:
    """List what is not fixed in a module."""
    return Source("planted.py", ast.parse(code)).unfixed()


def test_all_sql_is_made_of_our_own_literals() -> None:
    found = [place for source in sources().values() for place in source.unfixed()]
    assert [place.split(":")[0] for place in found] == [MIGRATIONS, ROWS, ROWS, ROWS], found


def test_sql_is_looked_for_where_it_is() -> None:
    looked = {name for name, source in sources().items() if "execute(" in ast.unparse(source.tree)}
    assert {"imd/store/messages.py", "imd/store/sqlite.py", "imd/run/backup.py", "imd_client/cache.py"} <= looked


@pytest.mark.parametrize(
    "code",
    [
        'def find(tx, name): tx.execute(f"SELECT id FROM account WHERE username = {name}")',
        'def find(tx, name): tx.execute(f"SELECT id FROM account WHERE username = {name!r:>9}")',
        'def find(tx, name): tx.execute("SELECT id FROM account WHERE username = " + name)',
        'def find(tx, name): tx.execute("SELECT id FROM account WHERE username = %s" % name)',
        'def find(tx, name): tx.execute("SELECT id FROM account WHERE username = {}".format(name))',
        'Q = "SELECT {}"\ndef find(tx, name): tx.execute(Q.format(name))',
        'def find(tx, name):\n    query = "SELECT 1"\n    query += f" WHERE {name}"\n    tx.execute(query)',
        "def find(tx, query): tx.execute(query)",
        'def _find(tx, which): tx.execute("SELECT " + which)\ndef find(tx, name): _find(tx, name)',
        'def _find(tx, which="1"):\n    which = "2"\n    tx.execute(which)\ndef find(tx, name): _find(tx, name)',
        'def find(tx, names): tx.execute(" AND ".join(names))',
        'def find(tx, names):\n    for name in names: tx.execute("DROP TABLE {}".format(name))',
        'def change(tx, values): tx.execute("UPDATE account SET {}".format(assigned(values, values)))',
        "def find(tx): tx.executescript(input())",
        "def find(tx): tx.execute(elsewhere.QUERY)",
        '_A = Select(A, "FROM a")\ndef find(tx, name): return _A.one(tx, "WHERE name = " + name)',
        '_A = Select(A, "FROM a")\ndef find(tx, name): return _A.known(tx, f"WHERE name = {name}")',
        '_A = Select(A, "FROM a")\ndef find(tx, order): return _A.all(tx, "ORDER BY {}".format(order), ())',
        'def find(tx, table): return Select(A, f"FROM {table}").all(tx, "WHERE 1")',
        'def find(tx, table): tx.execute(table.statement("DELETE FROM {name}"))',
        'from imd.store import tables\ndef find(tx, name): tx.execute(tables.OWN["log"].statement(name))',
        'from imd.store import elsewhere as tables\ndef find(tx): tx.execute(tables.OWN["log"].name)',
        'def find(tx, name): return Select(A, "FROM a", name=name).all(tx, "WHERE 1")',
    ],
)
def test_what_is_planted_is_found(code: str) -> None:
    assert unfixed(code)


@pytest.mark.parametrize(
    "code",
    [
        'def find(tx, name): tx.execute("SELECT id FROM account WHERE username = ?", (name,))',
        'def find(tx, many): tx.execute("SELECT {} FROM account".format(marks(many)))',
        'OURS = {"a", "b"}\ndef change(tx, values): tx.execute("UPDATE account SET " + assigned(OURS, values))',
        'T = {"a": "account"}\ndef find(tx, what): tx.execute(f"SELECT count(*) FROM {T[what]}")',
        'def find(tx):\n    for name in ("a", "b"): tx.execute("DELETE FROM {}".format(name))',
        'def find(tx, some):\n    query = "SELECT 1"\n    if some: query += " WHERE x = ?"\n    tx.execute(query)',
        'def _find(tx, which): tx.execute("SELECT " + which)\ndef find(tx): _find(tx, "1")',
        'def find(tx, n): tx.execute(f"PRAGMA user_version = {n:d}")',
        '_A = Select(A, "FROM a", "a", b="x")\ndef find(tx, name): return _A.one(tx, "WHERE name = ?", (name,))',
        "def find(tx, some): return all(some)",
        'from imd.store import tables\nA = {k: t.statement("DELETE FROM {name}") for k, t in tables.OWN.items()}\n'
        "def find(tx, what): tx.execute(A[what])",
    ],
)
def test_what_is_made_of_literals_is_not(code: str) -> None:
    assert not unfixed(code)


def test_no_column_but_ours_is_assigned() -> None:
    assert assigned({"title", "topic"}, {"topic": 1, "title": 2}) == "topic = ?, title = ?"
    with pytest.raises(ValueError, match="no such column"):
        assigned({"title"}, {"title = '', admin": 1})
