"""What the cascade costs: how many comments its static tier answers and how much F1 its answers lose, held out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.models.cascade import Cascade
from discourse.models.cluster_draws import cluster_draws
from discourse.tables import Path, Tier

DRAWS = 500
Reals = NDArray[np.float64]


class Cost(TypedDict):
    """One frame, or all together: point values and 95 % intervals, F1 in points of 0.01."""

    rows: int
    answered: float
    answered_interval: tuple[float, float]
    f1_exact: float
    f1_cascade: float
    f1_lost: float
    f1_lost_interval: tuple[float, float]
    yes_lost: int
    no_turned: int


def cascade_cost(heldout: pl.DataFrame, seed: int = 0, draws: int = DRAWS) -> dict[str, Cost]:
    """Compare path `cascade` with path `exact` on the held-out rows of both, weighted.

    Rows of unknown weight are left out where any is known. The intervals resample sources, then threads in them, and
    take both paths of a row along.

    Args:
        heldout: rows in the columns of `bundle.HELDOUT_SCHEMA`.
        seed: of the resampling.
        draws: how many resamples.

    Returns:
        By frame, and under `macro` the mean of the frames.
    """
    by_path = {path: heldout.filter(pl.col("path") == path.value) for path in (Path.EXACT, Path.CASCADE)}
    exact, cascade = by_path[Path.EXACT], by_path[Path.CASCADE]
    levels = cascade["level"].unique(maintain_order=True).to_list()
    parts = {level: (exact.filter(level=level), cascade.filter(level=level)) for level in levels}
    known = (cascade["weight"] > 0).any()
    first = parts[levels[0]][1]
    kept = (first["weight"] > 0).fill_null(value=False).to_numpy() if known else np.ones(first.height, bool)
    weight = first["weight"].to_numpy()[kept].astype(float) if known else np.ones(int(kept.sum()))
    source, thread = (first[name].to_numpy().astype(str)[kept] for name in ("source", "thread"))
    times = np.array([np.ones(len(weight)), *cluster_draws(source, thread, seed, draws)])
    counted: Reals = times * weight
    static = (first["tier"] == Tier.STATIC.value).to_numpy()[kept].astype(float)
    answered = counted @ static / counted.sum(1)
    found: dict[str, Cost] = {}
    losses: list[tuple[Reals, Reals]] = []
    for level, (before, after) in parts.items():
        label, old, new = (
            part.to_numpy()[kept].astype(float) for part in (after["label"], before["tag"], after["tag"])
        )
        both = _f1(counted, label, old), _f1(counted, label, new)
        losses.append(both)
        changed = int(((old == 1) & (new == 0)).sum()), int(((old == 0) & (new == 1)).sum())
        found[level] = _cost(answered, *both, len(label), changed)
    if losses:
        macro = [np.mean([pair[i] for pair in losses], axis=0) for i in (0, 1)]
        total = sum(cost["yes_lost"] for cost in found.values()), sum(cost["no_turned"] for cost in found.values())
        found["macro"] = _cost(answered, macro[0], macro[1], len(weight), total)
    return found


def table_lines(costs: Mapping[str, Cost]) -> list[str]:
    """Return the costs as a Markdown table, a line each."""
    lines = [
        "| frame | answered by the static tier | F1 exact | F1 cascade | points of F1 lost | yes lost | no turned |",
        "|---|---|---|---|---|---|---|",
    ]
    for level, cost in costs.items():
        low, high = cost["answered_interval"]
        lost, most = cost["f1_lost_interval"]
        lines.append(
            f"| {level} | {cost['answered']:.1%} [{low:.1%}–{high:.1%}] | {cost['f1_exact']:.3f} "
            f"| {cost['f1_cascade']:.3f} | {cost['f1_lost']:.2f} [{lost:.2f}–{most:.2f}] | {cost['yes_lost']} "
            f"| {cost['no_turned']} |"
        )
    return lines


def card_lines(cascade: Cascade, costs: Mapping[str, Cost]) -> list[str]:
    """Return what a bundle's card says of the cascade, as Markdown lines."""
    what = (
        f"A static tier answers a comment where, for every frame, at most {cascade.lost:.1%} of the encoder's yes are "
        f"expected to become no and at most {cascade.turned:.1%} of its no to become yes (conformal risk control with "
        f"threads as units, on {cascade.comments:,} comments in {cascade.threads:,} threads that neither model had "
        f"seen); other comments go up to the encoder. There it answers {cascade.answered:.0%}. The bounds hold in "
        "expectation for comments like these; `--exact` turns the tier off."
    )
    notes: list[str] = []
    for level, cut in cascade.levels.items():
        if cut.whole:
            notes.append(
                f"- {level} goes up whole, and with it every comment: the encoder found it in {cut.yes_threads} "
                "threads, too few, or too unlike what the static tier sees, to keep the bounds."
            )
        elif cut.yes_cap is not None:
            notes.append(f"- {level}: a thread counts for at most {cut.yes_cap:g} of its comments with a yes.")
    measured = (
        "What it costs on the held-out labelled comments, by weight; brackets hold 95 % intervals from resampling "
        "sources and threads:"
    )
    head = ["## The static tier and the cascade", "", what, "", *notes, *([""] if notes else [])]
    return [*head, measured, "", *table_lines(costs)]


def _f1(counted: Reals, label: Reals, tag: Reals) -> Reals:
    """Return the weighted F1 of every sample, the first of which is all rows."""
    return 2 * (counted @ (label * tag)) / np.maximum(counted @ (label + tag), 1e-12)


def _cost(answered: Reals, exact: Reals, cascade: Reals, rows: int, changed: tuple[int, int]) -> Cost:
    lost = 100 * (exact - cascade)
    return Cost(
        rows=rows,
        answered=float(answered[0]),
        answered_interval=_interval(answered),
        f1_exact=float(exact[0]),
        f1_cascade=float(cascade[0]),
        f1_lost=float(lost[0]),
        f1_lost_interval=_interval(lost),
        yes_lost=changed[0],
        no_turned=changed[1],
    )


def _interval(values: Reals) -> tuple[float, float]:
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return float(low), float(high)
