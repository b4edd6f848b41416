"""Krippendorff's alpha of labels by several people, with an interval that draws authors of comments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

DRAWS = 2_000
Reals = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Alpha:
    """Krippendorff's alpha with its 95 % interval.

    All null where alpha is undefined, such as where all labels are alike; the ends alone are null where the comments
    are of one author, so that nothing is known of others.
    """

    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Units:
    """Comments with several labels: how many annotators gave each value, and who wrote the comment.

    counts: int64 (units, values). author: int64 (units,), from 0 without gaps.
    """

    counts: Counts
    author: Counts


def units(labels: pl.DataFrame) -> Units:
    """Count the labels of each comment that has several.

    Args:
        labels: of one level, with comment_id, annotator, value and author, which is never null.
    """
    values = labels["value"].unique().sort().to_list()
    table = labels.group_by("comment_id").agg(
        *((pl.col("value") == value).sum().cast(pl.Int64).alias(f"={value}") for value in values),
        pl.len(),
        pl.col("author").first(),
    )
    table = table.filter(pl.col("len") > 1).sort("comment_id")
    author = table["author"].rank("dense").cast(pl.Int64).to_numpy() - 1
    return Units(table.select(f"={value}" for value in values).to_numpy(), author)


def krippendorff_alpha(counts: Counts) -> float | None:
    """Return nominal alpha: 1 − observed / expected disagreement; None where all labels are alike or none is paired.

    Args:
        counts: int64 (units, values), each unit's sum at least 2.

    Source: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, case C.
    """
    if not len(counts):
        return None
    found = _alphas(np.ones((1, len(counts))), counts)[0]
    return None if np.isnan(found) else float(found)


def alpha_interval(found: Units, rng: np.random.Generator) -> Alpha:
    """Return alpha with the percentile interval of draws of authors with replacement, each with all their comments.

    Draws in which all labels are alike are left out.

    Source: Zapf et al. 2016 (BMC Medical Research Methodology 16:93); Field & Welsh 2007 (draws of whole clusters).
    """
    point = krippendorff_alpha(found.counts)
    if point is None:
        return Alpha(None, None, None)
    authors = int(found.author.max()) + 1
    if authors < 2:
        return Alpha(point, None, None)
    taken = rng.multinomial(authors, np.full(authors, 1 / authors), size=DRAWS).astype(np.float64)
    draws = _alphas(taken[:, found.author], found.counts)
    draws = draws[~np.isnan(draws)]
    low, high = np.quantile(np.append(draws, point), (0.025, 0.975))
    return Alpha(point, min(float(low), point), max(float(high), point))


def _alphas(taken: Reals, counts: Counts) -> Reals:
    """Return alpha for each row of `taken` (how often each unit counts), NaN where it is undefined."""
    size = counts.sum(1)
    pairs = (np.square(size) - np.square(counts).sum(1)) / (size - 1)  # disagreeing pairs, each label weighing once
    observed = taken @ pairs
    totals = taken @ counts.astype(np.float64)
    number = totals.sum(1)
    expected = np.square(number) - np.square(totals).sum(1)
    defined = expected > 0
    return np.where(defined, 1 - (number - 1) * observed / np.where(defined, expected, 1), np.nan)
