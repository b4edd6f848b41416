"""One number on two sides: difference and ratio with intervals, a p-value, and what difference could be seen at all."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import special, stats

from discourse.aggregate.coded_labels import CODED
from discourse.aggregate.difference import tuning
from discourse.aggregate.error_rates import ErrorRates
from discourse.aggregate.from_labels import Found
from discourse.aggregate.headline import Headline, corrected, labelled
from discourse.aggregate.prevalence import AUTHOR_CORRELATION, Interval
from discourse.aggregate.resampling import Reals, interval
from discourse.aggregate.units import Unit

Z95 = float(stats.norm.ppf(0.975))
DETECTABLE = Z95 + float(stats.norm.ppf(0.8))
"""A true difference of so many standard errors has a p below 0.05 four times in five."""
NOTHING = 1e-9
"""A share below this is 0 but for rounding."""
ENOUGH_LABELS = 30
"""Labels on each side, below which corrected tags are preferred where they can be had."""

FROM_LABELS = (
    "The labelled comments of both sides were drawn by chance as their inclusion says; authors on both sides are "
    "accounted for."
)
BY_CODER = (
    "An external coder, a language model and not people, labelled comments of both sides; the difference is that of "
    "its reading."
)
CENSUS = "All eligible comments of both sides were labelled by people; nothing is estimated."
FROM_TAGS = (
    "The model errs alike on both sides, as it did on held-out comments of {sources}; if it reads one side worse, the "
    "difference may be its own. Nothing was validated on these threads."
)
NO_RATIO = "No ratio: the share on the other side may be 0."


@dataclass(frozen=True, slots=True)
class Compared:
    """What two sides give: their shares, difference and ratio, or why there is none.

    shares: of the first and second side, None where there is none. p: two-sided, for no difference. smallest: the
    smallest true difference that would have been seen four times in five.
    """

    method: str
    assumptions: str
    shares: tuple[Interval | None, Interval | None] = (None, None)
    difference: Interval | None = None
    ratio: Interval | None = None
    p: float | None = None
    smallest: float | None = None
    n_labelled: int = 0
    n_effective: float | None = None


def compare(headline: Headline, first: Unit, second: Unit) -> Compared:
    """Compare a headline on two sides by the best evidence there is.

    Labels of known inclusion if there are at least `ENOUGH_LABELS` on each side or all are labelled; else tags
    corrected by held-out error rates; else however few labels there are.
    """
    found = [labelled(headline, side) for side in (first, second)]
    by_labels = None
    if found[0] is not None and found[1] is not None:
        by_labels = _by_labels(found[0], found[1], shared_authors(headline, first, second))
    whole = ("census", f"{CODED}census")
    enough = [each is not None and (each.method in whole or each.n_labelled >= ENOUGH_LABELS) for each in found]
    if by_labels is not None and all(enough):
        return by_labels
    by_tags = _by_tags(headline, first, second)
    return by_labels if by_labels is not None and by_tags.difference is None else by_tags


def difference_of(first: Interval, second: Interval, correlation: float = 0.0) -> Interval:
    """Return the difference of two shares from their own intervals (method of variance estimates recovery).

    Source: Zou & Donner 2008; Zou 2007 for correlated estimates.
    """
    point = first.estimate - second.estimate
    down = _reach(first.estimate - first.low, second.high - second.estimate, correlation)
    up = _reach(first.high - first.estimate, second.estimate - second.low, correlation)
    return Interval(point, max(point - down, -1.0), min(point + up, 1.0))


def ratio_of(first: Interval, second: Interval, correlation: float = 0.0) -> Interval | None:
    """Return the ratio of two shares from their own intervals, by their logarithms where they have some.

    Returns:
        None where the second may be 0, so that the ratio has no upper end.

    Source: Zou & Donner 2008.
    """
    if second.low < NOTHING:
        return None
    point = first.estimate / second.estimate
    if first.estimate < NOTHING:
        # No logarithm: the end that holds whatever the two have to do with each other.
        return Interval(point, 0.0, max(first.high / second.low, point))
    up = _reach(np.log(first.high / first.estimate), np.log(second.estimate / second.low), correlation)
    high = point * float(np.exp(up))
    if first.low < NOTHING:
        return Interval(point, 0.0, high)
    down = _reach(np.log(first.estimate / first.low), np.log(second.high / second.estimate), correlation)
    return Interval(point, point * float(np.exp(-down)), high)


def p_of(difference: Interval) -> float:
    """Return the p-value that belongs to an interval: below 0.05 exactly where the interval leaves out 0.

    Source: Altman & Bland 2011.
    """
    towards = difference.estimate - difference.low if difference.estimate > 0 else difference.high - difference.estimate
    if towards <= 0:
        return 0.0 if difference.estimate else 1.0
    return float(2 * special.ndtr(-Z95 * abs(difference.estimate) / towards))


def smallest_detectable(difference: Interval) -> float:
    """Return the smallest difference that would be seen, from the standard error that an interval shows."""
    return DETECTABLE * (difference.high - difference.low) / (2 * Z95)


def shared_authors(headline: Headline, first: Unit, second: Unit) -> float:
    """Return how two shares from labels are correlated, because some authors were labelled on both sides.

    The correlation is that of the sums of each author's residuals y − λ·f, each comment weighted by 1 / inclusion.
    """
    sums = [_author_sums(headline, side) for side in (first, second)]
    size = max(len(each) for each in sums)
    ours, theirs = (np.pad(each, (0, size - len(each))) for each in sums)
    scale = float(np.sqrt(np.square(ours).sum() * np.square(theirs).sum()))
    return float(np.clip(ours @ theirs / scale, -1, 1)) if scale > 0 else 0.0


def _author_sums(headline: Headline, side: Unit) -> Reals:
    labels, yes = headline.labels, headline.yes
    if labels is None or yes is None:
        return np.zeros(0)
    rows = side.rows[labels.labelled[side.rows] & ~np.isnan(labels.inclusion[side.rows])]
    if not len(rows):
        return np.zeros(0)
    weight = 1 / labels.inclusion[rows]
    residual = _residual(yes[rows], headline.reading.score[rows], weight)
    whole = headline.whole
    if whole is not None and whole.yes is not None:
        about = whole.yes[rows]
        ratio = float(weight @ yes[rows]) / max(float(weight @ about), 1e-12)
        residual = residual - ratio * _residual(about, whole.reading.score[rows], weight)
    return np.bincount(headline.eligible.author[rows], weight * residual).astype(np.float64)


def _residual(label: Reals, score: Reals, weight: Reals) -> Reals:
    share = weight / weight.sum()
    difference = label - tuning(label, score, share) * score
    return difference - share @ difference


def _by_labels(first: Found, second: Found, correlation: float) -> Compared | None:
    ours, theirs = first.interval, second.interval
    if ours is None or theirs is None:
        return None
    difference = difference_of(ours, theirs, correlation)
    ratio = ratio_of(ours, theirs, correlation)
    coder = CODED if first.method.startswith(CODED) else ""
    census = first.method == second.method == f"{coder}census"
    method = first.method if first.method == second.method else f"{coder}difference_estimator"
    if {first.method, second.method} >= {f"{coder}exact_stratified"}:
        method = f"{coder}exact_stratified"
    said = CENSUS if census else FROM_LABELS
    return Compared(
        method,
        BY_CODER if coder else said,
        (ours, theirs),
        difference,
        ratio,
        p_of(difference),
        smallest_detectable(difference),
        first.n_labelled + second.n_labelled,
        first.n_effective + second.n_effective,
    )


def _by_tags(headline: Headline, first: Unit, second: Unit) -> Compared:
    sides = [corrected(headline, side) for side in (first, second)]
    ours, theirs = (side.interval for side in sides)
    if ours is None or theirs is None:
        reason = next(side.reason for side in sides if side.interval is None).replace("No share:", "No difference:")
        return Compared("heldout_correction", reason)
    # Both sides' draws come from the same draws of the error rates, which a difference therefore mostly cancels.
    one, other = (side.draws for side in sides)
    point = ours.estimate - theirs.estimate
    difference = Interval(point, *_ends(one, other, point))
    p, error = same_share(headline, (first, second), (sides[0].n_effective, sides[1].n_effective))
    sources = "one source" if headline.rates.sources == 1 else f"{headline.rates.sources} sources"
    found = Compared(
        "heldout_correction",
        FROM_TAGS.format(sources=sources),
        (ours, theirs),
        difference,
        None,
        p,
        DETECTABLE * error,
        n_effective=sides[0].n_effective + sides[1].n_effective,
    )
    if theirs.estimate <= 0 or float(np.quantile(other, 0.025)) <= 0:
        return found
    times = ours.estimate / theirs.estimate
    ratio = one / np.maximum(other, np.finfo(float).tiny)
    return replace(found, ratio=Interval(times, *interval(ratio, times)))


def same_share(headline: Headline, sides: tuple[Unit, Unit], sizes: tuple[float, float]) -> tuple[float, float]:
    """Test whether two sides have the same share, and return the p-value and the standard error of the difference.

    With the same error rates on both sides the shares are equal where the tagged shares would be, but for comments that
    happen to be tagged wrongly. Their variance, at the pooled share, follows from each draw of the error rates; authors
    on both sides, whose mistakes are alike, make it smaller. The p-value is the mean over the draws, the error their
    median.

    Args:
        headline: whose tags are compared.
        sides: the comments compared.
        sizes: how many independent comments each side is worth.
    """
    first, second = sides
    numbers = [np.bincount(headline.eligible.author[side.rows]) for side in (first, second)]
    common = min(len(each) for each in numbers)
    both = AUTHOR_CORRELATION * float(numbers[0][:common] @ numbers[1][:common]) / (first.n * second.n)
    inverse = max(1 / sizes[0] + 1 / sizes[1] - 2 * both, 1 / (first.n + second.n))
    share = [_solved(headline, side, headline.rates) for side in (first, second)]
    pooled = (sizes[0] * share[0] + sizes[1] * share[1]) / sum(sizes)
    if headline.whole is None:
        error = np.sqrt(_noise(pooled, headline.rates) * inverse)
        gap = share[0] - share[1]
    else:
        whole = headline.whole
        about = [np.maximum(_solved(whole, side, whole.rates), 1e-6) for side in (first, second)]
        parts = [np.minimum(each / among, 1) for each, among in zip(share, about, strict=True)]
        everyone = (sizes[0] * about[0] + sizes[1] * about[1]) / sum(sizes)
        inside = np.minimum(pooled / everyone, 1)
        spread = [
            (_noise(inside * among, headline.rates) + np.square(inside) * _noise(among, whole.rates))
            / np.square(among)
            / size
            for among, size in zip(about, sizes, strict=True)
        ]
        error = np.sqrt(spread[0] + spread[1])
        gap = parts[0] - parts[1]
    z = np.abs(gap) / np.maximum(error, np.finfo(float).tiny)
    return float(np.mean(2 * special.ndtr(-z))), float(np.median(error))


def _ends(one: Reals, other: Reals, point: float) -> tuple[float, float]:
    """Return the ends of a difference's interval.

    Draws of error rates that leave no yes on either side, or nothing but yes, say nothing of how far the sides may be
    apart; the interval is the wider of those with and without them.
    """
    stuck = (one == other) & ((one == 0) | (one == 1))
    apart = (one - other)[~stuck]
    low, high = interval(one - other, point)
    if len(apart):
        ends = interval(apart, point)
        low, high = min(low, ends[0]), max(high, ends[1])
    return low, high


def _solved(headline: Headline, side: Unit, rates: ErrorRates) -> Reals:
    seen = float(headline.reading.tagged[side.rows].mean())
    sensitivity, false_positive = rates.sensitivity.draws, rates.false_positive.draws
    gap = np.maximum(sensitivity - false_positive, 1e-6)
    return np.clip((seen - false_positive) / gap, 0, 1)


def _noise(share: Reals, rates: ErrorRates) -> Reals:
    """Return the variance that wrong tags give to a corrected share, for one comment."""
    sensitivity, false_positive = rates.sensitivity.draws, rates.false_positive.draws
    gap = np.maximum(sensitivity - false_positive, 1e-6)
    wrong = share * sensitivity * (1 - sensitivity) + (1 - share) * false_positive * (1 - false_positive)
    return wrong / np.square(gap)


def _reach(one: float, other: float, correlation: float) -> float:
    return float(np.sqrt(max(one**2 + other**2 - 2 * correlation * one * other, 0.0)))
