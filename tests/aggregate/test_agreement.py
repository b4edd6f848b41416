"""Agreement of annotators as rows of the estimates table."""

from __future__ import annotations

import polars as pl
import pytest

from discourse.aggregate.agreement import agreement_estimates
from discourse.tables import LABELS, Mark, Measure


def labels(*given: tuple[str, str, str | None]) -> pl.DataFrame:
    """Return labels of one frame: comment, annotator, value."""
    rows = [
        {
            "comment_id": name,
            "kind": "frame",
            "level": "fear",
            "value": value,
            "hard": False,
            "annotator": who,
            "design": "unknown",
            "round": 0,
        }
        for name, who, value in given
    ]
    schema = {"value": pl.String()}
    return LABELS.conform(pl.DataFrame(rows, schema_overrides=schema)) if rows else LABELS.empty()


COMMENTS = pl.DataFrame({"comment_id": ["a", "b", "c", "d"], "author": ["x", "y", None, "z"]})


def test_full_agreement_is_one() -> None:
    """Two people who agree everywhere have alpha 1, and too few comments are marked."""
    (row,) = agreement_estimates(
        labels(
            *(
                (name, who, value)
                for name, value in zip("abcd", ["yes", "no", "no", "yes"], strict=True)
                for who in "pq"
            )
        ),
        COMMENTS,
        0,
    )
    assert (row.level, row.measure, row.n, row.mark) == ("frame:fear", Measure.ALPHA, 4, Mark.LOW_SAMPLE)
    assert row.estimate == pytest.approx(1.0)


def test_one_annotator_gives_no_row() -> None:
    """Without a comment that two people labelled there is nothing to compare; a skipped label is none."""
    assert agreement_estimates(labels(("a", "p", "yes"), ("a", "q", None), ("b", "q", "no")), COMMENTS, 0) == []
    assert agreement_estimates(labels(), COMMENTS, 0) == []


def test_labels_that_are_all_alike_are_not_estimable() -> None:
    """All no leaves alpha undefined, which is said instead of printed as a number."""
    (row,) = agreement_estimates(labels(*((name, who, "no") for name in "abc" for who in "pq")), COMMENTS, 0)
    assert row.estimate is None
    assert row.mark == Mark.NOT_ESTIMABLE
