"""The power-loss rig: what a power cut at any moment may leave of the data directory, and whether imd lives with it.

python -m tests.rigs.powerloss --images 5000

A daemon runs under strace from an empty directory: eight senders, a kill -9, a stop, a third start. From the system
calls come images of the directory as a power cut could have left it (the rules are in `platter`). Each is opened with
imd's own code, and what was acknowledged or told before the cut must be there once, in order.
"""

import argparse
import asyncio
import random
import shutil
import signal
import socket
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import attrs

from imd.run import certificates
from imd.store import migrations, sqlite
from tests.rigs import kill, platter, trace
from tests.rigs.journal import FAULTS, Journal, Kept, Reading, check
from tests.rigs.people import Sender, token

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Images need no disk of their own."""


class Stamped(list):  # type: ignore[type-arg]
    """A list that knows when each thing was added."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def append(self, each: object) -> None:
        """Add, and note the time."""
        self.times.append(time.time())
        super().append(each)

    def before(self, moment: float) -> list[object]:
        """Give what was there at a moment."""
        return [each for each, when in zip(self, self.times, strict=True) if when < moment]


@attrs.frozen
class Recording:
    """What a daemon did to its directory and what it answered meanwhile."""

    directory: Path
    calls: list[trace.Call]
    journal: Journal
    fingerprint: str
    """Of the certificate that the clients saw."""

    seen: float
    """When they had seen it."""


@attrs.frozen
class Result:
    """What a run came to."""

    calls: int
    syncs: int
    acknowledged: int
    images: int
    findings: dict[str, list[str]]

    def table(self) -> str:
        """Write the figures as a Markdown table, with the first cases of each fault below."""
        counts = {"system calls recorded": self.calls, "of these, syncs": self.syncs}
        counts |= {"messages acknowledged": self.acknowledged, "images opened": self.images}
        rows = [f"| {name} | {count:,} |" for name, count in counts.items()]
        rows += [f"| {fault}: {ALL_FAULTS[fault]} | {len(cases):,} |" for fault, cases in self.findings.items()]
        cases = [f"{fault}: {case[:200]}" for fault, cases in self.findings.items() for case in cases[:5]]
        return "\n".join(["| | |", "|---|---|", *rows, *cases])


ALL_FAULTS = {
    **{fault: what for fault, what in FAULTS.items() if fault not in {"divergent"}},
    "unopened": "imd does not start with it",
    "damaged": "SQLite finds it damaged",
    "stranger": "another certificate than the one its clients know",
}


# -- recording


def record(directory: Path, messages: int, seed: int, program: tuple[str, ...] = kill.SOUND) -> Recording:
    """Run a daemon under strace through three starts, each with so many messages."""
    (directory / "config.toml").write_text(kill.CONFIG)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        daemon = trace.Traced(directory, probe.getsockname()[1])
    journal = Journal(acknowledged=Stamped(), told=Stamped())
    seen = asyncio.run(_record(daemon, journal, messages, random.Random(seed), program))
    fingerprint = certificates.fingerprint(certificates.load(directory / "data" / "certificate.pem"))
    calls = [call for number in range(3) for call in trace.read(directory / f"calls{number}", directory)]
    return Recording(directory / "data", sorted(calls, key=_effect), journal, fingerprint, seen)


def _effect(call: trace.Call) -> float:
    """Say when a call counts: a sync when it is over, all else when it begins."""
    return call.ended if call.what in {"fsync", "fdatasync"} else call.begun


async def _record(
    daemon: trace.Traced, journal: Journal, messages: int, chance: random.Random, program: tuple[str, ...]
) -> float:
    senders: list[Sender] = []
    sending: list[asyncio.Task[None]] = []
    seen = 0.0
    try:
        async with asyncio.TaskGroup() as group:
            for number, end in enumerate((signal.SIGKILL, signal.SIGTERM, signal.SIGKILL)):
                daemon.program = trace.command(daemon.directory / f"calls{number}") + program
                daemon.start()
                await daemon.until(daemon.answers)
                if not senders:
                    senders = await _people(daemon.port, journal, chance)
                    seen = time.time()
                    sending = [group.create_task(sender.live(daemon.port)) for sender in senders]
                await daemon.until(lambda goal=messages * (number + 1): len(journal.acknowledged) >= goal)  # type: ignore[misc]
                if number == 2:
                    for sender in senders:
                        sender.going = False
                    await asyncio.wait(sending)
                await asyncio.to_thread(daemon.end, end)
    finally:
        daemon.kill()
    return seen


async def _people(port: int, journal: Journal, chance: random.Random) -> list[Sender]:
    tokens = {name: await token(port, name) for name in [f"sender{number}" for number in range(kill.SENDERS)]}
    names = list(tokens)
    return [
        Sender(name, tokens[name], [names[number - 1], names[(number + 1) % len(names)]], journal, chance)
        for number, name in enumerate(names)
    ]


