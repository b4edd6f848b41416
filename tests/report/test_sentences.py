"""Findings: one sentence a frame, a target and the topics, each saying what it rests on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from discourse.codebook import Codebook
from discourse.report import Finding, findings
from discourse.tables import ESTIMATES, Table

Row = Callable[..., dict[str, Any]]
TableOf = Callable[[Table, list[dict[str, Any]]], pl.DataFrame]
CRIME, WASTE = "frame:fear_of_crime", "frame:waste_of_money"


@pytest.fixture
def said(codebook: Codebook, table_of: TableOf) -> Callable[..., list[Finding]]:
    """Return the findings of rows."""
    return lambda *rows, targets=(): findings(table_of(ESTIMATES, list(rows)), codebook, targets)


def test_no_estimates_no_findings(said: Callable[..., list[Finding]]) -> None:
    """Without estimates nothing is claimed."""
    assert said() == []


def test_a_share_by_error_rates_says_that_it_was_not_validated(
    said: Callable[..., list[Finding]], estimate: Row
) -> None:
    """The sentence names interval, denominator and basis."""
    row = estimate(CRIME, "share", 0.142, low=0.109, high=0.178, mark="not_validated")
    assert said(row) == [
        Finding(
            "“Fear of crime” appears in about one in seven of the 1,204 eligible comments (14 %, likely between 11 and "
            "18 %), reckoned from the mistakes the model made on other comments, not validated on these.",
            (row["estimate_id"],),
            "not_validated",
        )
    ]


@pytest.mark.parametrize("method", ["census", "difference_estimator", "exact_stratified"])
def test_readers_labels_are_preferred(said: Callable[..., list[Finding]], estimate: Row, method: str) -> None:
    """Where readers labelled comments, their share is told and the model's is not."""
    model = estimate(CRIME, "share", 0.3, low=0.25, high=0.36, mark="not_validated")
    readers = estimate(CRIME, "share", 0.12, low=0.1, high=0.15, method=method, n_labelled=120)
    (finding,) = said(model, readers)
    assert finding.estimate_ids == (readers["estimate_id"],)
    assert "labels that readers gave" in finding.sentence
    assert "not validated" not in finding.sentence
    assert ("every one of them" in finding.sentence) == (method == "census")
    assert ("120 of them" in finding.sentence) == (method != "census")


def test_readers_labels_that_allow_no_share_give_way(said: Callable[..., list[Finding]], estimate: Row) -> None:
    """A share from labels that is not estimable does not hide the corrected one."""
    readers = estimate(CRIME, "share", None, method="exact_stratified", n_labelled=3, mark="not_estimable")
    model = estimate(CRIME, "share", 0.3, low=0.25, high=0.36, mark="not_validated")
    (finding,) = said(readers, model)
    assert finding.estimate_ids == (model["estimate_id"],)


def test_a_census_has_no_interval(said: Callable[..., list[Finding]], estimate: Row) -> None:
    """An interval without width is not printed."""
    (finding,) = said(estimate(CRIME, "share", 0.2, low=0.2, high=0.2, method="census", n_labelled=1204))
    assert "(20 %)" in finding.sentence
    assert "likely" not in finding.sentence


def test_a_wide_interval_comes_before_its_point(said: Callable[..., list[Finding]], estimate: Row) -> None:
    """A share that may lie almost anywhere is not opened with a point."""
    (finding,) = said(estimate(CRIME, "share", 0.17, low=0.02, high=0.4, mark="not_validated"))
    assert "somewhere between 2 and 40 % of the 1,204 eligible comments (best estimate 17 %)" in finding.sentence
    assert "one in" not in finding.sentence


def test_not_estimable_tells_the_count_and_the_remedy(said: Callable[..., list[Finding]], estimate: Row) -> None:
    """Without a share the count is told, called a count, with what would make it a share."""
    count = estimate(WASTE, "count", 31.0)
    share = estimate(WASTE, "share", None, mark="not_estimable")
    (finding,) = said(count, share)
    assert "31 of 1,204 eligible comments, which is a count and not a share" in finding.sentence
    assert "label about 100 comments" in finding.sentence
    assert "%" not in finding.sentence
    assert finding.mark == "not_estimable"
    assert finding.estimate_ids == (count["estimate_id"], share["estimate_id"])


def test_not_tagged_is_not_none(said: Callable[..., list[Finding]], estimate: Row) -> None:
    """Where nothing was tagged no zero is printed."""
    (finding,) = said(
        estimate(WASTE, "count", None, mark="not_estimable"), estimate(WASTE, "share", None, mark="not_estimable")
    )
    assert "Neither a count nor a share" in finding.sentence
    assert "0" not in finding.sentence.replace("100", "")


