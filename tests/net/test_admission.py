"""How many connections there may be: of strangers, in all, and of one account; and whose place a newcomer takes."""

import pytest

from imd.chat.base.limits import Limits
from imd.testing import PASSWORD, MemoryServer, Terminal
from tests.net.peer import Peer


def crowd(server: MemoryServer, count: int, host: str = "192.0.2.1") -> list[Terminal]:
    """Connect strangers who have said something."""
    terminals = [server.connect(host) for _ in range(count)]
    for terminal in terminals:
        terminal.call("ping")
    return terminals


def test_beyond_twice_the_limit_of_an_address_nobody_is_let_in_or_told() -> None:
    server = MemoryServer(Limits(unauthenticated_per_address=3))
    for _ in range(6):
        server.connect("192.0.2.1")
    with pytest.raises(ConnectionRefusedError):
        server.connect("192.0.2.1")
    server.connect("192.0.2.2")


def test_a_browser_too_many_is_told_when_to_come_again() -> None:
    server = MemoryServer(Limits(unauthenticated_per_address=1))
    server.connect()
    browser = server.connect()
    browser.send(b"GET / HTTP/1.1\r\n\r\n")
    head = browser.transport.value()
    assert head.startswith(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30\r\n")
    assert b"Content-Length: 0\r\n" in head
    assert browser.closed


def test_where_there_is_no_room_the_oldest_of_the_fullest_address_makes_some() -> None:
    server = MemoryServer(Limits(unauthenticated=5))
    [early] = crowd(server, 1, "198.51.100.7")
    oldest, *others = crowd(server, 4)
    newcomer = server.connect("203.0.113.9")
    assert newcomer.call("ping")["status"] == "success"
    [closing] = oldest.objects()
    assert (closing["event"], closing["code"]) == ("closing", "rate_limited")
    assert "try again in 5 s" in closing["message"]
    assert closing["params"] == {"retry_after": 5}
    assert oldest.closed
    assert not any(terminal.closed for terminal in (early, newcomer, *others))
    assert server.factory.server.admission.strangers == 5


def test_a_flood_from_many_addresses_turns_out_the_oldest_first() -> None:
    server = MemoryServer(Limits(unauthenticated=5))
    person = crowd(server, 1, "198.51.100.7")[0]
    for number in range(4):
        crowd(server, 1, f"192.0.2.{number}")
    assert person.call("register", username="ann", password=PASSWORD)["status"] == "success"
    assert person.call("login", username="ann", password=PASSWORD)["status"] == "success"
    for number in range(20):
        crowd(server, 1, f"192.0.2.{100 + number}")
    assert person.call("whoami")["username"] == "ann"
    assert server.factory.server.admission.strangers == 5


def test_whoever_says_nothing_yet_is_cut_off_for_others() -> None:
    server = MemoryServer(Limits(unauthenticated=2))
    silent = server.connect("192.0.2.1")
    server.connect("192.0.2.1")
    server.connect("192.0.2.2")
    assert silent.transport.aborted
    assert silent.heard() == []


def test_strangers_never_take_the_room_of_those_who_log_in() -> None:
    server = MemoryServer(Limits(connections=8, unauthenticated=100))
    for number in range(40):
        crowd(server, 1, f"192.0.2.{number}")
    assert server.factory.server.admission.size == server.factory.server.admission.strangers == 4
    people = [server.login(f"name{number}") for number in range(4)]
    for number in range(40):
        crowd(server, 1, f"192.0.2.{number}")
    assert server.factory.server.admission.size == 8
    assert not any(person.closed for person in people)


def test_a_login_beyond_all_places_is_told_when_to_try_again() -> None:
    server = MemoryServer(Limits(connections=4, unauthenticated=2))
    ann, bob = server.login("ann"), server.login("bob")
    token = bob.call("login", username="bob", password=PASSWORD)
    assert token["code"] == "conflict", "who is logged in already learns nothing new"
    third = server.connect()
    third.call("register", username="carl", password=PASSWORD)
    for request in ({"action": "login", "username": "carl", "password": PASSWORD}, {"action": "resume", "token": "x"}):
        refused = third.call(**request)
        assert (refused["code"], refused["params"]) == ("rate_limited", {"retry_after": 30})
    assert "All places are taken" in refused["message"]
    ann.hang_up()
    assert third.call("login", username="carl", password=PASSWORD)["status"] == "success"


def test_where_all_are_logged_in_nobody_more_comes_in() -> None:
    server = MemoryServer(Limits(connections=4, unauthenticated=2))
    people = [server.login("ann"), server.login("bob"), server.connect(), server.connect()]
    for terminal, name in zip(people[2:], ("carl", "dora"), strict=True):
        terminal.protocol.session.server.limits = Limits()  # they began to log in while there was room
        terminal.call("register", username=name, password=PASSWORD)
        terminal.call("login", username=name, password=PASSWORD)
    server.server.limits = Limits(connections=4, unauthenticated=2)
    with pytest.raises(ConnectionRefusedError):
        server.connect()
    people[0].hang_up()
    assert server.connect().call("ping")["status"] == "success"


def test_those_who_are_told_why_they_go_take_no_place_either() -> None:
    server = MemoryServer(Limits(connections=4, unauthenticated=2))
    peers = []
    for _ in range(10):
        peers.append(Peer(server))
        peers[-1].send(b"PING\n")
    assert server.factory.server.admission.size == 4
    aborted = [peer.transport.aborted for peer in peers]
    assert aborted == [True] * 6 + [False] * 4
    for peer in peers:
        peer.end()
    assert not server.factory.server.admission.size
    assert not server.factory.server.admission._leaving
    assert not server.timers


def test_no_more_are_being_turned_out_than_may_wait_to_log_in() -> None:
    server = MemoryServer(Limits(unauthenticated=2))
    peers = []
    for _ in range(7):
        peers.append(Peer(server))
        peers[-1].send(b"PING\n")
    assert [peer.transport.aborted for peer in peers] == [True] * 3 + [False] * 4, "two wait, two are being told"
    assert server.factory.server.admission.size == 4
    assert len(server.factory.server.admission._leaving) == 2


def test_the_oldest_connection_of_an_account_makes_room_for_its_newest() -> None:
    server = MemoryServer(Limits(connections_per_account=2))
    oldest, second, bob = server.login("ann"), server.login("ann"), server.login("bob")
    third = server.login("ann")
    [closing] = [each for each in oldest.objects() if each["event"] == "closing"]
    assert (closing["code"], closing["params"]) == ("quota_exceeded", {"limit": 2})
    assert oldest.closed
    bob.call("send_message", to="ann", content="hi")
    assert [[each["content"] for each in terminal.objects() if "content" in each] for terminal in (second, third)] == [
        ["hi"],
        ["hi"],
    ]
    assert len(server.factory.online) == 2
