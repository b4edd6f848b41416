"""How far a share of threads like these may be off: threads, and authors in them, are left out one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from discourse.aggregate.prevalence import Interval, design_effect
from discourse.aggregate.resampling import Counts, Reals, kish

Statistic = Callable[[Reals], Reals]
"""From sums, float64 (rows, columns), to the share of each row, float64 (rows,); NaN where it is undefined."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """How the comments (N) hang together: the number of each one's thread and author, int64 (N,), from 0."""

    thread: Counts
    author: Counts

    @property
    def sizes(self) -> Counts:
        """How many comments each thread has."""
        return np.unique(self.thread, return_counts=True)[1].astype(np.int64)

    @property
    def freedom(self) -> float:
        """Degrees of freedom: how many equally large threads these are worth, less one; at least 1.

        Source: Carter, Schnepel & Steigerwald 2017 (effective number of clusters).
        """
        return max(kish(self.sizes.astype(np.float64)) - 1, 1.0)


def variance(columns: Reals, statistic: Statistic, grouping: Grouping) -> float:
    """Return the variance of a share over draws of threads and of authors: the largest of three jackknife estimates.

    Threads left out one at a time, with all their authors; authors left out one at a time, wherever they wrote; and
    both together less what is counted twice (threads × authors). The first suffices where authors keep to their
    thread, the others guard against few threads that happen to look alike, and authors who are in many of them. The
    jackknife is on the safe side where few threads are of unequal size.

    Args:
        columns: float64 (N, columns), what each comment adds to the sums.
        statistic: the share as a function of the sums.
        grouping: of the N comments.

    Returns:
        Infinite where leaving somebody out leaves no share.

    Source: Cameron, Gelbach & Miller 2011 (two ways of clustering); MacKinnon, Nielsen & Webb 2023 (the jackknife).
    """
    return float(covariance(columns, (statistic,), grouping)[0, 0])


def covariance(columns: Reals, statistics: tuple[Statistic, ...], grouping: Grouping) -> Reals:
    """Return the covariance of several shares, float64 (k, k), by the way of clustering of the largest total variance.

    Args:
        columns: float64 (N, columns).
        statistics: k shares as functions of the sums.
        grouping: of the N comments.
    """
    pairs = grouping.thread * (int(grouping.author.max(initial=0)) + 1) + grouping.author
    by_thread, by_author, by_both = (
        _jackknife(columns, statistics, groups) for groups in (grouping.thread, grouping.author, pairs)
    )
    if not (np.isfinite(by_thread).all() and np.isfinite(by_author).all()):
        return np.full(by_thread.shape, np.inf)
    ways = (by_thread, by_author, by_thread + by_author - by_both)
    return max(ways, key=lambda way: float(np.trace(way)))


def independent(share: float, spread: float, assumed: float, most: float) -> float:
    """Return how many independent comments a share is worth: share · (1 − share) / variance, at least 1.

    Args:
        share: within 0–1.
        spread: its variance over threads and authors.
        assumed: what it is worth if the variance cannot be seen, because all comments are alike.
        most: it is never worth more, such as the comments that the share rests on.
    """
    if not 0 < share < 1 or spread <= 0:
        return max(min(assumed, most), 1.0)
    return float(np.clip(share * (1 - share) / spread, 1.0, max(most, 1.0)))


def assumed_size(groups: Counts, weight: Reals | None = None) -> float:
    """Return how many independent comments these are worth if a tenth of the spread lies between the groups.

    Args:
        groups: int64 (n,), the thread of each.
        weight: float64 (n,), of each; all alike by default.
    """
    sizes = np.unique(groups, return_counts=True)[1].astype(np.int64)
    return (len(groups) if weight is None else kish(weight)) / design_effect(sizes)


def score_interval(share: float, size: float, freedom: float) -> Interval:
    """Return Wilson's score interval for a share worth `size` independent comments, with a t quantile.

    Source: Wilson 1927; Franco, Little, Louis & Slud 2019 (for clustered samples).
    """
    t = float(stats.t.ppf(0.975, freedom))
    low, high = shares_of(share, size, np.array([-t, t]))
    return Interval(share, min(float(low), share), max(float(high), share))


def exact_interval(share: float, size: float, freedom: float) -> Interval:
    """Return the Clopper–Pearson interval for a share worth `size` independent comments, fewer with few threads.

    Source: Korn & Graubard 1998.
    """
    size *= (float(stats.norm.ppf(0.975)) / float(stats.t.ppf(0.975, freedom))) ** 2
    yes, no = share * size, (1 - share) * size
    low = float(stats.beta.ppf(0.025, yes, no + 1)) if yes > 0 else 0.0
    high = float(stats.beta.ppf(0.975, yes + 1, no)) if no > 0 else 1.0
    return Interval(share, min(low, share), max(high, share))


def shares_of(share: float, size: float, z: Reals) -> Reals:
    """Return the true shares under which the one seen, worth `size` comments, lies −z standard errors off."""
    square = np.square(z) / size
    root = np.sqrt(share * (1 - share) / size + square / (4 * size))
    return np.clip((share + square / 2 + z * root) / (1 + square), 0, 1)


def _jackknife(columns: Reals, statistics: tuple[Statistic, ...], groups: Counts) -> Reals:
    number = np.unique(groups, return_inverse=True)[1]
    count = int(number.max(initial=-1)) + 1
    sums = np.column_stack([np.bincount(number, column, count) for column in columns.T])
    total = sums.sum(axis=0)
    without = np.column_stack([statistic(total - sums) - statistic(total[None, :])[0] for statistic in statistics])
    if count < 2 or np.isnan(without).any():
        return np.full((len(statistics), len(statistics)), np.inf)
    return (count - 1) / count * (without.T @ without)
