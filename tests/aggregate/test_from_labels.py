"""Way 1: shares from labels of known inclusion."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from discourse.aggregate.difference import Labelled, difference_estimate, ratio_estimate, tuning
from discourse.aggregate.exact import Stratum, exact_share, weighted_share
from discourse.aggregate.from_labels import Reading, label_ratio, label_share
from discourse.aggregate.labels import Coding, as_coding


def labelled(label: list[float], score: list[float], population: list[float], **other: Any) -> Labelled:
    """Return a simple random sample of authors of one comment each."""
    values: dict[str, Any] = {
        "inclusion": np.full(len(label), len(label) / len(population)),
        "author": np.arange(len(label)),
        "simple": True,
        **other,
    }
    return Labelled(np.array(label), np.array(score), population=np.array(population), **values)


def test_tuning_is_the_regression_slope_within_0_and_1() -> None:
    """Tuning is the regression slope within 0 and 1."""
    weight = np.full(4, 0.25)
    score = np.array([0.0, 0.2, 0.6, 1.0])
    assert tuning(np.array([0.0, 0, 1, 1]), np.array([0.0, 0, 1, 1]), weight) == 1
    assert tuning(np.array([1.0, 1, 0, 0]), score, weight) == 0
    assert tuning(np.array([0.0, 0, 1, 1]), np.full(4, 0.5), weight) == 0
    assert tuning(0.5 * score, score, weight) == pytest.approx(0.5)


def test_difference_estimate_worked_by_hand_without_scores() -> None:
    """λ = 0: the plain share 0.5 of 4 from 8, s² = 1/3, variance (1 − 4/8)/4·s² = 1/24."""
    found = difference_estimate(labelled([1, 1, 0, 0], [0.5] * 4, [0.5] * 8))
    reach = stats.t.ppf(0.975, 3) / np.sqrt(24)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.5, max(0.5 - reach, 0), min(0.5 + reach, 1)))


def test_perfect_scores_give_the_population_share_with_no_width() -> None:
    """Perfect scores give the population share with no width."""
    found = difference_estimate(labelled([1, 0, 1, 0], [1.0, 0, 1, 0], [1, 0, 1, 0, 0, 0, 0, 0]))
    assert (found.estimate, found.low, found.high) == pytest.approx((0.25, 0.25, 0.25))


def test_unequal_inclusion_is_weighted_back() -> None:
    """Two yes drawn with chance 1/2 stand for 4, two no drawn with 1/4 for 8."""
    found = difference_estimate(
        labelled([1, 1, 0, 0], [0.5] * 4, [0.5] * 12, inclusion=np.array([0.5, 0.5, 0.25, 0.25]), simple=False)
    )
    assert found.estimate == pytest.approx(1 / 3)


def test_comments_of_one_author_count_together() -> None:
    """Comments of one author count together."""
    alone = difference_estimate(labelled([1, 1, 0, 0] * 5, [0.5] * 20, [0.5] * 100))
    together = difference_estimate(labelled([1, 1, 0, 0] * 5, [0.5] * 20, [0.5] * 100, author=np.arange(20) // 2))
    assert together.high - together.low > 1.3 * (alone.high - alone.low)


def test_one_author_of_all_labels_leaves_everything_open() -> None:
    """One author of all labels leaves everything open."""
    found = difference_estimate(labelled([1, 0, 1, 0], [0.5] * 4, [0.5] * 9, author=np.zeros(4, dtype=np.int64)))
    assert (found.low, found.high) == (0, 1)


def test_ratio_worked_by_hand() -> None:
    """Of 6 labelled, 4 are about the target and 1 of these in favor."""
    part = labelled([1, 0, 0, 0, 0, 0], [0.5] * 6, [0.5] * 12)
    whole = labelled([1, 1, 1, 1, 0, 0], [0.5] * 6, [0.5] * 12)
    found = ratio_estimate(part, whole)
    assert found is not None
    assert found.estimate == pytest.approx(0.25)


def _reference_interval(size: int, sampled: int, yes: int) -> tuple[float, float]:
    """Invert both hypergeometric tails by trying every possible number of yes."""
    tried = np.arange(yes, size - (sampled - yes) + 1)
    high = tried[stats.hypergeom.cdf(yes, size, tried, sampled) > 0.025].max()
    low = tried[stats.hypergeom.sf(yes - 1, size, tried, sampled) > 0.025].min()
    return low / size, high / size


@pytest.mark.parametrize(("size", "sampled", "yes"), [(20, 8, 0), (20, 8, 3), (20, 8, 8), (57, 30, 2), (250, 100, 5)])
def test_one_stratum_is_the_exact_hypergeometric_interval(size: int, sampled: int, yes: int) -> None:
    """One stratum is the exact hypergeometric interval."""
    found = exact_share(Stratum(size, sampled, yes), Stratum(0, 0, 0))
    assert (found.low, found.high) == pytest.approx(_reference_interval(size, sampled, yes))


def test_large_strata_are_rounded_outwards_by_little() -> None:
    """Large strata are rounded outwards by little."""
    found = exact_share(Stratum(5_000, 200, 4), Stratum(0, 0, 0))
    low, high = _reference_interval(5_000, 200, 4)
    assert low - 0.01 <= found.low <= low
    assert high <= found.high <= high + 0.01


@pytest.mark.parametrize(("first", "second"), [(3, 2), (5, 0), (0, 1)])
def test_two_strata_cover_every_truth_by_brute_force(first: int, second: int) -> None:
    """Strata of 6 and 9 comments, 3 and 4 sampled: all samples of one truth together miss it at most 5 %."""
    missed = 0.0
    for one in range(4):
        for two in range(5):
            chance = stats.hypergeom.pmf(one, 6, first, 3) * stats.hypergeom.pmf(two, 9, second, 4)
            if chance > 0:
                found = exact_share(Stratum(6, 3, one), Stratum(9, 4, two))
                missed += 0 if found.low - 1e-9 <= (first + second) / 15 <= found.high + 1e-9 else chance
    assert missed <= 0.05


def test_a_fully_sampled_stratum_adds_no_width() -> None:
    """A fully sampled stratum adds no width."""
    found = exact_share(Stratum(10, 10, 4), Stratum(5, 5, 0))
    assert (found.estimate, found.low, found.high) == pytest.approx((4 / 15, 4 / 15, 4 / 15))


def test_a_stratum_without_labels_is_open() -> None:
    """A stratum without labels is open."""
    found = exact_share(Stratum(10, 0, 0), Stratum(90, 90, 0))
    assert (found.low, found.high) == pytest.approx((0, 0.1))


def test_equal_weights_give_clopper_pearson() -> None:
    """Equal weights give clopper pearson."""
    label = np.array([1.0] * 3 + [0.0] * 17)
    exact = stats.binomtest(3, 20).proportion_ci(method="exact")
    found = weighted_share(label, np.full(20, 7.0))
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))
    assert weighted_share(np.zeros(5), np.ones(5)).low == 0
    assert weighted_share(np.ones(5), np.ones(5)).high == 1


def _coding(values: list[str | None], inclusion: float, design: str) -> Coding:
    known = None if np.isnan(inclusion) else inclusion
    given = [value is not None for value in values]
    return as_coding(
        pl.Series(values, dtype=pl.String),
        pl.Series([known if one else None for one in given], dtype=pl.Float64),
        pl.Series([design if one else None for one in given], dtype=pl.String),
    )


def _skipping(values: list[str | None], inclusion: float, skipped: int) -> Coding:
    """Return labels of which the first `skipped` comments without a label were asked about and skipped."""
    empty = [i for i, value in enumerate(values) if value is None][:skipped]
    asked = [value is not None or i in empty for i, value in enumerate(values)]
    return as_coding(
        pl.Series(values, dtype=pl.String),
        pl.Series([inclusion if one else None for one in asked], dtype=pl.Float64),
        pl.Series(["uniform" if one else None for one in asked], dtype=pl.String),
    )


def _shares(labels: Coding, score: float = 0.5) -> Any:
    size = len(labels.labelled)
    reading = Reading(np.arange(size) % 2 == 0, np.full(size, score))
    return label_share(labels, labels.where("yes"), reading, np.arange(size), np.arange(size))


def test_a_fully_labelled_unit_is_a_census_without_width_whatever_its_design_says() -> None:
    """A fully labelled unit is a census without width whatever its design says."""
    found = _shares(_coding(["yes", "no", "no", "no"], np.nan, "unknown"))
    assert found.method == "census"
    assert (found.interval.estimate, found.interval.low, found.interval.high) == (0.25, 0.25, 0.25)


@pytest.mark.parametrize(
    ("inclusion", "design"), [(np.nan, "unknown"), (1.0, "census"), (1.0, "uniform")], ids=["unknown", "old", "wrong"]
)
def test_labels_that_say_nothing_of_the_rest_give_no_share(inclusion: float, design: str) -> None:
    """Labels that say nothing of the rest give no share."""
    assert _shares(_coding(["yes", "no", "no", None], inclusion, design)) is None


def test_skipped_comments_of_a_sheet_that_asked_about_all_leave_an_estimate_that_says_so() -> None:
    """12 yes and 28 no of 50 asked, 10 skipped: the share of those answered, as a sample of 40 of 50."""
    found = _shares(_skipping(["yes"] * 12 + ["no"] * 28 + [None] * 10, 1.0, 10))
    assert found.interval.estimate == pytest.approx(0.3)
    reach = stats.t.ppf(0.975, 39) * np.sqrt((1 - 40 / 50) * (0.21 * 40 / 39) / 40)
    assert found.interval.high - found.interval.estimate == pytest.approx(reach)
    assert "10 of the 50 comments asked about were skipped" in found.assumptions
    assert found.n_labelled == 40


def test_skipped_comments_do_not_stand_for_those_never_drawn() -> None:
    """Skipped comments do not stand for those never drawn."""
    assert _shares(_skipping(["yes"] * 12 + ["no"] * 28 + [None] * 10, 1.0, 9)) is None


def test_few_yes_beside_skipped_comments_are_counted_exactly_and_say_so() -> None:
    """Few yes beside skipped comments are counted exactly and say so."""
    found = _shares(_skipping(["yes"] * 2 + ["no"] * 28 + [None] * 10, 1.0, 10))
    assert found.method == "exact_stratified"
    assert found.interval.high >= 2 / 40 + 1 / 40
    assert "skipped" in found.assumptions


def test_strata_are_estimated_apart_and_added_by_size() -> None:
    """Worked by hand: 20 of 40 tagged and 20 of 160 others labelled, 15 and 10 yes; 0.2·0.75 + 0.8·0.5."""
    label = np.r_[np.ones(15), np.zeros(5), np.ones(10), np.zeros(10)]
    drawn, whole = np.repeat([1, 0], 20), np.repeat([1, 0], [40, 160])
    found = difference_estimate(
        Labelled(
            *(label, np.full(40, 0.5), np.repeat([0.5, 0.125], 20), np.arange(40), np.full(200, 0.5)),
            simple=False,
            stratum=(drawn, whole),
        )
    )
    assert found.estimate == pytest.approx(0.55)
    parts = [(0.2, 20 / 40, 0.75), (0.8, 20 / 160, 0.5)]
    variance = sum(w**2 * (1 - f) * p * (1 - p) / 19 for w, f, p in parts)
    reach = stats.t.ppf(0.975, 39) * np.sqrt(variance * 40 / 39)
    assert found.high - found.estimate == pytest.approx(reach)


def test_one_label_gives_no_share() -> None:
    """One label gives no share."""
    assert _shares(_coding(["yes", None, None, None], 0.25, "uniform")) is None


@pytest.mark.parametrize(
    ("yes", "no", "method"),
    [
        (9, 30, "exact_stratified"),
        (10, 30, "difference_estimator"),
        (30, 0, "exact_stratified"),
        (0, 30, "exact_stratified"),
    ],
)
def test_few_yes_or_few_no_are_counted_exactly(yes: int, no: int, method: str) -> None:
    """Few yes or few no are counted exactly."""
    found = _shares(_coding(["yes"] * yes + ["no"] * no + [None] * 60, 0.4, "uniform"))
    assert found.method == method
    assert found.interval.low <= found.interval.estimate <= found.interval.high
    assert found.interval.high > found.interval.low


def test_a_class_is_a_share_of_those_about_the_target() -> None:
    """A class is a share of those about the target."""
    labels = _coding(["favor", "against", "against", "off_target", "neutral", None, None, None], 0.5, "uniform")
    about = labels.where("favor", "against", "neutral")
    rows = np.arange(8)
    score = np.full(8, 0.5)
    found = label_ratio(labels, (labels.where("favor"), about), (score, score), rows, rows)
    assert found is not None
    assert found.interval is not None
    assert found.interval.estimate == 0.25


@pytest.mark.parametrize(("share", "size", "drawn"), [(0.3, 1_500, 150), (0.06, 600, 80)], ids=["many yes", "few yes"])
def test_way_1_covers_under_uniform_sampling(share: float, size: int, drawn: int) -> None:
    """Way 1 covers under uniform sampling."""
    rng = np.random.default_rng(5)
    label = rng.random(size) < share
    score = 1 / (1 + np.exp(-(rng.normal(0, 1, size) + np.where(label, 0.5, -2.5))))
    reading = Reading(score > 0.5, score)
    rows = np.arange(size)
    covered = []
    for _ in range(300):
        chosen = np.isin(rows, rng.choice(size, drawn, replace=False))
        values = [("yes" if yes else "no") if drawn_too else None for yes, drawn_too in zip(label, chosen, strict=True)]
        coding = _coding(values, drawn / size, "uniform")
        found = label_share(coding, coding.where("yes"), reading, rows, rows)
        assert found is not None
        assert found.interval is not None
        covered.append(found.interval.low <= label.mean() <= found.interval.high)
    assert np.mean(covered) >= 0.92


def _covered_by_tag(draws: int) -> float:
    """Return how often a rare share is covered under a sample drawn by tag."""
    rng = np.random.default_rng(9)
    size, rows = 3_000, np.arange(3_000)
    covered: list[bool] = []
    for _ in range(draws):
        label = rng.random(size) < 0.05
        tagged = rng.random(size) < np.where(label, 0.4, 0.02)
        chance = np.where(tagged, min(50 / tagged.sum(), 1), 50 / (~tagged).sum())
        given = rng.random(size) < chance
        coding = as_coding(
            pl.Series(np.where(label, "yes", "no")).set(pl.Series(~given), None),
            pl.Series(chance).set(pl.Series(~given), None),
            pl.Series(["stratified"] * size).set(pl.Series(~given), None),
        )
        score = np.where(tagged, 0.5, 0.03)
        found = label_share(coding, coding.where("yes"), Reading(tagged, score), rows, rows)
        assert found is not None
        assert found.interval is not None
        covered.append(found.interval.low <= label.mean() <= found.interval.high)
    return float(np.mean(covered))


def test_way_1_covers_where_labels_were_drawn_by_tag_and_yes_is_rare_among_the_others() -> None:
    """One yes among the others stands for dozens; normal approximation covered 73 % here."""
    assert _covered_by_tag(200) >= 0.95 - 2 * np.sqrt(0.95 * 0.05 / 200)


@given(
    st.lists(st.tuples(st.sampled_from(["yes", "no", None]), st.integers(0, 3), st.floats(0, 1)), max_size=40),
    st.sampled_from([1e-3, 0.2, 0.999, 1.0]),
    st.sampled_from(["uniform", "stratified", "uncertain", "census"]),
)
@settings(max_examples=150, deadline=None)
def test_whatever_the_labels_a_share_is_within_its_interval_and_never_nan(
    comments: list[tuple[str | None, int, float]], inclusion: float, design: str
) -> None:
    """No yes, all yes, one author, two labels, chances of nearly 0 and 1: a share within 0–1, or none."""
    values = [value for value, _, _ in comments]
    score = np.array([each for _, _, each in comments])
    labels = _coding(values, inclusion, design)
    author = np.array([each for _, each, _ in comments], dtype=np.int64)
    rows = np.arange(len(comments))
    found = label_share(labels, labels.where("yes"), Reading(score > 0.5, score), author, rows)
    if found is not None:
        assert found.interval is not None
        ends = (0.0, found.interval.low, found.interval.estimate, found.interval.high, 1.0)
        assert np.isfinite(ends).all()
        assert list(ends) == sorted(ends)
