"""Shares without labels from these threads: counts of tags corrected by held-out error rates (way 2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from discourse.aggregate.error_rates import ErrorRates
from discourse.aggregate.resampling import Counts, Reals, interval

AUTHOR_CORRELATION = 0.1
"""Assumed correlation of a model's mistakes within one author: it cannot be measured without labels."""
MIN_SEPARATION = 0.1
"""The 2.5 % quantile of sensitivity − false-positive rate below which tags say too little about shares."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the ends of its 95 % interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Tagged:
    """What is seen in one unit: the share of tagged comments, their number, and the design effect of authors."""

    share: float
    n: int
    design_effect: float


def rogan_gladen(tagged: float, sensitivity: float, false_positive: float) -> float:
    """Correct a share of tagged comments for both kinds of error: (q − fp) / (se − fp), within 0–1.

    Source: Rogan & Gladen 1978.
    """
    return float(np.clip((tagged - false_positive) / (sensitivity - false_positive), 0, 1))


def design_effect(sizes: Counts, correlation: float = AUTHOR_CORRELATION) -> float:
    """Return how much correlation within groups widens the variance of a share (Kish 1965, §5.4).

    Args:
        sizes: int64, comments in each group, such as by each author; a comment of an unknown author is one of its own.
        correlation: of mistakes within one group.
    """
    total = int(sizes.sum())
    mean_size = float(np.square(sizes, dtype=np.float64).sum()) / total if total else 1.0
    return 1 + (mean_size - 1) * correlation


def clustering_effect(author: Counts, text: Counts, weight: Reals | None = None) -> float:
    """Return how much mistakes that come together, and weights, widen the variance of a share of tagged comments.

    The correlation of two comments' mistakes is 1 for near-duplicates, which are all tagged rightly or all wrongly,
    and `AUTHOR_CORRELATION` for others of one author.

    Args:
        author: int64 (n,), a number for each comment's author.
        text: int64 (n,), a number for each comment's text, near-duplicates having the same.
        weight: float64 (n,), how much each comment counts; all alike by default.

    Source: Kish 1965, §5.4 and §11.7.
    """
    each = np.ones(len(author)) if weight is None else weight
    alone = float(np.square(each).sum())
    by_author, by_text = (float(np.square(_sums(group, each)).sum()) for group in (author, text))
    variance = alone + AUTHOR_CORRELATION * (by_author - alone) + by_text - alone
    return len(author) * variance / float(each.sum()) ** 2 if alone > 0 else 1.0


def _sums(group: Counts, weight: Reals) -> Reals:
    """Return the sum of weights in each group; numbers that are dense enough need no sorting."""
    if int(group.max(initial=0)) > 8 * len(group):
        group = np.unique(group, return_inverse=True)[1].astype(np.int64)
    return np.bincount(group, weight).astype(np.float64)


def text_numbers(comments: pl.DataFrame) -> Counts:
    """Number the texts of comments, near-duplicates alike.

    Args:
        comments: with comment_id and duplicate_of.

    Returns:
        int64 (n,).
    """
    first = comments.select(pl.coalesce("duplicate_of", "comment_id").rank("dense").cast(pl.Int64) - 1)
    return first.to_series().to_numpy()


def separable(rates: ErrorRates) -> bool:
    """Say whether the tags tell yes from no well enough to correct a share by the error rates.

    What is asked is whether they do so among such sources as a whole, hence of the pooled draws (sources and threads
    resampled). How far one unseen source may stray from that is part of the interval; asking it here would let pass
    only those held-out sets whose sources look alike by chance, and their intervals are too narrow.
    """
    if not rates.known or rates.sensitivity.point - rates.false_positive.point < MIN_SEPARATION:
        return False
    separation = rates.sensitivity.pooled - rates.false_positive.pooled
    return float(np.quantile(separation, 0.025)) >= MIN_SEPARATION


def share_draws(seen: Tagged, rates: ErrorRates, rng: np.random.Generator) -> Reals:
    """Draw the share among the unit's own comments, given the tags seen and draws of the error rates.

    The comments are all there, so only two things are uncertain: the error rates, and how many of these comments
    happened to be tagged wrongly. Given the labels, the tagged share q has mean θ·se + (1 − θ)·fp and variance
    V(θ) = (θ·se(1 − se) + (1 − θ)·fp(1 − fp)) · design effect / n. Each draw takes a standard normal z and solves
    q = mean(θ) + z·√V(θ) for θ, so that the variance belongs to the θ found, not to the one estimated (the score
    method of Wilson 1927); this keeps the interval open where no comment is tagged.

    Returns:
        float64 (draws,), within 0–1.
    """
    se, fp = rates.sensitivity.draws, rates.false_positive.draws
    z = rng.standard_normal(len(se))
    gap = np.maximum(se - fp, 1e-6)  # at most one draw in forty, see `separable`
    among_no = fp * (1 - fp)
    slope = se * (1 - se) - among_no
    noise = np.square(z) * seen.design_effect / max(seen.n, 1)
    above = seen.share - fp
    root = np.maximum(noise * (noise * np.square(slope) + 4 * gap * (above * slope + gap * among_no)), 0)
    solved = (2 * above * gap + noise * slope + np.sign(z) * np.sqrt(root)) / (2 * np.square(gap))
    return np.clip(solved, 0, 1)


def corrected_share(seen: Tagged, rates: ErrorRates, draws: Reals) -> Interval:
    """Return the corrected share of a unit with its interval.

    The upper end is taken among the draws above 0, the lower one among those below 1. Where fewer comments are tagged
    than mistakes alone would tag, draws without a solution stop at 0; counted in, they would shrink the interval to
    nothing just where the error rates fit these comments badly.

    Args:
        seen: the unit's tags.
        rates: held-out error rates that are `separable`.
        draws: of `share_draws` for the same unit.

    Source: Read 2002 (the CLs method for limits near a boundary).
    """
    point = rogan_gladen(seen.share, rates.sensitivity.point, rates.false_positive.point)
    above, below = draws[draws > 0], draws[draws < 1]
    low = float(np.quantile(below, 0.025)) if len(below) else 1.0
    high = float(np.quantile(above, 0.975)) if len(above) else 0.0
    return Interval(point, min(low, point), max(high, point))


def share_of_share(part: Interval, whole: Interval, part_draws: Reals, whole_draws: Reals) -> Interval | None:
    """Return a class's share among the comments that are about a target: θ_class / θ_about draw by draw.

    Returns:
        None where hardly any comment may be about the target, so that the ratio is not determined.
    """
    if whole.estimate <= 0 or float(np.quantile(whole_draws, 0.025)) <= 0:
        return None
    point = min(part.estimate / whole.estimate, 1.0)
    ratio = np.minimum(part_draws / np.maximum(whole_draws, np.finfo(float).tiny), 1)
    return Interval(point, *interval(ratio, point))
