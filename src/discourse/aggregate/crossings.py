"""Which tags come together: of the comments tagged one way, how many are tagged the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from discourse.aggregate.estimates import Estimate
from discourse.aggregate.from_labels import Flags
from discourse.aggregate.groups import group_estimates
from discourse.aggregate.headline import Headline
from discourse.aggregate.units import Eligible, Unit
from discourse.tables import Assignment


def crossing_estimates(
    eligible: Eligible, headlines: Sequence[Headline], topics: pl.DataFrame, shown: Sequence[int]
) -> list[Estimate]:
    """Count, among the comments of each frame, side and topic, those that have each other frame and side too.

    Args:
        eligible: comments and units of the frames bundle; a headline that lies beside others is left out.
        headlines: frames, and being about and sides of targets.
        topics: rows of the topics table.
        shown: the topics that are counted.

    Returns:
        Rows whose `group_by` is frame, stance or topic and whose `group` is the frame, target:side or topic. Counts,
        and shares where at least `groups.ENOUGH_LABELS` labels lie in the group.
    """
    here = [each for each in headlines if _same(each.eligible, eligible) and each.counted is not None]
    rows: list[Estimate] = []
    for chosen in here:
        kind, _, name = chosen.level.partition(":")
        others = [each for each in here if each.level != chosen.level and not _one_target(each, chosen)]
        if others and chosen.counted is not None:
            unit = _among(eligible, kind, name, chosen.counted, f"tagged {name.replace('_', ' ')}")
            rows += group_estimates(others, [unit])
    for topic, flags in _topic_flags(eligible, topics, shown).items():
        rows += group_estimates(here, [_among(eligible, "topic", str(topic), flags, f"given topic {topic}")])
    return rows


def _among(eligible: Eligible, group_by: str, group: str, inside: Flags, words: str) -> Unit:
    unit = eligible.units[0]
    rows = np.flatnonzero(inside)
    denominator = f"{len(rows):,} {words}, of {unit.denominator}"
    return replace(unit, rows=rows, group_by=group_by, group=group, denominator=denominator)


def _topic_flags(eligible: Eligible, topics: pl.DataFrame, shown: Sequence[int]) -> dict[int, Flags]:
    given = topics.filter(pl.col("assignment") != Assignment.OUTLIER.value).select("comment_id", "topic")
    beside = eligible.comments.select("comment_id").join(given, on="comment_id", how="left", maintain_order="left")
    return {topic: (beside["topic"] == topic).fill_null(value=False).to_numpy() for topic in shown}


def _one_target(one: Headline, other: Headline) -> bool:
    """Say whether both speak of one target, so that crossing them says nothing new."""
    return one.level.rpartition(":")[0] == other.level.rpartition(":")[0] != "frame"


def _same(one: Eligible, other: Eligible) -> bool:
    return one is other or one.comments["comment_id"].equals(other.comments["comment_id"])
