"""Crowds: much is said to many at once, while some log in, some only ask, and a connection breaks."""

import json

import pytest

from imd.chat.base.effects import Topic
from imd.engine import pacing
from tests.conftest import LoggedFailures
from tests.net.large_group import LargeGroup, Member


def busy(large: LargeGroup, times: int, text: str = "x") -> None:
    for sender in large.people[:4]:
        for _ in range(times):
            sender.ask("send_message", to="#team", content=text)


@pytest.mark.parametrize("online", [20, 200])
def test_who_logs_in_meanwhile_hears_everything_once_and_in_order(online: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of the replay holds what is committed, though it is told only in one of the next turns."""
    monkeypatch.setattr(pacing, "TURN_SECONDS", -1)
    large = LargeGroup(online + 100)
    busy(large, 10)
    comer = Member(large, online + 50)
    busy(large, 10)
    while large.turn():
        large.hear()
    said = [json.loads(line) for line in comer.transport.value().splitlines()]
    assert [each["seq"] for each in said if each.get("event") == "message"] == list(range(1, 81))


def test_many_who_only_ask_keep_nobody_waiting() -> None:
    large = LargeGroup(400)
    crowd = large.server.pacing
    for _ in range(20):
        for member in large.people[:-1]:
            member.ask("ping")
        large.turn()
        large.hear()
    assert len(crowd._unflushed) < len(large.people)
    large.people[0].ask("send_message", to=f"name{large.people[-1].account}", content="to one")
    for _ in range(10):
        large.turn()
        large.hear()
    assert large.people[-1].seqs == [1]
    large.people[5].ask("ping")
    large.people[5].protocol.session.send(b"{}")
    large.people[5].hang_up()
    assert large.people[5].protocol.session not in crowd._unflushed


def test_one_that_cannot_be_written_to_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, logged_failures: LoggedFailures
) -> None:
    monkeypatch.setattr(pacing, "MOST_BEHIND", 4)
    large = LargeGroup(300)

    broken = large.people[100]

    def fail(data: bytes) -> None:
        raise MemoryError

    monkeypatch.setattr(broken.transport, "write", fail)
    monkeypatch.setattr(broken.transport, "abortConnection", broken.hang_up)
    busy(large, 10)
    while large.turn():
        large.hear()
    logged_failures.expect(1)
    assert broken.protocol not in large.server.factory.server.admission.connections
    assert sum(len(member.seqs) >= 30 for member in large.people) == len(large.people) - 1
    assert large.server.database.idle


def test_a_quiet_group_before_it_lets_no_busy_one_fall_far_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "TURN_SECONDS", -1)
    monkeypatch.setattr(pacing, "MOST_BEHIND", 8)
    large = LargeGroup(700)
    crowd = large.server.pacing
    tx = large.server.database.backend.writer.connection
    tx.execute(
        "INSERT INTO conversation (id, kind, handle, members, last_seq, last_rev, created)"
        " VALUES (2, 'group', 'busy', 100, 0, 0, 0)"
    )
    for member in large.people[500:]:
        tx.execute(
            "INSERT INTO member (conversation, account, name, delivered_seq, read_seq) VALUES (2, ?, ?, 0, 0)",
            (member.account, f"name{member.account}"),
        )
        large.server.server.hub.unfollow(member.account, Topic.members(1))
        large.server.server.hub.follow(member.account, Topic.members(2), 0)
    large.people[0].ask("send_message", to="#team", content="one")
    for number in range(40):
        large.people[500 + number % 5].ask("send_message", to="#busy", content="x")
    most = 0
    while large.turn():
        most = max(most, *(len(late) for late in crowd._behind.values()), 0)
    assert most == 8


def test_large_messages_are_written_before_more_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is not read from yet would else be taken for one that reads too slowly."""
    large = LargeGroup(130)
    told: list[int] = []
    flush = pacing.Pacing._flush

    def counted(crowd: pacing.Pacing, until: float) -> None:
        told.append(crowd.told)
        flush(crowd, until)

    monkeypatch.setattr(pacing.Pacing, "_flush", counted)
    busy(large, 10, "y" * 16_000)
    while large.turn():
        large.hear()
    assert all(len(member.seqs) >= 30 for member in large.people)
    assert max(told) <= pacing.MOST_TOLD + 17_000
