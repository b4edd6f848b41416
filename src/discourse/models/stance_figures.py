"""Scores of stance that benchmarks use, with intervals, neutral and off_target taken as one: no side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discourse.models.cluster_draws import cluster_draws
from discourse.models.figures import tagging

SIDES = ("favor", "against", "no_side")


def benchmark_scores(
    true: NDArray[np.int64],
    answer: NDArray[np.int64],
    source: NDArray[np.str_],
    thread: NDArray[np.str_],
    seed: int = 0,
    draws: int = 500,
) -> dict[str, Any]:
    """Return `macro_f1` over the sides that occur among the labels, and `semeval_f`.

    `semeval_f` is the official score of SemEval-2016 task 6: the mean of the F1 of favor and of against over all rows,
    those without a side included (Mohammad et al. 2016). Both are None where the labels do not determine them.

    Args:
        true: numbers of `SIDES`.
        answer: numbers of `SIDES`.
        source: of each row.
        thread: of each row.
        seed: of the draws for the intervals.
        draws: how many.
    """
    occurring = [k for k in range(len(SIDES)) if (true == k).any()]
    point = _scores(true, answer, np.ones(len(true)), occurring)
    drawn = [_scores(true, answer, times, occurring) for times in cluster_draws(source, thread, seed, draws)]
    intervals: dict[str, list[float]] = {}
    for name in point:
        real = [value for each in drawn if (value := each[name]) is not None]
        if len(real) >= draws / 2:
            intervals[name] = [round(float(end), 4) for end in np.quantile(real, [0.025, 0.975])]
    rounded = {name: None if value is None else round(value, 4) for name, value in point.items()}
    return {**rounded, "macro_f1_over": [SIDES[k] for k in occurring], "intervals": intervals}


def _scores(
    true: NDArray[np.int64], answer: NDArray[np.int64], times: NDArray[np.float64], occurring: Sequence[int]
) -> dict[str, float | None]:
    f1 = [tagging((true == k).astype(np.int8), answer == k, times)["f1"] for k in range(len(SIDES))]
    return {"macro_f1": _mean([f1[k] for k in occurring]), "semeval_f": _mean(f1[:2])}


def _mean(values: Sequence[float | None]) -> float | None:
    real = [value for value in values if value is not None]
    return sum(real) / len(real) if real and len(real) == len(values) else None
