"""Skeletons: what looks alike has the same one, what a person can tell apart has not."""

import sqlite3

import pytest

from imd.store import confusables, migrations, sqlite
from imd.store.confusables import skeleton

ALIKE = [
    ("alice", "аlice"),
    ("alice", "аӏісе"),
    ("paypal", "раураӏ"),
    ("mike", "rnike"),
    ("bill", "bi11"),
    ("bob", "b0b"),
    ("bob", "ꓐꓳꓐ"),
    ("ton", "tοn"),
    ("café", "cafе\u0301"),
    ("क्ष", "क्\u200dष"),
    ("ロ", "口"),
]
APART = [
    ("alice", "al1ce"),
    ("ian", "lan"),
    ("cafe", "café"),
    ("国", "國"),
    ("ann", "anna"),
    ("a-b", "a_b"),
    ("a.b", "ab"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE, ids=ascii)
def test_what_looks_alike_has_one_skeleton(one: str, other: str) -> None:
    assert one != other
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(("one", "other"), APART, ids=ascii)
def test_what_can_be_told_apart_has_two(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


OFFICIAL = """\
# confusables.txt
# Version: 99.0.0
#
0441 ;\t0063 ;\tMA\t# ( с → c ) CYRILLIC SMALL LETTER ES → LATIN SMALL LETTER C\t#
0421 ;\t0043 ;\tMA\t# a capital
FF43 ;\t0063 ;\tMA\t# a full-width form
00A0 ;\t0020 ;\tMA\t#* a space
006D ;\t0072 006E ;\tMA\t# ( m → rn )

03F2 ;\t0063 ;\tMA\t# ( ϲ → c ) GREEK LUNATE SIGMA SYMBOL → LATIN SMALL LETTER C\t#
1004 ;\t0063 ;\tMA\t# ( င → c ) MYANMAR LETTER NGA → LATIN SMALL LETTER C\t#

# total: 7
"""


def test_unicodes_file_is_made_small_and_reads_back() -> None:
    made = confusables.compact(OFFICIAL)
    assert "# Version: 99.0.0" in made
    assert confusables.parsed(made.split("\n")) == {0x441: "c", 0x1004: "c", 0x6D: "rn"}


def test_the_file_names_its_version_and_its_licence() -> None:
    head = confusables.DATA.read_text("utf-8").split("\n")[:10]
    assert "# Version: 17.0.0" in head
    assert confusables.DATA.with_name("confusables.license.txt").read_text("utf-8").startswith("UNICODE LICENSE V3")


def old_database() -> sqlite3.Connection:
    """Make a database as it was before skeletons, where some names look alike."""
    connection = sqlite.connect(":memory:")
    for number, script in migrations.available():
        if "skeleton(" in script:
            break
        migrations._apply(connection, number, script)
    people = [(1, "bob", None), (2, "b0b", None), (3, "ann", None), (4, "deleted-4", 5), (5, "воb", None)]
    connection.executemany(
        "INSERT INTO account (id, username, display_name, password_hash, admin, disabled, created, deleted)"
        " VALUES (?, ?, '', '', 0, 0, 0, ?)",
        people,
    )
    groups = [(1, "team"), (2, "tearn"), (3, None), (4, None), (5, "other")]
    connection.executemany(
        "INSERT INTO conversation (id, kind, handle, last_seq, last_rev, created) VALUES (?, 'group', ?, 0, 0, 0)",
        groups,
    )
    connection.execute("INSERT INTO retired_name (username, time) VALUES ('mike', 0), ('rnike', 0)")
    return connection


def test_names_that_looked_alike_before_are_kept_and_the_older_one_counts() -> None:
    connection = old_database()
    migrations.migrate(connection)
    people = connection.execute("SELECT username, skeleton FROM account ORDER BY id").fetchall()
    assert people == [("bob", "bob"), ("b0b", None), ("ann", "ann"), ("deleted-4", None), ("воb", skeleton("воb"))]
    groups = connection.execute("SELECT handle, skeleton FROM conversation ORDER BY id").fetchall()
    assert groups == [("team", "tearn"), ("tearn", None), (None, None), (None, None), ("other", "other")]
    assert connection.execute("SELECT DISTINCT skeleton FROM retired_name").fetchall() == [("rnike",)]
    connection.close()
