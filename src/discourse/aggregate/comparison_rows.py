"""Rows of the estimates table for comparisons: one table of all headlines and contrasts is one family of tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from discourse.aggregate.coded_labels import CODED
from discourse.aggregate.comparison import NO_RATIO, Compared, compare
from discourse.aggregate.comparison_sides import Comparison, Contrast, side_name
from discourse.aggregate.estimates import Estimate, caution, ends
from discourse.aggregate.headline import Headline, count
from discourse.aggregate.holm import holm
from discourse.aggregate.prevalence import Interval
from discourse.aggregate.units import Unit
from discourse.tables import Mark, Measure

SIDE = "side"
OTHER_SIDE = "other_side"
SMALLEST = "smallest_detectable"


def comparison_estimates(
    headlines: Sequence[Headline], comparison: Comparison, advance: Callable[[], None] = lambda: None
) -> list[Estimate]:
    """Compare every headline in every contrast of one table.

    Each contrast gives, all with `contrast` and `family`: the counts and shares of its sides (variants `side` and
    `other_side`), `difference`, `ratio`, and the smallest difference that could have been seen (variant
    `smallest_detectable`). Difference and ratio carry p; Holm's p takes the whole table, see `with_holm`.

    Args:
        headlines: beside the eligible comments that the comparison's sides are rows of.
        comparison: what is set side by side.
        advance: called after each contrast.
    """
    rows: list[Estimate] = []
    for contrast in comparison.each():
        for headline in headlines:
            rows += _rows(headline, contrast, comparison.family)
        advance()
    return rows


def with_holm(rows: Sequence[Estimate]) -> list[Estimate]:
    """Return all rows of one table with Holm's p; a difference and its ratio are one hypothesis."""
    tested = {_hypothesis(row): row.p for row in rows if row.p is not None}
    corrected = dict(zip(tested, holm(np.array(list(tested.values()), dtype=np.float64)), strict=True))
    return [row if row.p is None else replace(row, p_holm=float(corrected[_hypothesis(row)])) for row in rows]


def _hypothesis(row: Estimate) -> tuple[str | None, ...]:
    return (row.unit, row.group_by, row.group, row.contrast, row.level)


def _rows(headline: Headline, contrast: Contrast, family: str) -> list[Estimate]:
    found = compare(headline, contrast.first, contrast.second)
    whole = " about the target" if headline.whole is not None else ""
    told = " and ".join(f"{side.n:,} comments of {side_name(side)}" for side in (contrast.first, contrast.second))
    base = Estimate(
        contrast.first.name,
        Measure.DIFFERENCE,
        headline.level,
        f"those{whole} among {told}" if whole else told,
        contrast.first.n + contrast.second.n,
        found.method,
        found.assumptions,
        n_effective=found.n_effective,
        n_labelled=found.n_labelled,
        n_unsure=sum(int(headline.unsure[side.rows].sum()) for side in (contrast.first, contrast.second)),
        group_by=contrast.first.group_by,
        group=contrast.first.group,
        contrast=contrast.against,
        family=family,
    )
    return [*_sides(headline, contrast, found, base), *_between(found, base, contrast)]


def _between(found: Compared, base: Estimate, contrast: Contrast) -> list[Estimate]:
    if found.difference is None:
        silent = replace(base, mark=Mark.NOT_ESTIMABLE)
        return [silent, replace(silent, measure=Measure.RATIO)]
    mark = _mark(found, min(contrast.first.n, contrast.second.n))
    difference = replace(base, **ends(found.difference), p=found.p, mark=mark)
    smallest = replace(base, estimate=found.smallest, variant=SMALLEST, mark=mark)
    ratio = replace(base, measure=Measure.RATIO)
    if found.ratio is None:
        return [difference, smallest, replace(ratio, assumptions=NO_RATIO, mark=Mark.NOT_ESTIMABLE)]
    return [difference, smallest, replace(ratio, **ends(found.ratio), p=found.p, mark=mark)]


def _sides(headline: Headline, contrast: Contrast, found: Compared, base: Estimate) -> list[Estimate]:
    rows: list[Estimate] = []
    for side, share, variant in zip((contrast.first, contrast.second), found.shares, (SIDE, OTHER_SIDE), strict=True):
        rows.append(replace(_of(base, side, count(headline, side)), measure=Measure.COUNT, variant=variant))
        # Held-out error rates correct no group on its own, only what two sides differ by.
        if share is not None and (found.method != "heldout_correction" or base.group_by is None):
            rows.append(_share(base, side, share, found, variant))
    return rows


def _of(base: Estimate, side: Unit, counted: Estimate) -> Estimate:
    return replace(
        base,
        denominator=side.denominator,
        n=side.n,
        n_effective=None,
        n_labelled=0,
        n_unsure=counted.n_unsure,
        method=counted.method,
        assumptions=counted.assumptions,
        estimate=counted.estimate,
        mark=counted.mark,
    )


def _share(base: Estimate, side: Unit, share: Interval, found: Compared, variant: str) -> Estimate:
    row = replace(base, measure=Measure.SHARE, variant=variant, denominator=side.denominator, n=side.n)
    return replace(row, **ends(share), n_effective=None, mark=_mark(found, side.n))


def _mark(found: Compared, n: int) -> Mark | None:
    unchecked = found.method == "heldout_correction" or found.method.startswith(CODED)
    return caution(n, Mark.NOT_VALIDATED if unchecked else None)
