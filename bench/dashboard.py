"""Draws the Grafana dashboard's panels from a Prometheus, without Grafana: python -m bench.dashboard URL FROM TO

Panels, queries, places, units and titles are those of docs/grafana.json; the figures are what Prometheus answers. FROM
and TO are seconds since 1970. Needs matplotlib: .venv/bin/pip install -e '.[plot]'. Writes docs/grafana.png.
"""

import json
import math
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from matplotlib import dates, pyplot
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

DOCS = Path(__file__).parent.parent / "docs"
STEP_SECONDS = 5
RATE_INTERVAL = "1m"
UNITS = {"s": ((1, "s"), (1e-3, "ms"), (1e-6, "µs")), "bytes": ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))}
GROUND, PANEL, INK, FAINT = "#111217", "#181b1f", "#d0d1d9", "#2c3036"
COLOURS = ("#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#705da0", "#37872d", "#fade2a")


def main(url: str, start: float, end: float) -> None:
    """Ask for a span of time, and draw."""
    board = json.loads((DOCS / "grafana.json").read_text("utf-8"))
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
    figure = pyplot.figure(figsize=(14, rows * 0.4), facecolor=GROUND, layout="none")
    for panel in board["panels"]:
        at = panel["gridPos"]
        box = (
            at["x"] / 24 + 0.003,
            1 - (at["y"] + at["h"]) / rows + 0.005,
            at["w"] / 24 - 0.006,
            at["h"] / rows - 0.01,
        )
        figure.add_artist(pyplot.Rectangle(box[:2], *box[2:], transform=figure.transFigure, color=PANEL, zorder=-1))
        figure.text(box[0] + 0.006, box[1] + box[3] - 0.02, panel["title"], color=INK, fontsize=9, weight="bold")
        series = [each for target in panel["targets"] for each in asked(url, target, start, end)]
        unit = panel["fieldConfig"]["defaults"]["unit"]
        if panel["type"] == "stat":
            text = told(series[0][1][-1][1], unit)
            figure.text(box[0] + box[2] / 2, box[1] + box[3] * 0.35, text, color=COLOURS[0], fontsize=20, ha="center")
        else:
            axes = figure.add_axes((box[0] + 0.04, box[1] + 0.055, box[2] - 0.05, box[3] - 0.09), facecolor=PANEL)
            draw(axes, series, unit)
    figure.savefig(DOCS / "grafana.png", dpi=75, facecolor=GROUND)


def asked(url: str, target: dict[str, Any], start: float, end: float) -> list[tuple[str, list[tuple[float, float]]]]:
    """Give the series of a query, each with its legend."""
    query = target["expr"].replace("$__rate_interval", RATE_INTERVAL)
    given = urlencode({"query": query, "start": start, "end": end, "step": STEP_SECONDS})
    with urlopen(f"{url}/api/v1/query_range?{given}", timeout=30) as answer:  # noqa: S310  # a Prometheus of one's own
        found = json.load(answer)["data"]["result"]
    legend = target["legendFormat"]
    return [
        (
            legend.replace("{{", "{").replace("}}", "}").format_map(each["metric"]),
            [(float(moment), float(value)) for moment, value in each["values"]],
        )
        for each in found
    ]


def told(value: float, unit: str) -> str:
    """Write a figure as its unit asks."""
    if math.isnan(value):
        return "none"
    if unit == "s" and value >= 120:
        return f"{value / 60:.0f} min"
    for size, name in UNITS.get(unit, ()):
        if abs(value) >= size:
            return f"{value / size:.3g} {name}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def draw(axes: Axes, series: list[tuple[str, list[tuple[float, float]]]], unit: str) -> None:
    """Draw lines over time."""
    for number, (name, points) in enumerate(series):
        moments = [datetime.fromtimestamp(moment, UTC) for moment, _ in points]
        colour = COLOURS[number % len(COLOURS)]
        axes.plot(moments, [value for _, value in points], color=colour, linewidth=1.2, label=name)  # type: ignore[arg-type]
    axes.set_ylim(bottom=0)
    axes.margins(x=0)
    axes.grid(color=FAINT)
    axes.tick_params(colors=INK, labelsize=7, length=0)
    axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: told(value, unit) if value else "0"))
    for side in axes.spines.values():
        side.set_visible(False)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3, fontsize=6.5, frameon=False, labelcolor=INK)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
