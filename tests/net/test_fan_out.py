"""A group with 600 people online is told in slices, in order; nothing is lost while people come and go."""

import json

import pytest

from imd.engine import hub, pacing
from imd.testing import MemoryTransport
from tests.net.large_group import LargeGroup, Member

ONLINE = 600


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> LargeGroup:
    large = LargeGroup(ONLINE + 100)
    monkeypatch.setattr(pacing, "TURN_SECONDS", -1)  # one completion, one session told and one flush in a turn
    return large


def test_many_are_told_over_many_turns(large: LargeGroup) -> None:
    large.people[0].ask("send_message", to="#team", content="hello")
    told = []
    while large.turn():
        told.append(large.hear())
    assert sum(told) == ONLINE, "the sender has the answer"
    assert max(told) == 1, "with no time at all, one is told in a turn"
    assert [member.seqs for member in large.people] == [[], *[[1]] * (ONLINE - 1)]


def test_nothing_overtakes_and_nothing_is_lost_while_people_come_and_go(large: LargeGroup) -> None:
    stays, goes = large.people[10:400], large.people[400:500]
    comers: list[Member] = []
    sent = 0
    while large.turn() or sent < 8:
        if sent < 8:
            large.people[sent % 3].ask("send_message", to="#team", content=str(sent))
            sent += 1
        if goes:
            for member in goes[:12]:
                member.hear()
                member.hang_up()
            del goes[:12]
        if len(comers) < 100:
            comers += [Member(large, ONLINE + 1 + len(comers) + number) for number in range(7)][: 100 - len(comers)]
        large.hear()
    for member in comers:
        member.hear()
    everything = list(range(1, 9))
    assert all(member.seqs == everything for member in stays)
    assert len(comers) == 100
    assert all(member.seqs == everything for member in comers), [
        each.seqs for each in comers if each.seqs != everything
    ]
    for number, member in enumerate(large.people[:3]):
        assert member.seqs == [seq for seq in everything if (seq - 1) % 3 != number], "the others' messages"
    for member in large.people[400:500]:
        assert member.seqs == everything[: len(member.seqs)], "in order, as far as they were there"


def test_on_a_connection_that_is_somebody_elses_by_now_nothing_more_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slices go on over many turns; meanwhile one logs out, and on the same connection a stranger logs in."""
    monkeypatch.setattr(hub, "AT_ONCE", 10)
    large = LargeGroup(200)
    stranger = 200
    tx = large.server.database.backend.writer.connection
    tx.execute("UPDATE member SET left_seq = 1 WHERE account = ?", (stranger,))
    *_, before, last = large.people
    large.people[0].ask("send_message", to="#team", content="for members only")
    for _ in range(3):
        large.turn()
    last.ask("logout")
    last.resume(stranger)
    while large.turn():
        pass
    said = [json.loads(line) for line in last.transport.value().splitlines()]
    identity = last.protocol.session.identity
    assert identity is not None
    assert identity.account == stranger
    assert [each.get("event") or each["action"] for each in said[:3]] == ["message", "logout", "resume"]
    large.hear()
    assert (before.seqs, last.seqs) == ([1], [1]), "it heard it while it was still there"


def test_who_is_gone_is_told_nothing_any_more(large: LargeGroup) -> None:
    large.people[0].ask("send_message", to="#team", content="hello")
    while not large.server.factory.server.pacing._behind:
        large.turn()
    for member in large.people[1:]:
        member.hang_up()
    assert not large.server.factory.server.pacing._behind


def test_a_reply_comes_after_what_was_changed_before_it(large: LargeGroup) -> None:
    """A device that keeps the highest rev of a conversation would else take the earlier change for an old one."""
    ann, bob = large.people[0], large.people[-1]
    ann.ask("send_message", to="#team", content="first")
    while not large.server.factory.server.pacing._behind:
        large.turn()
    bob.ask("send_message", to="#team", content="second")
    while large.turn():
        pass
    said = [json.loads(line) for line in bob.transport.value().splitlines()]
    assert [(each.get("event"), each["rev"]) for each in said] == [("message", 1), (None, 2)]


def test_what_is_said_faster_than_it_can_be_told_is_told_in_few_writes_and_does_not_pile_up(
    large: LargeGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commits are answered only as fast as they can be told; who is late hears all that waits in one write."""
    monkeypatch.setattr(pacing, "MOST_BEHIND", 8)
    monkeypatch.setattr(pacing, "TURN_SECONDS", -1)
    writes, most = 0, 0
    write = MemoryTransport.write

    def counted(transport: MemoryTransport, data: bytes) -> None:
        nonlocal writes
        writes += 1
        write(transport, data)

    monkeypatch.setattr(MemoryTransport, "write", counted)
    for number in range(20):
        for _ in range(16):
            large.people[number].ask("send_message", to="#team", content="hello")
    while large.turn():
        most = max(most, *(len(late) for late in large.server.factory.server.pacing._behind.values()), 0)
    large.hear()
    assert all(member.seqs == list(range(1, 321)) for member in large.people[20:])
    assert most <= 8
    assert writes < 320 * ONLINE / 4


def test_what_is_for_a_few_does_not_wait_until_many_are_told(large: LargeGroup) -> None:
    ann, bob = large.people[0], large.people[-1]
    ann.ask("send_message", to="#team", content="to many")
    while not any(member.hear() for member in large.people[1:100]):
        large.turn()
    ann.ask("send_message", to=f"name{ONLINE}", content="to one")
    while not large.server.server.database.waiting:
        large.turn()
    while large.server.server.database.waiting or large.server.server.database._writing:
        large.turn()
    for _ in range(10):
        large.turn()
    said = [json.loads(line) for line in bob.transport.value().splitlines()]
    assert [each["content"] for each in said if each.get("event") == "message"] == ["to many", "to one"]
    assert not large.people[-2].hear(), "the others still wait"
