"""A map of comments by topic: vectors laid out in two dimensions, drawn as dots with the topics' names on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from discourse.report.charts import svg

HEIGHT = 380
# The dots are drawn on a grid of this many steps each way, stretched to the width of the page.
GRID = 1000
# How wide a letter of a name is taken to be, as a share of a screen of 320 pixels; and how high a line.
LETTER = 0.03
LINE = 17
NAME = 16
COLOURS = 8


@dataclass(frozen=True, slots=True)
class Region:
    """One topic on the map: its colour's number (None: none of its own), its name, and where its comments lie."""

    colour: int | None
    label: str
    places: NDArray[np.float64]


def layout(vectors: NDArray[np.float32], topics: Sequence[int | None]) -> NDArray[np.float64]:
    """Lay vectors out in two dimensions such that topics stand as far apart as two straight axes allow.

    The axes are the first two principal components of the topics' centres, weighted by their sizes; with fewer than
    three topics those of the vectors themselves (Pearson 1901). The same vectors give the same map: an axis is turned
    so that its largest loading is positive. Each axis is squeezed by its ranks, half and half, so that far outliers
    do not press the rest together.

    Args:
        vectors: float32 (N, width), N at least 3.
        topics: N topics, None where a comment has none.

    Returns:
        float64 (N, 2), each axis from 0 to 1.
    """
    rows = vectors.astype(np.float64)
    known = sorted({topic for topic in topics if topic is not None})
    number = np.array([-1 if topic is None else known.index(topic) for topic in topics])
    rows = rows - rows.mean(axis=0)
    basis = rows
    if len(known) >= 3:  # two axes need three centres
        basis = np.stack(
            [rows[number == each].mean(axis=0) * np.sqrt((number == each).sum()) for each in range(len(known))]
        )
    axes = np.linalg.svd(basis, full_matrices=False)[2][:2]
    turned = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    found = rows @ (axes * turned[:, None]).T
    if found.shape[1] < 2:  # vectors of one number
        found = np.column_stack([found, np.zeros(len(found))])
    return np.column_stack([_squeezed(found[:, axis]) for axis in range(2)])


def topic_map(name: str, title: str, description: str, regions: Sequence[Region]) -> Markup:
    """Draw dots, those without a topic first, and each named region's name near its middle where there is room.

    Args:
        name: unique in the page.
        title: what is shown, for those who do not see it.
        description: what it says, likewise.
        regions: their places from 0 to 1, largest first.
    """
    dots = Markup("").join(_dots(region) for region in sorted(regions, key=lambda each: each.colour is not None))
    inner = Markup(
        '<svg x="1%" y="8" width="98%" height="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">{}</svg>'
    ).format(HEIGHT - 16, GRID, GRID, dots)
    frame = Markup('<rect class="field" x="0" y="0" width="100%" height="{}"/>').format(HEIGHT)
    return svg(name, title, description, HEIGHT, inner + _names(regions), frame)


def _dots(region: Region) -> Markup:
    steps = [(round(x * GRID), round((1 - y) * GRID)) for x, y in region.places]
    path = "".join(f"M{x} {y}h0" for x, y in steps)
    kind = "none" if region.colour is None else f"c{region.colour}"
    return Markup('<path class="dots {}" d="{}"/>').format(kind, path)


def _names(regions: Sequence[Region]) -> Markup:
    taken: list[tuple[float, float, float]] = []
    drawn: list[Markup] = []
    for region in regions:
        if region.colour is None or not len(region.places):
            continue
        label = region.label if len(region.label) <= NAME else f"{region.label[: NAME - 1].rstrip(' ,')}…"
        half = len(label) * LETTER / 2
        x, y = np.median(region.places, axis=0)
        middle = min(max(float(x), half + 0.01), 1 - half - 0.01)
        wanted = 8 + (1 - float(y)) * (HEIGHT - 16) + 4
        spots = sorted(range(LINE, HEIGHT - 4, LINE), key=lambda spot: abs(spot - wanted))
        spot = next((spot for spot in spots if _free(spot, middle, half, taken)), None)
        if spot is None:
            continue
        taken.append((spot, middle - half, middle + half))
        text = Markup('<text class="name middle c{}" x="{}%" y="{}">{}</text>')
        drawn.append(text.format(region.colour, f"{middle * 100:.1f}", spot, label))
    return Markup("").join(drawn)


def _free(spot: float, middle: float, half: float, taken: Sequence[tuple[float, float, float]]) -> bool:
    return all(
        abs(spot - other) >= LINE or middle + half < left or middle - half > right for other, left, right in taken
    )


def _squeezed(axis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an axis from 0 to 1, half by value and half by rank; equal values stay equal."""
    width = axis.max() - axis.min()
    if width <= 0:
        return np.full(len(axis), 0.5)
    values, place = np.unique(axis, return_inverse=True)
    ranks = place / max(1, len(values) - 1)
    return 0.5 * (axis - axis.min()) / width + 0.5 * ranks
