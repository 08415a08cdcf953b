"""The attack rig: crowds that wait, stop reading, make noise or log in without end, while others want to talk.

python -m tests.rigs.attacks siege|garbage|storm

siege: pairs talk, in a group with many readers. Then all of those stop reading, ask for pages, and strangers fill the
door: silent, with half a handshake, or dribbling a byte a second. The talkers' delays are compared with those before;
memory must stay below a bound; and in 35 s nothing of the attack may be left.

garbage: connections that bring noise and go. Memory, descriptors and objects must not grow after the first tenth.

storm: logins without end, right and wrong. The reactor must be on time.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs

from tests.live.daemon import Daemon, Line, free_port
from tests.rigs import kill
from tests.rigs.fuzz import FAULTY, memory_mib, somebody

COUNTING = (sys.executable, "-m", "tests.rigs.counting")
STRANGER_KIB = 96
"""What a stranger costs: its connection, its half handshake or its unfinished line."""

QUEUE_KIB = 1024
"""`queue_bytes`."""

PAGE_KIB = 220
"""The page that a reader has asked for: of 200 messages of a kilobyte, here."""

READER_KIB = 192
"""What a reader costs besides: its connection, 64 KiB before TLS and as much behind it."""

VARYING_OBJECTS = 200
"""By how much the count of living objects differs from look to look where nothing leaks: 280 to 460 were seen."""

FAREWELL_SECONDS = 5
"""A connection that is closed has 4; and a second for the rest."""

LATE_MS = 20.0


class Helper:
    """A process of `tests.rigs.attackers`."""

    def __init__(self, kind: str, daemon: Daemon, **settings: Any) -> None:
        command = [sys.executable, "-m", "tests.rigs.attackers", kind, str(daemon.port), json.dumps(settings)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def answer(self) -> dict[str, Any]:
        """Wait for its next line."""
        assert self.process.stdout is not None
        said: dict[str, Any] = json.loads(self.process.stdout.readline())
        return said

    def tell(self) -> None:
        """Send it a line: it stops reading, or ends."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self) -> None:
        """End it."""
        self.process.kill()
        self.process.communicate()


@attrs.define
class Watch:
    """Looks at the daemon from outside."""

    daemon: Daemon
    figures: str
    """Where it serves its figures."""

    operator: Line
    peak_mib: float = 0.0

    @property
    def pid(self) -> int:
        """Its process."""
        assert self.daemon.process is not None
        return self.daemon.process.pid

    def connections(self) -> int:
        """How many it holds."""
        self.operator.say('{"action":"server_status"}')
        return int(json.loads(self.operator.next_line(60) or "{}")["connections"])

    def memory(self) -> float:
        """Resident MiB; the most that was seen is kept."""
        now = memory_mib(self.pid)
        self.peak_mib = max(self.peak_mib, now)
        return now

    def descriptors(self) -> int:
        """How many files it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def lags(self) -> dict[float, float]:
        """How often the reactor was so late, in milliseconds, cumulative."""
        with urllib.request.urlopen(self.figures, timeout=60) as page:
            text = page.read().decode()
        found = re.findall(r'imd_loop_lag_seconds_bucket\{le="([^"]+)"\} (\S+)', text)
        return {float(bound) * 1000: float(count) for bound, count in found}

    def objects(self) -> int:
        """How many objects live in it; needs `tests.rigs.counting`."""
        place = self.daemon.directory / "objects"
        place.unlink(missing_ok=True)
        os.kill(self.pid, signal.SIGUSR2)
        until = time.monotonic() + 30
        while not (place.exists() and (text := place.read_text()).endswith("\n")):
            assert time.monotonic() < until, "it does not count"
            time.sleep(0.05)
        return int(text)


def _give_precedence(daemon: Daemon) -> None:
    """Let the daemon's session go before the attackers' and others': they would have machines of their own."""
    assert daemon.process is not None
    with suppress(OSError):  # root may
        Path(f"/proc/{daemon.process.pid}/autogroup").write_text("-15")


@contextmanager
def under_watch(directory: Path, program: tuple[str, ...], **settings: int) -> Iterator[Watch]:
    """Run a daemon, and look at its log in the end."""
    port = free_port()
    listen = f"tcp:{port}:interface=127.0.0.1"
    daemon = Daemon(directory, {"metrics": listen, **{name: str(each) for name, each in settings.items()}})
    daemon.program = ("setsid", *program)
    daemon.start()
    _give_precedence(daemon)
    try:
        yield Watch(daemon, f"http://127.0.0.1:{port}/metrics", daemon.operator())
        assert daemon.stop() == 0
    finally:
        daemon.close()
    assert not (found := [line for line in daemon.log.splitlines() if FAULTY.search(line)]), found[:5]


