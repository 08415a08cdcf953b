"""The end of an account, piece by piece: everything taken back, nothing left in the files, restarts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imd.chat import deletion
from imd.chat.base.context import Caller
from imd.chat.base.effects import Addressee, Followers
from imd.chat.deletion import destroy
from imd.testing import PASSWORD as TYPED
from imd.testing import MemoryServer
from imd.wire.conversations import History, Sync
from imd.wire.deletion import DeleteAccount
from imd.wire.messages import MessageChanged
from imd.wire.personal import DeleteForMe
from tests.chat.leaving import SECRET, counted, end, rows, say, told_by
from tests.chat.rules import PASSWORD, Rules
from tests.chat.test_burning import burned, held

# -- taking everything back


def hears(caller: Caller, to: Addressee) -> bool:
    return isinstance(to, Followers) or caller.account in to


def test_everything_is_taken_back(rules: Rules, life: Caller, bob: Caller) -> None:
    before = rules.asks(bob, Sync(to="ann", after_rev=0)).rev
    rules.asks(life, DeleteAccount(password=PASSWORD, messages="recall"))
    told = [event for to, event in told_by(rules) if isinstance(event, MessageChanged) and hears(bob, to)]
    assert [(event.conversation, event.seq, event.what, event.by) for event in told] == [
        (1, 1, "recalled", "deleted-1"),
        (2, 1, "recalled", "deleted-1"),
        (2, 3, "recalled", "deleted-1"),
        (2, 5, "recalled", "deleted-1"),
    ]
    assert [each.content for each in rules.asks(bob, History(conversation=2)).messages] == ["", "from bob"] * 3
    changed = rules.asks(bob, Sync(conversation=2, after_rev=before)).messages
    assert [each.seq for each in changed] == [1, 3, 5]
    assert all(each.recalled for each in changed)


def test_in_a_group_that_one_has_left_as_well(rules: Rules, life: Caller, bob: Caller) -> None:
    rules.tx.execute("UPDATE member SET left_seq = 2 WHERE conversation = 1 AND account = ?", (life.account,))
    rules.tx.execute("UPDATE conversation SET members = 1 WHERE id = 1")
    assert counted(end(rules, life, messages="recall"))[0].get("groups") is None
    assert [each.content for each in rules.asks(bob, History(to="#team")).messages] == ["", "from bob"]
    assert rules.tx.execute("SELECT members FROM conversation WHERE handle = 'team'").fetchall() == [(1,)]


def test_what_happened_in_a_group_is_not_taken_back(rules: Rules, life: Caller, bob: Caller) -> None:
    rules.tx.execute(
        'UPDATE message SET kind = \'notice\', content = \'{"what":"joined","by":"x"}\' WHERE conversation = 1'
    )
    assert counted(end(rules, life, messages="recall"))[0]["recalled"] == 4
    assert all(each.notice for each in rules.asks(bob, History(to="#team")).messages)


# -- in pieces


def test_many_are_destroyed_in_pieces(rules: Rules, life: Caller, bob: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROWS_AT_ONCE", "MESSAGES_AT_ONCE", "CHANGES_AT_ONCE", "SEQS_AT_ONCE"):
        monkeypatch.setattr(deletion, name, 2)
    for seq in (1, 3, 5, 6):
        rules.asks(life, DeleteForMe(to="bob", seq=seq))
    receipt = rules.asks(life, DeleteAccount(password=PASSWORD, messages="recall"))
    assert counted(receipt)[0]["recalled"] == 5, "counted in pieces as well"
    left, pieces = [], 0
    while (done := rules.in_transaction(lambda tx: destroy(tx, rules.now))).again is not None:
        changes = [event for _, event in done.told if isinstance(event, MessageChanged)]
        assert len(changes) <= 2 * 2, "each told to two"
        left.append([len(rows(rules, table, f"account = {life.account}")) for table in ("hidden", "member")])
        rules.now, pieces = max(rules.now, done.again), pieces + 1
    assert [hidden for hidden, _ in left[:3]] == [5, 3, 1]
    assert pieces > 12
    assert rows(rules, "deletion") == []
    assert [each.content for each in rules.asks(bob, History(conversation=2)).messages] == ["", "from bob"] * 3


def test_it_goes_on_until_nothing_more_can_come(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, DeleteAccount(password=PASSWORD))
    while (done := rules.in_transaction(lambda tx: destroy(tx, rules.now))).again == rules.now:
        pass
    assert (done.again, rules.forgot()) == (rules.now + deletion.SETTLED, False)
    say(rules, ann, "bob", "what a connection had under way")
    assert [event.value for _, event in told_by(rules)] == ["deleted-1"]
    assert rows(rules, "member", f"account = {ann.account}") == []


def test_at_the_end_the_files_are_scrubbed_once(rules: Rules, life: Caller) -> None:
    rules.asks(life, DeleteAccount(password=PASSWORD))
    scrubbed = []
    assert not rules.forgot()
    while (done := rules.in_transaction(lambda tx: destroy(tx, rules.now))).again is not None:
        scrubbed.append(rules.forgot())
        rules.now = max(rules.now, done.again)
    assert scrubbed[-1]
    assert scrubbed.count(True) == 1


# -- burning, and two who leave


def test_what_was_to_burn_once_read_burns(rules: Rules, ann: Caller, bob: Caller) -> None:
    say(rules, bob, "ann", SECRET, burn_after=10)
    say(rules, ann, "bob", "mine, for bob", burn_after=10)
    rules.asks(ann, DeleteAccount(password=PASSWORD))
    expiring = [event for _, event in told_by(rules) if getattr(event, "what", "") == "expiring"]
    assert {event.seq for event in expiring} == {1}
    rules.now += 10_000
    burned(rules)
    contents = [each.content for each in rules.asks(bob, History(conversation=1)).messages]
    assert contents == ["", "mine, for bob"]


def test_when_both_are_gone_so_is_what_they_said(rules: Rules, life: Caller, bob: Caller) -> None:
    end(rules, life)
    assert counted(end(rules, bob))[1]["messages"] == 4
    assert [row[1] for row in rows(rules, "message", "kind <> 'notice'")] == [1, 1, 3], "the group's, and those to Cid"


def test_when_both_go_at_once(rules: Rules, life: Caller, bob: Caller) -> None:
    for caller in (life, bob):
        rules.asks(caller, DeleteAccount(password=PASSWORD, messages="recall"))
    told_by(rules)
    assert [row[1] for row in rows(rules, "message", "kind <> 'notice'")] == [1, 1, 3]
    assert rows(rules, "deletion") == []
    assert {row[0] for row in rows(rules, "account_log")} == {3}, "Cid's alone"


@pytest.mark.parametrize(
    ("messages", "left"), [("keep", {"from bob", "to all", "to cid", "x"}), ("recall", {"from bob", "x"})]
)
def test_all_words_are_blanked_before_a_row_shrinks(
    rules: Rules, life: Caller, bob: Caller, messages: Any, left: set[str]
) -> None:
    dora = rules.person("dora")
    say(rules, dora, "ann", "from dora")
    say(rules, dora, "bob", "x")
    end(rules, dora)
    rules.asks(life, DeleteAccount(password=PASSWORD, messages=messages))
    for _ in range(100):
        if rows(rules, "deletion", "blanked = 1"):
            break
        rules.in_transaction(lambda tx: destroy(tx, rules.now))
    words = {content.strip() for (content,) in rules.tx.execute("SELECT content FROM message").fetchall()}
    assert words - {""} - {f"to bob: {SECRET}"} == left
    assert (f"to bob: {SECRET}" in words) == (messages == "keep")


# -- on a server


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[MemoryServer]:
    """A server in files, where Ann and Bob have said what must not stay."""
    server = MemoryServer(path=str(tmp_path / "imd.db"))
    server.connect().call("register", username="ann", password=TYPED, display_name="canary-name")
    ann, bob = server.login("ann", device="canary-device"), server.login("bob")
    for number in range(20):
        long = "x" * number * 300
        ann.call("send_message", to="ann", content=f"canary-note {number} {long}")
        ann.call("send_message", to="bob", content=f"canary-sent {number} {long}")
        bob.call("send_message", to="ann", content=f"canary-from-bob {number} {long}")
    yield server
    server.stop()


def test_not_a_byte_is_left_in_the_files(filled: MemoryServer, tmp_path: Path) -> None:
    password_hash = asked(filled, "SELECT password_hash FROM account WHERE username = 'ann'")
    canaries = [b"canary-device", b"canary-note", b"canary-sent", b"canary-name", password_hash.encode()]
    assert [each for each in canaries if each not in held(tmp_path)] == [], "else this test could not fail"
    filled.login("ann").call("delete_account", password=TYPED, messages="recall")
    filled.pass_time(6)
    assert [each for each in canaries if each in held(tmp_path)] == []
    said = filled.login("bob").call("history", conversation=2)["messages"]
    assert [each["content"][:15] for each in said] == ["", "canary-from-bob"] * 20


def test_not_a_byte_is_left_when_both_are_gone(filled: MemoryServer, tmp_path: Path) -> None:
    for name in ("ann", "bob"):
        filled.login(name).call("delete_account", password=TYPED)
        filled.pass_time(6)
    assert b"canary" not in held(tmp_path)


def asked(server: MemoryServer, query: str) -> Any:
    """Ask the server's database itself for one value."""
    pool: Any = server.database.backend.writer
    return pool.connection.execute(query).fetchone()[0]


def test_a_restart_does_not_forget(tmp_path: Path) -> None:
    path = str(tmp_path / "imd.db")
    server = MemoryServer(path=path)
    ann = server.login("ann")
    ann.call("send_message", to="ann", content="a note")
    server.server.jobs.stop()
    ann.call("delete_account", password=TYPED)
    server.stop()
    server = MemoryServer(path=path)
    counts = "SELECT (SELECT count(*) FROM deletion) || ' ' || (SELECT count(*) FROM message)"
    assert asked(server, counts) == "1 1"
    server.pass_time(6)
    assert asked(server, counts) == "0 0"
    server.stop()


def test_every_connection_is_logged_out() -> None:
    server = MemoryServer()
    ann, twin = server.login("ann"), server.login("ann")
    assert ann.call("delete_account", password=TYPED)["tombstone"] == "deleted-1"
    assert twin.closed
    assert not ann.closed
    assert ann.call("whoami")["code"] == "auth_required"
