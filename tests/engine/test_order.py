"""Replies come in request order, whatever is fast and whatever is slow; one reads what one wrote."""

import json
from typing import Any

import pytest

from imd.chat.base.limits import Limits
from imd.engine.session import PIPELINE
from imd.testing import PASSWORD, Terminal
from tests.engine.late import LateServer


@pytest.fixture
def server() -> LateServer:
    return LateServer()


def lines(*requests: tuple[str, dict[str, Any]]) -> bytes:
    """Write requests down, numbered by id from 0."""
    asked = [{"action": action, "id": number, **fields} for number, (action, fields) in enumerate(requests)]
    return b"".join(json.dumps(each).encode() + b"\n" for each in asked)


def replies(terminal: Terminal) -> list[dict[str, Any]]:
    return [each for each in terminal.objects() if "status" in each]


def send(to: str = "ann", content: str = "hi") -> tuple[str, dict[str, Any]]:
    return "send_message", {"to": to, "content": content}


PING: tuple[str, dict[str, Any]] = ("ping", {})


def test_replies_come_in_request_order_with_all_lanes_mixed(server: LateServer) -> None:
    ann = server.login("ann")
    server.late()
    asked = [
        send(),
        PING,
        send(),
        send("nobody"),
        ("history", {"to": "ann"}),
        ("change_password", {"old": PASSWORD, "new": "another secret"}),
        send(),
        ("no_such_action", {}),
        ("ack", {"to": "ann", "seq": 1}),
        ("conversations", {}),
        ("login", {"username": "ann"}),
        send(),
        ("user_list", {}),
        ("whoami", {}),
    ]
    ann.send(lines(*asked))
    assert replies(ann) == [], "nothing is answered before it is done"
    server.catch_up()
    heard = replies(ann)
    assert [each["id"] for each in heard] == list(range(len(asked)))
    assert [each["action"] for each in heard] == [action for action, _ in asked]
    codes = {each["id"]: each["code"] for each in heard if each["status"] == "fail"}
    assert codes == {3: "no_such_user", 7: "unknown_command", 10: "bad_request", 12: "forbidden"}


def test_writes_are_pipelined_into_one_group(server: LateServer) -> None:
    ann = server.login("ann")
    server.late()
    ann.send(lines(*[send()] * 40))
    assert len(server.writer.waiting) == 1
    server.writer.run()
    assert [each["seq"] for each in replies(ann)] == list(range(1, 41))


def test_a_read_waits_for_the_writes_before_it_and_sees_them(server: LateServer) -> None:
    ann = server.login("ann")
    server.late()
    ann.send(lines(send(content="one"), ("history", {"to": "ann"}), send(content="two"), ("history", {"to": "ann"})))
    assert not server.readers.waiting
    server.writer.run()
    assert not server.writer.waiting, "the second write waits for the read"
    server.catch_up()
    pages = [[each["content"] for each in reply["messages"]] for reply in replies(ann) if "messages" in reply]
    assert pages == [["one"], ["one", "two"]]


def test_a_refusal_by_the_gate_waits_for_its_turn(server: LateServer) -> None:
    ann = server.login("ann")
    server.late()
    ann.send(lines(send(), ("invite_create", {}), send(), ("user_disable", {"username": "ann"}), PING))
    assert replies(ann) == []
    server.catch_up()
    assert [each["id"] for each in replies(ann)] == [0, 1, 2, 3, 4]


def test_a_refusal_by_the_rate_limit_waits_for_its_turn() -> None:
    server = LateServer(Limits(requests_per_second=1, burst=5))
    ann = server.login("ann")
    server.pass_time(10)
    server.late()
    ann.send(lines(*[send()] * 8))
    assert replies(ann) == []
    server.catch_up()
    heard = replies(ann)
    assert [each["id"] for each in heard] == list(range(8))
    assert [each.get("code") for each in heard] == [None] * 5 + ["rate_limited"] * 3
    assert heard[-1]["params"] == {"retry_after": 1.0}


