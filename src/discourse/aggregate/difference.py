"""Shares from labels of known inclusion: the difference estimator, tuned as in PPI++ (way 1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from discourse.aggregate.prevalence import Interval
from discourse.aggregate.resampling import Counts, Reals


@dataclass(frozen=True, slots=True)
class Labelled:
    """A unit's labelled comments beside all its eligible ones.

    label: float64 (n,), 0 or 1. score: float64 (n,), the model's probability for them. inclusion: float64 (n,), the
    chance of having been labelled, 0–1. author: int64 (n,), one number for each author. population: float64 (N,), the
    model's probability for every eligible comment, the labelled ones among them. simple: drawn uniformly without
    replacement, and all counting alike, so that only n and N matter. importance: float64 (n,) and (N,), how much each
    labelled and each eligible comment counts; None: all alike. stratum: int64 (n,) and (N,), numbers from 0; comments
    of one stratum were drawn alike and count alike, and each has at least 2 labelled; None: not stratified.
    """

    label: Reals
    score: Reals
    inclusion: Reals
    author: Counts
    population: Reals
    simple: bool
    importance: tuple[Reals, Reals] | None = None
    stratum: tuple[Counts, Counts] | None = None

    @property
    def weight(self) -> Reals:
        """How many comments each labelled one stands for, scaled to a sum of 1."""
        inverse = (1.0 if self.importance is None else self.importance[0]) / self.inclusion
        return inverse / inverse.sum()

    @property
    def mean_score(self) -> float:
        """The mean of the model's probability over all eligible comments."""
        return float(np.average(self.population, weights=None if self.importance is None else self.importance[1]))


def tuning(label: Reals, score: Reals, weight: Reals) -> float:
    """Return how far to trust the scores: λ = Cov(y, f) / Var(f) among the labelled, within 0–1.

    Source: Angelopoulos, Duchi & Zrnic 2023 (PPI++); for a finite population the regression estimator of Särndal,
    Swensson & Wretman 1992, §6.4.
    """
    centred = score - weight @ score
    variance = float(weight @ np.square(centred))
    return float(np.clip(weight @ (centred * label) / variance, 0, 1)) if variance > 1e-12 else 0.0


def difference_estimate(labelled: Labelled) -> Interval:
    """Estimate a share as λ·mean(f) over all comments plus the weighted mean of y − λ·f over the labelled ones.

    With simple random sampling the variance is (1 − n/N)·s²/n, within strata too, else that of the Hájek form under
    Poisson sampling, Σ (1 − π) w² e²; always with residuals summed by author, and t quantiles with as many degrees of
    freedom as there are authors less one.

    Args:
        labelled: at least 2 labelled comments.

    Source: Särndal et al. 1992, §3.7, §5.7, §6.3 and §7.10; for strata Fisch, Maynez, Hofer et al. 2024.
    """
    if labelled.stratum is not None:
        return _stratified(labelled, *labelled.stratum)
    weight = labelled.weight
    slope = tuning(labelled.label, labelled.score, weight)
    difference = labelled.label - slope * labelled.score
    shift = float(weight @ difference)
    point = float(np.clip(slope * labelled.mean_score + shift, 0, 1))
    return _around(point, difference - shift, labelled)


def _stratified(labelled: Labelled, drawn: Counts, whole: Counts) -> Interval:
    """Estimate each stratum's share by its own labels and scores, with one λ, and add them up by size."""
    sampled = np.bincount(drawn)
    size = np.bincount(whole, minlength=len(sampled))
    # What each labelled comment adds to the estimate, and what that has to do with the variance.
    weight = (size / len(whole) / sampled)[drawn]
    left = np.sqrt(np.maximum(1 - sampled / size, 0) * sampled / (sampled - 1))[drawn]

    def centred(values: Reals) -> Reals:
        return (values - (np.bincount(drawn, values) / sampled)[drawn]) * weight * left

    label, score = centred(labelled.label), centred(labelled.score)
    square = float(score @ score)
    slope = float(np.clip(score @ label / square, 0, 1)) if square > 1e-15 else 0.0
    shift = float(weight @ (labelled.label - slope * labelled.score))
    point = float(np.clip(slope * labelled.mean_score + shift, 0, 1))
    return _reached(point, label - slope * score, labelled.author)


def ratio_estimate(part: Labelled, whole: Labelled) -> Interval | None:
    """Estimate the share of a class among the comments that are about a target, by the linearised ratio.

    Args:
        part: labels and scores of being of the class.
        whole: those of being about the target; the same comments in the same order.

    Returns:
        None where no comment is estimated to be about the target.

    Source: Särndal et al. 1992, §5.6.
    """
    weight = part.weight
    slopes = [tuning(each.label, each.score, weight) for each in (part, whole)]
    above, below = (each.label - slope * each.score for each, slope in zip((part, whole), slopes, strict=True))
    top = slopes[0] * part.mean_score + float(weight @ above)
    bottom = slopes[1] * whole.mean_score + float(weight @ below)
    if bottom <= 0:
        return None
    ratio = float(np.clip(top / bottom, 0, 1))
    residual = (above - ratio * below) / bottom
    return _around(ratio, residual - weight @ residual, part)


def _around(point: float, residual: Reals, labelled: Labelled) -> Interval:
    size = len(residual)
    if labelled.simple:
        share = residual * np.sqrt(max(1 - size / len(labelled.population), 0)) / size
    else:
        share = residual * labelled.weight * np.sqrt(np.maximum(1 - labelled.inclusion, 0))
    return _reached(point, share, labelled.author)


def _reached(point: float, share: Reals, author: Counts) -> Interval:
    """Return the interval around a point for what each labelled comment adds to its error."""
    sums = np.bincount(np.unique(author, return_inverse=True)[1], share).astype(np.float64)
    clusters = len(sums)
    if clusters < 2:
        return Interval(point, 0.0, 1.0)
    # One comment may share its author with others and still have been drawn alone: never below the unclustered form.
    variance = max(float(np.square(parts).sum()) * len(parts) / (len(parts) - 1) for parts in (sums, share))
    reach = float(stats.t.ppf(0.975, clusters - 1)) * np.sqrt(variance)
    return Interval(point, float(max(point - reach, 0)), float(min(point + reach, 1)))