def late_share(before: dict[float, float], after: dict[float, float], bound: float) -> float:
    """Give the share of looks at which the reactor was later than that."""
    seen = {each: after[each] - before.get(each, 0) for each in after}
    return 1 - seen[bound] / max(1, seen[float("inf")])


def quantile(before: dict[float, float], after: dict[float, float], share: float) -> float:
    """Give within which bound the reactor was on time at so many looks."""
    seen = {each: after[each] - before.get(each, 0) for each in after}
    return min(each for each in seen if seen[each] >= share * seen[float("inf")])


def kernel_mib() -> float:
    """Give what the kernel holds for TCP, of everybody on this machine."""
    found = re.search(r"^TCP:.* mem (\d+)", Path("/proc/net/sockstat").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def table(rows: dict[str, Any]) -> str:
    """Write figures as a Markdown table."""
    shown = {name: f"{each:,.1f}" if isinstance(each, float) else f"{each}" for name, each in rows.items()}
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {each} |" for name, each in shown.items())]) + (
        f"\n| load of the machine (1, 5, 15 min) | {load} |"
    )


# -- siege


@attrs.frozen
class Scale:
    """How large a siege is, and how patient the daemon."""

    readers: int = 500
    strangers: int = 2_000
    seconds: int = 20
    rounds: int = 2
    login_seconds: int = 30
    """Also how long a connection may read nothing."""

    rate: int = 150
    talkers: int = 20

    @property
    def gone_seconds(self) -> int:
        """When nothing of an attack may be left."""
        return self.login_seconds + FAREWELL_SECONDS


QUICK = Scale(readers=20, strangers=60, seconds=2, rounds=1, login_seconds=2, rate=100, talkers=4)


@attrs.define
class Siege:
    """What a siege came to; delays in milliseconds."""

    scale: Scale
    calm: list[dict[str, float]] = attrs.field(factory=list)
    attacked: list[dict[str, float]] = attrs.field(factory=list)
    gone: list[float] = attrs.field(factory=list)
    held: int = 0
    base_mib: float = 0.0
    peak_mib: float = 0.0
    kernel_mib: float = 0.0
    """What the kernel held for all sockets of the machine."""

    late_ms: float = 0.0

    @property
    def bound_mib(self) -> float:
        """What the daemon may take at most: what it had, and so much for each attacker."""
        each = self.scale.strangers * STRANGER_KIB + self.scale.readers * (QUEUE_KIB + PAGE_KIB + READER_KIB)
        return self.base_mib + each / 1024

    def faults(self) -> list[str]:
        """Name what is wrong whatever else the machine does."""
        late = [each for each in self.gone if each > self.scale.gone_seconds + 1]
        found = [f"after {each:.1f} s of an attack, something of it was still there" for each in late]
        if self.peak_mib > self.bound_mib:
            found.append(f"{self.peak_mib:.0f} MiB are more than {self.bound_mib:.0f}")
        return found

    def ratio(self, name: str) -> float:
        """Give how much longer messages took under attack: the best round counts, others share the machine."""
        return min(now[name] / before[name] for before, now in zip(self.calm, self.attacked, strict=True))

    def table(self) -> str:
        """Write the figures."""
        rows: dict[str, Any] = {"readers that stop": self.scale.readers, "strangers": self.scale.strangers}
        rows["most connections at once"] = self.held
        for name in ("p50", "p99", "most"):
            before = " / ".join(f"{each[name]:.1f}" for each in self.calm)
            now = " / ".join(f"{each[name]:.1f}" for each in self.attacked)
            rows[f"{name}, before and under attack, ms"] = f"{before} and {now}"
        rows |= {"p99, times": self.ratio("p99"), "loop lag p99 under attack, at most ms": self.late_ms}
        rows |= {"all gone after s": " / ".join(f"{each:.1f}" for each in self.gone)}
        rows |= {"memory before, MiB": self.base_mib, "peak": self.peak_mib, "bound": self.bound_mib}
        rows["kernel's memory for sockets, peak, MiB"] = self.kernel_mib
        return table(rows)


