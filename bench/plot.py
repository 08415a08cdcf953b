"""Brings the recorded run into docs/performance.md, as a table and a picture: python -m bench.plot

Needs matplotlib: .venv/bin/pip install -e '.[plot]'
"""

import re
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot
from matplotlib.ticker import FuncFormatter

from bench.report import Figure, last_run, table

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
FIGURES = re.compile(r"(?<=<!-- figures -->\n).*(?=<!-- end of figures -->)", re.DOTALL)
WINDOW = re.compile(r"50 pairs, window (\d+): answered")


def main() -> None:
    """Write the page's table and draw its picture."""
    machine, figures = last_run()
    about = " · ".join(f"{key}: {value}" for key, value in machine.items())
    block = f"{about}\n\n{table(figures, {})}\n"
    PAGE.write_text(FIGURES.sub(lambda _: block, PAGE.read_text()))
    draw(figures, PAGE.with_suffix(".svg"))


def draw(figures: list[Figure], picture: Path) -> None:
    """Draw messages a second against messages in flight."""
    found = [(int(named[1]), each) for each in figures if (named := WINDOW.fullmatch(each.name))]
    found.sort(key=lambda each: each[0])
    windows = [window for window, _ in found]
    mpl.rcParams["svg.hashsalt"] = "imd"  # the same figures give the same file
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    relay, imd = [each.relay for _, each in found], [each.imd for _, each in found]
    for values, label in ((relay, "bare Twisted TLS relay: no store, no rules"), (imd, "imd: answered after the sync")):
        axes.plot(windows, values, marker="o", label=label)
        for window, value in zip(windows, values, strict=True):
            axes.annotate(f"{value:,}", (window, value), (0, 7), textcoords="offset points", ha="center", fontsize=8)
    axes.set(xscale="log", yscale="log", xlabel="messages in flight, each of 50 pairs", ylabel="messages a second")
    axes.set_xticks(windows, map(str, windows))
    axes.xaxis.minorticks_off()
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.margins(y=0.15)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", fontsize=8)
    axes.set_title("One server core, one generator core, real TLS, real disk", fontsize=10)
    figure.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    main()
