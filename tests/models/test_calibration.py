"""Calibration: rising, right on average by each method, and fitted without the rows that it is judged on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from discourse.models.bundle import Calibration
from discourse.models.calibration import Curve, calibrate, cross_fit, decide_level, fit_curve, probability
from discourse.models.decisions import Aim, AimName, Decisions, Method

METHODS: list[Method] = ["platt", "temperature", "isotonic"]
AIMS: list[AimName] = ["f1", "precision", "prevalence"]


def rows(seed: int, n: int, rate: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and labels."""
    generator = np.random.default_rng(seed)
    labels = (generator.random(n) < rate).astype(np.int8)
    labels[:2] = (0, 1)
    return generator.normal(size=n) + 2 * labels, labels


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1_000), st.integers(4, 80), st.sampled_from(METHODS), st.sampled_from(AIMS), st.booleans())
def test_it_rises_and_no_decision_contradicts_the_forced_answer(
    seed: int, n: int, method: Method, aim: AimName, threads: bool
) -> None:
    scores, labels = rows(seed, n, 0.3)
    names = (np.arange(n) // 3).astype(str) if threads else None
    found = calibrate(scores, labels, None, names, Decisions(method, Aim(aim)))
    again = Calibration.model_validate_json(found.model_dump_json())
    grid = np.linspace(-50, 50, 300)
    p = probability(grid, again)
    assert (np.diff(p) >= 0).all()
    assert ((p >= 0) & (p <= 1)).all()
    tag, unsure = p >= again.threshold, (p >= again.unsure_low) & (p < again.unsure_high)
    # Every comment has an answer or is unsure; yes is above the unsure range and no below it.
    assert (p[tag & ~unsure] >= again.unsure_high).all()
    assert (p[~tag & ~unsure] < again.unsure_low).all()


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_probabilities_keep_the_base_rate(method: Method) -> None:
    scores, labels = rows(2, 4_000)
    p = probability(scores, calibrate(scores, labels, decisions=Decisions(method)))
    assert p.mean() == pytest.approx(labels.mean(), abs=0.005)
    top = p > np.quantile(p, 0.9)
    assert p[top].mean() == pytest.approx(labels[top].mean(), abs=0.04)


def test_a_temperature_finds_how_much_too_bold_log_odds_are() -> None:
    generator = np.random.default_rng(3)
    true = generator.normal(size=20_000) * 2
    labels = (generator.random(20_000) < expit(true)).astype(np.int8)
    curve = fit_curve(true * 3, labels, np.ones(20_000), "temperature")
    assert curve == Curve(slope=pytest.approx(1 / 3, rel=0.05))


def test_isotonic_knots_are_the_stretches_of_scikit_learns_regression() -> None:
    scores, labels = rows(4, 500, 0.3)
    weights = np.random.default_rng(4).choice([1.0, 3.0], 500)
    curve = fit_curve(scores, labels, weights, "isotonic")
    flat = IsotonicRegression().fit(scores, labels, sample_weight=weights).predict(scores)
    inner = [(x, y) for x, y in curve.knots[1:-1]]
    assert len(inner) > 3
    for x, y in inner:
        own = np.isclose(flat, y, atol=1e-9)
        assert own.any()
        assert x == pytest.approx(np.average(scores[own], weights=weights[own]))
    p = probability(np.sort(scores), Calibration(**_plain(curve)))
    assert 0 < p.min() < p.max() < 1


def test_heavier_rows_count_as_the_comments_they_stand_for() -> None:
    scores, labels = rows(5, 400, 0.3)
    weights = np.where(labels == 1, 1.0, 4.0)
    times = weights.astype(int)
    weighted = calibrate(scores, labels, weights, decisions=Decisions(aim=Aim("prevalence")))
    copies = calibrate(np.repeat(scores, times), np.repeat(labels, times), decisions=Decisions(aim=Aim("prevalence")))
    assert weighted.slope == pytest.approx(copies.slope, rel=0.06)
    assert weighted.intercept == pytest.approx(copies.intercept, rel=0.06)
    assert weighted.threshold == pytest.approx(copies.threshold, abs=0.02)


def test_rows_of_unknown_weight_are_left_out_unless_all_are_unknown() -> None:
    scores, labels = rows(6, 300)
    strange = np.concatenate([scores, np.full(50, 9.0)])
    both = np.concatenate([labels, np.zeros(50, np.int8)])
    weights = np.concatenate([np.ones(300), np.full(25, np.nan), np.zeros(25)])
    assert calibrate(strange, both, weights) == calibrate(scores, labels)
    assert calibrate(scores, labels, np.full(300, np.nan)) == calibrate(scores, labels)
    every_row = Decisions(aim=Aim("f1", weighted=False))
    assert calibrate(strange, both, weights, decisions=every_row).threshold != calibrate(scores, labels).threshold


def test_what_decides_on_a_source_has_not_seen_it() -> None:
    scores, labels = rows(7, 300, 0.3)
    source = np.repeat(["a", "b", "c"], 100)
    found = cross_fit(scores, labels, None, source)
    others = decide_level(scores[100:], labels[100:]).calibration
    assert np.array_equal(found.probability[:100], probability(scores[:100], others))
    assert np.array_equal(found.tag[:100], found.probability[:100] >= others.threshold)
    changed = labels.copy()
    changed[:100] = 1 - changed[:100]
    assert np.array_equal(cross_fit(scores, changed, None, source).tag[:100], found.tag[:100])
    assert not found.borrowed.any()
    assert (found.keeps_yes | found.keeps_no).all()


def test_a_source_that_holds_all_yes_borrows_the_calibration_of_all() -> None:
    scores, labels = rows(8, 200, 0.3)
    source = np.where(labels == 1, "a", "b")
    found = cross_fit(scores, labels, None, source)
    assert found.borrowed[source == "a"].all()
    assert found.borrowed.all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"unsure_low": 0.6},
        {"unsure_high": 0.4},
        {"knots": ((0.0, 0.2), (1.0, 0.1))},
        {"knots": ((1.0, 0.1), (1.0, 0.2))},
        {"slope": float("nan")},
    ],
    ids=["low", "high", "falling", "upright", "no number"],
)
def test_a_calibration_that_contradicts_itself_is_refused(wrong: dict[str, object]) -> None:
    good = {"slope": 1, "intercept": 0, "threshold": 0.5, "unsure_low": 0.4, "unsure_high": 0.6}
    Calibration.model_validate(good)
    with pytest.raises(ValidationError):
        Calibration.model_validate({**good, **wrong})


def _plain(curve: Curve) -> dict[str, object]:
    cut = {"threshold": 0.5, "unsure_low": 0.5, "unsure_high": 0.5}
    return {"slope": curve.slope, "intercept": curve.intercept, "knots": curve.knots, **cut}
