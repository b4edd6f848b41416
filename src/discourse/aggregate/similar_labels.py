"""Shares in threads like these from labels of known inclusion: prediction-powered inference, clustered by thread."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from discourse.aggregate.clustered import (
    Grouping,
    Statistic,
    assumed_size,
    exact_interval,
    independent,
    score_interval,
    variance,
)
from discourse.aggregate.from_labels import FEW, SKIPPED
from discourse.aggregate.labels import Coding
from discourse.aggregate.ppi import tuned
from discourse.aggregate.prevalence import Interval
from discourse.aggregate.resampling import Counts, Reals

MIN_THREADS = 8

SAMPLE = (
    "The {threads} threads are taken for a random sample of threads like these; the interval comes from leaving out "
    "threads, and authors in them, one at a time."
)
LABELS = (
    "The labelled comments were drawn by chance as their inclusion says; mistakes of the model are corrected by them."
)
EXACT = "The labelled comments were drawn by chance as their inclusion says; counted, because few are yes or no."
TOO_FEW = "No share for threads like these: there are {threads} threads with eligible comments, and 8 are needed."
TOO_FEW_LABELLED = (
    "No share for threads like these from labels: labels of known inclusion stand in {threads} threads, and 8 are "
    "needed."
)
NONE_ABOUT = "No share: no labelled comment is about the target."


@dataclass(frozen=True, slots=True)
class Found:
    """A share in threads like these or why there is none, by what method, and what it rests on.

    n_effective: independent comments that it is worth; None without a share.
    """

    interval: Interval | None
    method: str
    assumptions: str
    n_effective: float | None = None
    n_labelled: int = 0


def similar_share(labels: Coding, yes: Reals, score: Reals, grouping: Grouping) -> Found | None:
    """Estimate the share of yes in threads like these.

    The estimate is that of PPI++ (see `ppi`) with comments weighted by 1 / inclusion; weights stay with their comment
    when its thread or author is left out, so that strata and weights are resampled together with the threads.

    Args:
        labels: beside all eligible comments (N).
        yes: float64 (N,), 1 or 0, NaN where not labelled.
        score: float64 (N,), the model's, out-of-fold for comments that it was trained on.
        grouping: of the N comments.

    Returns:
        None with fewer than 2 labels of known inclusion; a reason in place of the interval where they stand in fewer
        than 8 threads.
    """
    weight = _weights(labels)
    used = np.flatnonzero(weight)
    refused = _refused(used, grouping)
    if len(used) < 2 or refused is not None:
        return refused
    label = np.nan_to_num(yes, nan=0.0)
    few = _few(label[used])
    power = 0.0 if few else _power(label, score, weight)
    columns = _columns(label, score, weight)
    found = _found(columns, lambda sums: _mean(sums, power), used, weight, grouping, few=few)
    return replace(found, assumptions=found.assumptions + _skipped(labels, len(used)))


def similar_ratio(
    labels: Coding, yes: tuple[Reals, Reals], scores: tuple[Reals, Reals], grouping: Grouping
) -> Found | None:
    """Estimate the share of a side among the comments about a target, in threads like these.

    Args:
        labels: beside all eligible comments (N).
        yes: float64 (N,) each, of taking the side and of being about the target.
        scores: float64 (N,) each, the model's for both.
        grouping: of the N comments.

    Returns:
        As `similar_share`.
    """
    weight = _weights(labels)
    used = np.flatnonzero(weight)
    refused = _refused(used, grouping)
    if len(used) < 2 or refused is not None:
        return refused
    label, about = (np.nan_to_num(each, nan=0.0) for each in yes)
    inside = np.flatnonzero(weight * about)
    if not len(inside):
        return Found(None, "prediction_powered", NONE_ABOUT, n_labelled=len(used))
    few = _few(label[inside])
    pairs = list(zip((label, about), scores, strict=True))
    powers = [0.0 if few else _power(each, score, weight) for each, score in pairs]
    columns = np.hstack([_columns(each, score, weight) for each, score in pairs])

    def ratio(sums: Reals) -> Reals:
        side, whole = (_mean(sums[:, 5 * i : 5 * i + 5], power) for i, power in enumerate(powers))
        return np.where(whole > 0, side / np.where(whole > 0, whole, 1), np.nan)

    found = _found(columns, ratio, inside, weight, grouping, few=few)
    return replace(found, n_labelled=len(used), assumptions=found.assumptions + _skipped(labels, len(used)))


def _weights(labels: Coding) -> Reals:
    """Return 1 / inclusion where a label counts, else 0: all alike in a census, none where inclusion is unknown."""
    if labels.labelled.all():
        return np.ones(len(labels.labelled))
    # A census of a part, such as of what was collected before, says nothing of the rest.
    asked = ~np.isnan(labels.inclusion) & ~labels.census
    # Nor do comments that were asked about for certain: what else there is was never drawn.
    if not asked.all() and not (labels.inclusion[asked] < 1).any():
        return np.zeros(len(labels.labelled))
    known = asked & labels.labelled
    return np.where(known, 1 / np.where(known, labels.inclusion, 1), 0.0)


def _skipped(labels: Coding, used: int) -> str:
    """Say how many comments people skipped: with all chances lowered alike, the weights stay as they are."""
    skipped = int((~np.isnan(labels.inclusion) & ~labels.census & ~labels.labelled).sum())
    return SKIPPED.format(skipped=skipped, asked=used + skipped) if skipped else ""


def _refused(used: Counts, grouping: Grouping) -> Found | None:
    threads = len(np.unique(grouping.thread[used]))
    if len(used) < 2 or threads >= MIN_THREADS:
        return None
    total = len(grouping.sizes)
    said = TOO_FEW.format(threads=total) if total < MIN_THREADS else TOO_FEW_LABELLED.format(threads=threads)
    return Found(None, "prediction_powered", said, n_labelled=len(used))


def _found(columns: Reals, share: Statistic, used: Counts, weight: Reals, grouping: Grouping, *, few: bool) -> Found:
    point = float(np.nan_to_num(np.clip(share(columns.sum(axis=0)[None, :])[0], 0, 1)))
    spread = variance(columns, share, grouping)
    said = SAMPLE.format(threads=len(grouping.sizes))
    assumed = assumed_size(grouping.thread[used], weight[used])
    size = independent(point, spread, assumed, len(grouping.thread))
    if few:
        size = min(size, assumed)
        found = exact_interval(point, size, grouping.freedom)
        return Found(found, "exact_clustered", f"{said} {EXACT}", size, len(used))
    found = score_interval(point, size, grouping.freedom) if np.isfinite(spread) else Interval(point, 0.0, 1.0)
    return Found(found, "prediction_powered", f"{said} {LABELS}", size, len(used))


def _few(label: Reals) -> bool:
    return bool(min(label.sum(), len(label) - label.sum()) < FEW)


def _columns(label: Reals, score: Reals, weight: Reals) -> Reals:
    """Return what each comment adds to the sums of `_mean`, float64 (N, 5)."""
    return np.column_stack([np.ones(len(score)), score, weight, weight * label, weight * score])


def _mean(sums: Reals, power: float) -> Reals:
    """Return mean(y) + power · (mean(f of all) − mean(f of the labelled)) of each row of sums; NaN without labels.

    With equal weights this is the estimate of PPI++ with λ = power / (1 + n/N), N being the number of the unlabelled.
    """
    size, score, weight, label, guess = sums.T
    defined = (weight > 1e-9) & (size > 0)
    weight, size = np.where(defined, weight, 1), np.where(defined, size, 1)
    return np.where(defined, label / weight + power * (score / size - guess / weight), np.nan)


def _power(label: Reals, score: Reals, weight: Reals) -> float:
    used = weight > 0
    slope = tuned(label[used], score[used], score[~used], weight[used])
    return slope * (1 + float(used.sum()) / max(float((~used).sum()), 1))
