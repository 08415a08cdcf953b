"""The figures as a table, and the last recorded run to compare them with."""

import json
from collections.abc import Iterable
from pathlib import Path

import attrs

from bench.machine import DISTURBED

LAST = Path(__file__).with_name("last.json")


@attrs.frozen
class Figure:
    """One measured figure, of imd and of the bare relay. Loads are cores: of the server, the generator, others."""

    name: str
    unit: str
    imd: float
    relay: float
    load: dict[str, float]
    relay_load: dict[str, float]

    @property
    def ratio(self) -> float:
        """Give imd's figure as a multiple of the relay's."""
        return self.imd / self.relay if self.relay else float("nan")


HEADINGS = ("figure", "unit", "imd", "relay", "imd/relay", "last", "now/last", "imd cores", "relay cores")


def table(figures: Iterable[Figure], last: dict[str, float]) -> str:
    """Write the figures as a Markdown table. Cores are server + generator (+ others, where they disturb)."""
    rows = [HEADINGS, *(_row(figure, last.get(figure.name)) for figure in figures)]
    if not last:
        rows = [row[:5] + row[7:] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _row(figure: Figure, last: float | None) -> tuple[str, ...]:
    return (
        figure.name,
        figure.unit,
        f"{figure.imd:,}",
        f"{figure.relay:,}",
        f"{figure.ratio:.2f}",
        f"{last:,}" if last else "",
        f"{figure.imd / last:.2f}" if last else "",
        _cores(figure.load),
        _cores(figure.relay_load),
    )


def _cores(load: dict[str, float]) -> str:
    others = f" + {load['others']:.2f}" if load["others"] >= DISTURBED else ""
    return f"{load['server']:.2f} + {load['generator']:.2f}{others}"


def last_run() -> tuple[dict[str, str], list[Figure]]:
    """Give the recorded run: the machine, and the figures."""
    if not LAST.exists():
        return {}, []
    recorded = json.loads(LAST.read_text())
    return recorded["machine"], [Figure(**figure) for figure in recorded["figures"]]


def record(machine: dict[str, str], figures: Iterable[Figure]) -> None:
    """Keep this run as the last one; figures not measured this time stay as they are."""
    kept = {figure.name: figure for figure in (*last_run()[1], *figures)}
    recorded = {"machine": machine, "figures": [attrs.asdict(figure) for figure in kept.values()]}
    LAST.write_text(json.dumps(recorded, indent=1) + "\n")
