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
VERY_FEW = 5  # the same among comments that were drawn more sparsely than the others (Cochran's rule)

CENSUS = "All eligible comments were labelled by people; nothing is estimated."
DIFFERENCE = (
    "The labelled comments were drawn by chance as their inclusion says; mistakes of the model are corrected by them."
)
EXACT = (
    "The labelled comments were drawn by chance as their inclusion says; counted exactly, because few are yes or no."
)
SKIPPED = " {skipped:,} of the {asked:,} comments asked about were skipped, and are taken for skipped by chance."


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


@dataclass(frozen=True, slots=True)
class _Sample:
    """The labelled comments that count: their rows, the chance of a label for each (π), and how many were skipped."""

    rows: Counts
    inclusion: Reals
    skipped: int
    is_census: bool

    def found(self, interval: Interval | None, method: str, said: str, size: float) -> Found:
        """Return an estimate that says what was skipped."""
        number = len(self.rows)
        said += SKIPPED.format(skipped=self.skipped, asked=number + self.skipped) if self.skipped else ""
        return Found(interval, method, said, number, size)


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
    sample = _sample(labels, rows)
    if sample is None:
        return None
    used = sample.rows
    label = yes[used]
    counts = _importance(len(yes), rows, importance)
    if sample.is_census:
        share = float(np.average(label, weights=counts[used]))
        return Found(Interval(share, share, share), "census", CENSUS, len(used), float(len(used)))
    weight = counts[used] / sample.inclusion
    size = kish(weight)
    strata = _strata(reading.tagged, label, sample, rows) if importance is None else []
    few = min(label.sum(), len(label) - label.sum()) < FEW
    if not few and not _thin(strata, sample):
        by_tag = reading.tagged if strata and all(map(_plenty, strata)) else None
        labelled = _labelled(labels, yes, reading.score, author, rows, sample, counts, by_tag)
        return sample.found(difference_estimate(labelled), "difference_estimator", DIFFERENCE, size)
    found = exact_share(strata[0], strata[1]) if strata else weighted_share(label, weight)
    return sample.found(found, "exact_stratified", EXACT, size)


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
    sample = _sample(labels, rows)
    if sample is None:
        return None
    used = sample.rows
    about = yes[1][used] == 1
    label = yes[0][used]
    counts = _importance(len(yes[0]), rows, importance)
    if sample.is_census:
        share = float(np.average(label[about], weights=counts[used][about])) if about.any() else None
        found = Interval(share, share, share) if share is not None else None
        return Found(found, "census", CENSUS, len(used), float(len(used)))
    weight = counts[used] / sample.inclusion
    size = kish(weight)
    if not about.any():
        return sample.found(None, "exact_stratified", EXACT, size)
    if min(label[about].sum(), (1 - label[about]).sum()) >= FEW:
        part, whole = (
            _labelled(labels, each, score, author, rows, sample, counts)
            for each, score in zip(yes, scores, strict=True)
        )
        return sample.found(ratio_estimate(part, whole), "difference_estimator", DIFFERENCE, size)
    return sample.found(weighted_share(label[about], weight[about]), "exact_stratified", EXACT, size)


def _sample(labels: Coding, rows: Counts) -> _Sample | None:
    """Return the comments whose labels count: all of a fully labelled unit, else those of known inclusion.

    Where comments that were drawn have no label because people skipped them, the chance of a label is the inclusion
    times the share of those asked about who got one (Särndal et al. 1992, §15.6: response homogeneity).
    """
    seen = rows[labels.labelled[rows]]
    if len(seen) < 2:
        return None
    if len(seen) == len(rows):
        return _Sample(seen, np.ones(len(seen)), 0, is_census=True)
    # A census of a part, such as of what was collected before, says nothing of the rest.
    known = ~np.isnan(labels.inclusion) & ~labels.census
    used = seen[known[seen]]
    skipped = int((known[rows] & ~labels.labelled[rows]).sum())
    inclusion = labels.inclusion[used] * len(used) / max(len(used) + skipped, 1)
    # Those asked about for certain stand for themselves: what else there is was never drawn.
    if len(used) < 2 or (labels.inclusion[used].min() >= 1 and len(used) + skipped < len(rows)):
        return None
    return _Sample(used, inclusion, skipped, is_census=False)


def _importance(size: int, rows: Counts, importance: Reals | None) -> Reals:
    """Return how much each of all eligible comments counts; 1 outside the unit."""
    counts = np.ones(size)
    if importance is not None:
        counts[rows] = importance
    return counts


def _labelled(
    labels: Coding,
    yes: Reals,
    score: Reals,
    author: Counts,
    rows: Counts,
    sample: _Sample,
    counts: Reals,
    strata: Flags | None = None,
) -> Labelled:
    used, inclusion = sample.rows, sample.inclusion
    alike = bool(np.ptp(counts[rows]) < 1e-9)
    simple = alike and bool(labels.uniform[used].all()) and bool(np.ptp(inclusion) < 1e-9)
    importance = None if alike else (counts[used], counts[rows])
    stratum = None if strata is None else (strata[used].astype(np.int64), strata[rows].astype(np.int64))
    return Labelled(yes[used], score[used], inclusion, author[used], score[rows], simple, importance, stratum)


def _strata(tagged: Flags, label: Reals, sample: _Sample, rows: Counts) -> list[Stratum]:
    """Return the tagged comments and the others as strata; none where those of one were not all drawn alike."""
    strata: list[Stratum] = []
    for inside in (tagged, ~tagged):
        chosen = inside[sample.rows]
        if chosen.any() and np.ptp(sample.inclusion[chosen]) >= 1e-9:
            return []
        strata.append(Stratum(int(inside[rows].sum()), int(chosen.sum()), int(label[chosen].sum())))
    return strata


def _plenty(part: Stratum) -> bool:
    """Say whether a stratum has yes and no enough for its own spread to be trusted."""
    return min(part.yes, part.sampled - part.yes) >= FEW


def _thin(strata: list[Stratum], sample: _Sample) -> bool:
    """Say whether the sample was drawn by tag, and very few yes or no are labelled where it is sparser.

    A label there stands for many comments: with few of them the estimate is skewed, and its spread is misjudged.
    """
    if not strata or float(np.ptp(sample.inclusion)) < 1e-9:
        return False
    sparser = min(strata, key=lambda part: part.sampled / max(part.size, 1))
    return min(sparser.yes, sparser.sampled - sparser.yes) < VERY_FEW
