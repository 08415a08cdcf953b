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
READY_SECONDS = 20
ANSWER_SECONDS = 60


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

    async def answers(self) -> None:
        """Wait until it takes connections."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)
            else:
                return
        raise RuntimeError(f"the daemon does not come up; its log ends: {(self.directory / 'log').read_text()[-2000:]}")

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
    told: int
    findings: Findings

    def table(self) -> str:
        """Write the figures as a Markdown table, with the first cases of each fault below."""
        counts = {"kills": self.kills, "seconds": round(self.seconds), "messages sent": self.sent}
        counts |= {"acknowledged": self.acknowledged, "events heard": self.told}
        rows = [f"| {name} | {count:,} |" for name, count in counts.items()]
        rows += [f"| {fault}: {FAULTS[fault]} | {len(cases):,} |" for fault, cases in self.findings.items()]
        cases = [f"{fault}: {case[:160]}" for fault, cases in self.findings.items() for case in cases[:5]]
        return "\n".join(["| | |", "|---|---|", *rows, *cases])


def run(kills: int, seed: int, program: tuple[str, ...] = SOUND) -> Result:
    """Let the senders send through that many kills, then read everything and compare."""
    with tempfile.TemporaryDirectory(prefix="imd-kill-", dir="/var/tmp") as name:
        directory = Path(name)
        (directory / "config.toml").write_text(CONFIG)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        return asyncio.run(_run(directory, port, kills, random.Random(seed), program))


async def _run(directory: Path, port: int, kills: int, chance: random.Random, program: tuple[str, ...]) -> Result:
    daemon, begun = Daemon(directory, port), time.monotonic()
    try:
        names = [f"sender{number}" for number in range(SENDERS)]
        daemon.start()
        await daemon.answers()
        tokens = {name: await token(port, name) for name in names}
        daemon.kill()
        daemon.program = program
        journal = Journal()
        senders = [
            Sender(name, tokens[name], [names[number - 1], names[(number + 1) % SENDERS]], journal, chance)
            for number, name in enumerate(names)
        ]
        daemon.start()
        await _kill_while_they_send(daemon, senders, kills, chance)
        readings = [each for name in names for each in await read_everything(port, name, tokens[name])]
    finally:
        daemon.kill()
    sent, acknowledged, told = len(journal.sent), len(journal.acknowledged), len(journal.told)
    return Result(kills, time.monotonic() - begun, sent, acknowledged, told, check(journal, readings))


async def _kill_while_they_send(daemon: Daemon, senders: list[Sender], kills: int, chance: random.Random) -> None:
    async with asyncio.TaskGroup() as group:
        sending = [group.create_task(sender.live(daemon.port)) for sender in senders]
        for _ in range(kills):
            if chance.random() < 0.9:  # the others are killed while they start
                await daemon.answers()
            await asyncio.sleep(chance.uniform(0.03, 0.35))
            daemon.kill()
            daemon.start()
        await daemon.answers()
        for sender in senders:
            sender.going = False
        async with asyncio.timeout(ANSWER_SECONDS):
            await asyncio.wait(sending)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Kill the daemon again and again, and check what it kept.")
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    result = run(options.kills, options.seed)
    print(result.table())
    sys.exit(any(result.findings.values()))
