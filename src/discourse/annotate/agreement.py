"""How far annotators agree: Krippendorff's alpha with a bootstrap interval, who differs from whom, and on what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.errors import InputError
from discourse.tables import COMMENTS, LABELS
from discourse.workspace import Workspace

DRAWS = 2_000
Reals = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Alpha:
    """Krippendorff's alpha with its 95 % interval.

    All null where alpha is undefined, such as where all labels are alike; the ends alone are null where the comments
    are of one author, so that nothing is known of others.
    """

    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """One level: alpha, on how many comments with two labels or more, annotators, and what they differ on.

    confusion: how often one annotator said `a_said` where another said `b_said`. disputed: comment_ids.
    """

    kind: str
    level: str
    annotators: list[str]
    comments: int
    alpha: Alpha
    agreed: float
    confusion: list[dict[str, str | int]]
    disputed: list[dict[str, object]]


def agreement(workspace: Workspace, seed: int = 0) -> list[Agreement]:
    """Return the agreement on every level that two annotators labelled.

    Raises:
        InputError: no comment has labels by two annotators.
    """
    labels = workspace.read(LABELS).filter(pl.col("value").is_not_null())
    if labels.is_empty():
        raise InputError(
            f"{workspace.root}: holds no labels; import some with: discourse annotate import {workspace.root} FILE"
        )
    labels = labels.unique(["comment_id", "kind", "level", "annotator"], keep="first", maintain_order=True)
    written = workspace.scan(COMMENTS).select("comment_id", "author").collect()
    # A comment of an unknown author is one of its own.
    labels = labels.join(written, on="comment_id", how="left", maintain_order="left").with_columns(
        author=pl.coalesce("author", "comment_id")
    )
    rng = np.random.default_rng([seed, 7])
    found = [
        _level(str(key[0]), str(key[1]), part, rng)
        for key, part in labels.sort("kind", "level").group_by("kind", "level", maintain_order=True)
        if part["comment_id"].is_duplicated().any()
    ]
    if not found:
        people = labels["annotator"].n_unique()
        raise InputError(
            f"{workspace.root}: no comment was labelled by two annotators ({people} in all); give the same sheet to "
            "another person and import it with --annotator NAME"
        )
    return found


@dataclass(frozen=True, slots=True)
class Units:
    """Comments with several labels: how many annotators gave each value, and who wrote the comment.

    counts: int64 (units, values). author: int64 (units,), from 0 without gaps.
    """

    counts: Counts
    author: Counts


def units(labels: pl.DataFrame) -> Units:
    """Count the labels of each comment that has several.

    Args:
        labels: of one level, with comment_id, annotator, value and author, which is never null.
    """
    values = labels["value"].unique().sort().to_list()
    table = labels.group_by("comment_id").agg(
        *((pl.col("value") == value).sum().cast(pl.Int64).alias(f"={value}") for value in values),
        pl.len(),
        pl.col("author").first(),
    )
    table = table.filter(pl.col("len") > 1).sort("comment_id")
    author = table["author"].rank("dense").cast(pl.Int64).to_numpy() - 1
    return Units(table.select(f"={value}" for value in values).to_numpy(), author)


def krippendorff_alpha(counts: Counts) -> float | None:
    """Return nominal alpha: 1 − observed / expected disagreement; None where all labels are alike or none is paired.

    Args:
        counts: int64 (units, values), each unit's sum at least 2.

    Source: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, case C.
    """
    if not len(counts):
        return None
    found = _alphas(np.ones((1, len(counts))), counts)[0]
    return None if np.isnan(found) else float(found)


def alpha_interval(found: Units, rng: np.random.Generator) -> Alpha:
    """Return alpha with the percentile interval of draws of authors with replacement, each with all their comments.

    Draws in which all labels are alike are left out.

    Source: Zapf et al. 2016 (BMC Medical Research Methodology 16:93); Field & Welsh 2007 (draws of whole clusters).
    """
    point = krippendorff_alpha(found.counts)
    if point is None:
        return Alpha(None, None, None)
    authors = int(found.author.max()) + 1
    if authors < 2:
        return Alpha(point, None, None)
    taken = rng.multinomial(authors, np.full(authors, 1 / authors), size=DRAWS).astype(np.float64)
    draws = _alphas(taken[:, found.author], found.counts)
    draws = draws[~np.isnan(draws)]
    low, high = np.quantile(np.append(draws, point), (0.025, 0.975))
    return Alpha(point, min(float(low), point), max(float(high), point))


def _alphas(taken: Reals, counts: Counts) -> Reals:
    """Return alpha for each row of `taken` (how often each unit counts), NaN where it is undefined."""
    size = counts.sum(1)
    pairs = (np.square(size) - np.square(counts).sum(1)) / (size - 1)  # disagreeing pairs, each label weighing once
    observed = taken @ pairs
    totals = taken @ counts.astype(np.float64)
    number = totals.sum(1)
    expected = np.square(number) - np.square(totals).sum(1)
    defined = expected > 0
    return np.where(defined, 1 - (number - 1) * observed / np.where(defined, expected, 1), np.nan)


def _level(kind: str, level: str, labels: pl.DataFrame, rng: np.random.Generator) -> Agreement:
    twice = labels.filter(pl.col("comment_id").is_duplicated())
    pairs = twice.join(twice, on="comment_id", suffix="_b").filter(pl.col("annotator") < pl.col("annotator_b"))
    cells = pairs.group_by("annotator", "annotator_b", "value", "value_b").len().sort(pl.all())
    names = ("a", "b", "a_said", "b_said", "count")
    disputed = (
        twice.group_by("comment_id")
        .agg(pl.col("value").n_unique().alias("values"), pl.col("annotator", "value").sort_by("annotator"))
        .filter(pl.col("values") > 1)
        .sort("comment_id")
    )
    return Agreement(
        kind,
        level,
        sorted(twice["annotator"].unique()),
        twice["comment_id"].n_unique(),
        alpha_interval(units(twice), rng),
        pairs.filter(pl.col("value") == pl.col("value_b")).height / pairs.height,
        [dict(zip(names, row, strict=True)) for row in cells.iter_rows()],
        [
            {"comment_id": row["comment_id"], "labels": dict(zip(row["annotator"], row["value"], strict=True))}
            for row in disputed.iter_rows(named=True)
        ],
    )
