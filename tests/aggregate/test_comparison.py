"""Comparisons of a number on two sides: planted differences, false alarms, and what cannot be compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from discourse.aggregate.comparison import NOTHING, compare, difference_of, p_of, ratio_of, shared_authors
from discourse.aggregate.error_rates import error_rates
from discourse.aggregate.from_labels import Reading
from discourse.aggregate.headline import Headline
from discourse.aggregate.heldout import read_heldout
from discourse.aggregate.holm import holm
from discourse.aggregate.labels import Coding
from discourse.aggregate.prevalence import Interval
from discourse.aggregate.units import Eligible, Unit, eligible_comments
from discourse.config import FilterConfig

Make = Callable[..., Any]
DRAWS = 100
Shares = st.tuples(*[st.floats(0, 1)] * 3).map(sorted)


def _headline(eligible: Eligible, bundle: Any, tagged: np.ndarray, seed: int = 0) -> Headline:
    rng = np.random.default_rng(5)
    held = read_heldout(bundle, "cascade", rng)
    rates = error_rates(held.scored("fear")[0], held.taken, rng)
    reading = Reading(tagged, np.where(tagged, 0.9, 0.1))
    return Headline("frame:fear", eligible, tagged, np.zeros(len(tagged), bool), reading, rates, None, None, seed)


def _labelled(headline: Headline, truth: np.ndarray, used: np.ndarray, inclusion: float, *, census: bool) -> Headline:
    value = pl.Series(["yes" if one else "no" for one in truth]).zip_with(
        pl.Series(used), pl.Series([None], dtype=pl.String)
    )
    size = len(truth)
    chance = np.where(used, inclusion, np.nan)
    labels = Coding(value, used, chance, np.full(size, not census), np.full(size, census))
    return replace(headline, labels=labels, yes=labels.where("yes"))


@pytest.fixture
def bundle(make_bundle: Make, heldout_rows: Make) -> Any:
    """Return a bundle with sensitivity 0.8 and false-positive rate 0.05 in six like sources."""
    cells = {(1, 1): 80, (1, 0): 20, (0, 1): 20, (0, 0): 380}
    return make_bundle(["fear"], [row for source in "stuvwx" for row in heldout_rows("fear", cells, source)])


@pytest.fixture
def beside(comments_table: Make) -> Callable[..., tuple[Eligible, Unit, Unit]]:
    """Return a function that makes comments of two threads, one after the other."""

    def make(sizes: tuple[int, int], authors: int = 10_000) -> tuple[Eligible, Unit, Unit]:
        total = sum(sizes)
        comments = comments_table(
            total,
            thread_id=["file:a"] * sizes[0] + ["file:b"] * sizes[1],
            author=[f"a{i % authors}" for i in range(total)],
        )
        eligible = eligible_comments(comments, ["en"], FilterConfig())
        return eligible, eligible.units[1], eligible.units[2]

    return make


def _tags(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.where(truth, rng.random(len(truth)) < 0.8, rng.random(len(truth)) < 0.05)


def test_a_planted_difference_is_found_by_tags_and_its_ends_hold_the_truth(bundle: Any, beside: Make) -> None:
    """A planted difference of 20 points is found by corrected tags, with difference and ratio around the truth."""
    eligible, first, second = beside((800, 600))
    rng = np.random.default_rng(1)
    truth = np.concatenate([rng.permutation(800) < 240, rng.permutation(600) < 60])
    found = compare(_headline(eligible, bundle, _tags(truth, rng)), first, second)
    assert found.method == "heldout_correction"
    assert found.p is not None
    assert found.p < 1e-4
    assert found.difference is not None
    assert found.ratio is not None
    assert found.difference.low < 0.2 < found.difference.high
    assert found.ratio.low < 3 < found.ratio.high
    assert found.smallest is not None
    assert 0.02 < found.smallest < 0.15
    assert "errs alike on both sides" in found.assumptions


def test_both_sides_share_the_draws_of_the_error_rates(bundle: Any, beside: Make) -> None:
    """The interval of a difference is narrower than two intervals of independent error rates would give."""
    eligible, first, second = beside((3000, 3000))
    tagged = np.arange(6000) % 3 == 0
    found = compare(_headline(eligible, bundle, tagged), first, second)
    assert found.difference is not None
    apart = difference_of(*(share for share in found.shares if share is not None))
    assert found.difference.high - found.difference.low < 0.9 * (apart.high - apart.low)


@pytest.mark.parametrize("way", ["tags", "labels"])
def test_false_alarms_stay_near_one_in_twenty_where_nothing_differs(way: str, bundle: Any, beside: Make) -> None:
    """Where both sides have the same share, a p below 0.05 comes about as often as stated, and no more."""
    eligible, first, second = beside((300, 200))
    rng = np.random.default_rng(3)
    found: list[float] = []
    for _ in range(DRAWS):
        truth = np.concatenate([rng.permutation(300) < 90, rng.permutation(200) < 60])
        headline = _headline(eligible, bundle, _tags(truth, rng))
        if way == "labels":
            headline = _labelled(headline, truth, rng.random(500) < 0.4, 0.4, census=False)
        p = compare(headline, first, second).p
        assert p is not None
        found.append(p)
    alarms = np.mean(np.array(found) < 0.05)
    assert alarms <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / DRAWS)
    assert np.mean(np.array(found) < 0.5) > 0.15  # a test that never speaks would pass the line above


def test_labels_go_before_tags_and_their_interval_covers(bundle: Any, beside: Make) -> None:
    """With enough labels on both sides they are what is compared, and 95 % intervals hold the true difference."""
    eligible, first, second = beside((300, 300))
    rng = np.random.default_rng(4)
    inside = 0
    for _ in range(DRAWS):
        truth = np.concatenate([rng.permutation(300) < 120, rng.permutation(300) < 60])
        headline = _labelled(
            _headline(eligible, bundle, _tags(truth, rng)), truth, rng.random(600) < 0.4, 0.4, census=False
        )
        found = compare(headline, first, second)
        assert found.method == "difference_estimator"
        assert found.difference is not None
        inside += found.difference.low <= 0.2 <= found.difference.high
    assert inside >= DRAWS * 0.95 - 3 * np.sqrt(DRAWS * 0.05 * 0.95)


def test_few_labels_stand_back_behind_tags_and_step_in_where_tags_say_nothing(bundle: Any, beside: Make) -> None:
    """Fewer than 30 labels on a side are used only where the bundle's tags allow no correction."""
    eligible, first, second = beside((200, 200))
    rng = np.random.default_rng(4)
    truth = np.arange(400) % 4 == 0
    used = np.arange(400) % 20 == 0
    headline = _headline(eligible, bundle, _tags(truth, rng))
    assert compare(_labelled(headline, truth, used, 0.05, census=False), first, second).method == "heldout_correction"
    blind = replace(headline, rates=replace(headline.rates, sensitivity=headline.rates.false_positive))
    found = compare(_labelled(blind, truth, used, 0.05, census=False), first, second)
    assert (found.method, found.n_labelled) == ("exact_stratified", 20)
    alone = compare(blind, first, second)
    assert alone.difference is None
    assert alone.assumptions.startswith("No difference:")


