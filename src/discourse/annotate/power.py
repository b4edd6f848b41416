"""How many labels a share needs, and how many of them the model's tags save."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats

from discourse.annotate.readings import Eligible, Level, eligible_of
from discourse.config import Config
from discourse.errors import InputError, UsageError
from discourse.tables import LABELS, by_people
from discourse.workspace import Workspace

ENOUGH = 30  # labels of known inclusion from which the spread of labels is measured instead of assumed
ENOUGH_PAIRS = 100  # pairs of labels of one author, from which their likeness is measured
FEW = 10  # expected yes, or no, below which estimates give an exact interval
AUTHOR_CORRELATION = 0.1
"""Assumed likeness of an author's labels where it cannot be measured; the same as for corrected shares."""
Reals = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Spread:
    """The variance of a label, and of what is left of it once the tags are taken out; on how many labels this rests.

    share: of yes, as far as is known. alike: correlation of what is left within an author, 0–1.
    """

    label: float
    residual: float
    labels: int
    share: float = 0.5
    alike: float = AUTHOR_CORRELATION


@dataclass(frozen=True, slots=True)
class Population:
    """The eligible comments that are drawn from: how many, and the chance that two of them are of one author."""

    size: int
    paired: float = 0.0


@dataclass(frozen=True, slots=True)
class Power:
    """One level's plan: labels that the half-width needs with and without tags, what is there, and what is to do.

    design_effect: how many times the needed labels weigh in variance because authors repeat themselves.
    """

    kind: str
    level: str
    eligible: int
    half_width: float
    labelled: int
    needed: int
    more: int
    needed_without_tags: int
    saved: int
    basis: str
    design_effect: float


def power(workspace: Workspace, config: Config, level: Level, half_width: float) -> Power:
    """Say how many more uniformly drawn labels give a share with this half-width of its 95 % interval.

    Raises:
        UsageError: the half-width is not between 0 and 0.5.
        InputError: there is no eligible comment, or neither tags nor labels to plan from.
    """
    if not 0 < half_width < 0.5:
        raise UsageError(f"--half-width {half_width}: give a number between 0 and 0.5, such as 0.03")
    eligible = eligible_of(workspace, config, level)
    size = eligible.comments.height
    if not size:
        raise InputError(f"{workspace.root}: holds no eligible comment to plan for")
    known = _known(workspace, level, eligible)
    if len(known) >= ENOUGH:
        columns = (known[name].to_numpy() for name in ("label", "score", "inclusion", "author"))
        spread, basis = measured(*columns), "labels"
    elif eligible.is_read:
        spread, basis = assumed(eligible.score), "tags"
    else:
        spread, basis = Spread(0.25, 0.25, 0), "nothing"
    population = Population(size, paired(author_numbers(eligible.comments)))
    needed, without = (labels_needed(half_width, part, spread, population) for part in (spread.residual, spread.label))
    return Power(
        level.kind,
        level.name,
        size,
        half_width,
        known.height,
        needed,
        max(needed - known.height, 0),
        without,
        max(without - needed, 0),
        basis,
        design_effect(needed, population, spread.alike),
    )


def labels_needed(half_width: float, variance: float, spread: Spread, population: Population) -> int:
    """Return the smallest n whose interval is no wider than asked for; all comments if no smaller number is enough.

    Args:
        half_width: of the 95 % interval, above 0.
        variance: of what is left of a label, with tags or without.
        spread: the share of yes, and how alike labels of one author are.
        population: that is drawn from.
    """
    low, high = 2, population.size
    while low < high:
        middle = (low + high) // 2
        if reach(middle, variance, spread, population) <= half_width:
            high = middle
        else:
            low = middle + 1
    return min(low, population.size)


def reach(number: int, variance: float, spread: Spread, population: Population) -> float:
    """Return the half-width that `number` uniformly drawn labels give: t · √((1 − n/N) · s²/n · design effect).

    The variance is that of the difference estimator under simple random sampling with what is left summed by author
    (Särndal, Swensson & Wretman 1992, §6.3). Where fewer than `FEW` yes (or no) are to be expected it is half the width
    of the exact interval (Clopper & Pearson 1934, narrowed by √(1 − n/N)), which the tags hardly help.
    """
    left = max(1 - number / population.size, 0)
    rare = min(spread.share, 1 - spread.share) * number
    if rare < FEW:
        low = float(stats.beta.ppf(0.025, rare, number - rare + 1)) if rare > 0 else 0.0
        return (float(stats.beta.ppf(0.975, rare + 1, number - rare)) - low) / 2 * float(np.sqrt(left))
    effect = design_effect(number, population, spread.alike)
    return float(stats.t.ppf(0.975, max(number - 1, 1))) * float(np.sqrt(left * variance * effect / number))


