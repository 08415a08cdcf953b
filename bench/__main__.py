"""Measure imd beside a bare relay: python -m bench [section ...]."""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import machine, report, servers

SECTIONS = ("pairs", "latency", "idle", "resumes")


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
    parser.add_argument("--seconds", type=float, default=8, help="how long each figure is measured; default 8")
    parser.add_argument("--directory", default="/var/tmp", help="where the data lies while measuring: a real disk")
    parser.add_argument("--last", action="store_true", help="print the recorded run and measure nothing")
    parser.add_argument("--record", action="store_true", help="keep the figures in bench/last.json")
    options = parser.parse_args()
    options.sections = options.sections or list(SECTIONS)
    if unknown := set(options.sections) - set(SECTIONS):
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    return options


def _measured(ground: servers.Ground, section: str, options: argparse.Namespace) -> Iterator[report.Figure]:
    """Measure one section, each figure on a fresh server: imd, then the relay."""
    if section == "pairs":
        for window in map(int, options.windows.split(",")):
            found = _both(ground, "pairs", window=window, seconds=options.seconds)
            for what in ("answered", "delivered"):
                yield _figure(f"50 pairs, window {window}: {what}", "messages/s", found, what)
    elif section == "latency":
        found = _both(ground, "latency", count=int(options.seconds * 250), pause=0.002)
        for percent in ("p50", "p99"):
            yield _figure(f"one idle pair: delivery {percent}", "us", found, percent)
    elif section == "idle":
        counts = [int(count) for count in options.connections.split(",")]
        found = _both(ground, "idle", counts=counts)
        for count in counts:
            yield _figure(f"{count:,} idle connections", "KiB each", found, str(count))
    else:
        found = _both(ground, "resumes", seconds=options.seconds)
        yield _figure("resumes, with TLS handshake", "1/s", found, "resumes")


def _both(ground: servers.Ground, section: str, **parameters: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    with servers.imd(ground.directory) as server:
        imd = ground.run(server, section, **parameters)
    with servers.relay(ground.directory) as server:
        return imd, ground.run(server, section, **parameters)


def _figure(name: str, unit: str, found: tuple[dict[str, Any], dict[str, Any]], key: str) -> report.Figure:
    imd, relay = found
    return report.Figure(name, unit, imd[key], relay[key], imd["load"], relay["load"])


if __name__ == "__main__":
    main()
