"""Words and phrases that more people use on one side of a comparison than on the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from discourse.aggregate.comparison_rows import OTHER_SIDE, SIDE
from discourse.aggregate.comparison_sides import PAIRWISE, Comparison, Contrast, side_name
from discourse.aggregate.estimates import Estimate, caution
from discourse.aggregate.from_labels import Flags
from discourse.aggregate.holm import holm
from discourse.aggregate.log_odds import Z95, LogOdds, log_odds
from discourse.aggregate.ngrams import FEWEST_AUTHORS, ngrams, spelled
from discourse.aggregate.resampling import Counts, Reals
from discourse.aggregate.units import Eligible, Unit
from discourse.tables import Measure

SHOWN = 15
"""Words of either side, the most distinctive first."""
ALIKE = 0.7
"""A phrase and a part of it are shown once where the rarer of them has so large a share of the other's authors."""
NO_WORDS = ("group:language",)
"""Where sides differ in language, all words differ."""

COUNTED = (
    "Each author counts once for each word; comments of unknown authors count as one author each; copies are left out."
)
ODDS = (
    "Log-odds with a Dirichlet prior from all comments. Each author counts once for each word, comments of unknown "
    "authors as one author each; copies and quoted text are left out; the words are those of at least "
    f"{FEWEST_AUTHORS} authors, and Holm's p is over all of them."
)


MOST_READ = 50_000
"""Comments whose words are counted; more would take gigabytes."""
DRAWN = "The words are those of {n} comments drawn at random."


@dataclass(frozen=True, slots=True)
class Words:
    """Which authors use which n-grams, and on which side; see `used_words`.

    uses: row, author and ngram, one row for each comment that has it. words: the spelling of numbers. ngram: UInt64,
    sorted, all n-grams of at least `FEWEST_AUTHORS` authors. background: float64 beside it, authors who use it. drawn:
    bool, which comments were read, if not all.
    """

    uses: pl.DataFrame
    words: pl.Series
    ngram: pl.Series
    background: Reals
    drawn: Flags | None = None

    def authors(self, eligible: Eligible, side: Unit) -> int:
        """Return how many authors wrote what was read of a side."""
        rows = side.rows if self.drawn is None else side.rows[self.drawn[side.rows]]
        return len(np.unique(eligible.author[rows]))


@dataclass(frozen=True, slots=True)
class _Counts:
    """Authors who use each n-gram on each side, float64 (sides, n-grams), and among all sides but each one."""

    used: Reals
    elsewhere: Reals


def used_words(eligible: Eligible, seed: int = 0) -> Words:
    """Find the n-grams of the eligible comments that are no near-duplicates; of many, of `MOST_READ` drawn at random.

    Args:
        eligible: comments and a number for each author.
        seed: of the draw.
    """
    comments = eligible.comments
    first = np.ones(comments.height, np.bool_)
    if "duplicate_of" in comments.columns:
        first = comments["duplicate_of"].is_null().to_numpy()
    rows = np.flatnonzero(first)
    drawn = None
    if len(rows) > MOST_READ:
        rows = np.sort(np.random.default_rng([seed, 8]).choice(rows, MOST_READ, replace=False))
        drawn = np.zeros(comments.height, np.bool_)
        drawn[rows] = True
    plain = pl.DataFrame({"row": pl.Series(rows, dtype=pl.UInt32), "author": eligible.author[rows]}).with_columns(
        comments["text"].gather(rows).fill_null("").alias("text")
    )
    uses, words = ngrams(plain)
    known = uses.group_by("ngram").agg(authors=pl.col("author").n_unique()).sort("ngram")
    known = known.filter(pl.col("authors") >= FEWEST_AUTHORS)
    uses = uses.join(known.select("ngram"), on="ngram", how="semi")
    return Words(uses, words, known["ngram"], known["authors"].cast(pl.Float64).to_numpy(), drawn)


def word_estimates(words: Words, eligible: Eligible, comparison: Comparison) -> list[Estimate]:
    """Return the most distinctive words of either side of every contrast.

    Each word gives its `odds_ratio` (above 1: the first side's), with p and Holm's p over all words that were tried in
    the contrast, and a `count` of its authors on either side (variants `side` and `other_side`, n = authors there).

    Args:
        words: of the same comments.
        eligible: comments and a number for each author.
        comparison: what is set side by side.
    """
    if comparison.family in NO_WORDS or not len(words.ngram):
        return []
    many = len(comparison.sides) > PAIRWISE  # then each is set against all the others
    own = comparison.shown if many else comparison.sides
    counts = _counted(words, eligible, comparison, own)
    number = {side_name(side): i for i, side in enumerate(own)}
    rows: list[Estimate] = []
    for contrast in comparison.each():
        first = number[side_name(contrast.first)]
        theirs = counts.elsewhere[first] if many else counts.used[number[contrast.against]]
        rows += _rows(words, eligible, contrast, (counts.used[first], theirs), f"words:{comparison.family}")
    return rows


