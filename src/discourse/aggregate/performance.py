"""How well a bundle reads held-out comments: F1 and average precision with intervals over sources and threads."""

from __future__ import annotations

import numpy as np

from discourse.aggregate.error_rates import Outcomes
from discourse.aggregate.prevalence import Interval
from discourse.aggregate.resampling import Counts, Reals, drawn_sums, interval

CELLS = 4_000_000  # numbers held at once while draws are ranked


def f1(outcomes: Outcomes, taken: Reals) -> Interval | None:
    """Return the weighted F1 of the tags, or None where no comment is yes.

    Args:
        outcomes: held-out comments.
        taken: float64 (draws, clusters), see `resampling.resample`.
    """
    hit = outcomes.weight * outcomes.label * outcomes.tag
    either = outcomes.weight * (outcomes.label + outcomes.tag)
    if not (outcomes.weight * outcomes.label).sum() > 0:
        return None
    top, bottom = (drawn_sums(taken, outcomes.clusters, value) for value in (hit, either))
    defined = bottom > 0
    point = 2 * float(hit.sum() / either.sum())
    return Interval(point, *interval(np.append(2 * top[defined] / bottom[defined], point), point))


def average_precision(outcomes: Outcomes, score: Reals, taken: Reals) -> Interval | None:
    """Return the weighted average precision of the scores, or None where no comment is yes.

    Args:
        outcomes: held-out comments.
        score: float64 (rows,), higher means yes.
        taken: float64 (draws, clusters), see `resampling.resample`.
    """
    order = np.argsort(-score, kind="stable")
    weight, yes = outcomes.weight[order], (outcomes.weight * outcomes.label)[order]
    if not yes.sum() > 0:
        return None
    ranked = score[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)  # equal scores count together
    point = float(_areas(yes[None, :], weight[None, :], last)[0])
    column = outcomes.clusters.of_row[order]
    step = max(CELLS // len(column), 1)
    areas = [
        _areas(times * yes, times * weight, last)
        for times in (taken[start : start + step][:, column] for start in range(0, len(taken), step))
    ]
    found = np.concatenate(areas)
    return Interval(point, *interval(np.append(found[~np.isnan(found)], point), point))


def _areas(yes: Reals, weight: Reals, last: Counts) -> Reals:
    """Return the average precision of each row of weights, NaN where it holds no yes."""
    found = np.cumsum(yes, axis=1)[:, last]
    shown = np.cumsum(weight, axis=1)[:, last]
    precision = found / np.where(shown > 0, shown, 1)
    gained = np.diff(found, axis=1, prepend=0)
    total = found[:, -1]
    return np.where(total > 0, (gained * precision).sum(axis=1) / np.where(total > 0, total, 1), np.nan)
