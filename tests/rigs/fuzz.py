"""The fuzz rig: malformed input over live sockets, and a daemon that answers all the same.

python -m tests.rigs.fuzz --inputs 100000

Three connections take turns: a stranger, somebody logged in, the operator. After each batch the daemon must answer,
whatever state the noise left it in; at the end its log holds no fault and its memory has not grown beyond the bound.
"""

import argparse
import asyncio
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import attrs

from tests.live.daemon import Daemon, trusting
from tests.rigs import kill, malformed
from tests.rigs.people import PASSWORD, token

BATCH = 50
GROWTH_MIB = 64
"""How much the daemon's resident memory may grow over a run: caches and the database's pages, not the input."""

SETTINGS = {"requests_per_second": "0", "unauthenticated_per_address": "1000", "failed_logins": "1000000"}
FAULTY = re.compile(r"Traceback|Unhandled|fault [0-9a-f]{8} in|CRITICAL|stumbled|not answered|not delivered")


@attrs.frozen
class Result:
    """What a run came to."""

    inputs: int
    seconds: float
    answers: Counter[str]
    connections: int
    growth_mib: float
    faults: list[str]

    def table(self) -> str:
        """Write the figures as a Markdown table, with the first faults below."""
        counts: dict[str, object] = {"malformed inputs": f"{self.inputs:,}", "seconds": round(self.seconds)}
        counts |= {"connections they used up": f"{self.connections:,}", "answers": f"{self.answers.total():,}"}
        counts |= {f"of these, {code}": f"{count:,}" for code, count in self.answers.most_common()}
        counts |= {"growth of memory, MiB": round(self.growth_mib, 1), "faults": len(self.faults)}
        rows = [f"| {name} | {count} |" for name, count in counts.items()]
        return "\n".join(["| | |", "|---|---|", *rows, *(fault[:300] for fault in self.faults[:5])])


@attrs.define
class Target:
    """One kind of connection; a new one is opened when the noise ends it."""

    name: str
    daemon: Daemon
    token: str = ""
    answers: Counter[str] = attrs.field(factory=Counter)
    connections: int = 0
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Give the connection, a new one if need be."""
        if self._reader is None or self._writer is None:
            if self.name == "operator":
                path = str(self.daemon.directory / "data" / "admin.sock")
                self._reader, self._writer = await asyncio.open_unix_connection(path, limit=1 << 22)
            else:
                self._reader, self._writer = await asyncio.open_connection(
                    "127.0.0.1", self.daemon.port, ssl=trusting(), limit=1 << 22
                )
            self.connections += 1
            if self.name == "user":
                self._writer.write(json.dumps({"action": "resume", "token": self.token}).encode() + b"\n")
        return self._reader, self._writer

    async def feed(self, chance: random.Random, inputs: list[bytes]) -> None:
        """Send a batch, split anywhere, and a question; read until its answer or the connection's end."""
        reader, writer = await self.open()
        mark = f"mark-{chance.getrandbits(64):x}"
        lenient = b'{"action":"policy_reset"}\n' if self.name == "operator" else b""  # it may have closed the door
        data = b"".join(inputs) + b"\n.\n" + lenient + json.dumps({"action": "whoami", "id": mark}).encode() + b"\n"
        listening = asyncio.create_task(self._listen(reader, mark))
        try:
            while data and not listening.done():
                size = chance.choice((1, 2, 7, 100, 1000, 1000, 20_000, 20_000))
                writer.write(data[:size])
                data = data[size:]
                if size < 100:
                    await asyncio.sleep(0)
                await writer.drain()
        except OSError:
            pass
        last = await asyncio.wait_for(listening, 60)
        if last is None or (self.name == "user" and last.get("code") == "auth_required"):
            await self._anew(writer, logged_out=last is not None)

    async def _listen(self, reader: asyncio.StreamReader, mark: str) -> "dict[str, object] | None":
        """Read answers; give the one to the question, or None when the connection ends."""
        while True:
            try:
                line = await reader.readline()
            except OSError:
                return None
            if not line:
                return None
            if found := re.match(rb'(?:@\S+ )?(?:ERR (\w+)|(OK))|.*"code":"(\w+)"|.*("status":"success")', line):
                self.answers[
                    next(each for each in found.groups() if each).decode().replace('"status":"success"', "OK")
                ] += 1
            if mark.encode() in line and line.startswith(b'{"status"'):
                said: dict[str, object] = json.loads(line)
                return said

    async def _anew(self, writer: asyncio.StreamWriter, *, logged_out: bool) -> None:
        writer.transport.abort()
        self._reader = self._writer = None
        if logged_out:
            self.token = await somebody(self.daemon, f"user{self.connections}")


async def somebody(daemon: Daemon, name: str) -> str:
    """Have an account made by the operator, whoever may register by now, log in, and give the token."""
    operator = daemon.operator()
    operator.say(json.dumps({"action": "user_add", "username": name, "password": PASSWORD}))
    operator.next_line()
    operator.hang_up()
    return await token(daemon.port, name, register=False)


def memory_mib(pid: int) -> float:
    """Give a process's resident memory."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


async def _feed(daemon: Daemon, count: int, chance: random.Random) -> tuple[Counter[str], int, float]:
    lines = malformed.valid()
    targets = [
        Target("stranger", daemon),
        Target("user", daemon, await somebody(daemon, "ann")),
        Target("operator", daemon),
    ]
    await somebody(daemon, "bob")
    assert daemon.process is not None
    before, sent = 0.0, 0
    while sent < count:
        size = min(BATCH, count - sent)
        await chance.choice(targets).feed(chance, [malformed.piece(chance, lines) for _ in range(size)])
        sent += size
        if not before and sent >= count // 10:  # what is loaded and cached once is there by now
            before = memory_mib(daemon.process.pid)
    growth = memory_mib(daemon.process.pid) - before
    answers = sum((target.answers for target in targets), Counter())
    return answers, sum(target.connections for target in targets), growth


def run(directory: Path, count: int, seed: int, program: tuple[str, ...] = kill.SOUND) -> Result:
    """Feed so many inputs, and look at what became of the daemon."""
    daemon = Daemon(directory, SETTINGS, program=program)
    begun = time.monotonic()
    faults = []
    daemon.start()
    try:
        answers, connections, growth = asyncio.run(_feed(daemon, count, random.Random(seed)))
        line = daemon.connect()
        line.say("PING")
        if line.next_line() != "OK PING":
            faults.append("it does not answer PING")
        line.hang_up()
        if daemon.stop() != 0:
            faults.append("it does not stop cleanly")
    finally:
        daemon.close()
    faults += [line for line in daemon.log.splitlines() if FAULTY.search(line)]
    if answers["internal"]:
        faults.append(f"{answers['internal']} answers are `internal`")
    if growth > GROWTH_MIB:
        faults.append(f"memory grew by {growth:.0f} MiB")
    return Result(count, time.monotonic() - begun, answers, connections, growth, faults)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Feed malformed input to a live daemon.")
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--broken", help="a variant of tests.rigs.broken")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    program = kill.broken(options.broken) if options.broken else kill.SOUND
    with tempfile.TemporaryDirectory(prefix="imd-fuzz-") as place:
        result = run(Path(place), options.inputs, options.seed, program)
    print(result.table())
    sys.exit(bool(result.faults))
