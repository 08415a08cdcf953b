"""Every play in memory; and every command has a play that uses it."""

import attrs
import pytest

from imd.chat.base.limits import Limits
from imd.net.factory import OperatorFactory
from imd.store import verify
from imd.testing import MemoryServer, MemoryTransport, Terminal
from imd.wire.base import registry
from imd.wire.reader import LineReader
from tests.plays.play import Performance, Play, plays


@attrs.define
class MemoryActor:
    """A terminal in memory."""

    terminal: Terminal
    lines: list[str] = attrs.Factory(list)

    def send(self, data: bytes) -> None:
        self.terminal.send(data)

    def next_line(self, patience: float) -> str | None:
        self.lines += self.terminal.heard()
        return self.lines.pop(0) if self.lines else None

    def is_gone(self) -> bool:
        return self.terminal.closed

    def hang_up(self) -> None:
        self.terminal.hang_up()


@attrs.define
class MemoryStage:
    """A server in memory."""

    server: MemoryServer

    def connect(self, name: str) -> MemoryActor:
        if name != "operator":
            return MemoryActor(self.server.connect())
        protocol = OperatorFactory(self.server.server).buildProtocol(None)
        terminal = Terminal(self.server, protocol, MemoryTransport("operator"))
        protocol.makeConnection(terminal.transport)
        return MemoryActor(terminal)

    def pass_time(self, seconds: float) -> None:
        self.server.pass_time(seconds)

    def now(self) -> int:
        return self.server.server.now()


@pytest.mark.parametrize("play", plays(), ids=lambda play: play.name)
def test_play(play: Play) -> None:
    limits = {key: int(value) for key, value in play.settings.items() if key != "register"}
    server = MemoryServer(limits=Limits(**limits), registration=play.settings.get("register", "open"))
    Performance(play, MemoryStage(server)).run()
    found = server.database.read(lambda tx: [each for each in verify.verdicts(tx) if each.broken])
    assert found.result == [], "what is kept does not hold together"


def test_a_play_fails_on_a_line_that_nobody_heard() -> None:
    play = Play("short", {}, [(1, "alice connects"), (2, "alice > PING")])
    with pytest.raises(AssertionError, match="nobody heard alice < OK PING"):
        Performance(play, MemoryStage(MemoryServer())).run()


def test_a_play_fails_on_a_line_that_does_not_come() -> None:
    play = Play("long", {}, [(1, "alice connects"), (2, "alice < OK PING")])
    with pytest.raises(AssertionError, match="nothing came"):
        Performance(play, MemoryStage(MemoryServer())).run()


def test_every_command_is_used_in_a_play() -> None:
    used = set()
    for play in plays():
        reader = LineReader(content_limit=16_384)
        for _, step in play.steps:
            _, mark, line = (*step.split(" ", 2), "", "")[:3]
            if mark in (">", "&") and (request := reader.feed(line.encode())) and request.command:
                used.add(request.spec.action)
    assert used == set(registry.actions)
