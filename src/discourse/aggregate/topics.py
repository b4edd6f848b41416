"""Estimates for topics: how many comments each was given, and how stable it is."""

from __future__ import annotations

import polars as pl

from discourse.aggregate.estimates import Estimate, caution
from discourse.aggregate.units import Eligible
from discourse.tables import Assignment, Measure

ASSIGNED = (
    "A count of comments that the clustering put here; topics are found, not defined, and may overlap in meaning."
)
STABLE = "Mean Jaccard overlap of the topic with its best match under other random seeds; 1 is always the same."


def topic_estimates(eligible: Eligible, topics: pl.DataFrame, topic_info: pl.DataFrame) -> list[Estimate]:
    """Count the eligible comments of each topic in all units; in a thread, of those topics that occur in it.

    Args:
        eligible: comments and units.
        topics: rows of the topics table.
        topic_info: rows of the topic_info table.
    """
    if not topics.height and not topic_info.height:
        return []
    outlier = pl.col("assignment") == Assignment.OUTLIER.value
    name = (
        pl.when(outlier | pl.col("topic").is_null()).then(pl.lit("outlier")).otherwise(pl.col("topic").cast(pl.String))
    )
    beside = eligible.comments.select("comment_id").join(
        topics.select("comment_id", name=name), on="comment_id", how="left", maintain_order="left"
    )["name"]
    known = [str(topic) for topic in topic_info.sort("topic")["topic"]]
    rows: list[Estimate] = []
    for unit in eligible.units:
        found = beside.gather(unit.rows).drop_nulls().value_counts()
        counts = dict(found.iter_rows())
        listed = [*known, "outlier"] if unit.name == "all" else [each for each in [*known, "outlier"] if each in counts]
        rows += [
            Estimate(
                unit.name,
                Measure.COUNT,
                f"topic:{each}",
                unit.denominator,
                unit.n,
                "assignment_count",
                ASSIGNED,
                estimate=float(counts.get(each, 0)),
                mark=caution(unit.n),
            )
            for each in listed
        ]
    return rows + _stability(eligible, topic_info)


def _stability(eligible: Eligible, topic_info: pl.DataFrame) -> list[Estimate]:
    whole = eligible.units[0]
    known = topic_info.filter(pl.col("stability").is_not_null() & pl.col("stability").is_finite()).sort("topic")
    return [
        Estimate(
            whole.name,
            Measure.STABILITY,
            f"topic:{topic}",
            whole.denominator,
            whole.n,
            "seed_overlap",
            STABLE,
            estimate=stability,
            mark=caution(whole.n),
        )
        for topic, stability in known.select("topic", "stability").iter_rows()
    ]
