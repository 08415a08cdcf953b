"""Search: its pages, its index, and queries that are nonsense."""

import contextlib
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as some

from imd.chat.base.burning import forget
from imd.chat.base.context import Caller
from imd.chat.base.jobs import JobResult
from imd.chat.search import PAUSE, index
from imd.store import conversations as conversation_rows
from imd.store import messages as message_rows
from imd.store import migrations
from imd.store import search as sql
from imd.testing import MemoryServer
from imd.wire.messages import EditMessage, RecallMessage
from imd.wire.personal import ClearHistory, DeleteForMe
from imd.wire.refusals import BadRequest, NoSuchConversation, NoSuchUser
from imd.wire.search import Search
from tests.chat.rules import Rules
from tests.chat.searching import bring_up_to_date, contents, group, join, leave, send


def pages(rules: Rules, caller: Caller, query: str, limit: int) -> list[list[str]]:
    """Read all pages, while people go on talking."""
    listed: list[list[str]] = []
    before: int | None = None
    while True:
        found = rules.asks(caller, Search(query=query, limit=limit, before=before))
        listed.append(contents(found))
        assert found.more == (found.before is not None)
        if found.before is None:
            return listed
        assert before is None or found.before < before
        before = found.before
        send(rules, caller, caller.username, "meet meanwhile")


