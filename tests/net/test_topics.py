"""Topics: who follows what while online, and how many are told without holding the reactor up."""

import pytest

from imd.chat.base.effects import Followers, Topic
from imd.engine import hub as rules
from imd.engine.encoded_event import EncodedEvent
from imd.testing import MemoryServer, Terminal
from imd.wire.session import Welcome

TOPIC = Topic.members(1)


@pytest.fixture
def server() -> MemoryServer:
    return MemoryServer()


def account(terminal: Terminal) -> int:
    identity = terminal.protocol.session.identity
    assert identity is not None
    return identity.account


def told(server: MemoryServer, to: Followers | tuple[int, ...]) -> None:
    server.server.hub.tell(EncodedEvent(to, Welcome(server="x")))


def heard(terminal: Terminal) -> int:
    return sum(each.get("event") == "welcome" for each in terminal.objects())


def test_all_besides_one_and_one_only(server: MemoryServer) -> None:
    ann, bob, cid = (server.login(name) for name in ("ann", "bob", "cid"))
    for each in (ann, bob):
        server.server.hub.follow(account(each), TOPIC, 0)
    told(server, Followers(TOPIC))
    told(server, Followers(TOPIC, besides=account(ann)))
    told(server, Followers(TOPIC, only=account(ann)))
    told(server, Followers(TOPIC, only=account(cid)))
    assert (heard(ann), heard(bob), heard(cid)) == (2, 2, 0)


def test_only_what_came_after_one_began_to_follow(server: MemoryServer) -> None:
    ann = server.login("ann")
    server.server.hub.follow(account(ann), TOPIC, 5)
    for seq in (4, 5, 6):
        told(server, Followers(TOPIC, seq=seq))
        told(server, Followers(TOPIC, only=account(ann), seq=seq))
    assert heard(ann) == 2


def test_everyone_is_who_is_online(server: MemoryServer) -> None:
    ann, bob = server.login("ann"), server.login("bob")
    ann.hang_up()
    stranger = server.connect()
    told(server, Followers(Topic.everyone()))
    assert (heard(bob), heard(stranger)) == (1, 0)


def test_who_is_gone_follows_nothing(server: MemoryServer) -> None:
    ann, twin = server.login("ann"), server.login("ann")
    hub = server.factory.server.hub
    hub.follow(account(ann), TOPIC, 0)
    hub.follow(account(ann), Topic.members(2), 0)
    ann.hang_up()
    assert hub.followers == {TOPIC: {account(twin): 0}, Topic.members(2): {account(twin): 0}}
    hub.unfollow(account(twin), TOPIC)
    hub.unfollow(account(twin), TOPIC)
    twin.hang_up()
    assert hub.followers == {}
    assert hub._followed == {}
    hub.follow(1, TOPIC, 0)
    assert hub.followers == {}, "nobody follows who is not here"


def test_many_are_told_in_slices_and_nothing_overtakes(server: MemoryServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "AT_ONCE", 10)
    people = [server.login(f"p{number}") for number in range(35)]
    for each in people:
        server.server.hub.follow(account(each), TOPIC, 0)
        each.heard()
    for name in ("one", "two"):
        server.server.hub.tell(EncodedEvent(Followers(TOPIC), Welcome(server=name)))
    server.server.hub.tell(EncodedEvent((account(people[-1]),), Welcome(server="three")))
    people[20].hang_up()
    for number, each in enumerate(people):
        said = [line["server"] for line in each.objects()]
        assert said == ([] if number == 20 else ["one", "two", "three"][: 3 if number == 34 else 2])
