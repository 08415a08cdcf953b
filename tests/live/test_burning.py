"""A message that burned is in no file of a real daemon's, whose readers hold snapshots of their own."""

import json
import time
from typing import Any

from tests.live.daemon import Daemon, Line

SECRET = "under-the-third-flowerpot"


def test_not_a_byte_is_left(daemon: Daemon) -> None:
    alice, bob = daemon.connect(), daemon.connect()
    for actor, name in ((alice, "alice"), (bob, "bob")):
        call(actor, "register", username=name, password="correct horse battery")
        call(actor, "login", username=name, password="correct horse battery", replay=False)
    for number in range(30):
        call(alice, "send_message", to="bob", content=f"{SECRET} {number}", burn_after=1)
    call(bob, "history", to="alice")
    assert SECRET in held(daemon), "else this test could not fail"
    call(bob, "read", to="alice", seq=30)
    deadline = time.monotonic() + 10
    while SECRET in held(daemon) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert SECRET not in held(daemon)
    assert {each["content"] for each in call(bob, "history", to="alice")["messages"]} == {""}
    assert SECRET not in daemon.log


def call(line: Line, action: str, **fields: Any) -> dict[str, Any]:
    """Ask in JSON, and give the reply."""
    line.say(json.dumps({"action": action, **fields}))
    while (said := line.next_line()) is not None:
        if '"status"' in said:
            reply: dict[str, Any] = json.loads(said)
            assert reply["status"] == "success", reply
            return reply
    raise AssertionError("no reply")


def held(daemon: Daemon) -> str:
    """Read every byte the daemon keeps."""
    files = [file for file in (daemon.directory / "data").rglob("*") if file.is_file()]
    return b"".join(file.read_bytes() for file in files).decode("latin-1")
