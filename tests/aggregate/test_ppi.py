"""Prediction-powered inference for a mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discourse.aggregate.ppi import ppi_mean, tuned

SHARES = st.lists(st.floats(0, 1), min_size=2, max_size=40)


@given(SHARES, SHARES, st.integers(0, 2**32 - 1))
def test_tuning_lies_within_0_and_1_and_the_interval_holds_its_point(
    score: list[float], unlabelled: list[float], seed: int
) -> None:
    """Whatever the scores, λ is from 0 to 1 and the interval is finite and holds the point."""
    label = np.random.default_rng(seed).integers(0, 2, len(score)).astype(np.float64)
    slope = tuned(label, np.array(score), np.array(unlabelled))
    assert 0 <= slope <= 1
    found = ppi_mean(label, np.array(score), np.array(unlabelled))
    assert np.isfinite([found.low, found.high]).all()
    assert found.low <= found.estimate <= found.high


def test_scores_that_say_nothing_leave_the_mean_of_the_labels() -> None:
    """Scores all alike: λ is 0, and the interval is the normal one of the labels alone."""
    label = np.array([1.0, 0, 0, 1, 1, 0, 0, 0])
    found = ppi_mean(label, np.full(8, 0.3), np.full(90, 0.3))
    reach = 1.959964 * label.std() / np.sqrt(8)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.375, 0.375 - reach, 0.375 + reach))


def test_nothing_unlabelled_leaves_nothing_to_tune() -> None:
    """A census has no use for scores."""
    assert tuned(np.array([1.0, 0]), np.array([0.9, 0.1]), np.zeros(0)) == 0
