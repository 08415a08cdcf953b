"""A canary: secrets go through every command there is, and nothing but the database may know of them afterwards."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import inspect, structs
from twisted.logger import globalLogPublisher

from imd.chat.lanes import HANDLERS, Handler, Lane
from imd.chat.limits import Limits
from imd.run import log
from imd.run.config import load
from imd.testing import PASSWORD, MemoryServer, Terminal
from imd.wire.accounts import Login
from imd.wire.base import Right, Spec, registry
from imd.wire.fields import kinds
from tests.chat.authenticator import code
from tests.conftest import LoggedFailures

CANARY = "canary"
"""Stands in every text that goes in; the number tells which."""

ENDS_IT = ("quit", "logout")


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Path]:
    """Logs in both formats, as they are while the test runs."""
    observers = []
    for name in ("text", "json"):
        config = load({"log_format": name, "log_file": str(tmp_path / f"{name}.log"), "log_bytes": 10**9}, {})
        observers.append(log.observer(config))
        globalLogPublisher.addObserver(observers[-1])
    yield tmp_path
    for observer in observers:
        globalLogPublisher.removeObserver(observer)


def filled(spec: Spec, marked: Iterator[str]) -> dict[str, Any]:
    """Give a command whose every text holds a canary, and whose numbers mean something."""
    fields: dict[str, Any] = {}
    for field in structs.fields(spec.shape):
        kind = kinds(field.type)[0]
        if isinstance(kind, inspect.StrType):
            text = next(marked)
            fields[field.name] = text[: kind.max_length] if kind.max_length else text
        elif isinstance(kind, inspect.IntType):
            fields[field.name] = 1
        elif isinstance(kind, inspect.BoolType):
            fields[field.name] = True
    return fields


def canaries() -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield f"{CANARY}{number}x\r\n\x1b[31m"


def everything(come: Callable[[], Terminal], marked: Iterator[str], admin: bool) -> None:
    """Give every command: about a canary, about bob, about a conversation; whole and broken; in both dialects."""
    terminal = come()
    for spec in sorted(registry, key=lambda spec: spec.action == "policy_set"):  # which may end all talk
        if spec.action in ENDS_IT or (spec.right is Right.ADMIN and not admin):
            continue
        fields = filled(spec, marked)
        numbered = {name: value for name, value in fields.items() if name not in ("to", "username", "target")}
        ways = [{**fields, name: who} for name in ("to", "username") if name in fields for who in ("bob", fields[name])]
        for way in [*({k: v for k, v in each.items() if k != "conversation"} for each in ways), numbered]:
            if terminal.closed:
                terminal = come()
            terminal.call(spec.action, **way)
        if terminal.closed:
            terminal = come()
        terminal.say(f"{spec.verb} bob {next(marked)}")
        terminal.say(f'{{"action": "{spec.action}", "nonsense": "{CANARY}", "content": [')
        terminal.heard()


def found(directory: Path) -> list[str]:
    return [
        f"{path.name}: {line}"
        for path in directory.rglob("*")
        if path.is_file() and not path.name.startswith("imd.sqlite3")
        for line in path.read_text("utf-8", "replace").splitlines()
        if re.search(CANARY, line, re.IGNORECASE)
    ]


NAME, SECRET = f"{CANARY}0", f"{CANARY} secret password"


def server_with_people(directory: Path) -> MemoryServer:
    """Start a server where bob lives, and an admin whose very name is a canary."""
    limits = Limits(requests_per_second=0, failed_logins=10**6, unauthenticated_per_address=10**6)
    server = MemoryServer(limits, path=os.fspath(directory / "imd.sqlite3"))
    bob = server.login("bob")
    server.login(NAME, password=SECRET).call("send_message", to="bob", content=f"{CANARY} hello")
    bob.call("send_message", to=NAME, content=f"{CANARY} back")
    connection = server.house.database.writer.connection  # type: ignore[attr-defined]
    connection.execute("UPDATE account SET admin = 1 WHERE username = ?", (NAME,))
    return server


def test_no_secret_is_written_beside_the_database(written: Path, capfd: pytest.CaptureFixture[str]) -> None:
    server = server_with_people(written)
    marked = canaries()
    everything(server.connect, marked, admin=False)
    everything(lambda: server.login("bob"), marked, admin=False)
    everything(lambda: server.login(NAME, password=SECRET), marked, admin=True)
    server.pass_time(7200)
    assert int(re.findall(r"\d+", next(marked))[0]) > 300, "the canary sang"
    server.stop()
    printed = capfd.readouterr()
    assert CANARY not in (printed.out + printed.err).casefold()
    assert found(written) == []


def test_nor_what_a_second_factor_is_made_of(written: Path, capfd: pytest.CaptureFixture[str]) -> None:
    server = server_with_people(written)
    bob = server.login("bob")
    made = bob.call("factor_add", password=PASSWORD)
    kept = [made["secret"], made["uri"], *(code(made["secret"], server.house.now(), steps) for steps in (-1, 0, 1))]
    kept += (recovery := bob.call("factor_confirm", code=kept[2])["codes"])
    other = server.connect()
    ways = [("login", {"username": "bob"}), ("factor_remove", {}), ("change_password", {"old": PASSWORD, "new": "x"})]
    for given in (kept[2], kept[3], recovery[0], recovery[0], "999999"):
        other.call("login", username="bob", password=PASSWORD, code=given)
        for action, fields in ways:
            bob.call(action, **{"password": PASSWORD, "code": given, **fields})
            bob.say(f"{registry.actions[action].verb} bob code={given} {PASSWORD}")
    server.login(NAME, password=SECRET).call("user_unfactor", username="bob")
    server.stop()
    printed = capfd.readouterr()
    logs = "".join((written / f"{name}.log").read_text() for name in ("text", "json")) + printed.out + printed.err
    assert logs.count("login failed from 127.0.0.1: account 1, invalid_credentials.wrong_code") > 2
    assert [each for each in kept if each in logs] == []


@pytest.mark.parametrize("lane", Lane)
def test_nor_when_something_breaks(
    lane: Lane, written: Path, monkeypatch: pytest.MonkeyPatch, logged_failures: LoggedFailures
) -> None:
    """Every handler of a lane stumbles: the log has a traceback and a reference, and none of what was asked."""
    server = server_with_people(written)

    def stumble(*arguments: Any) -> Any:
        raise RuntimeError("stumbled")

    async def stumble_slowly(*arguments: Any) -> Any:
        raise RuntimeError("stumbled")

    run = stumble_slowly if lane is Lane.SLOW else stumble
    kept = {shape: handler for shape, handler in HANDLERS.items() if handler.lane is lane and shape is not Login}
    for shape in kept:
        monkeypatch.setitem(HANDLERS, shape, Handler(lane, run))
    everything(lambda: server.login(NAME, password=SECRET), canaries(), admin=True)
    assert "RuntimeError: stumbled" in (written / "text.log").read_text()
    assert "fault " in (written / "json.log").read_text()
    assert found(written) == []
    logged_failures.clear()
    server.stop()