def people(daemon: Daemon, prefix: str, count: int) -> dict[str, str]:
    """Make accounts, and give everybody's token."""

    async def tokens() -> dict[str, str]:
        return {name: await somebody(daemon, name) for name in (f"{prefix}{each}" for each in range(count))}

    return asyncio.run(tokens())


def _busy_group(daemon: Daemon, tokens: dict[str, str]) -> None:
    """Make a group of everybody with long messages in it."""
    for number, token in enumerate(tokens.values()):
        line = daemon.connect()
        line.say(json.dumps({"action": "resume", "token": token, "replay": False}))
        if number == 0:
            line.say('{"action":"group_create","handle":"#crowd","join_mode":"open"}')
            for each in range(200):
                line.say(json.dumps({"action": "send_message", "to": "#crowd", "content": f"{each} " + "x" * 1000}))
        else:
            line.say('{"action":"group_join","to":"#crowd"}')
        line.say('{"action":"ping","id":"last"}')
        while '"last"' not in (line.next_line() or '"last"'):
            pass
        line.hang_up()


def _attack(watch: Watch, result: Siege, crowd: Helper, talk: dict[str, Any]) -> None:
    """Let the readers stop and the strangers come, while others talk; wait until all are gone."""
    scale, honest = result.scale, watch.connections() - result.scale.readers
    before = watch.lags()
    talkers = Helper("talkers", watch.daemon, **talk)
    strangers = Helper("strangers", watch.daemon, count=scale.strangers, rate=scale.rate)
    crowd.tell()
    stopped = time.monotonic()
    try:
        assert crowd.answer()["stopped"] == scale.readers
        arrived = 0.0
        while len(result.gone) < len(result.calm):
            time.sleep(0.25)
            watch.memory()
            result.kernel_mib = max(result.kernel_mib, kernel_mib())
            now = watch.connections()
            result.held = max(result.held, now)
            if not arrived and time.monotonic() - stopped > scale.strangers / scale.rate + 1:
                strangers.answer()
                arrived = time.monotonic()
            left = now > honest + (scale.talkers if talkers.process.poll() is None else 0)
            if arrived and (not left or time.monotonic() - arrived > scale.gone_seconds + 2):
                result.gone.append(time.monotonic() - arrived)
        result.attacked.append(talkers.answer())
        result.late_ms = max(result.late_ms, quantile(before, watch.lags(), 0.99))
    finally:
        strangers.end()
        talkers.end()


