"""How far the people who labelled agree, as rows beside the estimates that their labels make."""

from __future__ import annotations

import numpy as np
import polars as pl

from discourse.aggregate.estimates import Estimate, caution
from discourse.models.krippendorff import alpha_interval, units
from discourse.tables import Mark, Measure

AGREED = (
    "Krippendorff's nominal alpha over comments labelled by two people or more; the interval draws authors of "
    "comments. 1 is full agreement, 0 what chance would give."
)
ALIKE = "No alpha: all labels of these comments are alike, so that agreement cannot be told from habit."


def agreement_estimates(labels: pl.DataFrame, comments: pl.DataFrame, seed: int) -> list[Estimate]:
    """Return alpha of every frame and target that two people labelled.

    Args:
        labels: rows of the labels table.
        comments: with comment_id and author; a comment of an unknown author is one of its own.
        seed: of the draws.
    """
    given = labels.filter(pl.col("value").is_not_null())
    given = given.unique(["comment_id", "kind", "level", "annotator"], keep="first", maintain_order=True)
    given = given.join(comments.select("comment_id", "author"), on="comment_id", maintain_order="left")
    given = given.with_columns(author=pl.coalesce("author", "comment_id"))
    rng = np.random.default_rng([seed, 7])
    rows: list[Estimate] = []
    for (kind, level), part in given.sort("kind", "level").group_by("kind", "level", maintain_order=True):
        twice = part.filter(pl.col("comment_id").is_duplicated())
        if twice.height:
            rows.append(_row(f"{kind}:{level}", twice, rng))
    return rows


def _row(level: str, twice: pl.DataFrame, rng: np.random.Generator) -> Estimate:
    alpha = alpha_interval(units(twice), rng)
    n, people = twice["comment_id"].n_unique(), twice["annotator"].n_unique()
    known = alpha.estimate is not None
    return Estimate(
        "all",
        Measure.ALPHA,
        level,
        f"{n:,} comments labelled by several of {people:,} people",
        n,
        "krippendorff_alpha",
        AGREED if known else ALIKE,
        estimate=alpha.estimate,
        low=alpha.low,
        high=alpha.high,
        n_labelled=n,
        mark=caution(n) if known else Mark.NOT_ESTIMABLE,
    )
