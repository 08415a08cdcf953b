"""The timing rig: how long a login takes to be refused, for every kind of name, over TLS; who exists must not be told.

python -m tests.rigs.timing --tries 2000

The kinds take turns in an order that is drawn anew each round, on one connection each, so that whatever else the
machine does meets all alike. Compared are the medians. Where others keep the machine busy, `chrt -f 5` before it helps.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

import attrs

from tests.chat.authenticator import code
from tests.live.daemon import Daemon, Line
from tests.rigs import kill
from tests.rigs.people import PASSWORD

SETTINGS = {"requests_per_second": "0", "failed_logins": "1000000", "login_seconds": "86400"}
ALLOWED = 0.02
"""How much the largest median may exceed the smallest."""

KINDS = {
    "unknown": "nobody",
    "known": "ann",
    "disabled": "dan",
    "deleted, by its tombstone": "deleted-3",
    "deleted, by its old name": "eve",
    "with a second factor": "fay",
    "no name": "not a name!",
}
"""Kind -> whose name is tried, always with a wrong password."""


@attrs.frozen
class Result:
    """Seconds by kind."""

    seconds: dict[str, list[float]]

    @property
    def medians(self) -> dict[str, float]:
        """The median of each kind."""
        return {kind: median(each) for kind, each in self.seconds.items()}

    @property
    def spread(self) -> float:
        """By how much the largest median exceeds the smallest."""
        return max(self.medians.values()) / min(self.medians.values()) - 1

    def table(self) -> str:
        """Write the figures as a Markdown table."""
        rows = ["| a wrong password for a name that is | tries | median, ms | middle half, ms |", "|---|---|---|---|"]
        for kind, each in self.seconds.items():
            low, middle, high = (1000 * value for value in quantiles(each, n=4))
            rows.append(f"| {kind} | {len(each):,} | {middle:.3f} | {low:.2f} to {high:.2f} |")
        return "\n".join([*rows, f"| largest median over smallest | | {100 * self.spread:+.2f} % | |"])


def _asked(line: Line, request: str) -> str:
    """Ask, and give the line that answers."""
    line.say(request)
    while (heard := line.next_line()) is not None and not heard.startswith(("OK", "ERR")):
        pass
    return str(heard)


def populate(daemon: Daemon) -> None:
    """Make the accounts; the third one is deleted."""
    operator = daemon.operator()
    for name in ("ann", "dan", "eve", "fay"):
        assert _asked(operator, f"USER ADD {name} {PASSWORD}").startswith("OK")
    assert _asked(operator, "USER DISABLE dan").startswith("OK")
    operator.hang_up()
    for name, then in (("eve", f"DELETE ACCOUNT {PASSWORD}"), ("fay", f"FACTOR ADD {PASSWORD}")):
        line = daemon.connect()
        assert _asked(line, f"LOGIN {name} {PASSWORD}").startswith("OK")
        answer = _asked(line, then)
        assert answer.startswith("OK")
        if name == "fay":
            secret = answer.split("secret=")[1].split()[0]
            assert _asked(line, f"FACTOR CONFIRM {code(secret, int(time.time() * 1000))}").startswith("OK")
        else:
            assert f"tombstone={KINDS['deleted, by its tombstone']} " in answer
        line.hang_up()


@contextmanager
def _connections(daemon: Daemon) -> Iterator[dict[str, Line]]:
    lines = {kind: daemon.connect() for kind in KINDS}
    yield lines
    for line in lines.values():
        line.hang_up()


def run(directory: Path, tries: int, seed: int, program: tuple[str, ...] = kill.SOUND) -> Result:
    """Try so often for each kind, after a few that do not count."""
    daemon, chance = Daemon(directory, SETTINGS, program=program).start(), random.Random(seed)
    seconds: dict[str, list[float]] = {kind: [] for kind in KINDS}
    try:
        populate(daemon)
        with _connections(daemon) as lines:
            for number in range(tries + 5):
                for kind in chance.sample(list(KINDS), len(KINDS)):
                    began = time.perf_counter()
                    answer = _asked(lines[kind], f'LOGIN "{KINDS[kind]}" code=123456 {number} is wrong')
                    took = time.perf_counter() - began
                    assert answer == "ERR invalid_credentials The name or the password is wrong.", answer
                    seconds[kind] += [took] * (number >= 5)
    finally:
        daemon.close()
    return Result(seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure how long logins take to be refused.")
    parser.add_argument("--tries", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imd-timing-") as place:
        result = run(Path(place), options.tries, options.seed)
    print(result.table())
    sys.exit(result.spread > ALLOWED)
