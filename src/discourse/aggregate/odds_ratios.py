"""How much oftener a tag stands in replies to comments that carry a tag: odds ratios with intervals by authors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from discourse.aggregate.prevalence import Interval
from discourse.aggregate.resampling import Counts, Reals

Flags = NDArray[np.bool_]

LEAST, FEW = 1, 5
END = 50
"""Logarithm of the largest end of an interval: beyond it an end says no more than that nothing is known."""


@dataclass(frozen=True, slots=True)
class Dyads:
    """Who stands on both ends of each reply: int64 (N,) numbers of people; the same number on both ends is allowed."""

    parent: Counts
    reply: Counts

    def take(self, rows: Flags | Counts) -> Dyads:
        """Return those of some replies."""
        return Dyads(self.parent[rows], self.reply[rows])


@dataclass(frozen=True, slots=True)
class OddsRatio:
    """An odds ratio with its interval; smoothed: a cell was empty and half a reply was added to each."""

    interval: Interval
    smoothed: bool


def people(parent_author: Counts, reply_author: Counts, branch: Counts) -> Dyads:
    """Number the people of each reply; all unknown authors of a branch count as one, which makes them its cluster."""
    unknown = 1 + max(int(parent_author.max(initial=0)), int(reply_author.max(initial=0)))
    return Dyads(
        np.where(parent_author < 0, unknown + branch, parent_author),
        np.where(reply_author < 0, unknown + branch, reply_author),
    )


def odds_ratio(above: Flags, below: Flags, dyads: Dyads) -> OddsRatio | None:
    """Compare the odds of a tag in replies to tagged comments with those in replies to others.

    Args:
        above: bool (N,), whether the comment answered is tagged.
        below: bool (N,), whether the reply is.
        dyads: who wrote them.

    Returns:
        None where independent tags would put less than `LEAST` replies into one of the four cells, as where none or
        all are tagged. An empty cell: half a reply is added to all four (Haldane 1956, Anscombe 1956). Below `FEW`
        replies in a cell the interval also spans the exact one (Fisher 1935), which knows no people.
    """
    cells = np.bincount(2 * above + below, minlength=4).astype(np.float64)
    table = cells.reshape(2, 2)
    if not len(above) or (np.outer(table.sum(1), table.sum(0)) / len(above)).min() < LEAST:
        return None
    smoothed = bool((cells == 0).any())
    without, alone, parent_only, both = cells + 0.5 * smoothed
    log_ratio = float(np.log(both * without / (alone * parent_only)))
    among = np.where(above, both / (both + parent_only), alone / (alone + without))
    spread = np.where(above, 1 / both + 1 / parent_only, 1 / alone + 1 / without)
    influence = np.where(above, 1.0, -1.0) * (below - among) * spread
    independent = float((1 / (cells + 0.5 * smoothed)).sum())
    variance = max(independent, dyadic_variance(influence, dyads))
    found = _interval(log_ratio, variance, dyads)
    if cells.min() < FEW:
        exact = stats.contingency.odds_ratio(table.astype(np.int64)).confidence_interval()
        found = replace(found, low=min(found.low, exact.low), high=max(found.high, min(exact.high, np.exp(END))))
    return OddsRatio(found, smoothed)


def within_strata(above: Flags, below: Flags, stratum: Counts, dyads: Dyads, expected: float = 1.0) -> OddsRatio | None:
    """Compare within strata only: the odds ratio of Mantel and Haenszel (1959), over the one that the null gives.

    In a thin stratum the ratio falls below 1 without any association: nobody answers himself, so that the comments
    answered and the replies there come from different people, whose tags differ as people do. The null has the same
    pull, and dividing by its ratio takes it away.

    The variance is that of Robins, Breslow & Greenland (1986), right for many thin strata, times how much more the
    influence of single replies varies when summed over people than when not.

    Args:
        above: bool (N,), whether the comment answered is tagged.
        below: bool (N,), whether the reply is.
        stratum: int64 (N,).
        dyads: who wrote them.
        expected: the ratio under the null, above 0.

    Returns:
        None where no stratum speaks for the ratio, or none against.
    """
    if not len(above):
        return None
    _, place = np.unique(stratum, return_inverse=True)
    cells = np.zeros((int(place.max()) + 1, 4))
    np.add.at(cells, (place, 2 * above + below), 1)
    without, alone, parent_only, both = cells.T
    size = cells.sum(1)
    agree, differ = both * without / size, parent_only * alone / size
    if agree.sum() <= 0 or differ.sum() <= 0:
        return None
    ratio = float(agree.sum() / differ.sum())
    # What one reply more in a cell adds to Σ agree − ratio · Σ differ; these sum to 0 over all replies.
    pull = np.stack([both, -ratio * parent_only, -ratio * alone, without]) / size - (agree - ratio * differ) / size
    influence = pull[2 * above + below, place]
    independent = float(np.square(influence).sum())
    effect = max(1.0, dyadic_variance(influence, dyads) / independent) if independent > 0 else 1.0
    variance = _robins_breslow_greenland(cells) * effect
    return OddsRatio(_interval(float(np.log(ratio / expected)), variance, dyads), smoothed=False)


def dyadic_variance(influence: Reals, dyads: Dyads) -> float:
    """Return the variance of a sum of influences that hang together wherever two replies share a person.

    Whoever stands on both ends of replies links them as well, which the sum over two separate ways of clustering
    (Cameron, Gelbach & Miller 2011) misses: a comment is a reply and is replied to.

    Source: Aronow, Samii & Assenova 2015; small-sample factor G / (G − 1) for G people.
    """
    number, size = _people(dyads)
    parent, reply = number
    twice = parent == reply
    by_person = np.bincount(parent, influence, size) + np.bincount(reply[~twice], influence[~twice], size)
    _, pair = np.unique(np.minimum(parent, reply) * size + np.maximum(parent, reply), return_inverse=True)
    shared = np.bincount(pair[~twice], influence[~twice], int(pair.max(initial=0)) + 1)
    total = float(np.square(by_person).sum() - np.square(shared).sum())
    return max(total, 0.0) * (size / (size - 1) if size > 1 else 1.0)


def _people(dyads: Dyads) -> tuple[Counts, int]:
    both = np.stack([dyads.parent, dyads.reply])
    names, number = np.unique(both, return_inverse=True)
    return number.reshape(both.shape).astype(np.int64), len(names)


def _robins_breslow_greenland(cells: Reals) -> float:
    without, alone, parent_only, both = cells.T
    size = cells.sum(1)
    p, q = (both + without) / size, (parent_only + alone) / size
    r, s = both * without / size, parent_only * alone / size
    agree, differ = r.sum(), s.sum()
    return float(
        (p * r).sum() / (2 * agree**2) + (p * s + q * r).sum() / (2 * agree * differ) + (q * s).sum() / (2 * differ**2)
    )


def _interval(log_ratio: float, variance: float, dyads: Dyads) -> Interval:
    """Return the ratio with its 95 % interval by Student's t, whose degrees are the fewer people of the two ends."""
    people_least = min(len(np.unique(dyads.parent)), len(np.unique(dyads.reply)))
    half = float(stats.t.ppf(0.975, max(1, people_least - 1))) * variance**0.5
    low, high = (float(np.exp(np.clip(end, -END, END))) for end in (log_ratio - half, log_ratio + half))
    return Interval(float(np.exp(log_ratio)), low, high)
