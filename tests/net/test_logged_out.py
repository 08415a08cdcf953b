"""A device that is logged out from afar, whose connection is behind in reading: nothing more is shown to it."""

import json

import pytest

from imd.net.connection import REVOKED_SECONDS
from imd.testing import PASSWORD, Terminal
from tests.engine.late import LateServer
from tests.net.peer import Peer
from tests.net.test_slow_consumer import LIMITS, ask, objects


@pytest.fixture
def server() -> LateServer:
    return LateServer(LIMITS)


def thief(server: LateServer) -> tuple[Terminal, Peer]:
    """Log ann in, and somebody who has her phone."""
    laptop = server.login("ann", device="laptop")
    phone = Peer(server)
    phone.send(ask("login", username="ann", password=PASSWORD, device="phone"))
    phone.read()
    return laptop, phone


def test_what_was_held_back_is_not_sent(server: LateServer) -> None:
    laptop, phone = thief(server)
    phone.fill()
    laptop.call("send_message", to="ann", content="a secret")
    assert laptop.call("revoke_device", device="phone")["status"] == "success"
    laptop.call("send_message", to="ann", content="another")
    [closing] = objects(phone.transport.unread)
    assert (closing["event"], closing["code"]) == ("closing", "auth_required")
    assert not phone.transport.aborted
    server.pass_time(REVOKED_SECONDS)
    assert phone.transport.aborted
    phone.end()
    assert not server.timers


def test_who_reads_is_answered_before_it_is_closed(server: LateServer) -> None:
    _, phone = thief(server)
    phone.send(ask("ping") + ask("revoke_device", device="phone"))
    ping, revoked, closing = objects(phone.read_all())
    assert (ping["action"], revoked["action"], closing["code"]) == ("ping", "revoke_device", "auth_required")


def test_one_that_was_told_to_go_already_is_not_waited_for_either(server: LateServer) -> None:
    laptop, phone = thief(server)
    phone.fill()
    server.pass_time(LIMITS.stall_seconds)
    assert json.loads(phone.transport.unread)["code"] == "slow_consumer"
    laptop.call("revoke_device", device="phone")
    server.pass_time(REVOKED_SECONDS)
    assert phone.transport.aborted
    phone.end()


def test_what_it_had_under_way_is_finished_unheard(server: LateServer) -> None:
    laptop, phone = thief(server)
    server.late()
    phone.send(ask("history", to="ann") + ask("send_message", to="ann", content="x"))
    laptop.ask("revoke_device", device="phone")
    server.catch_up()
    [closing] = objects(phone.read())
    assert closing["code"] == "auth_required"
    assert server.rows("SELECT * FROM message") == []
