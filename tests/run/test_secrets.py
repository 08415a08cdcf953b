"""A canary: secrets go through every command there is, and nothing but the database may know of them afterwards."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from msgspec import inspect, structs
from twisted.logger import globalLogPublisher

from imd.chat.base.handlers import HANDLERS, Handler, Lane
from imd.chat.base.limits import Limits
from imd.run import log
from imd.run.config import load
from imd.testing import PASSWORD, MemoryServer, MemoryTransport, Terminal
from imd.wire.accounts import Login
from imd.wire.base import Right, Spec, registry
from imd.wire.fields import kinds
from tests.chat.authenticator import code as totp
from tests.conftest import LoggedFailures
from tests.live.daemon import Daemon
from tests.run.identities import ALICE, PASSPHRASE, PROTECTED

pytestmark = pytest.mark.long

CANARY = "canary"
"""Stands in every text that goes in; the number tells which."""

ENDS_IT = ("quit", "logout")

MADE = {
    "token": r"[\w-]{43}",
    "secret": r"[A-Z2-7]{32}",
    "recovery code": r"(?:[a-z2-9]{4}-){5}[a-z2-9]{4}",
    "password": r"(?:[a-z2-9]{4}-){3}[a-z2-9]{4}",
}
"""What the server makes and hands out, as it looks. Tokens are also invites and the codes of links."""


def handed_out(said: str) -> dict[str, set[str]]:
    """Find what is secret in what the server said."""
    return {kind: set(re.findall(rf"(?<![\w-]){looks}(?![\w-])", said)) for kind, looks in MADE.items()}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All that servers in memory say to their clients."""
    said: list[str] = []
    write = MemoryTransport.write

    def keep(self: MemoryTransport, data: bytes) -> None:
        said.append(data.decode("utf-8", "replace"))
        write(self, data)

    monkeypatch.setattr(MemoryTransport, "write", keep)
    monkeypatch.setattr(MemoryTransport, "writeSequence", lambda self, data: keep(self, b"".join(data)))
    return said


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Path]:
    """Logs in both formats, as they are while the test runs."""
    observers = []
    for name in ("text", "json"):
        config = load({"log_format": name, "log_file": str(tmp_path / f"{name}.log")}, {})
        with patch.object(log, "FILE_BYTES", 10**9):
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


def found(directory: Path, secrets: Collection[str] = ()) -> list[str]:
    """List the lines that hold a canary, or one of these secrets."""
    return [
        f"{path.name}: {line}"
        for path in directory.rglob("*")
        if path.is_file() and not path.name.startswith("imd.sqlite3")
        for line in path.read_text("utf-8", "replace").splitlines()
        if re.search(CANARY, line, re.IGNORECASE) or any(each in line for each in secrets)
    ]


NAME, SECRET = f"{CANARY}0", f"{CANARY} secret password"


def server_with_people(directory: Path) -> MemoryServer:
    """Start a server where bob lives, and an admin whose very name is a canary."""
    limits = Limits(requests_per_second=0, failed_logins=10**6, unauthenticated_per_address=10**6)
    server = MemoryServer(limits, path=os.fspath(directory / "imd.sqlite3"))
    bob = server.login("bob")
    server.login(NAME, password=SECRET).call("send_message", to="bob", content=f"{CANARY} hello")
    bob.call("send_message", to=NAME, content=f"{CANARY} back")
    connection = server.server.database.backend.writer.connection  # type: ignore[attr-defined]
    connection.execute("UPDATE account SET admin = 1 WHERE username = ?", (NAME,))
    return server


