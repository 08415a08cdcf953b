"""Every table and column of the real schema is declared, and nothing else: what is forgotten is named."""

import ast
import sqlite3
from collections.abc import Iterator

import pytest

from imd.store import export, tables
from imd.store.tables import TABLES
from imd.store.tables.declared import Kept, Table
from imd.testing import memory_connection
from tests.store.source import sources

WHERE = "imd/store/tables/"


@pytest.fixture
def tx() -> Iterator[sqlite3.Connection]:
    connection = memory_connection()
    yield connection
    connection.close()


def columns(tx: sqlite3.Connection, table: str) -> dict[str, int]:
    """List a table's columns, each with its place in the primary key. Hidden ones of a virtual table are SQLite's."""
    rows = tx.execute("SELECT name, pk FROM pragma_table_xinfo(?) WHERE hidden = 0", (table,))
    return dict(rows.fetchall())


def undeclared(tx: sqlite3.Connection) -> list[str]:
    """Hold the declarations against a schema. Gives a sentence for each thing that only one of them has."""
    rows = tx.execute("SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'")
    kinds = dict(rows.fetchall())
    real = {name for name, kind in kinds.items() if kind != "shadow"}
    found = [
        f"declare the table {name} in {WHERE}: its columns, whose its rows are, what deletion and purge do with them"
        for name in sorted(real - TABLES.keys())
    ]
    found += [f"the table {name} is gone: take it out of {WHERE}" for name in sorted(TABLES.keys() - real)]
    shadows = {name for each in TABLES.values() for name in each.shadows}
    found += [
        f"{name} is a shadow table of SQLite's: name it at its virtual table in {WHERE}"
        for name in sorted(kinds.keys() - real - shadows)
    ]
    found += [f"there is no shadow table {name}: take it out of {WHERE}" for name in sorted(shadows - kinds.keys())]
    for name in sorted(real & TABLES.keys()):
        found += [f"{name}: {fault}" for fault in _faults(tx, TABLES[name])]
    return found


def _faults(tx: sqlite3.Connection, table: Table) -> Iterator[str]:
    real = columns(tx, table.name)
    for name in real.keys() - table.columns.keys():
        yield f"declare its column {name}: what it refers to, and where an export tells it or, by Untold, why none does"
    for name in table.columns.keys() - real.keys():
        yield f"its column {name} is gone: take it out"
    key = tuple(sorted((name for name, place in real.items() if place), key=real.__getitem__))
    if key != table.key:
        yield f"its primary key is {key}: declare that as its key"
    rows = tx.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?", (table.name,))
    triggers = {name for (name,) in rows.fetchall()}
    for name in triggers ^ set(table.triggers):
        yield f"the trigger {name} is only {'in the schema' if name in triggers else 'declared'}"
    rows = tx.execute('SELECT "from", "table" FROM pragma_foreign_key_list(?)', (table.name,))
    enforced, said = dict(rows.fetchall()), {name: each.refers for name, each in table.columns.items() if each.enforced}
    for name in enforced.keys() ^ said.keys():
        yield f"its column {name} is {'' if name in enforced else 'not '}enforced by the schema: declare it so"


def unsaid(table: Table) -> Iterator[str]:
    """List what a declaration leaves open."""
    for name, column in table.columns.items():
        if (column.untold is None) != (name in table.told):
            yield f"{name}: either an export tells it, or Untold says why not"
        if column.refers and column.refers not in TABLES:
            yield f"{name}: refers to a table that is not declared"
        if name in ("account", "conversation") and column.refers != name:
            yield f"{name}: say that it refers to the {name}"
    refers = {each.refers for each in table.columns.values()}
    if table.deletion is None and (table.whose == "account" or "account" in refers):
        yield "say what a deletion does with its rows"
    if table.purge is None and "conversation" in refers:
        yield "say what a purge does with its rows"
    if set(table.by) - table.columns.keys() or (table.whose in ("account", "conversation") and len(table.by) != 1):
        yield "say by which of its columns one knows whose a row is"
    if table.name == "account" or table.name == "conversation":
        for name, column in table.columns.items():
            if bool(column.emptied) == bool(column.stays):
                yield f"{name}: say what it becomes in a row that stays behind empty, or why it stays as it is"


