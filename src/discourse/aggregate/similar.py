"""Shares in threads like these (population `similar`): the threads at hand are taken for a sample of such threads."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import polars as pl

from discourse.aggregate.clustered import Grouping, Statistic, assumed_size, covariance, independent, shares_of
from discourse.aggregate.coded_labels import CODED, as_coded
from discourse.aggregate.error_rates import ErrorRates
from discourse.aggregate.estimates import Estimate, caution, ends
from discourse.aggregate.from_labels import Flags
from discourse.aggregate.headline import Headline, corrected
from discourse.aggregate.prevalence import Interval, Tagged, corrected_share, separable, share_of_share
from discourse.aggregate.resampling import DRAWS, Reals, kish
from discourse.aggregate.shares import INSEPARABLE, NO_HELDOUT, NO_TAGS, NONE_ABOUT
from discourse.aggregate.similar_labels import MIN_THREADS, SAMPLE, TOO_FEW, Found, similar_ratio, similar_share
from discourse.aggregate.units import Eligible, Unit
from discourse.tables import Mark, Measure

POPULATION = "similar"

TAGS = (
    "The model errs on such threads as it did on held-out comments of {sources}, taken as a sample of such sources; "
    "nothing was validated on these threads."
)
UNEQUAL = (
    "The threads are so unequal in size that they are worth about {worth:.1f} of equal size: the interval may be too "
    "narrow."
)


def similar_estimates(headline: Headline) -> list[Estimate]:
    """Return the rows of a headline for threads like these: by held-out error rates, and by labels if there are any."""
    grouping = grouping_of(headline.eligible)
    labelled = by_labels(headline, grouping)
    if labelled is not None and headline.labels is not None and headline.labels.by_model:
        labelled = as_coded(labelled)
    found = [by_error_rates(headline, grouping), labelled]
    return [_row(headline, headline.eligible.units[0], grouping, each) for each in found if each is not None]


def grouping_of(eligible: Eligible) -> Grouping:
    """Return the numbers of the eligible comments' threads and authors."""
    thread = eligible.comments["thread_id"].rank("dense").cast(pl.Int64).to_numpy() - 1
    return Grouping(thread, np.unique(eligible.author, return_inverse=True)[1].astype(np.int64))


def by_labels(headline: Headline, grouping: Grouping) -> Found | None:
    """Estimate a share from labels of known inclusion; None where there are fewer than 2."""
    labels, yes, whole = headline.labels, headline.yes, headline.whole
    if labels is None or yes is None:
        return None
    if whole is None:
        return similar_share(labels, yes, headline.reading.score, grouping)
    if whole.yes is None:
        return None
    return similar_ratio(labels, (yes, whole.yes), (headline.reading.score, whole.reading.score), grouping)


def by_error_rates(headline: Headline, grouping: Grouping) -> Found:
    """Correct the tagged share by held-out error rates, as one seen in a sample of threads."""
    threads = len(grouping.sizes)
    parts = [headline] if headline.whole is None else [headline, headline.whole]
    reason = TOO_FEW.format(threads=threads) if threads < MIN_THREADS else _why_not(parts)
    if reason is not None:
        return Found(None, "heldout_correction", reason)
    rng = np.random.default_rng([headline.seed, zlib.crc32(headline.level.encode()), 4])
    # Whatever comes together in these comments does so in threads like these, too.
    most = corrected(headline, headline.eligible.units[0]).n_effective
    worth, drawn = _drawn_tags([each.reading.tagged for each in parts], most, grouping, rng)
    shares = [float(each.reading.tagged.mean()) for each in parts]
    number = len(grouping.thread)
    found = [
        _corrected(share, number, draws, each.rates) for share, draws, each in zip(shares, drawn, parts, strict=True)
    ]
    sources = "one source" if headline.rates.sources == 1 else f"{headline.rates.sources} sources"
    said = f"{SAMPLE.format(threads=threads)} {TAGS.format(sources=sources)}"
    if headline.whole is None:
        return Found(found[0][0], "heldout_correction", said, worth)
    ratio = share_of_share(found[0][0], found[1][0], found[0][1], found[1][1])
    return Found(ratio, "heldout_correction", said if ratio else NONE_ABOUT, worth)


