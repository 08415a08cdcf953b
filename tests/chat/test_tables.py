"""What is declared of the tables holds: in a deletion, in a purge, and of what the wire calls things."""

from typing import Any, get_args

import pytest

from imd.chat.base.context import Caller
from imd.chat.groups import purge
from imd.store import tables
from imd.store.tables.declared import Gone, Table
from imd.wire.deletion import DeleteAccount, What
from imd.wire.friends import Block, FriendAccept, FriendAdd
from imd.wire.groups import GroupCreate, GroupDelete
from imd.wire.invitations import GroupInvite, GroupLink
from imd.wire.members import GroupBan, GroupJoin
from imd.wire.messages import Message, Reaction, SendMessage
from imd.wire.personal import DeleteForMe, Star
from imd.wire.reactions import React
from imd.wire.reports import ReportMessage
from tests.chat.leaving import end, say
from tests.chat.rules import PASSWORD, Rules


def of(rules: Rules, table: Table, column: str, number: int) -> list[Any]:
    return rules.tx.execute(f"SELECT * FROM {table.name} WHERE {column} = ?", (number,)).fetchall()


@pytest.fixture
def full(rules: Rules, life: Caller, bob: Caller, cid: Caller) -> Caller:
    """Ann, of whom every table has a row."""
    rules.asks(life, FriendAdd(username="bob"))
    rules.asks(bob, FriendAccept(username="ann"))
    rules.asks(life, FriendAdd(username="nobody"))
    rules.asks(life, Block(username="cid"))
    rules.asks(bob, GroupCreate(handle="#fans"))
    rules.asks(bob, GroupInvite(to="#fans", username="ann"))
    rules.asks(life, GroupCreate(handle="#mine"))
    rules.asks(life, GroupLink(to="#mine"))
    rules.asks(life, ReportMessage(to="bob", seq=2, reason="x"))
    say(rules, bob, "#team", "@ann look")
    rules.tx.execute("INSERT INTO second_factor VALUES (?, 'secret', NULL, 0)", (life.account,))
    rules.tx.execute("INSERT INTO recovery_code VALUES (?, 'hash')", (life.account,))
    return life


OF_ACCOUNTS = [each for each in tables.TABLES.values() if each.whose == "account" and each.name != "deletion"]


def test_a_deletion_does_what_is_declared(rules: Rules, full: Caller) -> None:
    for table in OF_ACCOUNTS:
        assert of(rules, table, table.by[0], full.account), f"{table.name}: else this test says nothing"
    end(rules, full)
    for table in OF_ACCOUNTS:
        left = of(rules, table, table.by[0], full.account)
        assert bool(left) == (not isinstance(table.deletion, Gone)), table.name
    assert rules.tx.execute("SELECT * FROM deletion").fetchall() == []


def test_a_tombstone_holds_what_is_declared(rules: Rules, full: Caller) -> None:
    end(rules, full)
    for name, column in tables.TABLES["account"].columns.items():
        if column.emptied and column.emptied != "?":
            [(same,)] = rules.tx.execute(f"SELECT {name} IS ({column.emptied}) FROM account WHERE id = 1").fetchall()
            assert same, name


@pytest.fixture
def group(rules: Rules, ann: Caller, bob: Caller, cid: Caller) -> int:
    """A group of which every table has a row."""
    made = rules.asks(ann, GroupCreate(handle="#club", title="Club"))
    rules.tx.execute("UPDATE conversation SET topic = 'x', join_mode = 'open' WHERE id = ?", (made.conversation,))
    rules.asks(bob, GroupJoin(to="#club"))
    rules.asks(ann, GroupInvite(to="#club", username="cid"))
    rules.asks(ann, GroupBan(to="#club", username=rules.person("dora").username))
    rules.asks(ann, GroupLink(to="#club"))
    sent = rules.asks(ann, SendMessage(to="#club", content="@bob look"))
    rules.asks(ann, SendMessage(to="#club", content="to burn", burn_after=60))
    rules.asks(bob, React(to="#club", seq=sent.seq, emoji="👍"))
    rules.asks(bob, Star(to="#club", seq=sent.seq))
    rules.asks(bob, ReportMessage(to="#club", seq=sent.seq, reason="x"))
    rules.asks(bob, DeleteForMe(to="#club", seq=sent.seq + 1))
    return int(made.conversation)


OF_CONVERSATIONS = [
    each
    for each in tables.TABLES.values()
    if "conversation" in each.columns and each.name not in ("conversation", "purge", "deletion")
]


def test_a_purge_does_what_is_declared(rules: Rules, ann: Caller, group: int) -> None:
    for table in OF_CONVERSATIONS:
        assert of(rules, table, "conversation", group), f"{table.name}: else this test says nothing"
    rules.asks(ann, GroupDelete(to="#club"))
    while rules.in_transaction(lambda tx: purge(tx, rules.now)).again is not None:
        pass
    for table in OF_CONVERSATIONS:
        left = of(rules, table, "conversation", group)
        assert bool(left) == (not isinstance(table.purge, Gone)), table.name
    words = rules.tx.execute("SELECT words FROM burning_words").fetchall()
    assert {each.strip() for (each,) in words} <= {""}
    assert rules.tx.execute("SELECT * FROM purge").fetchall() == []
    for name, column in tables.TABLES["conversation"].columns.items():
        if column.emptied:
            row = rules.tx.execute(f"SELECT {name} IS ({column.emptied}) FROM conversation WHERE id = ?", (group,))
            assert row.fetchall() == [(1,)], name


FIRST = {"account": 7_000_001, "conversation": 8_000_001}
"""Ids that are no other number."""


def unsaid(rules: Rules) -> list[str]:
    """List the columns that hold the number of an account or a conversation and do not say so."""
    return [
        f"{table.name}.{name}: say that it refers to the {to}"
        for table in tables.TABLES.values()
        for name, column in table.columns.items()
        for to, first in FIRST.items()
        if column.refers != to and (table.name, name) != (to, "id")
        if rules.tx.execute(
            f"SELECT 1 FROM {table.name} WHERE typeof({name}) = 'integer' AND {name} BETWEEN ? AND ?",
            (first, first + 99),
        ).fetchone()
    ]


def test_all_that_refers_to_somebody_or_somewhere_says_so(request: pytest.FixtureRequest, rules: Rules) -> None:
    rules.tx.execute(
        "INSERT INTO conversation (id, kind, last_seq, last_rev, created) VALUES (8000000, 'group', 0, 0, 0)"
    )
    rules.tx.execute(
        "INSERT INTO account (id, username, display_name, password_hash, admin, disabled, created)"
        " VALUES (7000000, 'zed', '', '', 0, 1, 0)"
    )
    full, _ = request.getfixturevalue("full"), request.getfixturevalue("group")
    assert unsaid(rules) == []
    rules.asks(full, DeleteAccount(password=PASSWORD))
    rules.asks(request.getfixturevalue("bob"), GroupDelete(to="#fans"))
    assert unsaid(rules) == []


def test_the_wire_has_a_word_for_all_that_a_receipt_counts() -> None:
    assert set(tables.OWN) <= set(get_args(What))


def test_an_export_says_of_a_message_what_the_wire_says_of_one() -> None:
    said = {*Message.__struct_fields__, *Reaction.__struct_fields__}
    assert tables.recorded("message").keys() <= said
    assert said - tables.recorded("message").keys() == {"to", "notice", "emoji", "count"}, "made of them, not kept"
