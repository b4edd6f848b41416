"""Of many threads and comments what is bounded is bounded, and says so; of few nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from discourse.aggregate import comparison_words, units
from discourse.aggregate.comparison_sides import MOST, comparisons
from discourse.aggregate.comparison_words import used_words, word_estimates
from discourse.aggregate.prevalence import clustering_effect
from discourse.aggregate.topics import topic_estimates
from discourse.aggregate.units import eligible_comments
from discourse.config import CompareConfig, FilterConfig
from discourse.tables import ATTRIBUTES, TOPIC_INFO, TOPIC_RUNS, TOPICS, Measure

Make = Callable[..., Any]


def test_only_the_largest_threads_are_units_and_the_rest_still_counts_among_the_others(
    comments_table: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "MOST_THREADS", 10)
    comments = comments_table(
        200, threads=60, thread_id=[f"file:{place % 60 if place < 120 else 0}" for place in range(200)]
    )
    eligible = eligible_comments(comments, ["en"], FilterConfig())
    assert len(eligible.units) == 11
    sizes = comments["thread_id"].value_counts().sort("count", "thread_id", descending=[True, False])
    assert {unit.name for unit in eligible.units[1:]} == {f"thread:{name}" for name in sizes["thread_id"].head(10)}
    for unit in eligible.units[1:]:
        assert (eligible.comments["thread_id"].gather(unit.rows) == unit.name.removeprefix("thread:")).all()
    threads = (
        comments.select("thread_id")
        .unique(maintain_order=True)
        .with_columns(platform=pl.lit("file"), site=pl.lit(None), community=pl.lit(None))
    )
    [made] = comparisons(eligible, threads, ATTRIBUTES.empty(), CompareConfig()).made
    assert made.number == 10 <= MOST
    assert all(each.first.n + each.second.n == 200 for each in made.contrasts())


def test_a_units_design_effect_is_that_of_its_authors_and_texts(comments_table: Make) -> None:
    comments = comments_table(90, threads=3, author=[f"u{place % 7}" for place in range(90)]).with_columns(
        duplicate_of=pl.when(pl.col("comment_id") == "file:5").then(pl.lit("file:2"))
    )
    eligible = eligible_comments(comments, ["en"], FilterConfig())
    for unit in eligible.units:
        own = comments[unit.rows]
        text = np.unique(
            own.select(pl.coalesce("duplicate_of", "comment_id")).to_series().to_numpy(), return_inverse=True
        )
        author = np.unique(own["author"].to_numpy(), return_inverse=True)
        expected = clustering_effect(author[1].astype(np.int64), text[1].astype(np.int64))
        assert eligible.clustering_effect(unit) == pytest.approx(expected)
        assert eligible.clustering_effect(unit) == pytest.approx(expected)


def test_words_of_many_comments_are_those_of_some_drawn_and_that_is_said(
    comments_table: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = ["the ferry sails" if place % 2 else "the bakery burns" for place in range(200)]
    comments = comments_table(200, threads=2, text=text, author=[f"u{place}" for place in range(200)])
    eligible = eligible_comments(comments, ["en"], FilterConfig())
    threads = (
        comments.select("thread_id")
        .unique(maintain_order=True)
        .with_columns(platform=pl.lit("file"), site=pl.lit(None), community=pl.lit(None))
    )
    [made] = comparisons(eligible, threads, ATTRIBUTES.empty(), CompareConfig()).made
    whole = word_estimates(used_words(eligible), eligible, made)
    assert not any("drawn at random" in row.assumptions for row in whole)
    monkeypatch.setattr(comparison_words, "MOST_READ", 120)
    words = used_words(eligible, 1)
    assert words.uses["row"].n_unique() == 120
    some = word_estimates(words, eligible, made)
    assert {row.level for row in some} == {row.level for row in whole} != set()
    assert all("those of 120 comments drawn at random" in row.assumptions for row in some)
    for row in some:
        if row.measure is Measure.COUNT:
            assert (row.estimate or 0) <= row.n <= 120


def test_topics_found_in_a_sample_say_in_how_many(comments_table: Make) -> None:
    comments = comments_table(40)
    topics = TOPICS.conform(
        pl.DataFrame({"comment_id": comments["comment_id"], "topic": [0] * 40, "assignment": ["fitted"] * 40})
    )
    info = {"topic": [0], "label": ["lamps"], "keywords": [["a"]], "representatives": [["file:0"]], "size": [40]}
    eligible = eligible_comments(comments, ["en"], FilterConfig())
    for found_in in (None, 20):
        table = TOPIC_INFO.conform(pl.DataFrame({**info, "found_in": pl.Series([found_in], dtype=pl.Int64)}))
        rows = topic_estimates(eligible, topics, table, TOPIC_RUNS.empty())
        assert [row.estimate for row in rows if row.level == "topics:found_in"] == ([] if found_in is None else [20])
