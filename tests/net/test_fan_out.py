"""A group with 600 people online is told in slices, in order; nothing is lost while people come and go."""

import json

import pytest

from imd.engine import hub, pacing
from imd.testing import MemoryTransport
from tests.net.hall import Hall, Member

ONLINE = 600


@pytest.fixture
def hall(monkeypatch: pytest.MonkeyPatch) -> Hall:
    hall = Hall(ONLINE + 100)
    monkeypatch.setattr(pacing, "TURN_SECONDS", -1)  # one completion, one session told and one flush in a turn
    return hall


def test_many_are_told_over_many_turns(hall: Hall) -> None:
    hall.people[0].ask("send_message", to="#team", content="hello")
    told = []
    while hall.turn():
        told.append(hall.hear())
    assert sum(told) == ONLINE, "the sender has the answer"
    assert max(told) == 1, "with no time at all, one is told in a turn"
    assert [fellow.seqs for fellow in hall.people] == [[], *[[1]] * (ONLINE - 1)]


def test_nothing_overtakes_and_nothing_is_lost_while_people_come_and_go(hall: Hall) -> None:
    stays, goes = hall.people[10:400], hall.people[400:500]
    comers: list[Member] = []
    sent = 0
    while hall.turn() or sent < 8:
        if sent < 8:
            hall.people[sent % 3].ask("send_message", to="#team", content=str(sent))
            sent += 1
        if goes:
            for fellow in goes[:12]:
                fellow.hear()
                fellow.hang_up()
            del goes[:12]
        if len(comers) < 100:
            comers += [Member(hall, ONLINE + 1 + len(comers) + number) for number in range(7)][: 100 - len(comers)]
        hall.hear()
    for fellow in comers:
        fellow.hear()
    everything = list(range(1, 9))
    assert all(fellow.seqs == everything for fellow in stays)
    assert len(comers) == 100
    assert all(fellow.seqs == everything for fellow in comers), [
        each.seqs for each in comers if each.seqs != everything
    ]
    for number, fellow in enumerate(hall.people[:3]):
        assert fellow.seqs == [seq for seq in everything if (seq - 1) % 3 != number], "the others' messages"
    for fellow in hall.people[400:500]:
        assert fellow.seqs == everything[: len(fellow.seqs)], "in order, as far as they were there"


def test_on_a_connection_that_is_somebody_elses_by_now_nothing_more_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slices go on over many turns; meanwhile one logs out, and on the same connection a stranger logs in."""
    monkeypatch.setattr(hub, "AT_ONCE", 10)
    hall = Hall(200)
    stranger = 200
    tx = hall.server.database.backend.writer.connection
    tx.execute("UPDATE member SET left_seq = 1 WHERE account = ?", (stranger,))
    *_, before, last = hall.people
    hall.people[0].ask("send_message", to="#team", content="for members only")
    for _ in range(3):
        hall.turn()
    last.ask("logout")
    last.resume(stranger)
    while hall.turn():
        pass
    said = [json.loads(line) for line in last.transport.value().splitlines()]
    identity = last.protocol.session.identity
    assert identity is not None
    assert identity.account == stranger
    assert [each.get("event") or each["action"] for each in said[:3]] == ["message", "logout", "resume"]
    hall.hear()
    assert (before.seqs, last.seqs) == ([1], [1]), "it heard it while it was still there"


def test_who_is_gone_is_told_nothing_any_more(hall: Hall) -> None:
    hall.people[0].ask("send_message", to="#team", content="hello")
    while not hall.server.factory.server.pacing._behind:
        hall.turn()
    for fellow in hall.people[1:]:
        fellow.hang_up()
    assert not hall.server.factory.server.pacing._behind


def test_a_reply_comes_after_what_was_changed_before_it(hall: Hall) -> None:
    """A device that keeps the highest rev of a conversation would else take the earlier change for an old one."""
    ann, bob = hall.people[0], hall.people[-1]
    ann.ask("send_message", to="#team", content="first")
    while not hall.server.factory.server.pacing._behind:
        hall.turn()
    bob.ask("send_message", to="#team", content="second")
    while hall.turn():
        pass
    said = [json.loads(line) for line in bob.transport.value().splitlines()]
    assert [(each.get("event"), each["rev"]) for each in said] == [("message", 1), (None, 2)]


def test_what_is_said_faster_than_it_can_be_told_is_told_in_few_writes_and_does_not_pile_up(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
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
            hall.people[number].ask("send_message", to="#team", content="hello")
    while hall.turn():
        most = max(most, *(len(late) for late in hall.server.factory.server.pacing._behind.values()), 0)
    hall.hear()
    assert all(fellow.seqs == list(range(1, 321)) for fellow in hall.people[20:])
    assert most <= 8
    assert writes < 320 * ONLINE / 4


def test_what_is_for_a_few_does_not_wait_until_many_are_told(hall: Hall) -> None:
    ann, bob = hall.people[0], hall.people[-1]
    ann.ask("send_message", to="#team", content="to many")
    while not any(fellow.hear() for fellow in hall.people[1:100]):
        hall.turn()
    ann.ask("send_message", to=f"name{ONLINE}", content="to one")
    while not hall.server.server.database.waiting:
        hall.turn()
    while hall.server.server.database.waiting or hall.server.server.database._writing:
        hall.turn()
    for _ in range(10):
        hall.turn()
    said = [json.loads(line) for line in bob.transport.value().splitlines()]
    assert [each["content"] for each in said if each.get("event") == "message"] == ["to many", "to one"]
    assert not hall.people[-2].hear(), "the others still wait"
