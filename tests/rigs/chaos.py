"""The chaos rig: a bad network between clients and daemon, clients that are killed, and in the end one log for all.

python -m tests.rigs.chaos --messages 200000 --reconnects 2000

Four people (or two) with two devices each talk in pairs. Each device is a process with imd's own client and a state
file; all of them go through the proxy. Devices are killed at random and started again. When every device has
everything, their state files are compared with each other and with what the daemon keeps.
"""

import argparse
import asyncio
import json
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import attrs

from tests.rigs import kill
from tests.rigs.journal import FAULTS, Findings, Journal, Kept, Reading, Sent, check
from tests.rigs.people import read_everything, token

PEER = {"ann": "bob", "bob": "ann", "carl": "dora", "dora": "carl"}
DEVICES = tuple((name, device) for name in PEER for device in ("desk", "phone"))
PATIENCE = 240
"""Seconds without any news after which the run is given up."""


@attrs.define
class Device:
    """One device: its process, and its state file."""

    name: str
    label: str
    state: Path
    command: list[str]
    process: "subprocess.Popen[bytes] | None" = None

    def start(self, log: Path) -> None:
        """Start it."""
        with log.open("ab") as out:
            self.process = subprocess.Popen(self.command, stdout=out, stderr=out)

    def kill(self) -> None:
        """Kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def count(self) -> int:
        """Tell how many messages it has."""
        with closing(sqlite3.connect(self.state, timeout=20)) as state:
            try:
                (count,) = state.execute("SELECT count(*) FROM message").fetchone()
            except sqlite3.OperationalError:  # it has only just made the file
                return 0
        return int(count)

    def log(self) -> Iterator[Kept]:
        """Give what it has."""
        with closing(sqlite3.connect(self.state)) as state:
            for (body,) in state.execute("SELECT body FROM message ORDER BY conversation, seq"):
                yield Kept(*(json.loads(body).get(name) for name in Kept._fields))


@attrs.frozen
class Result:
    """What a run came to."""

    seconds: float
    messages: int
    devices: int
    kills: int
    did: dict[str, int]
    findings: Findings

    @property
    def reconnects(self) -> int:
        """How many connections beyond the first of each device."""
        return self.did["connections"] - self.devices

    def table(self) -> str:
        """Write the figures as a Markdown table, with the first cases of each fault below."""
        counts = {"devices": self.devices, "seconds": round(self.seconds), "messages": self.messages}
        counts |= {"reconnects": self.reconnects, "devices killed": self.kills}
        counts |= {f"network: {what}": count for what, count in sorted(self.did.items()) if what != "connections"}
        rows = [f"| {name} | {count:,} |" for name, count in counts.items()]
        rows += [f"| {fault}: {FAULTS[fault]} | {len(cases):,} |" for fault, cases in self.findings.items()]
        cases = [f"{fault}: {case[:200]}" for fault, cases in self.findings.items() for case in cases[:5]]
        return "\n".join(["| | |", "|---|---|", *rows, *cases])


@attrs.define
class Rig:
    """The daemon, the proxy and the devices of one run."""

    directory: Path
    messages: int
    """Of all devices together."""

    reconnects: int
    seed: int
    life: float
    program: tuple[str, ...] = kill.SOUND
    size: int = len(DEVICES)
    """How many devices there are."""

    kills: int = 0
    devices: list[Device] = attrs.field(factory=list)

    def run(self) -> Result:
        """Let them talk until all have everything, and the network has broken often enough."""
        begun = time.monotonic()
        (self.directory / "config.toml").write_text(kill.CONFIG)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            daemon = kill.Daemon(self.directory, probe.getsockname()[1], self.program)
        daemon.start()
        command = [sys.executable, "-m", "tests.rigs.proxy", "--to", str(daemon.port)]
        command += ["--seed", str(self.seed), "--life", str(self.life)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
            try:
                assert proxy.stdout is not None
                tokens = asyncio.run(self._register(daemon))
                self._talk(int(proxy.stdout.readline()), proxy)
                proxy.send_signal(signal.SIGTERM)
                did = json.loads(proxy.stdout.read().splitlines()[-1])
                readings = asyncio.run(self._kept(daemon.port, tokens))
            finally:
                for device in self.devices:
                    device.kill()
                proxy.kill()
                daemon.kill()
        return Result(time.monotonic() - begun, self.messages, self.size, self.kills, did, self._compare(readings))

    async def _register(self, daemon: kill.Daemon) -> dict[str, str]:
        await daemon.until(daemon.answers)
        return {name: await token(daemon.port, name) for name in PEER}

    async def _kept(self, port: int, tokens: dict[str, str]) -> list[Reading]:
        return [each for name in PEER for each in await read_everything(port, name, tokens[name])]

    def _talk(self, port: int, proxy: "subprocess.Popen[str]") -> None:
        each, log, chance = self.messages // self.size, self.directory / "devices.log", random.Random(self.seed)
        for name, label in DEVICES[: self.size]:
            state = self.directory / f"{name}-{label}.sqlite3"
            command = [sys.executable, "-m", "tests.rigs.chatter", f"127.0.0.1:{port}", str(state)]
            command += [name, label, PEER[name], str(each)]
            self.devices.append(Device(name, label, state, command))
            self.devices[-1].start(log)
        seen, news = 0, time.monotonic()
        pause = min(3.0, self.messages / 400)
        while seen < 4 * self.messages or self._connections(proxy) - self.size < self.reconnects:
            time.sleep(pause)
            victim = chance.choice(self.devices)
            victim.kill()
            victim.start(log)
            self.kills += 1
            before, seen = seen, sum(device.count() for device in self.devices)
            if seen > before or seen >= 4 * self.messages:
                news = time.monotonic()
            elif time.monotonic() - news > PATIENCE:
                return  # whatever is missing is found below

    def _connections(self, proxy: "subprocess.Popen[str]") -> int:
        proxy.send_signal(signal.SIGUSR1)
        assert proxy.stdout is not None
        return int(json.loads(proxy.stdout.readline())["connections"])

    def _compare(self, readings: list[Reading]) -> Findings:
        """Compare what the daemon keeps, what each device has, and what each was to send."""
        readings = [each._replace(messages=list(map(_by_device, each.messages))) for each in readings]
        talks = {name: {each.conversation for each in readings if each.reader == name} for name in PEER}
        for device in self.devices:
            kept = list(map(_by_device, device.log()))
            for conversation in talks[device.name] | {message.conversation for message in kept}:
                mine = [message for message in kept if message.conversation == conversation]
                readings.append(Reading(f"{device.name}/{device.label}", "its state", conversation, mine))
        sent = [
            Sent(f"{name}/{label}", f"{name}/{label} {number}", PEER[name], f"{name}/{label} {number}")
            for name, label in DEVICES[: self.size]
            for number in range(1, self.messages // self.size + 1)
        ]
        findings = check(Journal(sent), readings)
        there = {message.content for reading in readings if reading.way == "history" for message in reading.messages}
        findings["lost"] = sorted({each.content for each in sent} - there)
        return findings


def _by_device(message: Kept) -> Kept:
    """Let the device be the sender, as its content says, and the content the client_id: that differs by itself."""
    return message._replace(sender=message.content.split()[0], client_id=message.content)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Talk over a bad network, and compare the logs.")
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--reconnects", type=int, default=2_000)
    parser.add_argument("--life", type=float, default=1.5, help="mean seconds until something happens to a connection")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="imd-chaos-"))
    print(f"seed {options.seed}, data in {place}", flush=True)
    result = Rig(place, options.messages, options.reconnects, options.seed, options.life).run()
    print(result.table())
    sys.exit(any(result.findings.values()))