@pytest.mark.parametrize("indexed", [0, 4, 10])
@pytest.mark.parametrize("limit", [1, 3, 5, 9, 10, 11])
def test_pages_neither_repeat_nor_lose(rules: Rules, ann: Caller, bob: Caller, limit: int, indexed: int) -> None:
    for number in range(10):
        if number == indexed:
            bring_up_to_date(rules)
        send(rules, ann, "bob", f"meet {number}")
        send(rules, bob, "bob", "meet not you")
    if indexed == 10:
        bring_up_to_date(rules)
    for seq in (1, 4, 8, 10):
        rules.asks(ann, EditMessage(to="bob", seq=seq, content=f"meet at {seq - 1}"))
    wanted = [f"meet at {number}" if number in (0, 3, 7, 9) else f"meet {number}" for number in range(9, -1, -1)]
    assert pages(rules, ann, "meet", limit) == [wanted[at : at + limit] for at in range(0, 10, limit)]


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_are_full_whatever_one_may_not_see(
    rules: Rules, ann: Caller, bob: Caller, limit: int, indexed: bool
) -> None:
    group(rules, "team", ann, bob)
    for number in range(40):
        send(rules, ann, "#team" if number % 2 else "bob", f"meet {number}")
        if number == 9:
            leave(rules, "team", bob)
            join(rules, "team", bob)
            rules.asks(bob, ClearHistory(to="ann"))
    hidden = [13, 14, 15, 16, 20, 21, 25, 26, 27, 28, 29, 30, 31, 33]
    for number in hidden:
        rules.asks(bob, DeleteForMe(to="#team" if number % 2 else "ann", seq=number // 2 + 1))
    if indexed:
        bring_up_to_date(rules)
    wanted = [f"meet {number}" for number in range(39, 9, -1) if number not in hidden]
    assert pages(rules, bob, "meet", limit) == [wanted[at : at + limit] for at in range(0, len(wanted), limit)]


def test_a_page_ends_where_enough_was_looked_at(
    rules: Rules, ann: Caller, bob: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hits that the caller has hidden leave a page empty."""
    for number in range(40):
        send(rules, ann, "bob", f"meet {number}")
    for seq in range(5, 40):
        rules.asks(bob, DeleteForMe(to="ann", seq=seq))
    bring_up_to_date(rules)
    rules.asks(ann, EditMessage(to="bob", seq=2, content="meet them"))
    monkeypatch.setattr(sql, "EXAMINED", 10)
    found = pages(rules, bob, "meet", 2)
    assert [content for page in found for content in page] == ["meet 39", "meet 3", "meet 2", "meet them", "meet 0"]
    assert [] in found, "else this test could not fail"


# -- the index


def test_indexing_goes_in_pieces(rules: Rules, ann: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "PIECE", 10)
    monkeypatch.setattr(sql, "PIECE_CHARACTERS", 100)
    for content in ["x"] * 15 + ["y" * 60] * 4:
        send(rules, ann, "ann", content)
    taken = []
    while rules.in_transaction(lambda tx: index(tx, rules.now)) == JobResult(again=rules.now + PAUSE):
        taken += rules.tx.execute("SELECT indexed FROM search_state").fetchone()
    assert taken == [10, 17, 19], "by number, then by length"
    assert rules.in_transaction(lambda tx: index(tx, rules.now)) == JobResult()


def test_many_small_pieces_are_put_in_order(rules: Rules, ann: Caller) -> None:
    """A search looks into each part of the index."""
    for number in range(40):
        send(rules, ann, "ann", f"meet {number}")
        bring_up_to_date(rules)
    assert rules.tx.execute("SELECT count(DISTINCT segid) FROM search_index_idx").fetchone()[0] < 10
    assert len(contents(rules.asks(ann, Search(query="meet after:2026-09-21 before:2026-09-22", limit=50)))) == 40


def test_a_message_is_indexed_soon(rules: Rules) -> None:
    server = MemoryServer()
    alice = server.login("alice")
    alice.call("send_message", to="alice", content="meet")

    def indexed() -> list[tuple[int]]:
        return server.database.backend.writer.connection.execute("SELECT rowid FROM search_index").fetchall()  # type: ignore[attr-defined]

    assert indexed() == []
    server.pass_time(1)
    assert indexed() == [(1,)]
    assert [each["content"] for each in alice.call("search", query="meet")["messages"]] == ["meet"]


def test_what_was_destroyed_leaves_the_files_within_a_day(tmp_path: Path) -> None:
    server = MemoryServer(path=str(tmp_path / "imd.db"))
    alice = server.login("alice")

    def held() -> bool:
        return b"zyzzyva" in b"".join(file.read_bytes() for file in tmp_path.iterdir())

    for number in range(60):
        alice.call("send_message", to="alice", content=f"meet {number}")
    alice.call("send_message", to="alice", content="Zyzzyva")
    server.pass_time(1)
    alice.call("recall_message", to="alice", seq=61)
    assert held(), "else this test could not fail"
    for _ in range(4):
        server.pass_time(1)
    assert not held()
    alice.call("group_create", handle="#team", title="The team")
    alice.call("send_message", to="#team", content="Zyzzyva")
    server.pass_time(1)
    alice.call("group_delete", to="#team")
    for _ in range(23):
        server.pass_time(3600)
    assert held(), "once a day is enough"
    for _ in range(4):
        server.pass_time(3600)
    assert not held()
    assert server.clock.getDelayedCalls() == [], "and then there is nothing to do"
    assert [each["content"] for each in alice.call("search", query="meet", limit=60)["messages"]][59] == "meet 0"


def test_putting_the_index_together_anew_goes_in_pieces(
    rules: Rules, ann: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(400):
        send(rules, ann, "ann", " ".join(f"word{number}x{each}" for each in range(20)))
    bring_up_to_date(rules)
    monkeypatch.setattr(sql, "MERGED_PAGES", 4)
    rules.asks(ann, RecallMessage(to="ann", seq=1))
    steps = 0
    while rules.in_transaction(lambda tx: forget(tx, rules.now)).again == rules.now + PAUSE:
        steps += 1
    assert steps > 3
    assert rules.tx.execute("SELECT count(DISTINCT segid) FROM search_index_idx").fetchone() == (1,)
    assert len(contents(rules.asks(ann, Search(query="word3*", limit=200)))) == 111


def test_the_messages_of_an_older_version_are_indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    every = migrations.available()
    with monkeypatch.context() as older:
        older.setattr(migrations, "available", lambda: [each for each in every if each[0] < 6])
        rules = Rules()
    columns = "username, display_name, password_hash, admin, disabled, created"
    rules.tx.execute(f"INSERT INTO account ({columns}) VALUES ('ann', 'Ann', '', 0, 0, 0)")
    ann = attrs.evolve(rules.stranger(), account=1, username="ann")
    notes = conversation_rows.begin_direct(rules.tx, 1, 1, 0)
    for content in ("meet at six", "会议"):
        seq = message_rows.next_rev(rules.tx, notes)
        row = "conversation, seq, rev, sender, time, kind, content"
        rules.tx.execute(f"INSERT INTO message ({row}) VALUES (?, ?, ?, 1, 0, 'text', ?)", (notes, seq, seq, content))
        rules.tx.execute("UPDATE conversation SET last_seq = ?", (seq,))
    migrations.migrate(rules.tx)
    bring_up_to_date(rules)
    assert rules.tx.execute("SELECT rowid FROM search_index").fetchall() == [(1,), (2,)]
    for query, content in (("meet", "meet at six"), ("会", "会议")):
        assert contents(rules.asks(ann, Search(query=query))) == [content]
    rules.tx.close()


# -- queries that say nothing, or nonsense


@pytest.mark.parametrize(
    ("query", "case"),
    [
        ('"meet', "quote"),
        ('meet"', "quote"),
        ('meet "at" "', "quote"),
        ('from:"bob', "filter"),
        ("“meet", "quote"),
        (" ", "nothing_to_find"),
        ("。！ ... *", "nothing_to_find"),
        ('""', "nothing_to_find"),
        ("before:2026-11-01", "nothing_to_find"),
        ("m*", "beginning"),
        ("meet don't*", "beginning"),
        ("from:", "filter"),
        ("from: bob", "filter"),
        ('in:"" x', "filter"),
        ("from:bob from:ann", "doubled"),
        ("meet kind:file", "choice"),
        ("meet kind:notice", "choice"),
        ("meet before:yesterday", "date"),
        ("meet after:2026-13-01", "date"),
        ("meet after:2026", "date"),
    ],
)
def test_queries_that_are_refused(rules: Rules, ann: Caller, bob: Caller, query: str, case: str) -> None:
    refused = rules.refuses(ann, Search(query=query))
    assert (type(refused), refused.case) == (BadRequest, case)


SYNTAX = (
    "\" * : from: in: before: kind: 2026-11-01 AND OR NOT NEAR( ) words: {place} - ^ + meet 好 '' ; -- \\ “ c1 # text"
    " ａ* é* \0 \u3000"
)
QUERIES = some.one_of(
    some.text(min_size=1, max_size=256),
    some.lists(some.sampled_from([*SYNTAX.split(" "), " "]), min_size=1).map("".join),
)


@pytest.fixture(scope="module")
def talk() -> Any:
    """A room with some messages, half of them indexed. Nothing is written there any more."""
    rules = Rules()
    ann, _ = rules.person("ann"), rules.person("bob")
    for number in range(6):
        send(rules, ann, "bob", f"meet 好 c1 from in {number}")
        if number == 3:
            bring_up_to_date(rules)
    yield rules, ann
    rules.tx.close()


@given(query=QUERIES)
def test_whatever_is_asked_is_answered_or_refused(talk: tuple[Rules, Caller], query: str) -> None:
    rules, ann = talk
    with contextlib.suppress(BadRequest, NoSuchUser, NoSuchConversation):
        found = rules.asks(ann, Search(query=query))
        assert contents(found) == contents(rules.asks(ann, Search(query=f" {query}\t"))), "spaces say nothing"
