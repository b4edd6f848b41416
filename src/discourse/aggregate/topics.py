"""Estimates for topics: how many comments each was given, and how stable it is."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from discourse.aggregate.estimates import Estimate, caution
from discourse.aggregate.units import Eligible, Unit
from discourse.tables import Assignment, Measure

ASSIGNED = (
    "A count of comments that the clustering put here; topics are found, not defined, and may overlap in meaning."
)
FOUND_IN = (
    "The comments that topics were found in, drawn at random from every thread; the others were given to the nearest "
    "topic that they are near to."
)
BROAD = "The sum of the topics below it, which lie near to each other; those are counted as topics, this is not."
STABLE = (
    "Mean Jaccard overlap of the topic with its best match under other random seeds and in samples of 80 % of the "
    "comments; 1 is always the same, and below 0.6 a topic is not to be trusted (Hennig 2007)."
)
AGREED = {
    "seed": "Mean adjusted Rand index of the topics with those found in the same comments under other random seeds.",
    "subsample": "Mean adjusted Rand index of the topics with those found in samples of 80 % of the comments.",
}


def topic_estimates(
    eligible: Eligible, topics: pl.DataFrame, topic_info: pl.DataFrame, runs: pl.DataFrame
) -> list[Estimate]:
    """Count the eligible comments of each topic in all units; in a thread, of those topics that occur in it.

    Broad topics are counted under level `broad_topic:` for all comments together, so that no comment counts twice.

    Args:
        eligible: comments and units.
        topics: rows of the topics table.
        topic_info: rows of the topic_info table.
        runs: rows of the topic_runs table.
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
    known = [str(topic) for topic in shown_topics(topic_info)]
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
    rows += _found_in(eligible, topic_info)
    return rows + _broad(eligible, rows, topic_info) + _stability(eligible, topic_info) + _agreement(eligible, runs)


def _found_in(eligible: Eligible, topic_info: pl.DataFrame) -> list[Estimate]:
    """Say in how many comments topics were found, where these are a sample."""
    # Topics of an earlier version do not say.
    known = topic_info["found_in"].drop_nulls() if "found_in" in topic_info.columns else pl.Series([], dtype=pl.Int64)
    if known.is_empty():
        return []
    whole = eligible.units[0]
    number = float(known[0])
    return [
        Estimate(
            whole.name,
            Measure.COUNT,
            "topics:found_in",
            whole.denominator,
            whole.n,
            "assignment_count",
            FOUND_IN,
            estimate=number,
        )
    ]


def shown_topics(topic_info: pl.DataFrame) -> list[int]:
    """Return the topics that comments are given to, in their order: all but the broad ones above them."""
    broad = set(topic_info["parent"].drop_nulls())
    return [topic for topic in topic_info.sort("topic")["topic"] if topic not in broad]


def topic_groups(
    eligible: Eligible, topics: pl.DataFrame, shown: Sequence[int], groups: Sequence[Unit]
) -> list[Estimate]:
    """Count the comments of each topic in parts of all comments, such as spans of time; parts without any count too.

    Args:
        eligible: comments and units.
        topics: rows of the topics table.
        shown: the topics that are counted.
        groups: the parts, see `groups.group_units`.
    """
    given = topics.filter(pl.col("assignment") != Assignment.OUTLIER.value).select("comment_id", "topic")
    beside = eligible.comments.select("comment_id").join(given, on="comment_id", how="left", maintain_order="left")
    rows: list[Estimate] = []
    for unit in groups:
        counts = dict(beside["topic"].gather(unit.rows).drop_nulls().value_counts().iter_rows())
        rows += [
            Estimate(
                unit.name,
                Measure.COUNT,
                f"topic:{topic}",
                unit.denominator,
                unit.n,
                "assignment_count",
                ASSIGNED,
                estimate=float(counts.get(topic, 0)),
                mark=caution(unit.n),
                group_by=unit.group_by,
                group=unit.group,
            )
            for topic in shown
        ]
    return rows


def _broad(eligible: Eligible, rows: list[Estimate], topic_info: pl.DataFrame) -> list[Estimate]:
    whole = eligible.units[0]
    sizes = {row.level: row.estimate or 0.0 for row in rows if row.unit == whole.name}
    below = topic_info.drop_nulls("parent").group_by("parent", maintain_order=True).agg("topic").sort("parent")
    return [
        Estimate(
            whole.name,
            Measure.COUNT,
            f"broad_topic:{parent}",
            whole.denominator,
            whole.n,
            "assignment_count",
            BROAD,
            estimate=sum(sizes.get(f"topic:{topic}", 0.0) for topic in children),
            mark=caution(whole.n),
        )
        for parent, children in below.iter_rows()
    ]


def _agreement(eligible: Eligible, runs: pl.DataFrame) -> list[Estimate]:
    whole = eligible.units[0]
    means = runs.drop_nulls("adjusted_rand").group_by("kind").agg(pl.col("adjusted_rand").mean()).sort("kind")
    return [
        Estimate(
            whole.name,
            Measure.STABILITY,
            f"topics:{kind}",
            whole.denominator,
            whole.n,
            "adjusted_rand",
            AGREED[kind],
            estimate=agreed,
            mark=caution(whole.n),
        )
        for kind, agreed in means.iter_rows()
    ]


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
