"""One number of interest, such as a frame: all that is known of it beside the eligible comments, and its rows."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from discourse.aggregate.coded_labels import as_coded
from discourse.aggregate.error_rates import ErrorRates
from discourse.aggregate.estimates import Estimate
from discourse.aggregate.from_labels import Flags, Found, Reading, label_ratio, label_share
from discourse.aggregate.labels import Coding
from discourse.aggregate.prevalence import share_of_share
from discourse.aggregate.resampling import Reals
from discourse.aggregate.shares import NONE_ABOUT, Correction, correct, corrected_row, count_row, label_row
from discourse.aggregate.units import Eligible, Unit


@dataclass(frozen=True, slots=True)
class Headline:
    """A frame, a target's being addressed, or a side among the comments about a target.

    level: as in the estimates. eligible: the comments that everything here lies beside. counted: what a count counts,
    None where nothing was tagged. unsure: where the model abstains. reading: tags by threshold and scores, out-of-fold
    where the bundle was trained on the comment. labels: of people, None if there are none. yes: float64 (N,), 1 or 0,
    NaN where not labelled. seed: of the draws. whole: for a side, the headline of being about the target at all.
    """

    level: str
    eligible: Eligible
    counted: Flags | None
    unsure: Flags
    reading: Reading
    rates: ErrorRates
    labels: Coding | None
    yes: Reals | None
    seed: int
    whole: Headline | None = None

    @property
    def tagged(self) -> Flags | None:
        """The tags by threshold; None where nothing was tagged."""
        return None if self.counted is None else self.reading.tagged


def count(headline: Headline, unit: Unit) -> Estimate:
    """Return the row of a unit's count of tags."""
    return count_row(headline.level, unit, headline.counted, headline.unsure)


def corrected(headline: Headline, unit: Unit) -> Correction:
    """Correct a unit's tags by held-out error rates.

    The draws depend on the seed, the level and the comments alone: another unit more changes no number, and what is
    asked twice is answered alike. Draws of two units share those of the error rates.
    """
    name = zlib.crc32(headline.level.encode())
    rng = np.random.default_rng([headline.seed, name, headline.eligible.checksum(unit)])
    part = correct(headline.eligible, unit, headline.tagged, headline.rates, rng)
    if headline.whole is None or part.interval is None:
        return part
    about = corrected(headline.whole, unit)
    return about if about.interval is None else _among(part, about)


def labelled(headline: Headline, unit: Unit) -> Found | None:
    """Estimate a unit's share from its labels; None where there are too few of known inclusion."""
    found = _labelled(headline, unit)
    return as_coded(found) if found is not None and headline.labels is not None and headline.labels.by_model else found


def _labelled(headline: Headline, unit: Unit) -> Found | None:
    if headline.labels is None or headline.yes is None:
        return None
    author = headline.eligible.author
    if headline.whole is None:
        return label_share(headline.labels, headline.yes, headline.reading, author, unit.rows, unit.weight)
    if headline.whole.yes is None:
        return None
    scores = (headline.reading.score, headline.whole.reading.score)
    return label_ratio(headline.labels, (headline.yes, headline.whole.yes), scores, author, unit.rows, unit.weight)


def corrected_estimate(headline: Headline, unit: Unit) -> Estimate:
    """Return the row of a unit's share by held-out error rates."""
    return corrected_row(headline.level, _of(headline, unit), corrected(headline, unit), headline.unsure)


def labelled_estimates(headline: Headline, unit: Unit) -> list[Estimate]:
    """Return the row of a unit's share by labels, where there is one."""
    found = labelled(headline, unit)
    return [] if found is None else [label_row(headline.level, _of(headline, unit), found, headline.unsure)]


def estimates(headlines: Sequence[Headline], unit: Unit) -> list[Estimate]:
    """Return all rows of some headlines in one unit: counts, corrected shares, shares by labels."""
    rows = [count(each, unit) for each in headlines]
    rows += [corrected_estimate(each, unit) for each in headlines]
    return rows + [row for each in headlines for row in labelled_estimates(each, unit)]


def _among(part: Correction, about: Correction) -> Correction:
    """Return the side's share among the comments about the target."""
    if part.interval is None or about.interval is None:
        return part
    ratio = share_of_share(part.interval, about.interval, part.draws, about.draws)
    if ratio is None:
        return Correction(None, np.zeros(0), NONE_ABOUT, part.n_effective)
    draws = np.minimum(part.draws / np.maximum(about.draws, np.finfo(float).tiny), 1)
    return Correction(ratio, draws, part.reason, part.n_effective)


def _of(headline: Headline, unit: Unit) -> Unit:
    return unit if headline.whole is None else unit.among("those about the target")
