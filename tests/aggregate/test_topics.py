"""Estimates for topics: broad topics beside their parts, and how stable all are."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from discourse.aggregate.topics import topic_estimates
from discourse.aggregate.units import eligible_comments
from discourse.config import FilterConfig
from discourse.tables import TOPIC_INFO, TOPIC_RUNS, TOPICS


def test_broad_topics_and_agreement_stand_beside_the_topics(comments_table: Callable[..., pl.DataFrame]) -> None:
    comments = comments_table(40, state=["visible"] * 39 + ["removed"])
    topic = [0] * 20 + [1] * 10 + [2] * 10
    topics = TOPICS.conform(
        pl.DataFrame({"comment_id": comments["comment_id"], "topic": topic, "assignment": ["fitted"] * 40})
    )
    info = TOPIC_INFO.conform(
        pl.DataFrame(
            {
                "topic": [0, 1, 2, 3],
                "label": ["lamps", "money", "cost", "money, cost"],
                "keywords": [["a"], ["b"], ["c"], ["b", "c"]],
                "representatives": [["file:0"]] * 4,
                "size": [20, 10, 10, 20],
                "stability": [0.8, 0.4, None, None],
                "parent": [None, 3, 3, None],
            }
        )
    )
    runs = TOPIC_RUNS.conform(
        pl.DataFrame(
            {
                "kind": ["seed", "subsample", "seed", "subsample"],
                "seed": [1, 1, 2, 2],
                "comments": [40, 32, 40, 32],
                "topics": [3, 3, 2, 0],
                "adjusted_rand": [0.9, 0.6, 0.7, None],
            }
        )
    )
    rows = topic_estimates(eligible_comments(comments, ["en"], FilterConfig()), topics, info, runs)
    whole = {(row.level, row.measure.value): row.estimate for row in rows if row.unit == "all"}
    assert whole == {
        ("topic:0", "count"): 20,
        ("topic:1", "count"): 10,
        ("topic:2", "count"): 9,
        ("topic:outlier", "count"): 0,
        ("broad_topic:3", "count"): 19,
        ("topic:0", "stability"): 0.8,
        ("topic:1", "stability"): 0.4,
        ("topics:seed", "stability"): 0.8,
        ("topics:subsample", "stability"): 0.6,
    }
    counted = [row.estimate or 0 for row in rows if row.unit == "all" and row.level.startswith("topic:")]
    assert sum(counted) == 39 + 0.8 + 0.4
