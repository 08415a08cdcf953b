"""Measure imd beside a bare relay: python -m bench [section ...]."""

import argparse
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median_low
from typing import Any

from bench import archive, machine, report, servers

SECTIONS = ("pairs", "group", "stored", "latency", "idle", "resumes", "search")


def main() -> None:
    """Measure, print the table, and record it where asked."""
    options = _options()
    about, last = report.last_run()
    if options.last:
        print("\n".join(f"{key}: {value}" for key, value in about.items()) + "\n\n" + report.table(last, {}))
        return
    figures = []
    with tempfile.TemporaryDirectory(prefix="imd-bench-", dir=options.directory) as name:
        directory = Path(name)
        if machine.filesystem(directory) in machine.NOT_A_DISK:
            raise SystemExit(f"{directory} is in memory, where a sync costs nothing; choose a disk with --directory")
        about = machine.description(directory)
        print("\n".join(f"{key}: {value}" for key, value in about.items()), flush=True)
        ground = servers.prepare(directory)
        for section in options.sections:
            for figure in _measured(ground, section, options):
                print(f"{figure.name}: {figure.imd:,} {figure.unit}, relay {figure.relay:,}", flush=True)
                figures.append(figure)
    print("\n" + report.table(figures, {figure.name: figure.imd for figure in last}))
    if options.record:
        report.record(about, figures)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure imd beside a bare relay.")
    parser.add_argument("sections", nargs="*", metavar="section", help=f"which of {', '.join(SECTIONS)}; default all")
    parser.add_argument("--windows", default="1,32", help="messages in flight per pair; default 1,32")
    parser.add_argument("--connections", default="1000,5000", help="idle connections; default 1000,5000")
    parser.add_argument(
        "--seconds", type=float, default=4, help="how long each figure is measured each time; default 4"
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often; the median counts; default 3")
    parser.add_argument(
        "--patience", type=float, default=0, help="seconds to wait, each time, for nothing else to run; default 0"
    )
    parser.add_argument("--directory", default="/var/tmp", help="where the data lies while measuring: a real disk")
    parser.add_argument("--last", action="store_true", help="print the recorded run and measure nothing")
    parser.add_argument("--record", action="store_true", help="keep the figures in bench/last.json")
    options = parser.parse_args()
    options.sections = options.sections or list(SECTIONS)
    if unknown := set(options.sections) - set(SECTIONS):
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    return options


def _measured(ground: servers.Ground, section: str, options: argparse.Namespace) -> Iterator[report.Figure]:
    """Measure one section: imd and the relay in turn, each time on a fresh server."""
    both = partial(_both, ground, options, section)
    if section == "pairs":
        for window in map(int, options.windows.split(",")):
            found = both(window=window, seconds=options.seconds)
            for what in ("answered", "delivered"):
                yield _figure(f"50 pairs, window {window}: {what}", "messages/s", found, what)
    elif section == "group":
        yield _figure("a group of 200: delivered", "messages/s", both(window=8, seconds=options.seconds), "delivered")
    elif section == "stored":
        stored = servers.with_archive(ground, archive.MANY)
        found = _both(stored, options, "pairs", window=1, seconds=options.seconds)
        yield _figure(f"50 pairs, {archive.MANY:,} messages stored: answered", "messages/s", found, "answered")
    elif section == "latency":
        found = both(count=int(options.seconds * 250), pause=0.002)
        for percent in ("p50", "p99"):
            yield _figure(f"one idle pair: delivery {percent}", "us", found, percent)
    elif section == "idle":
        counts = [int(count) for count in options.connections.split(",")]
        found = both(counts=counts)
        for count in counts:
            yield _figure(f"{count:,} idle connections", "KiB each", found, str(count))
    elif section == "search":
        kinds, searched = archive.queries(), servers.with_archive(ground, archive.MESSAGES)
        found = _both(searched, options, section, queries=kinds, count=int(options.seconds * 50))
        for kind in (*(f"{kind} p50" for kind in kinds), "any of these p99"):
            yield _figure(f"search {archive.MESSAGES:,} messages: {kind}", "us", found, kind)
    else:
        yield _figure("resumes, with TLS handshake", "1/s", both(seconds=options.seconds), "resumes")


def _both(
    ground: servers.Ground, options: argparse.Namespace, section: str, **parameters: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give each figure's median over the rounds, of imd and of the relay."""
    imd: list[dict[str, Any]] = []
    relay: list[dict[str, Any]] = []
    for _ in range(options.rounds):
        for serve, found in ((servers.imd, imd), (servers.relay, relay)):
            found.append(_once(ground, serve, options.patience, section, parameters))
    return _medians(imd), _medians(relay)


def _once(
    ground: servers.Ground, serve: servers.Serve, patience: float, section: str, parameters: dict[str, Any]
) -> dict[str, Any]:
    """Measure on a quiet machine, and again while something disturbs it, as long as patience lasts."""
    deadline = time.monotonic() + patience
    while True:
        machine.wait_for_quiet(deadline)
        with serve(ground.directory) as server:
            found = ground.run(server, section, **parameters)
        if found["load"]["others"] < machine.DISTURBED or time.monotonic() >= deadline:
            return found


def _medians(found: list[dict[str, Any]]) -> dict[str, Any]:
    medians = {key: median_low([each[key] for each in found]) for key in found[0] if key != "load"}
    load = {part: median_low([each["load"][part] for each in found]) for part in found[0]["load"]}
    return {**medians, "load": load}


def _figure(name: str, unit: str, found: tuple[dict[str, Any], dict[str, Any]], key: str) -> report.Figure:
    imd, relay = found
    return report.Figure(name, unit, imd[key], relay[key], imd["load"], relay["load"])


if __name__ == "__main__":
    main()
