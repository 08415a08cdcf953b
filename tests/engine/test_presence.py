"""Coming and going: several devices are one presence, and a restart forgets nothing."""

from pathlib import Path
from typing import Any

import pytest

from imd.testing import PASSWORD, MemoryServer, Terminal
from tests.engine.late import LateServer


def friends(server: MemoryServer) -> tuple[Terminal, Terminal]:
    ann, bob = server.login("ann", replay=False), server.login("bob", replay=False)
    ann.call("friend_add", username="bob")
    bob.call("friend_add", username="ann")
    ann.heard()
    return ann, bob


def seen(terminal: Terminal) -> list[tuple[str, str]]:
    """List the presence events that came."""
    return [(each["username"], each["presence"]) for each in terminal.objects() if each.get("event") == "presence"]


def profile(terminal: Terminal, name: str) -> dict[str, Any]:
    reply = terminal.call("profile", username=name)
    return {key: reply[key] for key in ("presence", "presence_text", "last_seen") if key in reply}


def test_several_devices_are_one_presence() -> None:
    server = MemoryServer()
    ann, phone = friends(server)
    laptop = server.login("bob", replay=False)
    assert seen(ann) == [], "bob was here already"
    phone.hang_up()
    assert seen(ann) == []
    assert profile(ann, "bob") == {"presence": "online"}
    server.pass_time(60)
    laptop.hang_up()
    assert seen(ann) == [("bob", "offline")]
    assert profile(ann, "bob") == {"presence": "offline", "last_seen": "2026-09-21T14:14:20.000Z"}
    server.pass_time(60)
    server.login("bob", replay=False)
    assert seen(ann) == [("bob", "online")]


def test_logging_out_is_going_and_resuming_is_coming() -> None:
    server = MemoryServer()
    ann, bob = friends(server)
    bob.call("logout")
    assert seen(ann) == [("bob", "offline")]
    other = server.connect()
    token = other.call("login", username="bob", password=PASSWORD)["token"]
    assert seen(ann) == [("bob", "online")]
    other.hang_up()
    assert seen(ann) == [("bob", "offline")]
    server.connect().call("resume", token=token)
    assert seen(ann) == [("bob", "online")]


def test_who_is_invisible_comes_and_goes_unseen_and_last_seen_stands_still() -> None:
    server = MemoryServer()
    ann, bob = friends(server)
    server.pass_time(60)
    bob.call("presence", presence="invisible")
    gone = {"presence": "offline", "last_seen": "2026-09-21T14:14:20.000Z"}
    assert seen(ann) == [("bob", "offline")]
    assert profile(ann, "bob") == gone
    server.pass_time(60)
    bob.hang_up()
    assert profile(ann, "bob") == gone
    bob = server.login("bob", replay=False)
    assert profile(ann, "bob") == gone
    assert seen(ann) == []
    bob.call("presence", presence="busy", presence_text="writing")
    assert seen(ann) == [("bob", "busy")]
    assert profile(ann, "bob") == {"presence": "busy", "presence_text": "writing"}


def test_what_one_shows_oneself_as_holds_on_all_devices_and_after_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "imd.sqlite3")
    server = MemoryServer(path=path)
    ann, bob = friends(server)
    bob.call("presence", presence="away", presence_text="till Monday")
    bob.hang_up()
    bob = server.login("bob", replay=False)
    ann.heard()
    assert profile(ann, "bob") == {"presence": "away", "presence_text": "till Monday"}
    server.pass_time(60)
    server.server.note_last_seen()
    server.pass_time(0)
    server.stop()
    server = MemoryServer(path=path)
    ann = server.login("ann", replay=False)
    assert profile(ann, "bob") == {"presence": "offline", "last_seen": "2026-09-21T14:14:20.000Z"}
    server.login("bob", replay=False)
    assert seen(ann) == [("bob", "away")]
    server.stop()


def test_one_device_comes_while_the_other_goes() -> None:
    """The login is stored but not answered when the older device's connection ends."""
    server = LateServer()
    ann, phone = friends(server)
    server.late()
    laptop = server.connect()
    laptop.ask("login", username="bob", password=PASSWORD, replay=False)
    server.readers.run()
    server.hashing.run()
    server.settle()
    server.writer.work()
    phone.hang_up()
    assert 2 not in server.server.online
    server.catch_up()
    assert 2 in server.server.online
    assert seen(ann) == []


@pytest.mark.parametrize("presence", ["online", "away", "invisible"])
def test_a_new_friend_is_seen_as_what_they_are(presence: str) -> None:
    server = MemoryServer()
    ann, bob = server.login("ann", replay=False), server.login("bob", replay=False)
    bob.call("presence", presence=presence)
    bob.call("friend_add", username="ann")
    ann.heard()
    ann.ask("friend_add", username="bob")
    [mine] = [each for each in bob.objects() if each.get("event") == "friend_added"]
    assert (mine["username"], mine["presence"]) == ("ann", "online")
    twin = server.login("ann", replay=False)
    assert profile(twin, "bob")["presence"] == ("offline" if presence == "invisible" else presence)
