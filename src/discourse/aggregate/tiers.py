"""Which tier answered how many of the eligible comments."""

from __future__ import annotations

import polars as pl

from discourse.aggregate.estimates import Estimate
from discourse.aggregate.quality import COUNTED
from discourse.aggregate.tags import wanted_path
from discourse.aggregate.units import Eligible
from discourse.config import TaggingConfig
from discourse.tables import Measure, Tier


def tier_counts(eligible: Eligible, frames: pl.DataFrame, tagging: TaggingConfig) -> list[Estimate]:
    """Return a count for each tier that answered, level `tier:<tier>`, and none where there is but one.

    Args:
        eligible: the comments that are counted.
        frames: rows of the frames table by one bundle.
        tagging: tells which path was asked for.
    """
    answered = (
        frames.filter((pl.col("path") == wanted_path(frames, tagging)) & pl.col("probability").is_not_null())
        .unique("comment_id")
        .join(eligible.comments.select("comment_id"), on="comment_id", how="semi")
    )
    counts = dict(answered["tier"].value_counts().iter_rows())
    if Tier.STATIC.value not in counts:
        return []
    said = f"{answered.height:,} eligible comments that were read for frames"
    return [
        Estimate(
            "all",
            Measure.COUNT,
            f"tier:{tier.value}",
            said,
            answered.height,
            "data_count",
            COUNTED,
            estimate=float(counts.get(tier.value, 0)),
        )
        for tier in (Tier.STATIC, Tier.ENCODER)
    ]
