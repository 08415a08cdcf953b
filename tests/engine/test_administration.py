"""What admins change holds for those who are connected, at once, and after a restart."""

from pathlib import Path

import pytest

from imd.chat.base.limits import Limits
from imd.net.factory import OperatorFactory
from imd.testing import MemoryServer, MemoryTransport, Terminal
from tests.engine.late import LateServer


def operator(server: MemoryServer) -> Terminal:
    protocol = OperatorFactory(server.server).buildProtocol(None)
    terminal = Terminal(server, protocol, MemoryTransport("operator"))
    protocol.makeConnection(terminal.transport)
    return terminal


def done(terminal: Terminal, action: str, **fields: object) -> None:
    reply = terminal.call(action, **fields)
    assert reply["status"] == "success", reply


def test_every_session_of_an_account_gets_the_right_and_loses_it() -> None:
    server = MemoryServer()
    root = operator(server)
    phone, laptop, bob = server.login("ann"), server.login("ann"), server.login("bob")
    for role, code in (("admin", None), ("user", "forbidden")):
        done(root, "user_role", username="ann", role=role)
        assert [each.call("user_list").get("code") for each in (phone, laptop)] == [code, code]
        assert bob.call("user_list")["code"] == "forbidden"


def test_an_admin_who_steps_down_is_none_by_the_next_line() -> None:
    server = MemoryServer()
    done(operator(server), "user_add", username="root", password="correct horse battery", admin=True)
    ann, root = server.login("ann"), server.login("root")
    done(root, "user_role", username="ann", role="admin")
    root.ask("user_role", username="root", role="user")
    root.ask("user_disable", username="ann")
    assert [each.get("code") for each in root.objects()] == [None, "forbidden"]
    done(ann, "user_list")


def test_what_a_demoted_admin_has_in_the_queue_changes_nothing() -> None:
    server = LateServer()
    root = operator(server)
    done(root, "user_add", username="ann", password="correct horse battery", admin=True)
    ann = server.login("ann")
    server.login("bob")
    ann.heard()
    server.late()
    root.ask("user_role", username="ann", role="user")
    ann.ask("user_disable", username="bob")
    ann.ask("user_add", username="eve", password="correct horse battery")
    server.catch_up()
    assert root.objects()[-1]["status"] == "success"
    assert [each.get("code") for each in ann.objects()] == ["forbidden", "forbidden"]
    assert server.rows("SELECT disabled FROM account WHERE username = 'bob'") == [(0,)]
    assert server.rows("SELECT count(*) FROM account WHERE username = 'eve'") == [(0,)]
    assert server.rows("SELECT action FROM audit ORDER BY number") == [("user_add",), ("user_role",)]


def test_a_rate_holds_for_open_connections_at_once() -> None:
    server = MemoryServer(Limits(requests_per_second=1, burst=3))
    ann = server.login("ann")
    root = operator(server)
    server.pass_time(10)
    done(root, "policy_set", requests_per_second=0)
    assert {ann.call("ping")["status"] for _ in range(20)} == {"success"}
    done(root, "policy_set", requests_per_second=1, burst=1)
    server.pass_time(1)
    assert [ann.call("ping").get("code") for _ in range(2)] == [None, "rate_limited"]
    server.pass_time(1)
    done(root, "policy_reset")
    server.pass_time(10)
    assert [ann.call("ping").get("code") for _ in range(4)] == [None, None, None, "rate_limited"]


def test_who_may_register_changes_at_once_and_goes_back() -> None:
    server = MemoryServer(registration="invite")
    root, stranger = operator(server), server.connect()
    fields = {"username": "ann", "password": "correct horse battery"}
    for registration, code in (("closed", "forbidden"), ("open", None)):
        done(root, "policy_set", registration=registration)
        assert stranger.call("register", **fields).get("code") == code
    done(root, "policy_reset")
    assert stranger.call("register", **fields).get("code") == "invite_required"


def test_words_hold_for_open_sessions() -> None:
    server = MemoryServer()
    server.login("bob")
    root, ann = operator(server), server.login("ann")
    done(root, "word_add", word="casino")
    assert ann.call("send_message", to="bob", content="a CASINO")["code"] == "forbidden"
    done(root, "word_remove", word="casino")
    done(ann, "send_message", to="bob", content="a CASINO")


def test_what_was_set_outlives_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "imd.sqlite3")
    server = MemoryServer(path=path)
    root = operator(server)
    done(root, "policy_set", registration="closed", burst=7)
    done(root, "word_add", word="casino")
    server.database.backend.writer.close()
    again = MemoryServer(Limits(burst=50, requests_per_second=9), path=path)
    shown = operator(again).call("policy_show")
    assert (shown["registration"], shown["burst"], shown["requests_per_second"]) == ("closed", 7, 9)
    assert again.server.word_filter.whole == {"casino"}
    again.database.backend.writer.close()


@pytest.mark.parametrize("replay", [True, False])
def test_an_announcement_during_a_login_is_told_once(replay: bool) -> None:
    """Whether it is made before the login reads what waits, or after: it is told, and only once."""
    for steps in range(8):
        server = LateServer()
        root = operator(server)
        server.login("ann", replay=False).hang_up()
        server.late()
        ann = server.connect()
        ann.ask("login", username="ann", password="correct horse battery", replay=replay)
        for _ in range(steps):
            server.settle()
            (server.hashing.run, server.readers.run, server.writer.run)[_ % 3]()
        root.ask("announcement_add", content="tea")
        server.catch_up()
        heard = [each for each in ann.objects() if each.get("event") == "announcement"]
        assert [each["content"] for each in heard] == ["tea"], steps


def test_a_report_reaches_the_admins_who_are_online() -> None:
    server = MemoryServer()
    done(operator(server), "user_add", username="root", password="correct horse battery", admin=True)
    root, bob, ann = server.login("root"), server.login("bob"), server.login("ann")
    bob.call("send_message", to="ann", content="boo")
    root.heard()
    ann.heard()
    done(ann, "report", to="bob", seq=1, reason="rude")
    [event] = root.objects()
    assert (event["event"], event["reporter"], event["sender"], event["content"]) == ("report", "ann", "bob", "boo")
    assert bob.objects() == []
    assert ann.objects() == []
