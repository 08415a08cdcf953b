"""What is said in a group costs the same in one of 10,000 as in one of 10: counted, on a real database.

Statements are counted by SQLite's trace, rows by the steps of its virtual machine, which are the same to the last one;
and no statement scans a table.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from imd.chat.base.context import Caller
from imd.chat.base.effects import Followers
from imd.chat.base.handlers import HANDLERS
from imd.chat.base.limits import Limits
from imd.store import sqlite
from imd.store.migrations import migrate
from imd.testing import EPOCH
from imd.wire.base import Command
from imd.wire.conversations import History, ListConversations, Sync
from imd.wire.groups import AskGroup, GroupSet
from imd.wire.invitations import GroupApprove, GroupInvite
from imd.wire.members import GroupBan, GroupJoin, GroupKick, GroupLeave, GroupMute, GroupRole, ListMembers
from imd.wire.messages import EditMessage, RecallMessage, SendMessage
from imd.wire.reactions import React
from imd.wire.receipts import Ack, Read

MANY = 10_000


@attrs.define
class Crowd:
    """A database whose only group has so many members; the outsiders are as many again."""

    tx: sqlite3.Connection
    members: int

    def __attrs_post_init__(self) -> None:
        migrate(self.tx)
        self.tx.execute("BEGIN")
        people = range(1, 2 * MANY + 1)
        self.tx.executemany(
            "INSERT INTO account (id, username, display_name, password_hash, admin, disabled, created)"
            " VALUES (?, ?, '', '', 0, 0, 0)",
            ((each, f"name{each:05}") for each in people),
        )
        self.tx.execute(
            "INSERT INTO conversation (id, kind, handle, title, join_mode, members, last_seq, last_rev, created)"
            " VALUES (1, 'group', 'team', 'The team', 'request', ?, 1, 1, 0)",
            (self.members,),
        )
        self.tx.executemany(
            "INSERT INTO member (conversation, account, name, role, delivered_seq, read_seq) VALUES (1, ?, ?, ?, 1, 1)",
            ((each, f"name{each:05}", "owner" if each == 1 else "member") for each in people[: self.members]),
        )
        self.tx.execute(
            "INSERT INTO message (conversation, seq, rev, sender, time, kind, content)"
            " VALUES (1, 1, 1, 2, ?, 'text', 'hi')",
            (EPOCH,),
        )
        self.tx.execute("INSERT INTO pending (conversation, account, time) VALUES (1, ?, 0)", (2 * MANY - 1,))
        self.tx.execute("COMMIT")

    def run(self, who: int, command: Command) -> tuple[list[str], int, Any]:
        """Run a command and undo it. Gives its statements, the steps they took, and its outcome."""
        statements: list[str] = []
        steps = 0

        def step() -> int:
            nonlocal steps
            steps += 1
            return 0

        caller = Caller(now=EPOCH, limits=Limits(), account=who, username=f"name{who:05}")
        self.tx.execute("BEGIN IMMEDIATE")
        self.tx.set_trace_callback(statements.append)
        self.tx.set_progress_handler(step, 1)
        try:
            outcome = HANDLERS[type(command)].run(self.tx, caller, command)
        finally:
            self.tx.set_progress_handler(None, 1)
            self.tx.set_trace_callback(None)
            self.tx.execute("ROLLBACK")
        own = [each for each in statements if not each.startswith("--") and "'main'" not in each]
        return own, steps, outcome  # without what a trigger and the search index say to themselves

    def plan(self, statement: str) -> list[str]:
        return [row[3] for row in self.tx.execute(f"EXPLAIN QUERY PLAN {statement}")]


@pytest.fixture(scope="module")
def crowds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Crowd, Crowd]]:
    """Give a group of ten and one of ten thousand."""
    folder: Path = tmp_path_factory.mktemp("crowds")
    made = tuple(Crowd(sqlite.connect(str(folder / f"{members}.sqlite3")), members) for members in (10, MANY))
    yield made[0], made[1]
    for crowd in made:
        crowd.tx.close()


OWNER, MEMBER, OTHER, OUTSIDER, ASKING = 1, 2, 3, 2 * MANY, 2 * MANY - 1
OTHERS_NAME = f"name{OTHER:05}"

SENDING = [
    SendMessage(to="#team", content="hi"),
    SendMessage(conversation=1, content="hi"),
    SendMessage(to="#team", content="hi", client_id="c", reply_to=1),
    SendMessage(to="#team", content=f"@{OTHERS_NAME} and @all and @nobody", burn_after=5),
    EditMessage(to="#team", seq=1, content=f"@{OTHERS_NAME}"),
    RecallMessage(to="#team", seq=1),
    React(to="#team", seq=1, emoji="👍"),
]
SENT_BY = [
    (who, command) for command in SENDING for who in (MEMBER, OWNER) if who == MEMBER or "Edit" not in str(command)
]
DOING = [
    *SENT_BY,
    (MEMBER, Ack(to="#team", seq=1)),
    (MEMBER, Read(to="#team", seq=1)),
    (MEMBER, History(to="#team")),
    (MEMBER, Sync(to="#team", after_rev=0)),
    (MEMBER, ListConversations()),
    (MEMBER, AskGroup(to="#team")),
    (MEMBER, ListMembers(to="#team", limit=5)),
    (MEMBER, ListMembers(to="#team", limit=5, after="name00004")),
    (MEMBER, GroupLeave(to="#team")),
    (OUTSIDER, GroupJoin(to="#team")),
    (OWNER, GroupApprove(to="#team", username=f"name{ASKING:05}")),
    (OWNER, GroupInvite(to="#team", username=f"name{OUTSIDER:05}")),
    (OWNER, GroupSet(to="#team", slow_mode=5)),
    (OWNER, GroupRole(to="#team", username=OTHERS_NAME, role="admin")),
    (OWNER, GroupMute(to="#team", username=OTHERS_NAME, seconds=5)),
    (OWNER, GroupKick(to="#team", username=OTHERS_NAME)),
    (OWNER, GroupBan(to="#team", username=OTHERS_NAME)),
]


@pytest.mark.parametrize(("who", "command"), DOING, ids=[f"{type(each).__name__}-{who}" for who, each in DOING])
def test_it_costs_the_same_in_a_group_of_any_size(crowds: tuple[Crowd, Crowd], who: int, command: Command) -> None:
    (few, few_steps, _), (many, many_steps, _) = (crowd.run(who, command) for crowd in crowds)
    assert len(few) == len(many) <= 20
    assert few_steps == many_steps
    for statement in many:
        scanned = [line for line in crowds[1].plan(statement) if line.startswith("SCAN")]
        assert not scanned, (statement, scanned)


def test_the_plainest_message_is_four_statements(crowds: tuple[Crowd, Crowd]) -> None:
    for crowd in crowds:
        statements, _, _ = crowd.run(MEMBER, SENDING[0])
        assert [statement.split()[0] for statement in statements] == ["SELECT", "UPDATE", "INSERT", "UPDATE"]


@pytest.mark.parametrize("command", SENDING[:3])
def test_it_is_told_to_all_at_once(crowds: tuple[Crowd, Crowd], command: Command) -> None:
    for crowd in crowds:
        _, _, outcome = crowd.run(MEMBER, command)
        assert len(outcome.told) <= 2
        assert all(isinstance(to, Followers) for to, _ in outcome.told)


def test_the_rig_counts(crowds: tuple[Crowd, Crowd]) -> None:
    """What does look at every member is seen to."""
    (_, few, _), (_, many, _) = (crowd.run(OWNER, GroupLeave(to="#team")) for crowd in crowds)
    assert many > few + MANY
