"""Does a finding survive? The same comments without near-duplicates, and without those who write most."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from discourse.aggregate.resampling import Counts
from discourse.aggregate.units import Eligible, Unit

LOUDEST = 0.01
"""Share of the authors who are left out, those with most comments first; at least one author."""


@dataclass(frozen=True, slots=True)
class Variant:
    """All comments less some: its name in the estimates, the comments that stay, what it leaves open."""

    name: str
    unit: Unit
    caveat: str


def variants(eligible: Eligible) -> list[Variant]:
    """Return the variants of all comments together that leave something out; those that change nothing too.

    Args:
        eligible: comments with `duplicate_of`, a number for each author, and units, the first of all comments.
    """
    first = eligible.comments["duplicate_of"].is_null().to_numpy()
    quiet = ~np.isin(eligible.author, loudest_authors(eligible.author))
    return [
        Variant("without_duplicates", _less(eligible, first, "near-duplicates"), "Each text is counted once."),
        Variant(
            "without_loudest_authors",
            _less(eligible, quiet, f"comments of the loudest {LOUDEST:.0%} of authors"),
            "Comments of unknown authors stay, each as an author of its own.",
        ),
    ]


def loudest_authors(author: Counts) -> Counts:
    """Return the authors with most comments, `LOUDEST` of all, rounded up; none if nobody wrote more than once.

    Args:
        author: int64 (N,), a number for each comment's author.

    Returns:
        int64 (authors,); ties go to the smaller number.
    """
    numbers, sizes = np.unique(author, return_counts=True)
    order = np.lexsort((numbers, -sizes))[: int(np.ceil(LOUDEST * len(numbers)))]
    return numbers[order][sizes[order] > 1].astype(np.int64)


def _less(eligible: Eligible, stays: np.ndarray[tuple[int], np.dtype[np.bool_]], what: str) -> Unit:
    unit = eligible.units[0]
    rows = unit.rows[stays[unit.rows]]
    return replace(unit, rows=rows, denominator=f"{len(rows):,} of {unit.denominator}, without {what}")