def test_no_secret_is_written_beside_the_database(
    written: Path, said: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
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
    made = handed_out("".join(said))
    assert len(made["token"]) > 5
    assert found(written, set.union(*made.values())) == []


def test_nor_what_the_server_hands_out(written: Path, said: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Each is used, used again, and tried when it works no more; in both dialects."""
    server = server_with_people(written)
    admin = server.login(NAME, password=SECRET)
    admin.call("group_create", handle="#party", title="party")

    def use(action: str, words: str, **fields: Any) -> None:
        for _ in range(2):
            server.connect().call(action, **fields)
            server.connect().say(f"{registry.actions[action].verb} {words}")

    for name in ("ann", "ben"):
        admin.say(f"USER ADD {name}x")
        password = admin.call("user_add", username=name)["password"]
        invite = admin.call("invite_create")["invite"]
        code = admin.call("group_link", to="#party")["join_code"]
        use("register", f"{name}z invite={invite} {PASSWORD}", username=f"{name}y", password=PASSWORD, invite=invite)
        use("login", f"{name} {password}", username=name, password=password)
        token = server.connect().call("login", username=name, password=password)["token"]
        use("resume", token, token=token)
        person = server.login(name, password=password)
        for _ in range(2):
            person.say(f"GROUP JOIN #party code={code}")
            person.call("group_join", to="#party", code=code)
        secret = person.call("factor_add", password=password)["secret"]
        code = totp(secret, server.server.now())
        for recovery in person.call("factor_confirm", code=code)["codes"][:2]:
            use("login", f"{name} code={recovery} {password}", username=name, password=password, code=recovery)
        admin.call("user_signout", username=name)
        admin.call("user_passwd", username=name)
        use("resume", token, token=token)
        use("login", f"{name} code={recovery} {password}", username=name, password=password, code=recovery)
    server.stop()
    made = handed_out("".join(said))
    assert [len(made[kind]) for kind in ("secret", "recovery code", "password")] == [2, 20, 6]
    assert len(made["token"]) > 10
    printed = capfd.readouterr()
    (written / "printed").write_text(printed.out + printed.err)
    logs = (written / "text.log").read_text()
    assert [
        each for each in ("resume from 127.0.0.1: refused", "invite_invalid", "login failed from") if each not in logs
    ] == []
    assert found(written, set.union(*made.values())) == []


def test_nor_what_the_operator_is_given_or_gives(start_daemon: Callable[..., Daemon]) -> None:
    daemon = start_daemon("--register", "invite")
    encrypted, identity = daemon.directory / "encrypted", daemon.directory.with_suffix(".age")
    (passphrase := daemon.directory.with_suffix(".passphrase")).write_text(f"{PASSPHRASE}\n")
    identity.write_text(PROTECTED)
    told = []

    def imd(*words: str | Path, typed: str = "") -> None:
        command = [Path(sys.executable).with_name("imd"), *words]
        place = os.environ | {"IMD_DATA_DIR": str(daemon.directory / "data")}
        done = subprocess.run(command, input=typed, capture_output=True, text=True, check=True, env=place)
        told.append(done.stdout + done.stderr)

    imd("user", "add", "alice")
    imd("user", "passwd", "alice")
    imd("user", "passwd", "alice", "-", typed=f"{CANARY} secret password\n")
    imd("invite", "create", "--admin")
    imd("backup", "--recipient", str(ALICE.to_public()), encrypted)
    imd("verify", "--identity", identity, "--passphrase-file", passphrase, encrypted)
    imd("keygen", daemon.directory.with_suffix(".key"))
    assert not [each for each in told if "AGE-SECRET-KEY" in each or PASSPHRASE in each]
    made = handed_out("".join(told))
    assert [len(made[kind]) for kind in ("token", "password")] == [1, 2]
    line = daemon.connect()
    for secret in set.union(*made.values()):
        for words in (f"LOGIN alice {secret}", f"REGISTER carol invite={secret} {CANARY} password", f"RESUME {secret}"):
            line.say(words)
            line.next_line()
    line.hang_up()
    assert daemon.stop() == 0
    assert "login failed from" in daemon.log
    assert found(daemon.directory, set.union(*made.values())) == []


def test_nor_what_a_second_factor_is_made_of(written: Path, capfd: pytest.CaptureFixture[str]) -> None:
    server = server_with_people(written)
    bob = server.login("bob")
    made = bob.call("factor_add", password=PASSWORD)
    kept = [made["secret"], made["uri"], *(totp(made["secret"], server.server.now(), steps) for steps in (-1, 0, 1))]
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
