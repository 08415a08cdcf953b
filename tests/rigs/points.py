"""The point rig: a daemon that is killed at its n-th write, sync or rename, for every kind of call and every n.

python -m tests.rigs.points --points 1000

The script is always the same: two people send so many messages and the daemon is stopped, once from an empty directory
and once from one that was left by a kill. A first run counts the calls; then strace kills the daemon as it enters the
chosen one, another daemon starts on what is left, the senders repeat what was not answered, and everything is read and
compared.
"""

import argparse
import asyncio
import random
import re
import shutil
import signal
import socket
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

import attrs

from tests.rigs import kill
from tests.rigs.journal import FAULTS, Findings, Journal, check
from tests.rigs.people import PASSWORD, Refused, Sender, Wire, read_everything
from tests.rigs.trace import Traced

CALLS = ("write", "pwrite64", "sendto", "fsync", "fdatasync", "ftruncate", "rename", "unlink", "mkdir")
NAMES = ("ann", "bob")
AT_ONCE = 2
ALL_FAULTS = FAULTS | {"unread": "no daemon starts on what is left, or it refuses what it must take"}


@attrs.frozen
class Point:
    """Where a run is killed: as a thread enters its `number`-th such call."""

    start: str
    call: str
    number: int


@attrs.frozen
class Result:
    """What a run came to."""

    possible: int
    killed: Counter[str]
    unreached: int
    acknowledged: int
    findings: Findings

    def table(self) -> str:
        """Write the figures as a Markdown table, with the first cases of each fault below."""
        counts = {"points in the script": self.possible, "points killed at": self.killed.total()}
        counts |= {f"of these, at {call}": self.killed[call] for call in CALLS if self.killed[call]}
        counts |= {"runs that went by their point": self.unreached, "messages acknowledged": self.acknowledged}
        rows = [f"| {name} | {count:,} |" for name, count in counts.items()]
        rows += [f"| {fault}: {ALL_FAULTS[fault]} | {len(cases):,} |" for fault, cases in self.findings.items()]
        cases = [f"{fault}: {case[:200]}" for fault, cases in self.findings.items() for case in cases[:5]]
        return "\n".join(["| | |", "|---|---|", *rows, *cases])


@attrs.define
class Run:
    """One run of the script on a directory of its own."""

    directory: Path
    messages: int
    program: tuple[str, ...]
    journal: Journal = attrs.field(factory=Journal)
    tokens: dict[str, str] = attrs.field(factory=dict)
    struck: bool = False

    async def play(self, injection: str | None = None) -> Findings:
        """Run the script, killed where the injection says; start again, read and compare."""
        (self.directory / "config.toml").write_text(kill.CONFIG)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            daemon = Traced(self.directory, probe.getsockname()[1])
        faults = () if injection is None else ("-e", f"inject={injection}")
        log = ("-o", str(self.directory / "calls") if injection is None else "/dev/null")
        daemon.program = ("strace", "-f", "-e", "signal=none", *log)
        daemon.program += ("-e", f"trace={','.join(CALLS)}", *faults, *self.program)
        again = kill.Daemon(self.directory, daemon.port)
        daemon.start()
        script = asyncio.create_task(self._script(daemon.port))
        try:
            await self._until_over(daemon, script)
            again.start()
            await asyncio.wait_for(script, 60)
            await again.until(again.answers)
            readings = [each for name in NAMES for each in await read_everything(again.port, name, self.tokens[name])]
        finally:
            script.cancel()
            daemon.kill()
            again.kill()
        return check(self.journal, readings)

    async def _until_over(self, daemon: Traced, script: "asyncio.Task[None]") -> None:
        """Wait until the script is done and the daemon was stopped, or until it was killed."""
        while not script.done() and daemon.running():
            await asyncio.sleep(0.005)
        if script.done() and daemon.running():
            daemon.tell(signal.SIGTERM)
        while daemon.running():
            await asyncio.sleep(0.005)
        self.struck = daemon.status() == -signal.SIGKILL

    async def _script(self, port: int) -> None:
        for name in NAMES:
            if name not in self.tokens:
                self.tokens[name] = await enter(port, name)
        chance, goal = random.Random(1), len(self.journal.sent) + self.messages
        senders = [
            Sender(name, self.tokens[name], [other], self.journal, chance)
            for name, other in zip(NAMES, reversed(NAMES), strict=True)
        ]
        living = [asyncio.create_task(sender.live(port)) for sender in senders]
        try:
            while len(self.journal.sent) < goal:
                await asyncio.sleep(0.001)
            for sender in senders:
                sender.going = False
            await asyncio.gather(*living)
        finally:
            for each in living:
                each.cancel()


