"""The daemon as a service, in this process."""

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.application.service import IService
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import formatEvent, globalLogPublisher
from twisted.python.failure import Failure

from imd.run import banner, operator
from imd.run.config import Config, load
from imd.run.errors import OperatorError
from imd.run.service import Daemon, Options, makeService
from imd.store.db import Database
from imd.wire.admin import InviteCreate, InviteList, Invites, UserAdd
from imd.wire.policies import PolicySet
from tests.live.daemon import free_port


class Listener(Protocol):
    """Keeps what it hears until the connection is over."""

    def __init__(self) -> None:
        self.heard = b""
        self.over: Deferred[bytes] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.over.callback(self.heard)


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """The terminal at which the daemon was started."""
    screen = Screen()
    monkeypatch.setattr("sys.__stdout__", screen)
    return screen


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What is logged meanwhile."""
    lines: list[str] = []

    def observe(event: Any) -> None:
        lines.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    yield lines
    globalLogPublisher.removeObserver(observe)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load({"data_dir": str(tmp_path), "listen": [f"imd:{free_port()}:interface=127.0.0.1"]}, {})


async def turn(seconds: float = 0) -> None:
    """Let the reactor turn."""
    waited: Deferred[None] = Deferred()
    reactor.callLater(seconds, waited.callback, None)  # type: ignore[attr-defined]
    await waited


async def until(lines: list[str], part: str) -> str:
    """Wait until a line with this part has been logged."""
    for _ in range(500):
        if found := [line for line in lines if part in line]:
            return found[0]
        await turn(0.01)
    raise AssertionError(f"nobody said {part!r}: {lines}")


async def test_it_starts_tells_how_to_connect_and_stops(config: Config, said: list[str], screen: Screen) -> None:
    daemon = Daemon(config, reactor)
    assert IService.providedBy(daemon)
    daemon.startService()
    await until(said, "the invite printed on the terminal")
    port = config.listen[0].split(":")[1]
    assert [line for line in said if config.listen[0] in line] == [f"imd 0.1.0 listens on {config.listen[0]}"]
    assert await until(said, f"openssl s_client -quiet -connect localhost:{port} ")
    assert await until(said, daemon.fingerprint)
    while "invite=" not in screen.getvalue():
        await turn(0.01)
    invite = screen.getvalue().partition("invite=")[2].split()[0]
    assert len(invite) > 20
    assert not [line for line in said if invite in line], "a log is no place for an invite"
    await daemon.stopService()
    assert "stopped" in said[-1]


@pytest.mark.parametrize("out", [io.StringIO(), None])
async def test_where_there_is_no_terminal_no_invite_is_made(
    config: Config, said: list[str], monkeypatch: pytest.MonkeyPatch, out: io.StringIO | None
) -> None:
    """systemd keeps what is printed in its journal, a container's engine in its log."""
    monkeypatch.setattr("sys.__stdout__", out)
    daemon = Daemon(config, reactor)
    daemon.startService()
    assert "`imd invite create --admin`" in await until(said, "No account yet")
    listed = await daemon.server.ask(InviteList(), operator.operator_caller(daemon.server))
    assert isinstance(listed, Invites)
    assert listed.invites == []
    await daemon.stopService()
    assert out is None or out.getvalue() == ""


async def test_the_invite_is_only_for_a_house_without_accounts(config: Config, said: list[str], screen: Screen) -> None:
    daemon = Daemon(config, reactor)
    await daemon.server.ask(InviteCreate(), operator.operator_caller(daemon.server))
    await daemon.server.ask(UserAdd(username="alice"), operator.operator_caller(daemon.server))
    daemon.startService()
    await until(said, "openssl")
    await daemon.stopService()
    assert screen.getvalue() == ""
    assert not [line for line in said if "No account yet" in line]


async def test_what_admins_have_set_holds_from_the_start(config: Config, said: list[str]) -> None:
    daemon = Daemon(config, reactor)
    daemon.startService()
    await until(said, "No account yet")
    await daemon.server.ask(PolicySet(registration="closed", burst=7), operator.operator_caller(daemon.server))
    await daemon.stopService()
    said.clear()
    again = Daemon(config, reactor)
    assert (again.server.registration, again.server.limits.burst) == ("closed", 7)
    again.startService()
    await until(said, "No account yet")
    assert [line for line in said if "registration: closed" in line]
    await again.stopService()


async def test_sessions_are_told_when_it_stops(config: Config) -> None:
    daemon = Daemon(config, reactor)
    daemon.startService()
    endpoint = UNIXClientEndpoint(reactor, str(daemon.directory.socket))
    talk = await connectProtocol(endpoint, Listener())
    talk.transport.write(b'{"action":"invite_create","id":1}\r\n')
    while b"success" not in talk.heard:
        await turn(0.01)
    await daemon.stopService()
    last = (await talk.over).splitlines()[-1]
    assert b'"event":"closing"' in last
    assert b'"unavailable"' in last


