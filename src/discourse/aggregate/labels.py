"""Labels, made one for each comment and level: majority of annotators, ties by the chosen rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.aggregate.label_kinds import one_kind
from discourse.aggregate.resampling import Reals
from discourse.tables import Design

Rule = Literal["majority", "yes", "no", "first"]


@dataclass(frozen=True, slots=True)
class Coding:
    """Labels of one level beside the eligible comments (N).

    value: text, null where nobody labelled. labelled: whether somebody did. inclusion: float64, the chance of having
    been asked about, NaN if unknown. uniform, census: whether the comment was drawn so. A comment of known inclusion
    without a label was skipped by everybody who was asked. by_model: whether an external coder labelled, not people.
    """

    value: pl.Series
    labelled: NDArray[np.bool_]
    inclusion: Reals
    uniform: NDArray[np.bool_]
    census: NDArray[np.bool_]
    by_model: bool = False

    def where(self, *values: str) -> Reals:
        """Return 1 where the label is one of `values`, 0 where it is another, NaN where there is none."""
        return self.value.is_in(values).cast(pl.Float64).fill_null(float("nan")).to_numpy()


def resolve(labels: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    """Give each comment and level one value: that of most annotators.

    A tie goes to yes or no as `rule` says; under `majority` a tied frame is no, as codebooks have it; under `first`,
    and for stances under any rule, the tied value given first (by round, time and name of the annotator). Labels of an
    external coder count only at levels without labels of people, see `label_kinds.one_kind`.

    Args:
        labels: rows of the labels table; skipped ones (null) are no votes.
        rule: `[labels] resolve`.

    Returns:
        comment_id, kind, level, value (null where all who were asked skipped it), inclusion (Float64, null if
        unknown), design, by_model; of levels that have a label.
    """
    about = ["comment_id", "kind", "level"]
    asked = one_kind(labels).sort("round", "labelled_at", "annotator", nulls_last=True).with_row_index("order")
    given = asked.filter(pl.col("value").is_not_null())
    skipped = asked.filter(pl.col("value").is_null()).join(given, on=about, how="anti")
    skipped = skipped.join(given, on=["kind", "level"], how="semi")
    votes = given.group_by(*about, "value").agg(pl.len().alias("votes"), pl.col("order").min())
    favoured = pl.lit("yes" if rule == "yes" else "no")
    ahead = (pl.col("value") == favoured) if rule != "first" else pl.lit(value=False)
    winners = (
        votes.with_columns(ahead=ahead)
        .sort([*about, "votes", "ahead", "order"], descending=[False, False, False, True, True, False])
        .unique(about, keep="first", maintain_order=True)
    )
    drawn = (
        pl.concat([given, skipped])
        .sort("inclusion", "order", nulls_last=True)
        .unique(about, keep="first", maintain_order=True)
        .select(*about, "inclusion", "design", "by_model")
    )
    return drawn.join(winners.select(*about, "value"), on=about, how="left", maintain_order="left").select(
        *about, "value", "inclusion", "design", "by_model"
    )


def coding(resolved: pl.DataFrame, kind: str, level: str, comments: pl.DataFrame) -> Coding | None:
    """Lay the labels of one level beside the eligible comments; None if none of them is labelled."""
    wanted = resolved.filter((pl.col("kind") == kind) & (pl.col("level") == level))
    beside = comments.select("comment_id").join(wanted, on="comment_id", how="left", maintain_order="left")
    if beside["value"].null_count() == beside.height:
        return None
    found = as_coding(beside["value"], beside["inclusion"], beside["design"])
    return replace(found, by_model=bool(wanted["by_model"].any()))


def as_coding(value: pl.Series, inclusion: pl.Series, design: pl.Series) -> Coding:
    """Turn the columns of one level's labels, beside the eligible comments, into arrays."""
    unknown = design == Design.UNKNOWN.value
    known = inclusion.cast(pl.Float64).zip_with(~unknown.fill_null(value=True), pl.Series([None], dtype=pl.Float64))
    uniform, census = ((design == each.value).fill_null(value=False) for each in (Design.UNIFORM, Design.CENSUS))
    return Coding(
        value,
        value.is_not_null().to_numpy(),
        known.fill_null(float("nan")).to_numpy(),
        uniform.to_numpy(),
        census.to_numpy(),
    )
