"""Live sessions end when their device does: logout, revoke, a new password, a shut account; and how they end."""

import pytest

from imd.chat.base.limits import Limits
from imd.testing import PASSWORD, Terminal
from tests.engine.late import LateServer


@pytest.fixture
def server() -> LateServer:
    return LateServer()


def device(server: LateServer, username: str, label: str = "") -> tuple[Terminal, str]:
    """Log one more device in and give its token."""
    terminal = server.connect()
    terminal.call("register", username=username, password=PASSWORD)
    token = terminal.call("login", username=username, password=PASSWORD, device=label)["token"]
    terminal.heard()
    return terminal, token


def revoked(terminal: Terminal) -> bool:
    """Whether the last thing it heard was that it was logged out."""
    events = [each for each in terminal.objects() if each.get("event") == "closing"]
    assert terminal.closed is bool(events)
    assert [each["code"] for each in events] in ([], ["auth_required"])
    return terminal.closed


def resumes(server: LateServer, token: str) -> bool:
    terminal = server.connect()
    answer = terminal.call("resume", token=token)["status"] == "success"
    terminal.hang_up()
    return answer


def test_logout_ends_the_token_and_its_other_connections_but_not_its_own(server: LateServer) -> None:
    phone, token = device(server, "ann", "phone")
    twin = server.connect()
    twin.call("resume", token=token)
    laptop, other = device(server, "ann", "laptop")
    assert phone.call("logout")["status"] == "success"
    assert not phone.closed
    assert phone.call("whoami")["code"] == "auth_required"
    assert revoked(twin)
    assert not revoked(laptop)
    assert not resumes(server, token)
    assert resumes(server, other)


def test_a_session_that_logged_out_hears_nothing_more(server: LateServer) -> None:
    ann, _ = device(server, "ann")
    bob, _ = device(server, "bob")
    ann.call("logout")
    bob.call("send_message", to="ann", content="still there?")
    assert ann.objects() == []
    ann.call("login", username="bob", password=PASSWORD)
    bob.call("send_message", to="ann", content="and now?")
    assert [each["to"] for each in ann.objects() if each.get("event") == "message"][-1] == "ann"


def test_revoke_ends_another_device(server: LateServer) -> None:
    phone, token = device(server, "ann", "phone")
    laptop, _ = device(server, "ann", "laptop")
    assert laptop.call("revoke_device", device="phone")["status"] == "success"
    assert revoked(phone)
    assert not revoked(laptop)
    assert not resumes(server, token)
    assert laptop.call("revoke_device", device="phone")["code"] == "bad_request"


def test_revoking_oneself_is_answered_and_then_closed(server: LateServer) -> None:
    phone, token = device(server, "ann", "phone")
    phone.ask("revoke_device", device="phone")
    reply, closing = phone.objects()
    assert reply["status"] == "success"
    assert (closing["event"], closing["code"]) == ("closing", "auth_required")
    assert not resumes(server, token)


def test_nobody_revokes_the_devices_of_others(server: LateServer) -> None:
    ann, _ = device(server, "ann", "phone")
    bob, _ = device(server, "bob", "tablet")
    assert bob.call("revoke_device", device="phone")["code"] == "bad_request"
    assert not revoked(ann)


def test_a_new_password_ends_the_other_devices(server: LateServer) -> None:
    phone, old = device(server, "ann", "phone")
    laptop, kept = device(server, "ann", "laptop")
    assert laptop.call("change_password", old=PASSWORD, new="something new")["status"] == "success"
    assert revoked(phone)
    assert not revoked(laptop)
    assert not resumes(server, old)
    assert resumes(server, kept)
    assert server.connect().call("login", username="ann", password=PASSWORD)["code"] == "invalid_credentials"
    assert server.connect().call("login", username="ann", password="something new")["status"] == "success"


def admin(server: LateServer) -> Terminal:
    terminal, _ = device(server, "root")
    server.writer.connection.execute("UPDATE account SET admin = 1 WHERE username = 'root'")
    terminal.hang_up()
    terminal, _ = device(server, "root")
    return terminal