def test_a_low_sample_is_said_in_words(said: Callable[..., list[Finding]], estimate: Row) -> None:
    """Below 30 comments the sentence itself warns."""
    (finding,) = said(estimate(CRIME, "share", 0.2, low=0.1, high=0.3, n=22, mark="low_sample"))
    assert finding.sentence.endswith("read this with care: fewer than 30 comments stand behind it.")
    assert finding.mark == "low_sample"


def test_the_order_is_the_codebooks(said: Callable[..., list[Finding]], estimate: Row) -> None:
    """Size and the table's order do not matter."""
    rows = [
        estimate("topic:0", "count", 50.0),
        estimate("stance:buses:about", "share", 0.9, low=0.85, high=0.95),
        estimate(WASTE, "share", 0.8, low=0.75, high=0.85),
        estimate(CRIME, "share", 0.1, low=0.05, high=0.15),
    ]
    starts = [finding.sentence.split(" ")[0] for finding in said(*rows, targets=["buses"])]
    assert starts == ["“Fear", "“Waste", "The", "Grouped"]


def test_sides_are_shares_of_those_about_the_target(said: Callable[..., list[Finding]], estimate: Row) -> None:
    """The stance sentence tells the share about the target, then the sides among those."""
    rows = [
        estimate("stance:buses:about", "share", 0.2, low=0.16, high=0.25, mark="not_validated"),
        estimate("stance:buses:favor", "share", 0.31, low=0.22, high=0.4, mark="not_validated"),
        estimate("stance:buses:against", "share", 0.45, low=0.36, high=0.54, mark="not_validated"),
    ]
    (finding,) = said(*rows, targets=["buses"])
    assert finding.sentence == (
        "The target “buses” is addressed by about one in five of the 1,204 eligible comments (20 %, likely between 16 "
        "and 25 %); of those that address it, 45 % (likely between 36 and 54 %) are against and 31 % (likely between "
        "22 and 40 %) are in favor; reckoned from the mistakes the model made on other comments, not validated on "
        "these."
    )
    assert len(finding.estimate_ids) == 3


def test_stance_without_shares_is_told_in_counts(said: Callable[..., list[Finding]], estimate: Row) -> None:
    """Counts of sides are called counts."""
    rows = [
        estimate("stance:buses:about", "share", None, mark="not_estimable"),
        estimate("stance:buses:favor", "count", 22.0),
        estimate("stance:buses:against", "count", 40.0),
    ]
    (finding,) = said(*rows, targets=["buses"])
    assert "40 are against and 22 are in favor; these are counts, not shares" in finding.sentence
    assert finding.mark == "not_estimable"


def test_a_share_of_nothing_is_told_by_its_upper_end(said: Callable[..., list[Finding]], estimate: Row) -> None:
    """A best estimate of 0 % with an interval does not say that nobody wrote so."""
    (finding,) = said(estimate(CRIME, "share", 0.0, low=0.0, high=0.05, mark="not_validated"))
    assert "at most about one in twenty of the 1,204 eligible comments" in finding.sentence
    assert "(best estimate 0 %, likely no more than 5 %)" in finding.sentence
    assert "none" not in finding.sentence


def test_nothing_eligible_is_one_sentence(said: Callable[..., list[Finding]], estimate: Row) -> None:
    """Without eligible comments no share is told."""
    rows = [estimate("data:eligible", "count", 0.0), estimate(CRIME, "share", None, n=0, mark="not_estimable")]
    (finding,) = said(*rows)
    assert "0 of the comments are eligible" in finding.sentence


def test_other_units_and_variants_are_left_out(said: Callable[..., list[Finding]], estimate: Row) -> None:
    """A finding speaks of the whole workspace and of the main variant."""
    rows = [
        estimate(CRIME, "share", 0.5, unit="thread:x"),
        {**estimate(CRIME, "share", 0.6), "variant": "without duplicates", "estimate_id": "v"},
    ]
    assert said(*rows) == []


def test_an_interval_over_everything_is_told_by_both_ends(said: Callable[..., list[Finding]], estimate: Row) -> None:
    """An upper end that leaves nearly everything possible is no finding of rarity."""
    (finding,) = said(estimate(CRIME, "share", 0.0, low=0.0, high=1.0, mark="not_validated"))
    assert "somewhere between 0 and 100 % of the 1,204 eligible comments" in finding.sentence
    assert "at most" not in finding.sentence
