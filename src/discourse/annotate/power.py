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
from discourse.tables import LABELS
from discourse.workspace import Workspace

ENOUGH = 30  # labels of known inclusion from which the spread of labels is measured instead of assumed
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spread:
    """The variance of a label, and of what is left of it once the tags are taken out; on how many labels this rests."""

    label: float
    residual: float
    labels: int


@dataclass(frozen=True, slots=True)
class Power:
    """One level's plan: labels that the half-width needs with and without tags, what is there, and what is to do."""

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
        spread, basis = measured(*(known[name].to_numpy() for name in ("label", "score", "inclusion"))), "labels"
    elif eligible.is_read:
        spread, basis = assumed(eligible.score), "tags"
    else:
        spread, basis = Spread(0.25, 0.25, 0), "nothing"
    needed, without = (labels_needed(half_width, part, size) for part in (spread.residual, spread.label))
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
    )


def labels_needed(half_width: float, variance: float, population: int) -> int:
    """Return the smallest n for which t · √((1 − n/N) · s²/n) is at most `half_width`; the whole N if none is smaller.

    The variance is that of the difference estimator under simple random sampling (Särndal, Swensson & Wretman 1992,
    §6.3), with comments taken as independent; a unit in which few authors write much needs more.
    """
    low, high = 2, population
    while low < high:
        middle = (low + high) // 2
        if reach(middle, variance, population) <= half_width:
            high = middle
        else:
            low = middle + 1
    return min(low, population)


def reach(number: int, variance: float, population: int) -> float:
    """Return the half-width that `number` uniformly drawn labels of this variance give."""
    left = max(1 - number / population, 0)
    return float(stats.t.ppf(0.975, max(number - 1, 1))) * float(np.sqrt(left * variance / number))


def measured(label: Reals, score: Reals, inclusion: Reals) -> Spread:
    """Return the spread of labels and of label − λ · score, weighted by 1 / inclusion; λ as in PPI++, within 0–1.

    Args:
        label: float64 (n,), 0 or 1; score: float64 (n,); inclusion: float64 (n,), above 0.
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
    return Spread(max(parts[0], least), max(parts[1], least if parts[0] < least else 0.0), len(label))


def assumed(score: Reals) -> Spread:
    """Return what the spread would be if the calibrated scores were right on these comments: E[p(1 − p)] is left."""
    mean = float(score.mean())
    return Spread(max(mean * (1 - mean), 1e-4), max(float((score * (1 - score)).mean()), 1e-4), 0)


def _known(workspace: Workspace, level: Level, eligible: Eligible) -> pl.DataFrame:
    """Return label (1: yes, of a stance: about the target), score and inclusion of labels of known inclusion."""
    no = "no" if level.kind == "frame" else "off_target"
    labels = workspace.read(LABELS).filter(
        (pl.col("kind") == level.kind) & (pl.col("level") == level.name) & (pl.col("inclusion") > 0)
    )
    votes = (
        labels.filter(pl.col("value").is_not_null())
        .group_by("comment_id")
        .agg(label=((pl.col("value") != no).mean() > 0.5).cast(pl.Float64), inclusion=pl.col("inclusion").min())
    )
    scores = eligible.comments.select("comment_id", score=pl.Series(eligible.score))
    return scores.join(votes, on="comment_id", how="inner", maintain_order="left")
