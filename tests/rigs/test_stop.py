"""SIGTERM while eight people send without pause: what is answered is kept, what is kept is answered; or it is seen."""

import asyncio
import random
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from tests.rigs import kill
from tests.rigs.journal import Findings, Journal, check
from tests.rigs.people import Refused, Sender, Wire, read_everything

STOPS = 5


class Patient(Sender):
    """A sender who takes `unavailable` for a connection that is about to end."""

    async def _talk(self, wire: Wire) -> None:
        try:
            await super()._talk(wire)
        except Refused as refused:
            if refused.args[0]["code"] != "unavailable":
                raise
            raise ConnectionResetError from None


@attrs.define
class Stoppable(kill.Daemon):
    """A daemon that is asked to end."""

    async def stop(self) -> int:
        """Ask it, and give its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self._process.wait, 30)


async def stop_while_they_send(daemon: Stoppable, journal: Journal, stops: int = STOPS) -> tuple[list[int], Findings]:
    tokens = await kill._register(daemon)
    names, chance, codes = list(tokens), random.Random(7), []
    daemon.start()
    people = [
        Patient(name, tokens[name], [names[at - 1], names[(at + 1) % len(names)]], journal, chance)
        for at, name in enumerate(names)
    ]
    async with asyncio.TaskGroup() as group:
        sending = [group.create_task(person.live(daemon.port)) for person in people]
        for _ in range(stops):
            enough = len(journal.acknowledged) + 200
            await daemon.until(lambda enough=enough: len(journal.acknowledged) > enough)  # type: ignore[misc]
            codes.append(await daemon.stop())
            daemon.start()
        for person in people:
            person.going = False
        await daemon.until(lambda: all(task.done() for task in sending))
    readings = [each for name in names for each in await read_everything(daemon.port, name, tokens[name])]
    return codes, {fault: cases[:3] for fault, cases in check(journal, readings).items() if cases}


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Stoppable]:
    (tmp_path / "config.toml").write_text(kill.CONFIG)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        daemon = Stoppable(tmp_path, probe.getsockname()[1])
    yield daemon
    daemon.kill()


def test_a_stop_loses_nothing_and_leaves_nothing_unanswered(daemon: Stoppable, tmp_path: Path) -> None:
    journal = Journal()
    assert asyncio.run(stop_while_they_send(daemon, journal)) == ([0] * STOPS, {})
    assert len(journal.acknowledged) == len(journal.sent) > 200 * STOPS
    assert sum(answer.duplicate for answer in journal.acknowledged) == 0, "kept, but not answered before the end"
    log = (tmp_path / "log").read_text()
    assert log.count("stopped; everything that was acknowledged is stored") == STOPS
    assert "Traceback" not in log


def test_a_daemon_that_answers_and_does_not_write_is_caught(daemon: Stoppable) -> None:
    daemon.program = kill.broken("leaves_early")
    codes, faults = asyncio.run(stop_while_they_send(daemon, Journal(), 2))
    assert codes == [0, 0]
    assert "lost" in faults