async def enter(port: int, name: str) -> str:
    """Register, unless that was done before, and log in, however often the daemon dies meanwhile."""
    while True:
        try:
            wire = await Wire.open(port)
            with suppress(Refused):
                await wire.ask(action="register", username=name, password=PASSWORD)
            token: str = (await wire.ask(action="login", username=name, password=PASSWORD))["token"]
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.02)
        else:
            wire.close()
            return token


def counted(log: Path) -> dict[str, int]:
    """Tell how often one thread made each call, for the thread that made it most."""
    most: Counter[str] = Counter()
    of_thread = Counter(re.findall(r"^(\d+) +(\w+)\(", log.read_text(errors="replace"), re.MULTILINE))
    for (_, call), count in of_thread.items():
        most[call] = max(most[call], count)
    return {call: most[call] for call in CALLS}


@attrs.define
class Rig:
    """The runs, each in a directory below one."""

    directory: Path
    messages: int
    program: tuple[str, ...]
    first: Run | None = None
    """The unharmed run from an empty directory; what it left is the other start."""

    unreached: int = 0
    acknowledged: int = 0
    killed: Counter[str] = attrs.field(factory=Counter)
    findings: Findings = attrs.field(factory=lambda: {fault: [] for fault in ALL_FAULTS})

    async def count(self) -> list[Point]:
        """Play the script unharmed from both starts, with the daemon as it is, and list the points."""
        points = []
        for start in ("empty", "left"):
            run = self._begin(start, start)
            self._note(f"unharmed from {start}", await run.play())
            points += [
                Point(start, call, number)
                for call, most in counted(run.directory / "calls").items()
                for number in range(1, most + 1)
            ]
            self.first = self.first or run
        return points

    def _begin(self, start: str, name: str, program: tuple[str, ...] = kill.SOUND) -> Run:
        directory = self.directory / name
        directory.mkdir()
        if start == "empty":
            return Run(directory, self.messages, program)
        assert self.first is not None
        shutil.copytree(self.first.directory / "data", directory / "data", ignore=shutil.ignore_patterns("*.sock"))
        kept = self.first.journal
        journal = Journal(list(kept.sent), list(kept.acknowledged), list(kept.told))
        return Run(directory, self.messages, program, journal, dict(self.first.tokens))

    async def strike(self, point: Point) -> None:
        """Run the script up to a point, and look at what is left."""
        run = self._begin(point.start, f"{point.start}-{point.call}-{point.number}", self.program)
        name = str(attrs.astuple(point))
        try:
            self._note(name, await run.play(f"{point.call}:signal=KILL:when={point.number}"))
        except Exception as error:  # one run must not end the others
            self.findings["unread"].append(f"{name}: {error!r}")
        self.acknowledged += len(run.journal.acknowledged)
        if run.struck:
            self.killed[point.call] += 1
        else:
            self.unreached += 1
        shutil.rmtree(run.directory)
        print(".", end="", file=sys.stderr, flush=True)

    def _note(self, name: str, findings: Findings) -> None:
        for fault, cases in findings.items():
            self.findings[fault] += [f"{name}: {case}" for case in cases]


async def _rig(rig: Rig, count: int) -> int:
    points = await rig.count()
    if rig.program != kill.SOUND:  # a broken one need not get as far as two accounts
        points = [point for point in points if point.start == "left"]
    step = max(1.0, len(points) / count)
    chosen = [points[int(number * step)] for number in range(min(count, len(points)))]
    turn = asyncio.Semaphore(AT_ONCE)

    async def strike(point: Point) -> None:
        async with turn:
            await rig.strike(point)

    await asyncio.gather(*map(strike, chosen))
    return len(points)


def run(directory: Path, count: int, messages: int, program: tuple[str, ...] = kill.SOUND) -> Result:
    """Kill at so many points, evenly over all."""
    rig = Rig(directory, messages, program)
    possible = asyncio.run(_rig(rig, count))
    return Result(possible, rig.killed, rig.unreached, rig.acknowledged, rig.findings)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Kill the daemon at its n-th system call, for every n.")
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--broken", help="a variant of tests.rigs.broken")
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="imd-points-"))
    print(f"data in {place}", flush=True)
    program = kill.broken(options.broken) if options.broken else kill.SOUND
    result = run(place, options.points, options.messages, program)
    print(result.table())
    sys.exit(any(result.findings.values()))