async def test_what_was_asked_before_the_stop_is_answered_first(
    config: Config, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(config, reactor)
    daemon.startService()
    await until(said, "No account yet")
    talk = await connectProtocol(UNIXClientEndpoint(reactor, str(daemon.directory.socket)), Listener())
    queued: list[object] = []
    stopped: Deferred[None] = Deferred()
    write = Database.write

    def counted(database: Database, work: Any, done: Any) -> None:
        write(database, work, done)
        queued.append(work)
        if len(queued) == 50:
            daemon.stopService().chainDeferred(stopped)

    monkeypatch.setattr(Database, "write", counted)
    talk.transport.write(b'{"action":"invite_create"}\r\n' * 50)
    await stopped
    *answers, last = (await talk.over).splitlines()
    assert last.startswith(b'{"event":"closing"')
    assert len([line for line in answers if b'"success"' in line]) == 50


async def test_a_stop_right_after_the_start(config: Config, screen: Screen) -> None:
    daemon = Daemon(config, reactor)
    daemon.startService()
    await daemon.stopService()
    assert "invite=" in screen.getvalue(), "what was begun is finished"


async def test_the_operators_socket_is_private_and_replaces_one_left_behind(config: Config) -> None:
    config.data_dir.joinpath("admin.sock").touch()
    daemon = Daemon(config, reactor)
    daemon.startService()
    assert daemon.directory.socket.is_socket()
    assert daemon.directory.socket.stat().st_mode & 0o777 == 0o600
    await daemon.stopService()
    assert not daemon.directory.socket.exists()


async def test_a_failed_preparation_lets_the_directory_go(config: Config) -> None:
    daemon = Daemon(config, reactor)
    with pytest.raises(OperatorError, match="in use by another imd"):
        Daemon(config, reactor)
    daemon.startService()
    await daemon.stopService()
    (config.data_dir / "certificate.pem").write_text("nonsense")
    for _ in range(2):
        with pytest.raises(OperatorError, match="cannot use the certificate"):
            Daemon(config, reactor)


def test_timers_do_not_follow_the_wall_clock(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reactor, "seconds", time.time)
    monkeypatch.setattr(reactor, "callWhenRunning", lambda call, *arguments: None)
    options = Options()
    options.parseOptions(["--data-dir", str(config.data_dir), "--listen", config.listen[0]])
    daemon = makeService(options)
    assert isinstance(daemon, Daemon)
    assert reactor.seconds is time.monotonic  # type: ignore[attr-defined]
    with pytest.raises(SystemExit, match="in use by another imd"):
        makeService(options)
    daemon.directory.release()


@pytest.mark.parametrize(
    ("listen", "said"),
    [
        ("nonsense:1", "cannot listen on nonsense:1: Unknown endpoint type: 'nonsense'"),
        ("imd:", "cannot listen on imd:: "),
        ("imd:1:2:3:4:5", "cannot listen on imd:1:2:3:4:5: "),
        ("imd:99999", "cannot listen on imd:99999: "),
        ("imd:7373:interface=nonsense", "cannot listen on imd:7373:interface=nonsense: "),
        ("imd:7373:interface=203.0.113.1", "cannot listen on imd:7373:interface=203.0.113.1: "),
        ("systemd:domain=INET:index=7", "cannot listen on systemd:domain=INET:index=7: "),
    ],
)
def test_an_endpoint_that_cannot_be(listen: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as error:
        Daemon(load({"data_dir": str(tmp_path), "listen": [listen]}, {}), reactor)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


def test_a_port_that_is_opened_twice_ends_the_start(tmp_path: Path) -> None:
    listen = f"imd:{free_port()}:interface=127.0.0.1"
    daemon = Daemon(load({"data_dir": str(tmp_path), "listen": [listen, listen]}, {}), reactor)
    with pytest.raises(SystemExit, match=r"^imd: cannot listen on 127\.0\.0\.1:"):
        daemon.privilegedStartService()


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        (("imd:1:interface=127.0.0.1",), "localhost:1"),
        (("unix:/x", "imd:2"), "localhost:2"),
        ((r"imd:3:interface=\:\:1",), "localhost:3"),
        (("imd:4:interface=10.0.0.1",), "10.0.0.1:4"),
        ((r"imd:5:interface=fd00\:\:1",), "[fd00::1]:5"),
        (("unix:/x",), ""),
    ],
)
def test_how_to_connect(listen: tuple[str, ...], address: str, tmp_path: Path) -> None:
    assert banner.reachable(listen) == address
    config = load({"data_dir": str(tmp_path), "listen": list(listen)}, {})
    lines = banner.lines(config, "open", "AB:CD")
    assert any("openssl" in line for line in lines) is bool(address)
    assert any("AB:CD" in line for line in lines)
