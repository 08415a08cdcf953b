"""What the client remembers: each operation whole or not at all, and the file for its owner alone."""

import os
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from imd_client.database import NewerState, default_state_file
from imd_client.state import Account, State

from imd.wire.messages import Message, SendMessage
from tests.client.killable import KillableConnection, Killed


def message(seq: int, rev: int | None = None, sender: str = "bob", content: str = "hi") -> Message:
    return Message(
        conversation=1,
        seq=seq,
        rev=rev or seq,
        sender=sender,
        to="bob",
        kind="text",
        content=content,
        time="2026-11-23T06:25:18.123Z",
    )


@pytest.fixture
def account() -> Account:
    return State().account("localhost:7373", "ann")


def seqs(messages: list[Message]) -> list[int]:
    return [each.seq for each in messages]


def test_live_messages_are_applied_once(account: Account) -> None:
    applied = account.apply([message(1), message(2), message(2), message(1)])
    assert seqs(applied.fresh) == [1, 2]
    assert (applied.gaps, account.cursor(1), account.last_seq(1)) == ({}, 2, 2)


def test_a_gap_is_not_jumped(account: Account) -> None:
    account.apply([message(1)])
    applied = account.apply([message(3), message(4)])
    assert (applied.fresh, applied.gaps, account.cursor(1)) == ([], {1: 4}, 1)


def test_a_change_replaces_what_was_known_and_is_not_fresh(account: Account) -> None:
    account.apply([message(1), message(2)])
    change = account.merge(1, [message(1, rev=3, content="changed")], 3)
    assert change.fresh == []
    assert [(each.message.content, each.before and each.before.content) for each in change.changed] == [
        ("changed", "hi")
    ]
    assert [each.content for each in account.after(1, 0)] == ["changed", "hi"]
    account.merge(1, [message(1, rev=1, content="old")], 3)
    assert account.after(1, 0)[0].content == "changed"


def test_a_page_brings_the_cursor_to_its_rev_and_never_back(account: Account) -> None:
    assert seqs(account.merge(1, [message(2, rev=5), message(1, rev=6)], 7).fresh) == [1, 2]
    assert account.cursor(1) == 7
    account.merge(1, [], 3)
    assert account.cursor(1) == 7


def test_what_lies_before_the_first_sight_never_arrives(account: Account) -> None:
    assert seqs(account.merge(1, [message(8)], 8, since=7).fresh) == [8]
    late = account.merge(1, [message(9, rev=9), message(3, rev=10, content="edited")], 10)
    assert seqs(late.fresh) == [9]
    assert [(each.message.seq, each.before) for each in late.changed] == [(3, None)]
    assert seqs(account.unhandled()) == [8, 9]


def test_looking_up_what_was_said_before(account: Account) -> None:
    account.merge(1, [message(8), message(9)], 9, since=7)
    account.add_history([message(2), message(3), message(5), message(6), message(7)])
    assert seqs(account.before(1, 9, 50)) == [5, 6, 7, 8]
    assert seqs(account.before(1, 9, 2)) == [7, 8]
    assert (seqs(account.before(1, 2, 9)), account.cursor(1)) == ([], 9)
    assert seqs(account.unhandled()) == [8, 9]


def test_nothing_of_a_message_that_lost_its_content_stays_in_the_files(tmp_path: Path) -> None:
    account = State(tmp_path / "state").account("localhost:7373", "ann")
    account.apply([message(1, content="a secret worth forgetting"), message(2)])
    files = [tmp_path / "state", tmp_path / "state-wal"]
    assert any(b"worth forgetting" in file.read_bytes() for file in files)
    account.apply([message(1, rev=3, content="")])
    assert not any(b"worth forgetting" in file.read_bytes() for file in files)
    account.state.close()


def test_forgetting_a_conversation(account: Account) -> None:
    account.apply([message(1)])
    account.forget(1)
    assert (account.cursor(1), account.after(1, 0), account.last_seq(1)) == (None, [], 0)


def test_accounts_do_not_see_each_other(account: Account) -> None:
    other = account.state.account("localhost:7373", "bob")
    account.apply([message(1)])
    account.queue(SendMessage(to="bob", content="hi"))
    assert (other.cursor(1), other.after(1, 0), other.waiting(), other.unhandled()) == (None, [], [], [])


def test_the_outbox_keeps_the_order(account: Account) -> None:
    items = [account.queue(SendMessage(to="bob", content=text, reply_to=3)) for text in "abc"]
    assert account.waiting() == items
    account.answered(items[1])
    assert [item.content for item in account.waiting()] == ["a", "c"]
    assert len({item.message.client_id for item in items}) == 3


