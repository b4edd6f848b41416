"""Figures of quality: equal to scikit-learn's where it has them, and the calibration error without its bias."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, precision_recall_fscore_support

from discourse.models.figures import (
    average_precision,
    brier,
    brier_skill,
    calibration_error,
    calibration_slope,
    effective,
    reliability,
    tagging,
)

ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 10), st.integers(1, 4)), min_size=2, max_size=50)


@settings(max_examples=100, deadline=None)
@given(ROWS)
def test_ranking_tagging_and_brier_score_agree_with_scikit_learn(rows: list[tuple[bool, int, int]]) -> None:
    label, p, weight = (np.array(column) for column in zip(*rows, strict=True))
    label, p, weight = label.astype(np.int8), p / 10, weight.astype(float)
    assert brier(label, p, weight) == pytest.approx(brier_score_loss(label, p, sample_weight=weight, pos_label=1))
    found = tagging(label, p >= 0.5, weight)
    if not label.any():
        assert average_precision(label, p, weight) is None
        assert set(found.values()) == {None}
        return
    assert average_precision(label, p, weight) == pytest.approx(average_precision_score(label, p, sample_weight=weight))
    theirs = precision_recall_fscore_support(label, p >= 0.5, sample_weight=weight, average="binary", zero_division=0)
    assert [found["precision"] or 0, found["recall"], found["f1"]] == pytest.approx(list(theirs[:3]))


def labels_of(p: np.ndarray, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).random(len(p)) < p).astype(np.int8)


@pytest.mark.parametrize("rows", [300, 3_000])
def test_a_calibrated_model_has_less_error_than_without_debiasing(rows: int) -> None:
    p = expit(np.random.default_rng(1).normal(-2, 1, rows))
    weight = np.ones(rows)
    plain, ours = [], []
    for seed in range(100):
        label = labels_of(p, seed)
        bars = reliability(label, p, weight)
        plain.append(sum(bar.mass * abs(bar.observed - bar.probability) for bar in bars))
        ours.append(calibration_error(label, p, weight))
    assert np.mean(ours) < 0.65 * np.mean(plain)


def test_a_known_miscalibration_is_measured_as_it_is() -> None:
    true = expit(np.random.default_rng(2).normal(-1, 1.5, 20_000))
    stated = np.clip(true + 0.1, 0, 1)
    found = np.mean([calibration_error(labels_of(true, seed), stated, np.ones(20_000)) for seed in range(10)])
    assert found == pytest.approx(0.1, abs=0.004)
    assert calibration_error(np.zeros(50, np.int8), np.full(50, 1e-4), np.ones(50)) == 0.0


def test_the_slope_is_that_of_a_logistic_regression_and_none_where_there_is_none() -> None:
    x = np.random.default_rng(3).normal(-1, 2, 2_000)
    label, weight = labels_of(expit(0.5 * x + 0.3), 4), np.random.default_rng(5).choice([1.0, 6.0], 2_000)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=500).fit(x[:, None], label, sample_weight=weight)
    assert calibration_slope(label, expit(x), weight) == pytest.approx(float(model.coef_[0, 0]), abs=1e-4)
    assert calibration_slope((x > 0).astype(np.int8), expit(x), weight) is None
    assert calibration_slope(np.zeros(2_000, np.int8), expit(x), weight) is None
    assert calibration_slope(label, np.full(2_000, 0.3), weight) is None


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 1_000), st.integers(2, 60), st.floats(-30, 30))
def test_no_rows_give_a_number_that_is_none(seed: int, n: int, shift: float) -> None:
    generator = np.random.default_rng(seed)
    p = expit(generator.normal(shift, 3, n))
    label, weight = labels_of(p, seed), generator.choice([0.5, 80.0], n)
    found = [calibration_slope(label, p, weight), brier_skill(label, p, weight), calibration_error(label, p, weight)]
    assert all(value is None or np.isfinite(value) for value in found)


def test_bars_share_the_mass_and_the_rows_out_and_rise() -> None:
    p = np.random.default_rng(6).random(997)
    weight = np.random.default_rng(7).choice([1.0, 9.0], 997)
    bars = reliability(labels_of(p, 8), p, weight)
    assert len(bars) == 10
    assert sum(bar.rows for bar in bars) == 997
    assert [bar.mass for bar in bars] == pytest.approx([0.1] * 10, abs=0.005)
    assert (np.diff([bar.probability for bar in bars]) > 0).all()
    assert logit(bars[0].probability) < logit(bars[-1].probability)
    assert effective(np.array([1.0, 1.0, 0.0])) == 2
    assert effective(np.zeros(3)) == 0