def test_what_follows_a_login_waits_to_know_who_asks(server: LateServer) -> None:
    server.login("ann")
    server.late()
    stranger = server.connect()
    stranger.send(lines(send(), ("login", {"username": "ann", "password": PASSWORD}), send(), ("logout", {}), send()))
    server.catch_up()
    heard = replies(stranger)
    assert [each["id"] for each in heard] == list(range(5))
    assert [each.get("code") for each in heard] == ["auth_required", None, None, None, "auth_required"]


def test_what_follows_resume_and_logout_waits_to_know_who_asks(server: LateServer) -> None:
    tokens = {}
    for name in ("ann", "bob"):
        server.login(name)
        terminal = server.connect()
        tokens[name] = terminal.call("login", username=name, password=PASSWORD)["token"]
        terminal.hang_up()
    server.late()
    stranger = server.connect()
    resume_ann, resume_bob = ("resume", {"token": tokens["ann"]}), ("resume", {"token": tokens["bob"]})
    stranger.send(
        lines(
            resume_ann, resume_bob, ("whoami", {}), ("logout", {}), ("logout", {}), send(), resume_bob, ("whoami", {})
        )
    )
    server.catch_up()
    heard = replies(stranger)
    codes = [each.get("code") for each in heard]
    assert codes == [None, "conflict", None, None, "auth_required", "auth_required", None, None]
    assert (heard[2]["username"], heard[7]["username"]) == ("ann", "bob")
    accounts = dict(server.rows("SELECT username, id FROM account"))
    [session] = [each.protocol.session for each in server.terminals if each is stranger]
    assert session not in server.factory.online.get(accounts["ann"], ())
    assert session in server.factory.online[accounts["bob"]]
    stranger.hang_up()
    assert accounts["bob"] not in server.factory.online or session not in server.factory.online[accounts["bob"]]


@pytest.mark.parametrize("held_up_by", ["login", "history"])
def test_a_full_pipeline_behind_something_slow_is_answered_without_piling_up(
    server: LateServer, held_up_by: str
) -> None:
    ann = server.login("ann")
    server.late()
    slow = ("change_password", {"old": PASSWORD, "new": PASSWORD}) if held_up_by == "login" else ("conversations", {})
    ann.send(lines(slow, *[PING] * (PIPELINE - 1)))
    server.catch_up()
    assert [each["id"] for each in replies(ann)] == list(range(PIPELINE))


def test_a_full_store_refuses_a_full_pipeline_without_piling_up(server: LateServer) -> None:
    ann = server.login("ann")
    server.late()
    server.database.waiting_limit = 0
    ann.send(lines(("conversations", {}), *[send()] * (PIPELINE - 1)))
    server.catch_up()
    heard = replies(ann)
    assert [each["id"] for each in heard] == list(range(PIPELINE))
    assert {each.get("code") for each in heard[1:]} == {"unavailable"}


def test_a_full_pipeline_stops_reading_and_goes_on_when_it_has_emptied(server: LateServer) -> None:
    ann = server.login("ann")
    server.late()
    ann.send(lines(*[send()] * (PIPELINE * 3)))
    assert ann.transport.producerState == "paused"
    assert ann.protocol.session._under_way == PIPELINE
    server.writer.run()
    server.settle()
    assert ann.transport.producerState == "paused", "there is still more than a pipeline to come"
    server.catch_up()
    assert ann.transport.producerState == "producing"
    assert [each["seq"] for each in replies(ann)] == list(range(1, PIPELINE * 3 + 1))


def test_lines_that_came_while_deaf_wait_in_their_order(server: LateServer) -> None:
    ann = server.login("ann")
    server.late()
    ann.send(lines(*[send()] * PIPELINE))
    ann.send(b'{"action":"ping","id":"half')
    ann.send(b' a line"}\n{"action":"ping","id":"last"}\n')
    server.catch_up()
    assert [each["id"] for each in replies(ann)] == [*range(PIPELINE), "half a line", "last"]
