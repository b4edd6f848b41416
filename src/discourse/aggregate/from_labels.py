"""Shares from people's labels of known inclusion: which estimator fits the labels that a unit has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discourse.aggregate.difference import Labelled, difference_estimate, ratio_estimate
from discourse.aggregate.exact import Stratum, exact_share, weighted_share
from discourse.aggregate.labels import Coding
from discourse.aggregate.prevalence import Interval
from discourse.aggregate.resampling import Counts, Reals, kish

Flags = NDArray[np.bool_]

FEW = 10  # labelled yes, or labelled no, below which no normal approximation is trusted

CENSUS = "All eligible comments were labelled by people; nothing is estimated."
DIFFERENCE = (
    "The labelled comments were drawn by chance as their inclusion says; mistakes of the model are corrected by them."
)
EXACT = (
    "The labelled comments were drawn by chance as their inclusion says; counted exactly, because few are yes or no."
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A model's answers for one level beside the eligible comments: the tag, and the calibrated score as float64."""

    tagged: Flags
    score: Reals


@dataclass(frozen=True, slots=True)
class Found:
    """A share from labels: its interval (None if undefined), by what method, and on how many labels it rests."""

    interval: Interval | None
    method: str
    assumptions: str
    n_labelled: int
    n_effective: float


def label_share(
    labels: Coding, yes: Reals, reading: Reading, author: Counts, rows: Counts, importance: Reals | None = None
) -> Found | None:
    """Estimate the share of yes in a unit from its labels.

    Args:
        labels: beside all eligible comments.
        yes: float64 (N,), 1 or 0, NaN where not labelled.
        reading: the model's answers, out-of-fold for comments that it was trained on.
        author: int64 (N,).
        rows: the unit's comments.
        importance: float64 beside `rows`, how much each comment counts; None: all alike.

    Returns:
        None with fewer than 2 labels of known inclusion.
    """
    used = _used(labels, rows)
    if used is None:
        return None
    label = yes[used]
    counts = _importance(len(yes), rows, importance)
    if len(used) == len(rows):
        share = float(np.average(label, weights=counts[used]))
        return Found(Interval(share, share, share), "census", CENSUS, len(used), float(len(used)))
    weight = counts[used] / labels.inclusion[used]
    size = kish(weight)
    if min(label.sum(), len(label) - label.sum()) >= FEW:
        found = difference_estimate(_labelled(labels, yes, reading.score, author, rows, used, counts))
        return Found(found, "difference_estimator", DIFFERENCE, len(used), size)
    parts = [_stratum(reading.tagged == tag, label, labels.inclusion, rows, used) for tag in (True, False)]
    whole = [part for part in parts if part is not None and importance is None]
    found = exact_share(whole[0], whole[1]) if len(whole) == 2 else weighted_share(label, weight)
    return Found(found, "exact_stratified", EXACT, len(used), size)


def label_ratio(
    labels: Coding,
    yes: tuple[Reals, Reals],
    scores: tuple[Reals, Reals],
    author: Counts,
    rows: Counts,
    importance: Reals | None = None,
) -> Found | None:
    """Estimate the share of a class among the comments that are about a target.

    Args:
        labels: beside all eligible comments.
        yes: float64 (N,) each, of being of the class and of being about the target.
        scores: float64 (N,) each, the model's for both.
        author: int64 (N,).
        rows: the unit's comments.
        importance: float64 beside `rows`, how much each comment counts; None: all alike.

    Returns:
        None with fewer than 2 labels of known inclusion.
    """
    used = _used(labels, rows)
    if used is None:
        return None
    about = yes[1][used] == 1
    label = yes[0][used]
    counts = _importance(len(yes[0]), rows, importance)
    if len(used) == len(rows):
        share = float(np.average(label[about], weights=counts[used][about])) if about.any() else None
        found = Interval(share, share, share) if share is not None else None
        return Found(found, "census", CENSUS, len(used), float(len(used)))
    weight = counts[used] / labels.inclusion[used]
    size = kish(weight)
    if not about.any():
        return Found(None, "exact_stratified", EXACT, len(used), size)
    if min(label[about].sum(), (1 - label[about]).sum()) >= FEW:
        part, whole = (
            _labelled(labels, each, score, author, rows, used, counts) for each, score in zip(yes, scores, strict=True)
        )
        return Found(ratio_estimate(part, whole), "difference_estimator", DIFFERENCE, len(used), size)
    return Found(weighted_share(label[about], weight[about]), "exact_stratified", EXACT, len(used), size)


def _used(labels: Coding, rows: Counts) -> Counts | None:
    """Return the comments whose labels count: all of a fully labelled unit, else those of known inclusion."""
    seen = rows[labels.labelled[rows]]
    if len(seen) < 2:
        return None
    if len(seen) == len(rows):
        return seen
    # A census of a part, such as of what was collected before, says nothing of the rest.
    known = ~np.isnan(labels.inclusion[seen]) & ~labels.census[seen]
    used = seen[known]
    return used if len(used) >= 2 and labels.inclusion[used].min() < 1 else None


def _importance(size: int, rows: Counts, importance: Reals | None) -> Reals:
    """Return how much each of all eligible comments counts; 1 outside the unit."""
    counts = np.ones(size)
    if importance is not None:
        counts[rows] = importance
    return counts


def _labelled(
    labels: Coding, yes: Reals, score: Reals, author: Counts, rows: Counts, used: Counts, counts: Reals
) -> Labelled:
    inclusion = labels.inclusion[used]
    alike = bool(np.ptp(counts[rows]) < 1e-9)
    simple = alike and bool(labels.uniform[used].all()) and bool(np.ptp(inclusion) < 1e-9)
    importance = None if alike else (counts[used], counts[rows])
    return Labelled(yes[used], score[used], inclusion, author[used], score[rows], simple, importance)


def _stratum(inside: Flags, label: Reals, inclusion: Reals, rows: Counts, used: Counts) -> Stratum | None:
    """Return the stratum of the unit's comments where `inside` holds; None if they were not drawn alike."""
    chosen = inside[used]
    if chosen.any() and np.ptp(inclusion[used][chosen]) >= 1e-9:
        return None
    return Stratum(int(inside[rows].sum()), int(chosen.sum()), int(label[chosen].sum()))