def _counted(words: Words, eligible: Eligible, comparison: Comparison, own: Sequence[Unit]) -> _Counts:
    """Count for each side of `own`; all other sides, which are looked at together only, are one more."""
    side_of = np.full(eligible.comments.height, -1, dtype=np.int32)
    for side in comparison.sides:
        side_of[side.rows] = len(own)
    for i, side in enumerate(own):
        side_of[side.rows] = i
    place = words.ngram.to_frame().with_row_index("place")
    here = (
        words.uses.with_columns(side=pl.Series(side_of).gather(words.uses["row"]))
        .filter(pl.col("side") >= 0)
        .join(place, on="ngram")
        .select("side", "author", "place")
        .unique()
    )
    shape = (len(own) + 1, len(words.ngram))
    used = _table(here, shape)
    # An author of several sides is among the others of each of them.
    only = here.filter(pl.len().over("author", "place") == 1)
    everyone = here.select("author", "place").unique().group_by("place").len()
    total = np.zeros(shape[1])
    total[everyone["place"].to_numpy()] = everyone["len"].to_numpy()
    return _Counts(used, total[None, :] - _table(only, shape))


def _table(uses: pl.DataFrame, shape: tuple[int, int]) -> Reals:
    flat = uses["side"].to_numpy().astype(np.int64) * shape[1] + uses["place"].to_numpy()
    return np.bincount(flat, minlength=shape[0] * shape[1]).astype(np.float64).reshape(shape)


def _rows(
    words: Words, eligible: Eligible, contrast: Contrast, used: tuple[Reals, Reals], family: str
) -> list[Estimate]:
    tried = np.flatnonzero(np.maximum(used[0], used[1]) >= FEWEST_AUTHORS)
    if not len(tried) or min(used[0].sum(), used[1].sum()) == 0:
        return []
    background = np.maximum(words.background[tried], 1)
    found = log_odds(used[0][tried], used[1][tried], background)
    corrected = holm(found.p)
    texts = spelled(words.ngram.gather(tried), words.words).to_list()
    authors = [words.authors(eligible, side) for side in (contrast.first, contrast.second)]
    drawn = "" if words.drawn is None else f" {DRAWN.format(n=f'{int(words.drawn.sum()):,}')}"
    base = Estimate(
        contrast.first.name,
        Measure.ODDS_RATIO,
        "",
        f"{authors[0]:,} authors of {side_name(contrast.first)} and {authors[1]:,} of {contrast.against}",
        sum(authors),
        "log_odds_dirichlet",
        ODDS + drawn,
        mark=caution(min(contrast.first.n, contrast.second.n)),
        group_by=contrast.first.group_by,
        group=contrast.first.group,
        contrast=contrast.against,
        family=family,
    )
    rows: list[Estimate] = []
    for i in _most_distinctive(found, (used[0][tried], used[1][tried]), texts):
        value, reach = float(found.value[i]), Z95 * float(found.error[i])
        low, high = (float(np.exp(value + end)) for end in (-reach, reach))
        word = replace(base, level=f"word:{texts[i]}")
        rows.append(
            replace(
                word,
                estimate=float(np.exp(value)),
                low=low,
                high=high,
                p=float(found.p[i]),
                p_holm=float(corrected[i]),
            )
        )
        for side, variant, size in zip(used, (SIDE, OTHER_SIDE), authors, strict=True):
            count = replace(
                word, measure=Measure.COUNT, variant=variant, method="author_count", assumptions=COUNTED + drawn
            )
            name = side_name(contrast.first) if variant == SIDE else contrast.against
            count = replace(count, n=size, denominator=f"{size:,} authors of {name}")
            rows.append(replace(count, estimate=float(side[tried[i]]), mark=caution(size)))
    return rows


def _most_distinctive(found: LogOdds, used: tuple[Reals, Reals], texts: list[str]) -> list[int]:
    """Return the most distinctive words of the first side and then of the second, most distinctive first."""
    z = found.z
    chosen: list[int] = []
    for sign, counts in ((1, used[0]), (-1, used[1])):
        usable = np.flatnonzero((sign * z > Z95) & (counts >= FEWEST_AUTHORS))
        order = usable[np.lexsort((usable, -sign * z[usable]))]
        chosen += _apart(order, counts, texts)
    return chosen


def _apart(order: Counts, counts: Reals, texts: list[str]) -> list[int]:
    """Return the first `SHOWN` words that are not mostly the same people's use of one phrase."""
    shown: list[int] = []
    for i in order.tolist():
        if not any(_within(texts[i], texts[k]) and _alike(float(counts[i]), float(counts[k])) for k in shown):
            shown.append(i)
        if len(shown) == SHOWN:
            break
    return shown


def _within(one: str, other: str) -> bool:
    return f" {one} " in f" {other} " or f" {other} " in f" {one} "


def _alike(one: float, other: float) -> bool:
    return min(one, other) >= ALIKE * max(one, other)
