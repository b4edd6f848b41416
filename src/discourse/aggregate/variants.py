"""Does a finding survive? The same comments without some of them, or with another weight for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from discourse.aggregate.estimates import Estimate
from discourse.aggregate.from_labels import Flags
from discourse.aggregate.headline import Headline, estimates
from discourse.aggregate.resampling import Counts, Reals
from discourse.aggregate.units import Eligible, Unit

LOUDEST = 0.01
"""Share of the authors who are left out, those with most comments first; at least one author."""


def variants(eligible: Eligible) -> list[Unit]:
    """Return all comments together, changed in ways that a finding should survive; also where that changes nothing.

    Those on authors are left out where no author is known, those on scores where no score is.

    Args:
        eligible: comments, a number for each author, and units, the first of all comments.
    """
    comments = eligible.comments
    first = comments["duplicate_of"].is_null().to_numpy()
    found = [_less(eligible, "without_duplicates", first, "without near-duplicates, so that each text counts once")]
    if comments["author"].null_count() < comments.height or not comments.height:
        quiet = ~np.isin(eligible.author, loudest_authors(eligible.author))
        loudest = f"without comments of the loudest {LOUDEST:.0%} of authors (those of unknown authors stay)"
        sizes = np.bincount(eligible.author)[eligible.author] if comments.height else np.zeros(0)
        found += [
            _weighted(eligible, "one_vote_per_author", 1 / sizes, "each author's together counting as one"),
            _less(eligible, "without_loudest_authors", quiet, loudest),
        ]
    words = comments["text"].str.count_matches(r"\S+").fill_null(0).to_numpy()
    middle = int(np.median(words)) if len(words) else 0
    found += [
        _less(eligible, "short_comments", words <= middle, f"those of at most {middle:,} words"),
        _less(eligible, "long_comments", words > middle, f"those of more than {middle:,} words"),
    ]
    if "score" in comments.columns and comments["score"].null_count() < comments.height:
        votes = 1 + comments["score"].fill_nan(None).fill_null(0).clip(0, 1e12).to_numpy()
        found.append(
            _weighted(eligible, "weighted_by_score", votes, "each counting once, and once more for every vote above 0")
        )
    return found


def variant_estimates(headlines: Sequence[Headline], changed: Sequence[Unit]) -> list[Estimate]:
    """Estimate every headline in every variant; a count has no variant where only the weights differ."""
    return [
        row
        for unit in changed
        for row in estimates(headlines, unit)
        if unit.weight is None or row.method != "tag_count"
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


def _less(eligible: Eligible, name: str, stays: Flags, what: str) -> Unit:
    unit = eligible.units[0]
    rows = unit.rows[stays[unit.rows]]
    return replace(unit, variant=name, rows=rows, denominator=f"{len(rows):,} of {unit.denominator}, {what}")


def _weighted(eligible: Eligible, name: str, weight: Reals, what: str) -> Unit:
    unit = eligible.units[0]
    return replace(unit, variant=name, weight=weight[unit.rows], denominator=f"{unit.denominator}, {what}")