def test_the_schema_is_declared_column_by_column(tx: sqlite3.Connection) -> None:
    assert undeclared(tx) == []


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_declaration_leaves_nothing_open(table: Table) -> None:
    assert list(unsaid(table)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("CREATE TABLE shoe (size INTEGER)", "declare the table shoe in imd/store/tables/"),
        ("CREATE VIEW shoe AS SELECT 1", "declare the table shoe in imd/store/tables/"),
        ("DROP TABLE word", "the table word is gone"),
        ("CREATE VIRTUAL TABLE shoe USING fts5 (size)", "shoe_content is a shadow table"),
        ("DROP TABLE search_index", "there is no shadow table search_index_data"),
        ("ALTER TABLE account ADD COLUMN shoe_size INTEGER", "account: declare its column shoe_size"),
        ("ALTER TABLE report DROP COLUMN note", "report: its column note is gone"),
        ("ALTER TABLE search_day RENAME COLUMN day TO date", "search_day: declare its column date"),
        ("DROP TRIGGER message_gone", "message: the trigger message_gone is only declared"),
        ("CREATE TRIGGER t AFTER DELETE ON star BEGIN SELECT 1; END", "star: the trigger t is only in the schema"),
        ("DROP TABLE star; CREATE TABLE star (account, conversation, seq, time)", "star: its primary key is ()"),
        (
            "DROP TABLE word; CREATE TABLE word (word TEXT PRIMARY KEY REFERENCES account)",
            "word: its column word is enf",
        ),
    ],
)
def test_what_is_forgotten_is_named(tx: sqlite3.Connection, change: str, said: str) -> None:
    tx.execute("PRAGMA foreign_keys = OFF")
    tx.executescript(change)
    assert [fault for fault in undeclared(tx) if fault.startswith(said)]


def test_nothing_but_literals_is_declared() -> None:
    """So SQL may be made of it, see source.py."""
    declarations = [each for name, each in sources().items() if name.startswith(WHERE)]
    assert len(declarations) == 6
    for source in declarations:
        if source.path.endswith(("__init__.py", "declared.py")):
            continue
        [imported] = [node for node in source.tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        assert isinstance(imported, ast.ImportFrom)
        assert imported.module == "imd.store.tables.declared"
        known = {each.name for each in imported.names}
        known |= {each.targets[0].id for each in source.tree.body if isinstance(each, ast.Assign)}  # type: ignore[attr-defined]  # plain names
        for node in ast.walk(source.tree):
            assert not isinstance(node, ast.FunctionDef | ast.Lambda | ast.comprehension), source.path
            if isinstance(node, ast.Name):
                assert node.id in known, f"{source.path}:{node.lineno}"


# -- what is derived


def test_what_is_destroyed_is_counted_in_the_receipt_in_this_order() -> None:
    assert list(tables.OWN) == ["people", "requests", "invitations", "stars", "hidden", "log"]


def test_a_purge_takes_the_messages_last() -> None:
    assert [each.name for each in tables.PURGED] == ["reaction", "mention", "star", "hidden", "message"]


def test_what_goes_at_once() -> None:
    """What logs somebody in; what lets somebody in."""
    assert [each.name for each in tables.gone_at_once(purge=False)] == ["device", "second_factor", "recovery_code"]
    assert [each.name for each in tables.gone_at_once(purge=True)] == ["pending", "group_link"]


def test_nothing_but_its_number_is_left_in_a_tombstone() -> None:
    assert {name for name, each in TABLES["account"].columns.items() if each.stays} == {"id", "log_n"}


def test_what_an_export_lists() -> None:
    assert [each.name for each in export.SECTIONS] == [
        *("account", "devices", "friends", "blocked", "declined", "asked", "asking", "invitations"),
        *("starred", "hidden", "reports"),
    ]
    assert [each.name for each in export.SECTIONS if not each.shown] == ["account", "starred", "hidden", "reports"]


def test_every_section_can_be_read(tx: sqlite3.Connection) -> None:
    for section in export.SECTIONS:
        assert export.records(tx, section, 1, 0, 10) == []


def test_who_is_kept_has_a_reason() -> None:
    fates = [fate for each in TABLES.values() for fate in (each.deletion, each.purge) if isinstance(fate, Kept)]
    assert all(len(fate.why.split()) > 3 for fate in fates)
