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
from tests.chat.room import PASSWORD, Room


def of(room: Room, table: Table, column: str, number: int) -> list[Any]:
    return room.tx.execute(f"SELECT * FROM {table.name} WHERE {column} = ?", (number,)).fetchall()


@pytest.fixture
def full(room: Room, life: Caller, bob: Caller, cid: Caller) -> Caller:
    """Ann, of whom every table has a row."""
    room.asks(life, FriendAdd(username="bob"))
    room.asks(bob, FriendAccept(username="ann"))
    room.asks(life, FriendAdd(username="nobody"))
    room.asks(life, Block(username="cid"))
    room.asks(bob, GroupCreate(handle="#fans"))
    room.asks(bob, GroupInvite(to="#fans", username="ann"))
    room.asks(life, GroupCreate(handle="#mine"))
    room.asks(life, GroupLink(to="#mine"))
    room.asks(life, ReportMessage(to="bob", seq=2, reason="x"))
    say(room, bob, "#team", "@ann look")
    room.tx.execute("INSERT INTO second_factor VALUES (?, 'secret', NULL, 0)", (life.account,))
    room.tx.execute("INSERT INTO recovery_code VALUES (?, 'hash')", (life.account,))
    return life


OF_ACCOUNTS = [each for each in tables.TABLES.values() if each.whose == "account" and each.name != "deletion"]


def test_a_deletion_does_what_is_declared(room: Room, full: Caller) -> None:
    for table in OF_ACCOUNTS:
        assert of(room, table, table.by[0], full.account), f"{table.name}: else this test says nothing"
    end(room, full)
    for table in OF_ACCOUNTS:
        left = of(room, table, table.by[0], full.account)
        assert bool(left) == (not isinstance(table.deletion, Gone)), table.name
    assert room.tx.execute("SELECT * FROM deletion").fetchall() == []


def test_a_tombstone_holds_what_is_declared(room: Room, full: Caller) -> None:
    end(room, full)
    for name, column in tables.TABLES["account"].columns.items():
        if column.emptied and column.emptied != "?":
            [(same,)] = room.tx.execute(f"SELECT {name} IS ({column.emptied}) FROM account WHERE id = 1").fetchall()
            assert same, name


@pytest.fixture
def group(room: Room, ann: Caller, bob: Caller, cid: Caller) -> int:
    """A group of which every table has a row."""
    made = room.asks(ann, GroupCreate(handle="#club", title="Club"))
    room.tx.execute("UPDATE conversation SET topic = 'x', join_mode = 'open' WHERE id = ?", (made.conversation,))
    room.asks(bob, GroupJoin(to="#club"))
    room.asks(ann, GroupInvite(to="#club", username="cid"))
    room.asks(ann, GroupBan(to="#club", username=room.person("dora").username))
    room.asks(ann, GroupLink(to="#club"))
    sent = room.asks(ann, SendMessage(to="#club", content="@bob look"))
    room.asks(ann, SendMessage(to="#club", content="to burn", burn_after=60))
    room.asks(bob, React(to="#club", seq=sent.seq, emoji="👍"))
    room.asks(bob, Star(to="#club", seq=sent.seq))
    room.asks(bob, ReportMessage(to="#club", seq=sent.seq, reason="x"))
    room.asks(bob, DeleteForMe(to="#club", seq=sent.seq + 1))
    return int(made.conversation)


OF_CONVERSATIONS = [
    each
    for each in tables.TABLES.values()
    if "conversation" in each.columns and each.name not in ("conversation", "purge", "deletion")
]


def test_a_purge_does_what_is_declared(room: Room, ann: Caller, group: int) -> None:
    for table in OF_CONVERSATIONS:
        assert of(room, table, "conversation", group), f"{table.name}: else this test says nothing"
    room.asks(ann, GroupDelete(to="#club"))
    while room.in_transaction(lambda tx: purge(tx, room.now)).again is not None:
        pass
    for table in OF_CONVERSATIONS:
        left = of(room, table, "conversation", group)
        assert bool(left) == (not isinstance(table.purge, Gone)), table.name
    words = room.tx.execute("SELECT words FROM burning_words").fetchall()
    assert {each.strip() for (each,) in words} <= {""}
    assert room.tx.execute("SELECT * FROM purge").fetchall() == []
    for name, column in tables.TABLES["conversation"].columns.items():
        if column.emptied:
            row = room.tx.execute(f"SELECT {name} IS ({column.emptied}) FROM conversation WHERE id = ?", (group,))
            assert row.fetchall() == [(1,)], name


FIRST = {"account": 7_000_001, "conversation": 8_000_001}
"""Ids that are no other number."""


def unsaid(room: Room) -> list[str]:
    """List the columns that hold the number of an account or a conversation and do not say so."""
    return [
        f"{table.name}.{name}: say that it refers to the {to}"
        for table in tables.TABLES.values()
        for name, column in table.columns.items()
        for to, first in FIRST.items()
        if column.refers != to and (table.name, name) != (to, "id")
        if room.tx.execute(
            f"SELECT 1 FROM {table.name} WHERE typeof({name}) = 'integer' AND {name} BETWEEN ? AND ?",
            (first, first + 99),
        ).fetchone()
    ]


def test_all_that_refers_to_somebody_or_somewhere_says_so(request: pytest.FixtureRequest, room: Room) -> None:
    room.tx.execute(
        "INSERT INTO conversation (id, kind, last_seq, last_rev, created) VALUES (8000000, 'group', 0, 0, 0)"
    )
    room.tx.execute(
        "INSERT INTO account (id, username, display_name, password_hash, admin, disabled, created)"
        " VALUES (7000000, 'zed', '', '', 0, 1, 0)"
    )
    full, _ = request.getfixturevalue("full"), request.getfixturevalue("group")
    assert unsaid(room) == []
    room.asks(full, DeleteAccount(password=PASSWORD))
    room.asks(request.getfixturevalue("bob"), GroupDelete(to="#fans"))
    assert unsaid(room) == []


def test_the_wire_has_a_word_for_all_that_a_receipt_counts() -> None:
    assert set(tables.OWN) <= set(get_args(What))


def test_an_export_says_of_a_message_what_the_wire_says_of_one() -> None:
    said = {*Message.__struct_fields__, *Reaction.__struct_fields__}
    assert tables.recorded("message").keys() <= said
    assert said - tables.recorded("message").keys() == {"to", "notice", "emoji", "count"}, "made of them, not kept"
