"""All comparisons of a workspace: every headline, and the words, in every table that can be made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from discourse.aggregate.comparison_rows import comparison_estimates, with_holm
from discourse.aggregate.comparison_sides import Comparison, comparisons
from discourse.aggregate.comparison_words import used_words, word_estimates
from discourse.aggregate.estimates import Estimate
from discourse.aggregate.headline import Headline
from discourse.aggregate.units import Eligible
from discourse.config import CompareConfig
from discourse.progress import bar


@dataclass(frozen=True, slots=True)
class ComparisonTables:
    """Rows of the estimates table, and sentences on what was asked for and could not be compared."""

    rows: list[Estimate]
    notes: tuple[str, ...]


def comparison_tables(
    frames: Sequence[Headline],
    sides: Sequence[Headline],
    threads: pl.DataFrame,
    attributes: pl.DataFrame,
    asked: CompareConfig,
) -> ComparisonTables:
    """Compare threads, platforms, and what `[compare]` asks for.

    Frames and stances of one table are one family of tests; the words of a table are one of their own.

    Args:
        frames: headlines beside the comments that the frames bundle reads.
        sides: headlines of stances, beside those that the stance bundle reads.
        threads: rows of the threads table.
        attributes: rows of the attributes table.
        asked: the `[compare]` section.
    """
    families: dict[str, list[Estimate]] = {}
    words: list[Estimate] = []
    notes: dict[str, None] = {}
    for headlines in (frames, sides):
        if not headlines:
            continue
        eligible = headlines[0].eligible
        found = comparisons(eligible, threads, attributes, asked)
        notes |= dict.fromkeys(found.notes)
        with bar("comparing", sum(each.number for each in found.made)) as advance:
            for each in found.made:
                families.setdefault(each.family, []).extend(comparison_estimates(headlines, each, advance))
        if found.made and not words:
            words = _words(eligible, found.made, headlines[0].seed)
    rows = [row for family in families.values() for row in with_holm(family)]
    return ComparisonTables(rows + words, tuple(notes))


def _words(eligible: Eligible, made: Sequence[Comparison], seed: int) -> list[Estimate]:
    with bar("words that set apart", len(made) + 1) as advance:
        used = used_words(eligible, seed)
        advance()
        rows: list[Estimate] = []
        for each in made:
            rows += word_estimates(used, eligible, each)
            advance()
    return rows
