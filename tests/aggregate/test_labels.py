"""Labels of several annotators made one."""

from __future__ import annotations

import polars as pl
import pytest

from discourse.aggregate.labels import Rule, resolve
from discourse.tables import LABELS


def _labels(votes: list[tuple[str, str | None, str]], kind: str = "frame") -> pl.DataFrame:
    rows = [
        {
            "comment_id": comment,
            "kind": kind,
            "level": "fear",
            "value": value,
            "hard": False,
            "annotator": annotator,
            "design": "unknown",
            "round": 0,
        }
        for comment, value, annotator in votes
    ]
    return LABELS.conform(pl.DataFrame(rows))


def test_the_majority_of_annotators_wins_and_a_skipped_label_is_no_vote() -> None:
    """The majority of annotators wins and a skipped label is no vote."""
    votes = [("a", "yes", "1"), ("a", "yes", "2"), ("a", "no", "3"), ("a", None, "4"), ("b", None, "1")]
    found = resolve(_labels(votes), "majority").sort("comment_id")
    assert found.select("comment_id", "value").rows() == [("a", "yes"), ("b", None)]


def test_a_level_that_everybody_skipped_is_not_labelled() -> None:
    """A level that everybody skipped is not labelled."""
    assert resolve(_labels([("a", None, "1"), ("b", None, "1")]), "majority").is_empty()


@pytest.mark.parametrize(("rule", "value"), [("majority", "no"), ("yes", "yes"), ("no", "no"), ("first", "yes")])
def test_a_tie_goes_as_the_rule_says(rule: Rule, value: str) -> None:
    """A tie goes as the rule says."""
    assert resolve(_labels([("a", "yes", "1"), ("a", "no", "2")]), rule)["value"].to_list() == [value]


def test_a_tied_stance_is_the_one_given_first() -> None:
    """A tied stance is the one given first."""
    votes = [("a", "neutral", "1"), ("a", "against", "2")]
    assert resolve(_labels(votes, "stance"), "majority")["value"].to_list() == ["neutral"]


def test_no_labels_resolve_to_none() -> None:
    """No labels resolve to none."""
    assert resolve(LABELS.empty(), "majority").is_empty()
