"""The picture for the documentation: CPU per request by number of resources."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

from tests.bench.contenders import CONTENDERS
from tests.bench.measures import SETUPS
from tests.bench.report import Row

COLOURS = {
    "service": "#0b6e4f",
    "limit": "#555555",
    "healthchain": "#c8553d",
    "validation": "#7768ae",
}


def plot(rows: Sequence[Row], file: Path) -> None:
    """Draw CPU per request, and its ratio to the limit, of one pinned worker; write a PNG."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (times, ratios) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for contender in CONTENDERS:
        found = [r for r in rows if (r.setup, r.contender) == (SETUPS[0], contender.name)]
        look = {"color": COLOURS[contender.name], "marker": "o", "label": contender.name}
        sizes = [row.size for row in found]
        times.plot(sizes, [row.medians.cpu_ms for row in found], **look)
        compared = [(row.size, row.ratios.cpu_ms) for row in found if row.ratios]
        ratios.plot([size for size, _ in compared], [ratio for _, ratio in compared], **look)
    for axes, title in ((times, "CPU per request, ms"), (ratios, "CPU per request ÷ the limit's")):
        axes.set(title=title, xlabel="prefetched resources", xscale="log", yscale="log")
        axes.grid(visible=True, which="major", alpha=0.3)
    times.legend()
    figure.savefig(file, dpi=130)
    plt.close(figure)