def _why_not(parts: list[Headline]) -> str | None:
    if any(each.tagged is None for each in parts):
        return NO_TAGS
    if not all(each.rates.known for each in parts):
        return NO_HELDOUT
    return None if all(separable(each.rates) for each in parts) else INSEPARABLE


def _drawn_tags(
    tags: list[Flags], most: float, grouping: Grouping, rng: np.random.Generator
) -> tuple[float, list[Reals]]:
    """Return how many independent comments the first tagged share is worth, and draws of each in threads like these.

    Args:
        tags: bool (N,) each, one or two.
        most: independent comments that these comments' own tags are worth.
        grouping: of the N comments.
        rng: the seeded generator.

    Returns:
        The draws are float64 (draws,) each, alike as far as the shares go together from thread to thread.
    """
    columns = np.column_stack([np.ones(len(grouping.thread)), *(tag.astype(np.float64) for tag in tags)])
    spread = covariance(columns, tuple(_share_of_column(i + 1) for i in range(len(tags))), grouping)
    assumed = assumed_size(grouping.thread)
    shares = [float(tag.mean()) for tag in tags]
    sizes = [independent(share, float(spread[i, i]), assumed, most) for i, share in enumerate(shares)]
    # One chi-square for all: they are seen in the same threads.
    scale = np.sqrt(grouping.freedom / rng.chisquare(grouping.freedom, DRAWS))
    steps = [rng.standard_normal(DRAWS)]
    if len(tags) > 1:
        both = float(spread[0, 0] * spread[1, 1])
        alike = float(np.clip(spread[0, 1] / np.sqrt(both), -1, 1)) if np.isfinite(both) and both > 0 else 0.0
        steps.append(alike * steps[0] + np.sqrt(1 - alike**2) * rng.standard_normal(DRAWS))
    return sizes[0], [
        shares_of(share, size, step * scale) for share, size, step in zip(shares, sizes, steps, strict=True)
    ]


def _share_of_column(column: int) -> Statistic:
    def share(sums: Reals) -> Reals:
        return sums[:, column] / np.maximum(sums[:, 0], 1)

    return share


def _corrected(share: float, number: int, draws: Reals, rates: ErrorRates) -> tuple[Interval, Reals]:
    sensitivity, false_positive = rates.sensitivity.draws, rates.false_positive.draws
    gap = np.maximum(sensitivity - false_positive, 1e-6)
    solved = np.clip((draws - false_positive) / gap, 0, 1)
    return corrected_share(Tagged(share, number, 1.0), rates, solved), solved


def _row(headline: Headline, unit: Unit, grouping: Grouping, found: Found) -> Estimate:
    within = unit if headline.whole is None else unit.among("those about the target")
    row = Estimate(
        "all",
        Measure.SHARE,
        headline.level,
        f"{within.denominator}, as a sample of threads like these {len(grouping.sizes)}",
        unit.n,
        found.method,
        found.assumptions,
        n_effective=found.n_effective,
        n_labelled=found.n_labelled,
        n_unsure=int(headline.unsure[unit.rows].sum()),
        population=POPULATION,
    )
    if found.interval is None:
        return replace(row, mark=Mark.NOT_ESTIMABLE)
    worth = kish(grouping.sizes.astype(np.float64))
    if worth < MIN_THREADS:
        said = f"{found.assumptions} {UNEQUAL.format(worth=worth)}"
        return replace(row, **ends(found.interval), assumptions=said, mark=Mark.LOW_SAMPLE)
    unchecked = found.method == "heldout_correction" or found.method.startswith(CODED)
    mark = caution(unit.n, Mark.NOT_VALIDATED if unchecked else None)
    return replace(row, **ends(found.interval), mark=mark)