def test_what_imd_send_queued_is_for_imd_send_alone(account: Account) -> None:
    item = account.queue(SendMessage(to="bob", content="hi"), once=True)
    assert account.waiting() == []
    assert account.unanswered("bob", "hi", since=time.time() - 60) == item
    assert account.unanswered("bob", "hi", since=time.time() + 60) is None
    assert account.unanswered("bob", "ho", since=0) is None
    assert account.unanswered("carol", "hi", since=0) is None
    account.answered(item)
    assert account.unanswered("bob", "hi", since=0) is None


def test_handled_once(account: Account) -> None:
    account.apply([message(1), message(2, sender="ann"), message(3)])
    one, three = account.unhandled()
    assert account.handled(one, "answer") is not None
    assert account.handled(one, "again") is None
    assert account.handled(three) is None
    assert account.unhandled() == []
    assert [item.content for item in account.waiting()] == ["answer"]


def test_the_account_used_last(account: Account) -> None:
    state = account.state
    assert state.latest("localhost:7373") is None
    for name in ("ann", "bob", "ann"):
        state.account("localhost:7373", name).set_token(f"token of {name}")
    state.account("localhost:7373", "carol")
    assert state.latest("localhost:7373") == account
    assert account.token() == "token of ann"
    account.set_token(None)
    assert state.latest("localhost:7373") == state.account("localhost:7373", "bob")
    assert state.latest("elsewhere:7373") is None


def is_by_chance(value: object) -> bool:
    return (isinstance(value, str) and len(value) == 32) or (isinstance(value, int) and value > 1_000_000_000)


def dump(path: Path) -> list[str]:
    """Write down everything in the file but random ids and times."""
    with sqlite3.connect(path) as connection:
        rows = [
            [value for value in row if not is_by_chance(value)]
            for table in ("pin", "account", "outbox", "cursor", "message")
            for row in connection.execute(f"SELECT * FROM {table}")
        ]
    connection.close()
    return [repr(row) for row in rows]


OPERATIONS: dict[str, Callable[[Account], Any]] = {
    "queue": lambda account: account.queue(SendMessage(to="bob", content="new")),
    "stored": lambda account: account.stored(account.waiting()[0], message(2, sender="ann")),
    "apply": lambda account: account.apply([message(2), message(3)]),
    "merge": lambda account: account.merge(1, [message(1, rev=3), message(2)], 4),
    "forget": lambda account: account.forget(1),
    "handled": lambda account: account.handled(account.unhandled()[0], "answer"),
    "account": lambda account: account.state.account("localhost:7373", "new"),
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_is_whole_or_not_at_all(tmp_path: Path, operation: Callable[[Account], Any]) -> None:
    def begin(name: str) -> tuple[Path, Account, KillableConnection]:
        path = tmp_path / name
        account = State(path, KillableConnection).account("localhost:7373", "ann")
        account.queue(SendMessage(to="bob", content="waits"))
        account.apply([message(1)])
        connection = account.state._sqlite
        assert isinstance(connection, KillableConnection)
        return path, account, connection

    path, account, connection = begin("whole")
    before = dump(path)
    operation(account)
    after = dump(path)
    assert before != after
    for statements in count():
        path, account, connection = begin(f"{statements}")
        connection.statements_left = statements
        with suppress(Killed):
            operation(account)
        survived = connection.statements_left > 0
        connection.close()
        assert dump(path) in ([after] if survived else [before, after])
        if survived:
            assert statements > 1
            break


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "state"
    account = State(path).account("localhost:7373", "ann")
    account.queue(SendMessage(to="bob", content="hi"))
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    account.state.close()


def test_everything_is_there_the_next_time(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    state.set_pin("localhost:7373", "AB")
    account = state.account("localhost:7373", "ann")
    account.set_token("t")
    state.close()
    again = State(tmp_path / "state")
    assert (again.pin("localhost:7373"), again.pin("elsewhere:7373")) == ("AB", None)
    latest = again.latest("localhost:7373")
    assert latest is not None
    assert (latest.username, latest.token()) == ("ann", "t")
    assert again.execute("PRAGMA synchronous").fetchone() == (2,)
    again.close()


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    state.execute("PRAGMA user_version = 2")
    state.close()
    with pytest.raises(NewerState):
        State(tmp_path / "state")


def test_an_account_is_claimed_by_one_process(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    ann, bob = state.account("localhost:7373", "ann"), state.account("localhost:7373", "bob")
    assert ann.lock()
    assert not ann.lock()
    assert bob.lock()
    assert State().account("localhost:7373", "ann").lock()
    state.close()


def test_where_the_file_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")
    assert os.fspath(default_state_file()) == "/somewhere/imd/client.sqlite3"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/ann")
    assert os.fspath(default_state_file()) == "/home/ann/.local/state/imd/client.sqlite3"
