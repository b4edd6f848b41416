"""Draws of held-out comments: sources with replacement, and within each drawn source its threads with replacement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Counts = NDArray[np.int64]

DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class Clusters:
    """How rows hang together: the cluster (thread) of each row, and the source of each cluster; both from 0."""

    of_row: Counts
    source: Counts

    @property
    def sources(self) -> int:
        """How many sources there are."""
        return int(self.source.max()) + 1 if len(self.source) else 0


def resample(source: Counts, rng: np.random.Generator, draws: int = DRAWS) -> Reals:
    """Draw how often each cluster is taken in each two-stage bootstrap sample.

    A source drawn k times has its T clusters drawn k·T times in all, each time any of them alike.

    Args:
        source: int64 (clusters,), the source of each cluster, from 0 without gaps.
        rng: the seeded generator.
        draws: the number of bootstrap samples.

    Returns:
        float64 (draws, clusters), whole numbers: they are multiplied with sums.

    Source: Davison & Hinkley 1997, §3.8 (resampling of hierarchical data).
    """
    taken = np.zeros((draws, len(source)))
    if not len(source):
        return taken
    total = int(source.max()) + 1
    times = rng.multinomial(total, np.full(total, 1 / total), size=draws)
    for one in range(total):
        members = np.flatnonzero(source == one)
        size = len(members)
        row = np.repeat(np.arange(draws), times[:, one] * size)
        cell = row * size + rng.integers(size, size=len(row))
        taken[:, members] = np.bincount(cell, minlength=draws * size).reshape(draws, size)
    return taken


def drawn_sums(taken: Reals, clusters: Clusters, value: Reals) -> Reals:
    """Return the sum of `value` (one for each row) in each bootstrap sample, float64 (draws,)."""
    sums = np.bincount(clusters.of_row, value, len(clusters.source)).astype(np.float64)
    return taken @ sums


def kish(weights: Reals) -> float:
    """Return the number of equally weighted rows that are worth as much as these (Kish 1965, §11.7); 0 for none."""
    square = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / square if square > 0 else 0.0


def interval(draws: Reals, point: float) -> tuple[float, float]:
    """Return the 2.5 % and 97.5 % quantiles of `draws`, widened where needed so that they hold `point`."""
    low, high = np.quantile(draws, (0.025, 0.975))
    return min(float(low), point), max(float(high), point)
