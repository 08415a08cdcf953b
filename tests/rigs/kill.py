"""The kill rig: eight senders, one daemon that is killed without warning again and again, and a look at what is left.

python -m tests.rigs.kill --kills 500

A kill -9 keeps what the daemon wrote to the kernel. It finds answers given before the commit, commits that are half
done, and messages stored twice; what a power cut takes besides is another rig's work.
"""

import argparse
import asyncio
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import attrs

from tests.rigs.journal import FAULTS, Findings, Journal, check
from tests.rigs.people import Sender, read_everything, token

SENDERS = 8
SOUND = (str(Path(sys.executable).with_name("twistd")),)
"""What is run for the daemon as it is."""


def broken(variant: str) -> tuple[str, ...]:
    """Give what is run for a variant of `tests.rigs.broken`."""
    return (sys.executable, "-m", f"tests.rigs.broken.{variant}")


CONFIG = "requests_per_second = 0\nunauthenticated_per_address = 1000\n"


@attrs.define
class Daemon:
    """A daemon process on one port and one data directory, whatever becomes of it."""

    directory: Path
    port: int
    program: tuple[str, ...] = SOUND
    _process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it, without waiting."""
        command = [*self.program, "-n", "--pidfile=", "imd", "--data-dir", str(self.directory / "data")]
        command += ["--listen", f"imd:{self.port}:interface=127.0.0.1", "--register", "open"]
        command += ["--config", str(self.directory / "config.toml")]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    async def until(self, reached: Callable[[], bool], seconds: float = 60) -> None:
        """Wait for something that a running daemon brings about; raises RuntimeError when it does not."""
        deadline = time.monotonic() + seconds
        while not reached():
            if not self.running() or time.monotonic() > deadline:
                log = (self.directory / "log").read_text()
                raise RuntimeError(f"the daemon is gone or stuck; its log ends: {log[-2000:]}")
            await asyncio.sleep(0.01)

    def running(self) -> bool:
        """Say whether it runs."""
        return self._process is not None and self._process.poll() is None

    def status(self) -> int | None:
        """Give its exit status, or the number of the signal that ended it, negative."""
        return None if self._process is None else self._process.returncode

    def answers(self) -> bool:
        """Say whether it takes connections."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """Kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@attrs.frozen
class Result:
    """What a run came to."""

    kills: int
    seconds: float
    sent: int
    acknowledged: int
    duplicates: int
    told: int
    findings: Findings

    def table(self) -> str:
        """Write the figures as a Markdown table, with the first cases of each fault below."""
        counts = {"kills": self.kills, "seconds": round(self.seconds), "messages sent": self.sent}
        counts |= {"acknowledged": self.acknowledged, "of these, kept before the kill": self.duplicates}
        counts["events heard"] = self.told
        rows = [f"| {name} | {count:,} |" for name, count in counts.items()]
        rows += [f"| {fault}: {FAULTS[fault]} | {len(cases):,} |" for fault, cases in self.findings.items()]
        cases = [f"{fault}: {case[:160]}" for fault, cases in self.findings.items() for case in cases[:5]]
        return "\n".join(["| | |", "|---|---|", *rows, *cases])


def run(directory: Path, kills: int, seed: int, program: tuple[str, ...] = SOUND) -> Result:
    """Let the senders send through that many kills, then read everything and compare. The directory stays."""
    (directory / "config.toml").write_text(CONFIG)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        daemon = Daemon(directory, probe.getsockname()[1])
    return asyncio.run(_run(daemon, kills, random.Random(seed), program))


async def _run(daemon: Daemon, kills: int, chance: random.Random, program: tuple[str, ...]) -> Result:
    begun, journal = time.monotonic(), Journal()
    try:
        tokens = await _register(daemon)
        names = list(tokens)
        senders = [
            Sender(name, tokens[name], [names[number - 1], names[(number + 1) % SENDERS]], journal, chance)
            for number, name in enumerate(names)
        ]
        daemon.program = program
        daemon.start()
        await _kill_while_they_send(daemon, senders, kills, chance)
        readings = [each for name in names for each in await read_everything(daemon.port, name, tokens[name])]
    finally:
        daemon.kill()
    return Result(
        kills=kills,
        seconds=time.monotonic() - begun,
        sent=len(journal.sent),
        acknowledged=len(journal.acknowledged),
        duplicates=sum(answer.duplicate for answer in journal.acknowledged),
        told=len(journal.told),
        findings=check(journal, readings),
    )


async def _register(daemon: Daemon) -> dict[str, str]:
    """Make the accounts with the daemon as it is, and give everybody's token."""
    daemon.start()
    await daemon.until(daemon.answers)
    names = [f"sender{number}" for number in range(SENDERS)]
    tokens = {name: await token(daemon.port, name) for name in names}
    daemon.kill()
    return tokens


async def _kill_while_they_send(daemon: Daemon, senders: list[Sender], kills: int, chance: random.Random) -> None:
    async with asyncio.TaskGroup() as group:
        sending = [group.create_task(sender.live(daemon.port)) for sender in senders]
        for _ in range(kills):
            await _kill_once(daemon, senders[0].journal, chance)
        for sender in senders:
            sender.going = False
        await daemon.until(lambda: all(task.done() for task in sending))


async def _kill_once(daemon: Daemon, journal: Journal, chance: random.Random) -> None:
    """Kill it at a random moment after its first answer; one time in ten, while it starts."""
    before = len(journal.acknowledged)
    if chance.random() < 0.9:
        await daemon.until(lambda: len(journal.acknowledged) > before)
    await asyncio.sleep(chance.uniform(0, 0.3))
    daemon.kill()
    daemon.start()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Kill the daemon again and again, and check what it kept.")
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="imd-kill-"))
    print(f"seed {options.seed}, data in {directory}", flush=True)
    result = run(directory, options.kills, options.seed)
    print(result.table())
    sys.exit(any(result.findings.values()))
