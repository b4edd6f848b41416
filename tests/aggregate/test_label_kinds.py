"""Whose labels count, and under what name."""

from __future__ import annotations

import polars as pl

from discourse.aggregate.coded_labels import as_coded
from discourse.aggregate.from_labels import DIFFERENCE, SKIPPED, Found
from discourse.aggregate.label_kinds import one_kind
from discourse.aggregate.labels import resolve
from discourse.tables import LABELS


def labels(*rows: tuple[str, str, str, str | None, float | None]) -> pl.DataFrame:
    """Return labels from comment, level, annotator, value and inclusion."""
    frame = pl.DataFrame(
        rows,
        schema={
            "comment_id": pl.String,
            "level": pl.String,
            "annotator": pl.String,
            "value": pl.String,
            "inclusion": pl.Float64,
        },
        orient="row",
    )
    fixed = {"kind": "frame", "hard": False, "design": "uniform", "round": 1}
    return LABELS.conform(frame.with_columns(pl.lit(value).alias(name) for name, value in fixed.items()))


def kept(*rows: tuple[str, str, str, str | None, float | None]) -> set[tuple[str, str]]:
    return set(one_kind(labels(*rows)).select("comment_id", "annotator").iter_rows())


CODER = ("c1", "fear", "model:m@1", "yes", 0.5)


def test_peoples_labels_of_known_inclusion_go_before_a_coders() -> None:
    assert kept(CODER, ("c2", "fear", "ann", "no", 0.5)) == {("c2", "ann")}
    assert kept(CODER, ("c2", "war", "ann", "no", 0.5)) == {("c1", "model:m@1"), ("c2", "ann")}


def test_labels_that_serve_no_estimate_do_not_displace_a_coders() -> None:
    assert kept(CODER, ("c2", "fear", "ann", "no", None)) == {("c1", "model:m@1")}
    assert kept(CODER, ("c2", "fear", "ann", None, 0.5)) == {("c1", "model:m@1")}
    assert kept(("c2", "fear", "ann", "no", None)) == {("c2", "ann")}


def test_of_several_coders_the_one_with_most_labels_counts() -> None:
    assert kept(CODER, ("c1", "fear", "model:n@2", "no", 0.5), ("c2", "fear", "model:n@2", "no", 0.5)) == {
        ("c1", "model:n@2"),
        ("c2", "model:n@2"),
    }


def test_no_labels_are_none() -> None:
    assert one_kind(labels()).is_empty()
    assert resolve(labels(CODER), "majority")["by_model"].to_list() == [True]


def test_a_share_of_a_coders_reading_says_so() -> None:
    found = as_coded(Found(None, "difference_estimator", DIFFERENCE + SKIPPED.format(skipped=2, asked=9), 7, 7.0))
    assert found.method == "coder_difference_estimator"
    assert "a language model and not people" in found.assumptions
    assert found.assumptions.endswith(
        "2 of the 9 comments asked about got no answer, and are taken for left out by chance."
    )
