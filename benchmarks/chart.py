"""The figures of the servers as a picture."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure


def draw(medians: Mapping[str, Mapping[str, float]], path: Path, *, ours: str) -> None:
    """Write a bar chart to ``path``: every server's figure as a share of ours.

    Where ours stands alone there is nothing to draw.
    """
    rows = {
        what: {name: value / found[ours] for name, value in found.items()}
        for what, found in medians.items()
        if ours in found and len(found) > 1
    }
    if not rows:
        return
    names = list(dict.fromkeys(name for found in rows.values() for name in found))
    figure = Figure(figsize=(9, 1 + 0.6 * len(rows)), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / max(1, len(names))
    for number, name in enumerate(names):
        places = [row + number * height for row in range(len(rows))]
        values = [found.get(name, 0.0) for found in rows.values()]
        axes.barh(places, values, height, label=name)
    axes.set_yticks([row + 0.4 - height / 2 for row in range(len(rows))], list(rows))
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlabel(f"as a share of {ours} (tokens/s, requests/s: less is slower)")
    axes.invert_yaxis()
    axes.legend()
    figure.savefig(path, dpi=120)