def test_all_labelled_gives_the_difference_itself(bundle: Any, beside: Make) -> None:
    """Where people labelled every comment of both sides the difference has no width."""
    eligible, first, second = beside((40, 50))
    truth = np.arange(90) % 4 == 0
    headline = _labelled(_headline(eligible, bundle, truth), truth, np.ones(90, bool), 1.0, census=True)
    found = compare(headline, first, second)
    expected = truth[:40].mean() - truth[40:].mean()
    assert found.method == "census"
    assert found.difference == Interval(expected, expected, expected)
    assert found.p == 0


def test_authors_on_both_sides_are_accounted_for(bundle: Any, beside: Make) -> None:
    """Authors who write alike on both sides make the estimates correlate and the difference surer."""
    size, authors = 200, 100
    eligible, first, second = beside((size, size), authors)
    kinds = np.random.default_rng(2).random(authors) < 0.4
    truth = kinds[np.arange(2 * size) % authors]
    plain = _headline(eligible, bundle, np.zeros(2 * size, bool))
    used = np.arange(2 * size) % 2 == 0
    headline = _labelled(plain, truth, used, 0.5, census=False)
    assert shared_authors(headline, first, second) > 0.9
    strangers, one, other = beside((size, size))
    apart = compare(replace(headline, eligible=strangers), one, other).difference
    together = compare(headline, first, second).difference
    assert apart is not None
    assert together is not None
    # Each side alone is less sure, because its authors repeat themselves; the difference is not.
    assert together.high - together.low < 0.75 * np.sqrt(2) * (apart.high - apart.low)


@pytest.mark.parametrize("tagged", ["none", "all", "one side"])
@pytest.mark.parametrize("sizes", [(1, 1), (5, 3), (400, 2), (60, 60)])
def test_extremes_give_finite_numbers_or_none(tagged: str, sizes: tuple[int, int], bundle: Any, beside: Make) -> None:
    """No yes at all, all yes, one comment: each number is finite and inside its interval, or is not given."""
    eligible, first, second = beside(sizes)
    flags = {"none": np.zeros, "all": np.ones}.get(tagged, np.zeros)(sum(sizes), bool)
    if tagged == "one side":
        flags[: sizes[0]] = True
    found = compare(_headline(eligible, bundle, flags), first, second)
    for each in (found.difference, found.ratio, *found.shares):
        if each is not None:
            assert np.isfinite([each.estimate, each.low, each.high]).all()
            assert each.low <= each.estimate <= each.high
    assert found.p is None or 0 <= found.p <= 1
    assert found.smallest is None or np.isfinite(found.smallest)


@given(Shares, Shares, st.floats(-1, 1))
def test_intervals_from_intervals_hold_their_point(one: list[float], other: list[float], correlation: float) -> None:
    """Difference and ratio lie inside their intervals, a difference within −1 and 1, whatever the two sides are."""
    first, second = (Interval(middle, low, high) for low, middle, high in (one, other))
    difference = difference_of(first, second, correlation)
    assert -1 <= difference.low <= difference.estimate <= difference.high <= 1
    assert 0 <= p_of(difference) <= 1
    ratio = ratio_of(first, second, correlation)
    assert (ratio is None) == (second.low < NOTHING)
    if ratio is not None:
        assert 0 <= ratio.low <= ratio.estimate * (1 + 1e-9)
        assert ratio.estimate <= ratio.high * (1 + 1e-9)


def test_a_p_value_is_below_one_in_twenty_exactly_where_the_interval_leaves_out_zero() -> None:
    """p and interval never disagree."""
    assert p_of(Interval(0.1, 0.0, 0.3)) == pytest.approx(0.05)
    assert p_of(Interval(0.1, 0.001, 0.3)) < 0.05 < p_of(Interval(0.1, -0.001, 0.3))
    assert p_of(Interval(-0.1, -0.3, -0.001)) < 0.05 < p_of(Interval(-0.1, -0.3, 0.001))


@pytest.mark.parametrize("size", [1, 2, 30])
def test_holm_equals_statsmodels(size: int) -> None:
    """Holm's p equals that of statsmodels."""
    p = np.random.default_rng(size).random(size) ** 3
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert len(holm(np.zeros(0))) == 0