def design_effect(number: int, population: Population, alike: float) -> float:
    """Return how much authors widen the variance: each label expects (n − 1) · paired others of its author (Kish)."""
    return 1 + (number - 1) * population.paired * alike


def author_numbers(comments: pl.DataFrame) -> Counts:
    """Return a number for each comment's author, int64 (N,); a comment of an unknown author is one of its own."""
    author = comments.select(pl.coalesce("author", "comment_id")).to_series()
    return author.rank("dense").cast(pl.Int64).to_numpy()


def paired(author: Counts) -> float:
    """Return the chance that two comments, drawn without replacement, are of one author."""
    sizes = np.unique(author, return_counts=True)[1].astype(np.float64)
    return float((sizes * (sizes - 1)).sum()) / max(len(author) * (len(author) - 1), 1)


def measured(label: Reals, score: Reals, inclusion: Reals, author: Counts) -> Spread:
    """Return the spread of labels and of label − λ · score, weighted by 1 / inclusion; λ as in PPI++, within 0–1.

    Args:
        label: float64 (n,), 0 or 1; score: float64 (n,); inclusion: float64 (n,), above 0; author: int64 (n,).
    """
    weight = 1 / inclusion
    weight = weight / weight.sum()
    centred = score - weight @ score
    spread = float(weight @ np.square(centred))
    slope = float(np.clip(weight @ (centred * label) / spread, 0, 1)) if spread > 1e-12 else 0.0
    again = len(label) / max(len(label) - 1, 1)
    difference = label - slope * score
    parts = [float(weight @ np.square(value - weight @ value)) * again for value in (label, difference)]
    # All labels alike say only that the other value is rare, at most 3/n of the comments (95 %).
    least = 3 / len(label) * (1 - 3 / len(label))
    alike = _alike(difference - weight @ difference, author)
    share = float(weight @ label)
    return Spread(max(parts[0], least), max(parts[1], least if parts[0] < least else 0.0), len(label), share, alike)


def _alike(residual: Reals, author: Counts) -> float:
    """Return the correlation of residuals within authors, 0–1; the assumed one where few authors have two labels.

    Source: Kish 1965, §5.4 (the analysis-of-variance form, over all pairs).
    """
    number = np.unique(author, return_inverse=True)[1]
    sizes = np.bincount(number).astype(np.float64)
    pairs = float((sizes * (sizes - 1)).sum())
    variance = float(np.square(residual).mean())
    if pairs < 2 * ENOUGH_PAIRS or variance < 1e-12:
        return AUTHOR_CORRELATION
    products = float(np.square(np.bincount(number, residual)).sum() - np.square(residual).sum())
    return float(np.clip(products / pairs / variance, 0, 1))


def assumed(score: Reals) -> Spread:
    """Return what the spread would be if the calibrated scores were right on these comments: E[p(1 − p)] is left."""
    mean = float(score.mean())
    return Spread(max(mean * (1 - mean), 1e-4), max(float((score * (1 - score)).mean()), 1e-4), 0, mean)


def _known(workspace: Workspace, level: Level, eligible: Eligible) -> pl.DataFrame:
    """Return score, author, label (1: yes, of a stance: about the target) and inclusion where the last is known."""
    no = "no" if level.kind == "frame" else "off_target"
    labels = workspace.read(LABELS).filter(
        by_people() & (pl.col("kind") == level.kind) & (pl.col("level") == level.name) & (pl.col("inclusion") > 0)
    )
    votes = (
        labels.filter(pl.col("value").is_not_null())
        .group_by("comment_id")
        .agg(label=((pl.col("value") != no).mean() > 0.5).cast(pl.Float64), inclusion=pl.col("inclusion").min())
    )
    author = author_numbers(eligible.comments)
    scores = eligible.comments.select(
        "comment_id", score=pl.Series(eligible.score), author=pl.Series(author, dtype=pl.Int64)
    )
    return scores.join(votes, on="comment_id", how="inner", maintain_order="left")