# -- images


def images(recording: Recording, count: int, chance: random.Random) -> Iterator[tuple[float, dict[str, bytes] | None]]:
    """Give so many images, evenly over the calls, each with its moment."""
    disk = platter.Disk(str(recording.directory))
    calls = recording.calls
    played = 0
    for number in range(count):
        cut = 1 + (len(calls) - 1) * (number + 1) // count
        for call in calls[played:cut]:
            if call.ended != float("inf") or call.what not in {"fsync", "fdatasync"}:
                disk.play(call)
        played = cut
        moment = _effect(calls[cut]) if cut < len(calls) else _effect(calls[-1]) + 3600
        yield moment, _outcome(disk, number % 5, chance)


def _outcome(disk: platter.Disk, how: int, chance: random.Random) -> dict[str, bytes] | None:
    """Choose what of the unsynced is there: nothing; all up to a moment; any part, torn or not, of the names too."""
    if how == 0:
        return disk.image(lambda change: False, chance, torn=False)
    if how == 1:
        begun = [change.begun for file in disk.live.values() for change in file.pending]
        last = chance.choice([0.0, *begun])
        return disk.image(lambda change: change.begun <= last, chance, torn=chance.random() < 0.5)
    share = chance.random()
    if how == 2:
        return disk.image(
            lambda change: isinstance(change, platter.Naming) or chance.random() < share, chance, torn=True
        )
    return disk.image(lambda change: chance.random() < share, chance, torn=how == 3)


# -- what imd makes of one


def run(recording: Recording, count: int, seed: int) -> Result:
    """Open so many images, and compare."""
    findings: dict[str, list[str]] = {fault: [] for fault in ALL_FAULTS}
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="imd-images-", dir=MEMORY) as place:
        for number, (moment, image) in enumerate(images(recording, count, chance)):
            target = Path(place) / "data"
            platter.write(image or {}, str(recording.directory), target)
            for fault, case in _faults(target, recording, moment):
                findings[fault].append(f"image {number}: {case}")
            shutil.rmtree(target)
    return Result(
        calls=len(recording.calls),
        syncs=sum(Counter(call.what for call in recording.calls)[what] for what in ("fsync", "fdatasync")),
        acknowledged=len(recording.journal.acknowledged),
        images=count,
        findings=findings,
    )


def _faults(data: Path, recording: Recording, moment: float) -> Iterator[tuple[str, str]]:
    try:
        certificate = data / "certificate.pem"
        certificates.ensure(certificate, data / "key.pem", certificates.utc_now())
        if (
            recording.seen < moment
            and certificates.fingerprint(certificates.load(certificate)) != recording.fingerprint
        ):
            yield "stranger", "the certificate is new"
        kept = open_and_read(data / "imd.sqlite3")
    except (OSError, ValueError, sqlite3.Error) as error:
        yield "unopened", repr(error)
        return
    if isinstance(kept, str):
        yield "damaged", kept
        return
    journal = Journal(
        sent=recording.journal.sent,
        acknowledged=recording.journal.acknowledged.before(moment),  # type: ignore[attr-defined]
        told=recording.journal.told.before(moment),  # type: ignore[attr-defined]
    )
    conversations = {message.conversation for message in kept}
    readings = [
        Reading("the disk", "SQL", each, [message for message in kept if message.conversation == each])
        for each in conversations
    ]
    for fault, cases in check(journal, readings).items():
        for case in cases:
            yield fault, case


def open_and_read(path: Path) -> list[Kept] | str:
    """Open a database as imd does at its start, and read every message; or say what SQLite finds wrong with it."""
    path.touch(0o600)
    with closing(sqlite.connect(str(path))) as connection:
        migrations.migrate(connection)
        (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok" or connection.execute("PRAGMA foreign_key_check").fetchone():
            return str(verdict)
        rows = connection.execute(
            "SELECT conversation, seq, username, content, client_id FROM message JOIN account ON account.id = sender"
            " ORDER BY conversation, seq"
        )
        return [Kept(*row) for row in rows]


def rig(directory: Path, messages: int, count: int, seed: int, program: tuple[str, ...] = kill.SOUND) -> Result:
    """Record and cut."""
    return run(record(directory, messages, seed, program), count, seed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Cut the power at every moment, and check what is left.")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--messages", type=int, default=1500, help="in each of three runs of the daemon")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--broken", help="a variant of tests.rigs.broken")
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="imd-powerloss-"))
    print(f"seed {options.seed}, recording in {directory}", flush=True)
    program = kill.broken(options.broken) if options.broken else kill.SOUND
    result = rig(directory, options.messages, options.images, options.seed, program)
    print(result.table())
    sys.exit(any(result.findings.values()))
