"""The planted-fault rig: one small fault at a time in chat/, store/ and engine/, and which of them no test notices.

python -m tests.rigs.planted --count 200 --seed 1

Nothing is written where it starts: it works on copies. First one run of the tests says which test runs which line.
Then each fault meets the tests that run its line: those of its own module first, the quick ones before the slow ones.
A fault is caught when a test fails, or when they take much too long. Whoever reads the list of the others has to say
which of them change nothing that could be observed.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import attrs
from coverage import CoverageData

from tests.rigs.planting import Fault, faults

ROOT = Path(__file__).parents[2]
ROOMS = ("imd/chat", "imd/chat/base", "imd/store", "imd/engine")
TESTS = ("tests/chat", "tests/store", "tests/engine", "tests/plays", "tests/net", "tests/devices")
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
FIRST_SECONDS = 3.0
"""So long, as measured beforehand, the tests of the first stage take."""

WORKERS = 2
_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", ".coverage*", "imd-data")
_DURATION = re.compile(r"^([\d.]+)s (?:setup|call|teardown) +(.+)$", re.MULTILINE)


@attrs.frozen
class Survey:
    """Which tests run which line, by file and line, and the seconds that each test takes."""

    lines: dict[str, dict[int, list[str]]]
    seconds: dict[str, float]

    @classmethod
    def read(cls, copy: Path, report: str) -> "Survey":
        """Read what pytest and coverage wrote in a copy."""
        data = CoverageData(str(copy / ".coverage"))
        data.read()
        lines: dict[str, dict[int, list[str]]] = {}
        for path in data.measured_files():
            found = data.contexts_by_lineno(path)
            lines[os.path.relpath(path, copy)] = {
                line: sorted({each.rpartition("|")[0] for each in contexts if each}) for line, contexts in found.items()
            }
        seconds: dict[str, float] = defaultdict(float)
        for took, test in _DURATION.findall(report):
            seconds[test] += float(took)
        return cls(lines, dict(seconds))

    @classmethod
    def load(cls, file: Path) -> "Survey":
        """Read one that was kept."""
        kept = json.loads(file.read_text())
        lines = {path: {int(line): tests for line, tests in each.items()} for path, each in kept["lines"].items()}
        return cls(lines, kept["seconds"])

    def keep(self, file: Path) -> None:
        """Write it down for another run with the same checkout."""
        file.write_text(json.dumps(attrs.asdict(self)))

    def tests(self, path: str, fault: Fault, sources: dict[str, bytes]) -> list[str]:
        """List the tests that can notice a fault, the likeliest first."""
        if not fault.name:
            found = self._running(path, range(fault.lines[0], fault.lines[1] + 1))
        else:
            found = set()
            for other, source in sources.items():
                if other == path or fault.name.encode() in source:
                    found |= self._running(other, _lines_with(source, fault.name))
            found = found or self._running(path, self.lines.get(path, {}))
        room, stem = Path(path).parent.name, Path(path).stem

        def rank(test: str) -> tuple[bool, bool, float, str]:
            own = Path(test.partition("::")[0])
            return stem not in own.stem, room != own.parent.name, self.seconds.get(test, 0.0), test

        return sorted(found, key=rank)

    def _running(self, path: str, lines: "range | dict[int, list[str]] | list[int]") -> set[str]:
        known = self.lines.get(path, {})
        return {test for line in lines for test in known.get(line, ())}


def _lines_with(source: bytes, name: str) -> list[int]:
    word = re.compile(rf"\b{name}\b")
    return [number for number, line in enumerate(source.decode().splitlines(), 1) if word.search(line)]


@attrs.frozen
class Planted:
    """A fault in a file, and how it fared."""

    path: str
    fault: Fault
    tests: int = 0
    """How many tests run its line."""

    caught: str = ""
    """The stage that caught it."""

    def line(self, source: bytes) -> str:
        """Say what was changed, in one line of a list."""
        before = source[self.fault.start : self.fault.stop].decode()
        number = source[: self.fault.start].count(b"\n") + 1
        what = " ".join(before.split()), " ".join(self.fault.text.split())
        return f"{self.path}:{number} {self.fault.kind}: {what[0]} -> {what[1]} ({self.tests} tests run it)"


@attrs.frozen
class Result:
    """What became of all faults."""

    planted: list[Planted]
    sources: dict[str, bytes]

    @property
    def missed(self) -> list[Planted]:
        """The faults that no test noticed."""
        return [each for each in self.planted if not each.caught]

    def table(self) -> str:
        """Write the figures as a Markdown table, and below it what was missed."""
        rows = ["| room | planted | caught by the first tests | by the others | missed |", "|---|---|---|---|---|"]
        stages = Counter((str(Path(each.path).parent), each.caught) for each in self.planted)
        for room in sorted({room for room, _ in stages}):
            first, second, none = (stages[room, stage] for stage in ("first", "second", ""))
            rows.append(f"| {room} | {first + second + none} | {first} | {second} | {none} |")
        return "\n".join([*rows, "", *(each.line(self.sources[each.path]) for each in self.missed)])


@attrs.frozen
class Copy:
    """A copy of the checkout, for one fault at a time."""

    place: Path

    def passes(self, tests: list[str], seconds: float, *options: str) -> bool:
        """Run tests; False if one fails, or if they take longer."""
        arguments = self.place.with_suffix(".tests")
        arguments.write_text("".join(f"{test}\n" for test in tests))
        command = [*PYTEST, "-x", "--hypothesis-seed=0", f"--basetemp={self.place.with_suffix('.tmp')}", *options]
        with self.place.with_suffix(".log").open("w") as log:
            running = subprocess.Popen(
                [*command, f"@{arguments}"], cwd=self.place, stdout=log, stderr=log, start_new_session=True
            )
            try:
                return running.wait(seconds) == 0
            except subprocess.TimeoutExpired:
                return False
            finally:
                if running.returncode is None:
                    os.killpg(running.pid, signal.SIGKILL)
                    running.wait()

    def stage(self, one: Planted, stages: dict[str, list[str]], survey: Survey, moment: int) -> str:
        """Plant a fault, and name the stage of tests that catches it. Each text has a moment of its own for .pyc."""
        file = self.place / one.path
        source = file.read_bytes()
        try:
            file.write_bytes(one.fault.planted(source))
            os.utime(file, (moment, moment))
            for name, tests in stages.items():
                limit = 60 + 20 * sum(survey.seconds.get(test, 0.0) for test in tests)
                if tests and not self.passes(tests, limit):
                    return name
            return ""
        finally:
            file.write_bytes(source)
            os.utime(file, (moment + 1, moment + 1))


def survey(copy: Copy, rooms: tuple[str, ...], tests: tuple[str, ...]) -> Survey:
    """Run the tests once, all of which must pass, and note what each of them runs."""
    settings = copy.place / "planted.coveragerc"
    include = ", ".join(f"{room}/*" for room in rooms)
    settings.write_text(f"[run]\ninclude = {include}\nparallel = true\nconcurrency = thread\n")
    measured = ("--cov", f"--cov-config={settings.name}", "--cov-context=test", "--cov-report=")
    spread = ("-n", str(WORKERS), "--dist", "loadfile", "--durations=0", "-vv")
    if not copy.passes(list(tests), 3600, *measured, *spread):
        raise RuntimeError(f"the tests fail without a fault: {copy.place.with_suffix('.log').read_text()[-2000:]}")
    return Survey.read(copy.place, copy.place.with_suffix(".log").read_text())


def chosen(sources: dict[str, bytes], rooms: tuple[str, ...], count: int, chance: random.Random) -> list[Planted]:
    """Choose faults: as many in each room, and in turn of each kind."""
    planted: list[Planted] = []
    for number, room in enumerate(rooms):
        kinds: dict[str, list[Planted]] = defaultdict(list)
        for path, source in sources.items():
            for fault in faults(source) if str(Path(path).parent) == room else ():
                kinds[fault.kind].append(Planted(path, fault))
        left = [chance.sample(each, len(each)) for _, each in sorted(kinds.items())]
        wanted = count * (number + 1) // len(rooms)
        while len(planted) < wanted and any(left):
            planted += [each.pop() for each in left if each][: wanted - len(planted)]
    return planted


def _staged(tests: list[str], seconds: dict[str, float]) -> dict[str, list[str]]:
    """Part the tests into the first few, and the others."""
    spent, number = 0.0, 0
    while number < len(tests) and spent < FIRST_SECONDS:
        spent += seconds.get(tests[number], 0.0) + 0.005
        number += 1
    return {"first": tests[:number], "second": tests[number:]}


def run(
    place: Path,
    count: int,
    seed: int,
    *,
    root: Path = ROOT,
    rooms: tuple[str, ...] = ROOMS,
    tests: tuple[str, ...] = TESTS,
    kept: Path | None = None,
) -> Result:
    """Plant so many faults in copies of `root`, and give what became of them."""
    copies: SimpleQueue[Copy] = SimpleQueue()
    for number in range(WORKERS):
        shutil.copytree(root, place / str(number), ignore=_LEFT_OUT)
        copies.put(Copy(place / str(number)))
    sources = {
        str(file.relative_to(root)): file.read_bytes() for room in rooms for file in sorted((root / room).glob("*.py"))
    }
    if kept is not None and kept.exists():
        known = Survey.load(kept)
    else:
        known = survey(Copy(place / "0"), rooms, tests)
        if kept is not None:
            known.keep(kept)
    planted = chosen(sources, rooms, count, random.Random(seed))

    def tried(number: int, one: Planted) -> Planted:
        able = known.tests(one.path, one.fault, sources)
        copy = copies.get()
        try:
            caught = copy.stage(one, _staged(able, known.seconds), known, 1_000_000_000 + 2 * number)
        finally:
            copies.put(copy)
        done = attrs.evolve(one, tests=len(able), caught=caught)
        print(number, caught or "MISSED", done.line(sources[one.path]), flush=True)
        return done

    with ThreadPoolExecutor(WORKERS) as workers:
        return Result(list(workers.map(tried, range(len(planted)), planted)), sources)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Plant faults, and count those that no test notices.")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--survey", type=Path, help="keeps which test runs which line, for the next run")
    parser.add_argument("--nice", type=int, default=10)
    options = parser.parse_args()
    os.nice(options.nice)
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="imd-planted-") as directory:
        result = run(Path(directory), options.count, options.seed, kept=options.survey)
    print(result.table())
    sys.exit(bool(result.missed))
