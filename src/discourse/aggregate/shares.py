"""Rows for counts of tags, corrected shares and shares from labels: the same for every level of frames and stances."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from discourse.aggregate.coded_labels import CODED
from discourse.aggregate.error_rates import ErrorRates
from discourse.aggregate.estimates import Estimate, caution, ends
from discourse.aggregate.from_labels import Flags, Found
from discourse.aggregate.prevalence import (
    Interval,
    Tagged,
    corrected_share,
    separable,
    share_draws,
)
from discourse.aggregate.resampling import Reals
from discourse.aggregate.units import Eligible, Unit
from discourse.tables import Mark, Measure

COUNTED = "A count of what the model tagged, mistakes included; not a share."
CORRECTED = (
    "The model errs on these comments as it did on held-out comments of {sources}, taken as a sample of such sources; "
    "mistakes are alike within an author and the same in near-duplicates; nothing was validated on these threads."
)
INSEPARABLE = (
    "No share: on held-out comments the model's sensitivity less its false-positive rate may be below 0.1, so that "
    "its tags say too little about shares."
)
NO_HELDOUT = "No share: there are no held-out answers of known weight for this way of tagging."
NO_TAGS = "No share: these comments were not tagged."
NO_COMMENTS = "No share: there is no eligible comment."
NONE_ABOUT = "No share: it is not certain that any comment is about the target."


@dataclass(frozen=True, slots=True)
class Correction:
    """A corrected share with its draws, or why there is none."""

    interval: Interval | None
    draws: Reals
    reason: str
    n_effective: float


def count_row(level: str, unit: Unit, counted: Flags | None, unsure: Flags) -> Estimate:
    """Return the count of the unit's comments where `counted` holds; None: nothing was tagged."""
    row = _row(level, unit, Measure.COUNT, "tag_count", COUNTED, unsure)
    if counted is None:
        return replace(row, assumptions="No count: these comments were not tagged.", mark=Mark.NOT_ESTIMABLE)
    return replace(row, estimate=float(counted[unit.rows].sum()), mark=caution(unit.n))


def correct(
    eligible: Eligible, unit: Unit, tagged: Flags | None, rates: ErrorRates, rng: np.random.Generator
) -> Correction:
    """Correct a unit's tagged share by held-out error rates, where they allow it."""
    none = np.zeros(0)
    if unit.n == 0 or tagged is None:
        return Correction(None, none, NO_COMMENTS if unit.n == 0 else NO_TAGS, 0.0)
    effect = eligible.clustering_effect(unit)
    if not rates.known or not separable(rates):
        return Correction(None, none, INSEPARABLE if rates.known else NO_HELDOUT, unit.n / effect)
    share = float(np.average(tagged[unit.rows], weights=unit.weight))
    seen = Tagged(share, unit.n, effect)
    draws = share_draws(seen, rates, rng)
    sources = "one source" if rates.sources == 1 else f"{rates.sources} sources"
    return Correction(corrected_share(seen, rates, draws), draws, CORRECTED.format(sources=sources), unit.n / effect)


def corrected_row(level: str, unit: Unit, found: Correction, unsure: Flags) -> Estimate:
    """Return the row of a corrected share; it is never without a mark."""
    row = _row(level, unit, Measure.SHARE, "heldout_correction", found.reason, unsure)
    row = replace(row, n_effective=found.n_effective)
    if found.interval is None:
        return replace(row, mark=Mark.NOT_ESTIMABLE)
    return replace(row, **ends(found.interval), mark=caution(unit.n, Mark.NOT_VALIDATED))


def label_row(level: str, unit: Unit, found: Found, unsure: Flags) -> Estimate:
    """Return the row of a share from labels; those of an external coder validate nothing."""
    row = _row(level, unit, Measure.SHARE, found.method, found.assumptions, unsure)
    row = replace(row, n_labelled=found.n_labelled, n_effective=found.n_effective)
    if found.interval is None:
        return replace(row, assumptions="No share: no labelled comment is about the target.", mark=Mark.NOT_ESTIMABLE)
    by_coder = Mark.NOT_VALIDATED if found.method.startswith(CODED) else None
    return replace(row, **ends(found.interval), mark=caution(unit.n, by_coder))


def _row(level: str, unit: Unit, measure: Measure, method: str, assumptions: str, unsure: Flags) -> Estimate:
    return Estimate(
        unit.name,
        measure,
        level,
        unit.denominator,
        unit.n,
        method,
        assumptions,
        n_unsure=int(unsure[unit.rows].sum()),
        variant=unit.variant,
        group_by=unit.group_by,
        group=unit.group,
    )
