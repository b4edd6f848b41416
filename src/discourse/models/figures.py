"""Weighted figures of quality, each a function of arrays; None where the rows do not determine it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtr

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
BINS = 10
STEEPEST = 50.0  # a calibration slope beyond it means that the classes are separated: there is no finite one


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a reliability diagram: mean probability and share of yes of its rows, and their share of the mass."""

    rows: int
    yes: int
    mass: float
    probability: float
    observed: float


def tagging(label: Labels, tag: NDArray[np.bool_] | Labels, weight: Floats) -> dict[str, float | None]:
    """Return `precision`, `recall` and `f1` of the tags; precision is None where nothing is tagged.

    All are None where no row is a yes: nothing could be found, so nothing was measured.
    """
    hits = float((weight * tag * label).sum())
    tagged, yes = float((weight * tag).sum()), float((weight * label).sum())
    if yes <= 0:
        return {"precision": None, "recall": None, "f1": None}
    return {"precision": hits / tagged if tagged > 0 else None, "recall": hits / yes, "f1": 2 * hits / (tagged + yes)}


def average_precision(label: Labels, score: Floats, weight: Floats) -> float | None:
    """Return the mean of the precisions at each recall gained, rows of one score taken together; None without yes."""
    order = np.argsort(-score, kind="stable")
    hits, tagged = np.cumsum((weight * label)[order]), np.cumsum(weight[order])
    last = np.append(np.flatnonzero(np.diff(score[order]) < 0), len(order) - 1)
    hits, tagged = hits[last], tagged[last]
    if hits[-1] <= 0:
        return None
    seen = tagged > 0
    return float((np.diff(hits, prepend=0.0)[seen] * hits[seen] / tagged[seen]).sum() / hits[-1])


def brier(label: Labels, probability: Floats, weight: Floats) -> float:
    """Return the weighted mean squared error of the probabilities (Brier 1950)."""
    return float(np.average((probability - label) ** 2, weights=weight))


def brier_skill(label: Labels, probability: Floats, weight: Floats) -> float | None:
    """Return the part of the error of the base rate that the probabilities save; None where labels do not differ."""
    base = float(np.average(label, weights=weight))
    return 1 - brier(label, probability, weight) / (base * (1 - base)) if 0 < base < 1 else None


def calibration_error(label: Labels, probability: Floats, weight: Floats, bins: int = BINS) -> float:
    """Return the expected calibration error over bins of equal mass, debiased.

    The mean gap |share of yes - probability| of a bin is too large by chance alone. Its bias is estimated, as by Kumar,
    Liang & Ma (2019), "Verified uncertainty calibration", from a normal distribution about the gap seen, whose mean
    absolute value is known, and subtracted; its variance is that of labels drawn with the stated probabilities, so
    that a bin without yes is not taken for certain. Not below 0.
    """
    order, numbers = _equal_mass(probability, weight, bins)
    label, probability, weight = label[order], probability[order], weight[order]
    mass = np.maximum(np.bincount(numbers, weight, bins), 1e-12)
    gap = np.bincount(numbers, weight * (label - probability), bins) / mass
    spread = np.sqrt(np.bincount(numbers, weight**2 * probability * (1 - probability), bins)) / mass
    ratio = gap / np.maximum(spread, 1e-12)
    by_chance = spread * np.sqrt(2 / np.pi) * np.exp(-(ratio**2) / 2) + gap * (1 - 2 * ndtr(-ratio))
    return max(0.0, float(np.average(2 * np.abs(gap) - by_chance, weights=mass)))


def calibration_slope(label: Labels, probability: Floats, weight: Floats) -> float | None:
    """Return the slope of the labels on the log-odds of the probabilities (Cox 1958); 1 is right, below 1 too bold.

    An unpenalised logistic regression, by Newton's method. None where the classes are separated or only one is there.
    """
    x = logit(np.clip(probability, 1e-9, 1 - 1e-9))
    scale, base = weight / weight.mean(), float(np.average(label, weights=weight))
    if not 0 < base < 1 or np.ptp(x) == 0:
        return None
    intercept, slope = 0.0, 1.0
    for _ in range(50):
        p = expit(intercept + slope * x)
        pull, hold = scale * (label - p), scale * p * (1 - p)
        a, b, c = float(hold.sum()), float((hold * x).sum()), float((hold * x * x).sum())
        determinant = a * c - b * b
        if determinant <= 1e-12 * max(a * c, 1e-300):
            return None
        first, second = float(pull.sum()), float((pull * x).sum())
        step = (a * second - b * first) / determinant
        # A long step may leap to where nothing pulls any more.
        shorten = min(1.0, 2 / max(abs(step), 1e-12))
        intercept, slope = intercept + shorten * (c * first - b * second) / determinant, slope + shorten * step
        if abs(slope) > STEEPEST:
            return None
        if abs(step) < 1e-8:
            return slope
    return None


def reliability(label: Labels, probability: Floats, weight: Floats, bins: int = BINS) -> list[Bin]:
    """Return the bars of the reliability diagram, bins of equal mass, least probability first; empty ones left out."""
    order, numbers = _equal_mass(probability, weight, bins)
    label, probability, weight = label[order], probability[order], weight[order]
    found: list[Bin] = []
    for number in range(bins):
        rows = numbers == number
        mass = float(weight[rows].sum())
        if mass > 0:
            p, y = float(np.average(probability[rows], weights=weight[rows])), label[rows]
            found.append(Bin(int(rows.sum()), int(y.sum()), mass, p, float(np.average(y, weights=weight[rows]))))
    total = sum(each.mass for each in found)
    return [Bin(each.rows, each.yes, each.mass / total, each.probability, each.observed) for each in found]


def effective(weight: Floats) -> float:
    """Return how many equal rows are as good as these: (Σw)² / Σw² (Kish 1965); 0 for none."""
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0


def _equal_mass(probability: Floats, weight: Floats, bins: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows in order of probability, and the number of the bin of each: that in which its middle lies."""
    order = np.argsort(probability, kind="stable")
    ranked = weight[order]
    middle = (np.cumsum(ranked) - ranked / 2) / max(float(ranked.sum()), 1e-12)
    return order, np.minimum((middle * bins).astype(np.int64), bins - 1)
