"""Burn after reading: when the time begins, what is left afterwards, and that nothing is left in the files."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from imd.chat.base.burning import PAUSE, burn, forget
from imd.chat.base.context import Caller
from imd.chat.base.effects import Schedule
from imd.chat.base.jobs import JobResult
from imd.chat.base.limits import Limits
from imd.store import conversations as conversation_rows
from imd.testing import MemoryServer
from imd.wire.conversations import History, Sync
from imd.wire.messages import EditMessage, SendMessage
from imd.wire.personal import ClearHistory
from imd.wire.receipts import Ack, Read
from tests.chat.rules import Rules

SECRET = "the key is under the mat"


def secret(to: str = "bob", seconds: int = 10) -> SendMessage:
    return SendMessage(to=to, content=SECRET, burn_after=seconds)


def burned(rules: Rules) -> JobResult:
    done = rules.in_transaction(lambda tx: burn(tx, rules.now))
    rules.in_transaction(lambda tx: forget(tx, rules.now))
    return done


def only(rules: Rules, caller: Caller, to: str) -> Any:
    [message] = rules.asks(caller, History(to=to)).messages
    return message


def test_the_time_begins_when_the_other_one_has_read(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, secret())
    rules.now += 10**9
    assert burned(rules) == JobResult(), "not read: it waits for ever"
    rules.asks(bob, Ack(to="ann", seq=1))
    rules.asks(ann, Read(to="bob", seq=1))
    assert burned(rules) == JobResult(), "delivered, and read by its sender"
    outcome = rules.does(bob, Read(to="ann", seq=1))
    assert outcome.effects == (Schedule(rules.now + 10_000),)
    assert [event.what for _, event in outcome.told if hasattr(event, "what")] == ["expiring", "expiring"]
    assert only(rules, bob, "ann").content == SECRET
    rules.now += 9_999
    assert burned(rules) == JobResult(again=rules.now + 1)
    rules.now += 1
    done = burned(rules)
    assert (rules.forgot(), done.again) == (True, None)
    assert [event.what for _, event in done.told] == ["burned", "burned"]


def test_a_tombstone_is_left_under_the_next_rev(rules: Rules, ann: Caller, bob: Caller) -> None:
    sent = rules.asks(ann, secret())
    rules.asks(bob, Read(to="ann", seq=1))
    rules.now += 10_000
    burned(rules)
    for caller, to in ((ann, "bob"), (bob, "ann")):
        left = only(rules, caller, to)
        assert (left.seq, left.content, bool(left.burned), left.expires) == (sent.seq, "", True, None)
        assert [each.seq for each in rules.asks(caller, Sync(to=to, after_rev=sent.rev)).messages] == [1]
    assert SECRET not in str(list(rules.tx.iterdump()))
    assert rules.asks(ann, secret()).seq == 2


def test_reading_again_does_not_begin_again(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, secret())
    rules.asks(bob, Read(to="ann", seq=1))
    rules.now += 5_000
    assert rules.does(bob, Read(to="ann", seq=1)).effects == ()
    rules.asks(ann, SendMessage(to="bob", content="x"))
    assert rules.does(bob, Read(to="ann", seq=2)).effects == ()
    rules.now += 5_000
    burned(rules)
    assert rules.forgot()


def test_clearing_counts_as_reading(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, secret())
    assert Schedule(rules.now + 10_000) in rules.does(bob, ClearHistory(to="ann")).effects


def test_a_note_to_oneself_burns_from_the_start(rules: Rules, ann: Caller) -> None:
    assert rules.does(ann, secret("ann")).effects == (Schedule(rules.now + 10_000),)


@pytest.fixture
def team(rules: Rules, ann: Caller, bob: Caller, cid: Caller) -> int:
    """A group of three."""
    return group(rules, ann, bob, cid)


def group(rules: Rules, *people: Caller) -> int:
    rules.tx.execute(
        "INSERT INTO conversation (kind, handle, last_seq, last_rev, created) VALUES ('group', 'team', 0, 0, 0)"
    )
    row = conversation_rows.by_handle(rules.tx, "team", 0)
    assert row is not None
    for each in people:
        conversation_rows.add_member(rules.tx, row, each.account, "member", 0, rules.now)
    return row.conversation


def test_in_a_group_the_time_begins_when_the_last_one_has_read(
    rules: Rules, ann: Caller, bob: Caller, cid: Caller, team: int
) -> None:
    rules.asks(ann, secret("#team"))
    first = rules.does(bob, Read(to="#team", seq=1))
    assert first.effects == ()
    last = rules.does(cid, Read(to="#team", seq=1))
    assert last.effects == (Schedule(rules.now + 10_000),)


def test_in_a_group_it_burns_after_a_while_read_or_not() -> None:
    rules = Rules(Limits(burn_days=2))
    ann = rules.person("ann")
    group(rules, ann, rules.person("bob"))
    outcome = rules.does(ann, secret("#team"))
    assert outcome.effects == (Schedule(rules.now + 2 * 86_400_000),)
    rules.now += 2 * 86_400_000
    burned(rules)
    assert rules.forgot()


def test_many_are_destroyed_in_pieces(rules: Rules, ann: Caller) -> None:
    for _ in range(60):
        rules.asks(ann, secret("ann", 1))
    rules.now += 1_000
    assert len(burned(rules).told) == 50
    assert len(burned(rules).told) == 10


def test_not_a_byte_is_left_in_the_files(tmp_path: Path) -> None:
    path = tmp_path / "imd.db"
    server = MemoryServer(path=str(path))
    alice, bob = server.login("alice"), server.login("bob")
    for number in range(20):
        alice.call("send_message", to="bob", content=f"{SECRET} {number} " + "x" * (number * 300), burn_after=5)
    assert SECRET.encode() in held(tmp_path), "else this test could not fail"
    bob.call("read", to="alice", seq=20)
    server.pass_time(5)
    left = bob.call("history", to="alice")["messages"]
    assert all(each["burned"] and not each["content"] for each in left)
    assert SECRET.encode() not in held(tmp_path)


def _talk(server: MemoryServer, chance: Random) -> list[str]:
    """Talk, change and take back at random, so that the database moves its rows about; gives what is to burn."""
    alice, secrets, plain = server.login("alice"), [], []
    alice.call("group_create", handle="#team")
    for number in range(400):
        to = chance.choice(["bob", "bob", "#team"])
        filling = "w" * chance.randint(1, chance.choice([5, 30, 300, 1500, 6000]))
        if chance.random() < 0.3:
            secrets.append(f"first secret {number}!")
            sent = alice.call("send_message", to=to, content=secrets[-1] + filling[:3000:50], burn_after=5)
            if chance.random() < 0.3:
                secrets.append(f"second secret {number}!")
                alice.call("edit_message", to=to, seq=sent["seq"], content=secrets[-1])
        else:
            plain.append((to, alice.call("send_message", to=to, content=filling)["seq"]))
        for _ in range(chance.randint(0, 3) if plain else 0):
            where, seq = chance.choice(plain)
            alice.call("edit_message", to=where, seq=seq, content=filling[: chance.randint(1, 3000)])
    return secrets


@pytest.mark.parametrize("seed", range(6))
def test_not_a_byte_is_left_where_rows_have_moved(tmp_path: Path, seed: int) -> None:
    server = MemoryServer(Limits(requests_per_second=0), path=str(tmp_path / "imd.db"))
    bob = server.login("bob")
    secrets = _talk(server, Random(seed))
    assert all(each.encode() in held(tmp_path) for each in secrets if "second" in each), "else this could not fail"
    bob.call("read", to="alice", seq=bob.call("history", to="alice")["messages"][-1]["seq"])
    server.login("alice").call("group_delete", to="#team")
    for _ in range(20):
        server.pass_time(5)
    left = held(tmp_path)
    assert [each for each in secrets if each.encode() in left] == []


def test_the_room_of_burned_words_is_given_back_when_none_are_left(rules: Rules, ann: Caller) -> None:
    def kept() -> int:
        return int(rules.tx.execute("SELECT count(*) FROM burning_words").fetchone()[0])

    for seconds in (1, 2):
        rules.asks(ann, secret("ann", seconds))
    rules.now += 1_000
    burned(rules)
    assert kept() == 2, "rows that go make others move, and those still say something"
    rules.now += 1_000
    burned(rules)
    assert kept() == 0


def test_the_room_of_much_that_burned_is_given_back_in_pieces(rules: Rules, ann: Caller) -> None:
    for _ in range(60):
        rules.asks(ann, secret("ann", 1))
    rules.now += 1_000
    rules.in_transaction(lambda tx: burn(tx, rules.now))
    rules.in_transaction(lambda tx: burn(tx, rules.now))
    assert rules.in_transaction(lambda tx: forget(tx, rules.now)) == JobResult(again=rules.now + PAUSE)
    assert rules.in_transaction(lambda tx: forget(tx, rules.now)) == JobResult()


def test_an_edit_of_what_burns_is_forgotten_as_well(rules: Rules, ann: Caller, bob: Caller) -> None:
    rules.asks(ann, secret())
    assert not rules.forgot()
    rules.asks(ann, EditMessage(to="bob", seq=1, content="other words"))
    assert rules.forgot()


def held(directory: Path) -> bytes:
    """Read every byte of the database's files."""
    return b"".join(file.read_bytes() for file in sorted(directory.iterdir()))


def test_a_restart_does_not_forget(tmp_path: Path) -> None:
    path = str(tmp_path / "imd.db")
    server = MemoryServer(path=path)
    alice, bob = server.login("alice"), server.login("bob")
    alice.call("send_message", to="bob", content=SECRET, burn_after=5)
    bob.call("read", to="alice", seq=1)
    server.stop()
    server = MemoryServer(path=path)
    alice = server.login("alice")
    assert alice.call("history", to="bob")["messages"][0]["content"] == SECRET
    server.pass_time(5)
    assert alice.call("history", to="bob")["messages"][0]["content"] == ""