def test_a_shut_account_is_out_at_once_and_cannot_come_back(server: LateServer) -> None:
    root = admin(server)
    ann, token = device(server, "ann")
    assert root.call("user_disable", username="ann")["status"] == "success"
    assert revoked(ann)
    assert not resumes(server, token)
    assert server.connect().call("login", username="ann", password=PASSWORD)["code"] == "invalid_credentials"
    root.call("user_disable", username="ann", enable=True)
    assert server.connect().call("login", username="ann", password=PASSWORD)["status"] == "success"
    assert not resumes(server, token)


def test_a_password_set_by_an_admin_ends_every_device(server: LateServer) -> None:
    root = admin(server)
    ann, token = device(server, "ann")
    made = root.call("user_passwd", username="ann")
    assert revoked(ann)
    assert not resumes(server, token)
    assert server.connect().call("login", username="ann", password=made["password"])["status"] == "success"


def test_a_reset_password_wins_over_a_change_that_was_under_way(server: LateServer) -> None:
    """Whoever was the reason for the reset may be changing the password this very moment."""
    root = admin(server)
    ann, _ = device(server, "ann")
    server.late()
    ann.ask("change_password", old=PASSWORD, new="the thief's own")
    server.readers.run()
    work, answer = server.hashing.waiting.pop()
    answer.callback(work())  # the old password is right
    hashing_the_new_one = server.hashing.waiting.pop()
    root.ask("user_passwd", username="ann", password="the owner's again")
    server.catch_up()
    server.hashing.waiting.append(hashing_the_new_one)
    server.catch_up()
    [[kept]] = server.rows("SELECT password_hash FROM account WHERE username = 'ann'")
    assert server.server.passwords._verify(kept, "the owner's again")


def test_too_many_devices_end_the_one_seen_longest_ago() -> None:
    server = LateServer(Limits(requests_per_second=0, devices_per_account=3))
    devices: list[tuple[Terminal, str]] = []
    for _ in range(4):
        devices.append(device(server, "ann"))
        server.pass_time(1)
    assert [revoked(terminal) for terminal, _ in devices] == [True, False, False, False]
    assert [resumes(server, token) for _, token in devices] == [False, True, True, True]


def test_what_a_revoked_device_had_asked_is_not_done(server: LateServer) -> None:
    phone, _ = device(server, "ann", "phone")
    laptop, _ = device(server, "ann", "laptop")
    device(server, "bob")
    server.late()
    phone.send(b'{"action":"conversations"}\n{"action":"send_message","to":"bob","content":"from a thief"}\n')
    laptop.ask("revoke_device", device="phone")
    server.settle()
    server.writer.run()
    assert phone.protocol.session._over
    server.catch_up()
    assert server.rows("SELECT * FROM message") == []


def test_what_follows_quit_is_not_done(server: LateServer) -> None:
    ann, _ = device(server, "ann")
    ann.send(b'{"action":"quit"}\n{"action":"send_message","to":"ann","content":"x"}\n')
    assert [each["action"] for each in ann.objects()] == ["quit"]
    assert server.rows("SELECT * FROM message") == []


@pytest.mark.parametrize("action", ["send_message", "login", "history"])
def test_a_session_that_ends_while_its_work_is_under_way(server: LateServer, action: str) -> None:
    fields = {"to": "bob", "content": "x"}
    bob, _ = device(server, "bob")
    ann, _ = device(server, "ann")
    if action == "login":
        ann.hang_up()
        ann = server.connect()
        fields = {"username": "ann", "password": PASSWORD}
    elif action == "history":
        ann.call("send_message", to="bob", content="x")
        fields = {"to": "bob"}
    bob.heard()
    server.late()
    ann.ask(action, **fields)
    ann.ask("ping")
    ann.hang_up()
    server.catch_up()
    assert ann.heard() == []
    told = [each["content"] for each in bob.objects()]
    assert told == (["x"] if action == "send_message" else []), "what was stored is told"
    accounts = dict(server.rows("SELECT username, id FROM account"))
    assert accounts["ann"] not in server.factory.online
    assert ann.protocol not in server.factory.server.admission.connections


def test_the_deadline_cuts_a_login_that_is_still_being_checked(server: LateServer) -> None:
    server.login("ann").hang_up()
    server.late()
    stranger = server.connect()
    stranger.ask("login", username="ann", password=PASSWORD)
    server.pass_time(30)
    [closing] = stranger.objects()
    assert closing["code"] == "auth_required"
    server.catch_up()
    assert stranger.objects() == []
    assert server.factory.online == {}