def siege(directory: Path, scale: Scale, program: tuple[str, ...] = kill.SOUND) -> Siege:
    """Measure in calm and under attack, in turns, on one daemon."""
    result = Siege(scale)
    settings = {"requests_per_second": 0, "connections": 40_000, "login_seconds": scale.login_seconds}
    with under_watch(directory, program, **settings) as watch:
        tokens = people(watch.daemon, "talker", scale.talkers)
        crowd_tokens = people(watch.daemon, "reader", -(-scale.readers // 50))
        _busy_group(watch.daemon, tokens | crowd_tokens)
        talk = {"tokens": list(tokens.values()), "names": list(tokens), "pause": 0.1, "group_every": 2}
        for _ in range(scale.rounds):
            readers = Helper("readers", watch.daemon, count=scale.readers, tokens=list(crowd_tokens.values()), pages=20)
            try:
                assert readers.answer()["connected"] == scale.readers
                calm = Helper("talkers", watch.daemon, seconds=scale.seconds, **talk)
                result.calm.append(calm.answer())
                calm.end()
                result.base_mib = result.base_mib or watch.memory()
                length = scale.strangers / scale.rate + scale.seconds
                _attack(watch, result, readers, {**talk, "seconds": length})
            finally:
                readers.end()
        result.peak_mib = watch.peak_mib
    return result


# -- garbage


@attrs.define
class Growth:
    """What a run of noise left behind; the first figures are those after the first tenth."""

    cycles: int
    seconds: float = 0.0
    failed: dict[str, int] = attrs.field(factory=dict)
    memory: list[float] = attrs.field(factory=list)
    descriptors: list[int] = attrs.field(factory=list)
    objects: list[int] = attrs.field(factory=list)
    log_kib: float = 0.0

    def faults(self) -> list[str]:
        """Name what grew: one object, or 100 bytes, for each ten connections is a leak, beside what varies anyway."""
        found, most = [], self.cycles / 10
        if self.objects[-1] - max(self.objects[:2]) > VARYING_OBJECTS + most:
            found.append(f"living objects: {self.objects}")
        if self.memory[-1] - max(self.memory[:2]) > 8 + most * 100 / (1 << 20):
            found.append(f"memory: {self.memory}")
        if self.descriptors[-1] - max(self.descriptors[:2]) > 5:
            found.append(f"descriptors: {self.descriptors}")
        return found

    def table(self) -> str:
        """Write the figures."""
        rows: dict[str, Any] = {"cycles": f"{self.cycles:,}", "seconds": round(self.seconds), "failed": self.failed}
        rows["memory, look after look, MiB"] = " ".join(f"{each:.1f}" for each in self.memory)
        rows["descriptors"] = " ".join(map(str, self.descriptors))
        rows["living objects"] = " ".join(map(str, self.objects))
        rows["log, KiB"] = self.log_kib
        return table(rows)


def garbage(directory: Path, cycles: int, program: tuple[str, ...] = COUNTING, looks: int = 10) -> Growth:
    """Let noise come and go, and look so many times what is left of it."""
    result, begun = Growth(cycles), time.monotonic()
    with under_watch(directory, program) as watch:
        for _ in range(looks):
            noise = Helper("garbage", watch.daemon, count=cycles // looks)
            for kind, count in noise.answer()["failed"].items():
                result.failed[kind] = result.failed.get(kind, 0) + count
            noise.end()
            until = time.monotonic() + 60
            while watch.connections() > 1 and time.monotonic() < until:
                time.sleep(0.1)
            result.memory.append(watch.memory())
            result.descriptors.append(watch.descriptors())
            result.objects.append(watch.objects())
    result.seconds = time.monotonic() - begun
    result.log_kib = len(watch.daemon.log) / 1024
    return result


# -- storm


@attrs.define
class Storm:
    """What a storm of logins came to."""

    parallel: int
    seconds: float
    answers: dict[str, int] = attrs.field(factory=dict)
    lags: dict[str, tuple[float, float, float]] = attrs.field(factory=dict)
    talk: dict[str, dict[str, float]] = attrs.field(factory=dict)

    def table(self) -> str:
        """Write the figures."""
        rows: dict[str, Any] = {"logins in parallel": self.parallel, "seconds": self.seconds, **self.answers}
        for when, (p99, late, idle) in self.lags.items():
            rows[f"{when}: the reactor's lag, p99 at most ms"] = p99
            rows[f"{when}: later than {LATE_MS:.0f} ms, % of looks"] = late * 100
            rows[f"{when}: the lag of a process that does nothing, p99, ms"] = idle
            rows[f"{when}: others' messages p50, p99, ms"] = "{p50:.1f}, {p99:.1f}".format(**self.talk[when])
        return table(rows)


@contextmanager
def in_time(watch: Watch, lags: dict[str, tuple[float, float, float]], name: str) -> Iterator[None]:
    """Note how late the reactor was meanwhile (p99, and the share beyond LATE_MS), and a process that does nothing."""
    idle, before = Helper("metronome", watch.daemon), watch.lags()
    yield
    after = watch.lags()
    idle.tell()
    lags[name] = quantile(before, after, 0.99), late_share(before, after, LATE_MS), idle.answer()["p99"]
    idle.end()


def storm(
    directory: Path, parallel: int, seconds: float, program: tuple[str, ...] = kill.SOUND, talkers: int = 20
) -> Storm:
    """Let so many log in at once, again and again, while others talk."""
    result = Storm(parallel, seconds)
    with under_watch(directory, program, requests_per_second=0) as watch:
        tokens = people(watch.daemon, "talker", talkers)
        people(watch.daemon, "user", talkers)
        talk = {"tokens": list(tokens.values()), "names": list(tokens), "pause": 0.1, "group_every": 1 << 30}
        for when in ("before", "in the storm"):
            with in_time(watch, result.lags, when):
                talking = Helper("talkers", watch.daemon, seconds=seconds, **talk)
                if when != "before":
                    attackers = Helper("storm", watch.daemon, parallel=parallel, seconds=seconds, people=talkers)
                    result.answers = attackers.answer()["answers"]
                    attackers.end()
                result.talk[when] = talking.answer()
                talking.end()
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Attack a daemon, and look at what others notice of it.")
    parser.add_argument("section", choices=["siege", "garbage", "storm"])
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="imd-attacks-"))
    if options.section == "siege":
        print(siege(place, QUICK if options.quick else Scale()).table())
    elif options.section == "garbage":
        print(garbage(place, 600 if options.quick else 100_000).table())
    else:
        print((storm(place, 40, 2, talkers=4) if options.quick else storm(place, 300, 20)).table())
