"""Two-stage draws of sources and threads."""

from __future__ import annotations

import numpy as np
import pytest

from discourse.aggregate.resampling import interval, kish, resample


def test_a_source_drawn_k_times_has_k_times_its_threads_drawn() -> None:
    """A source drawn k times has k times its threads drawn."""
    source = np.array([0, 0, 0, 1, 1, 2])
    taken = resample(source, np.random.default_rng(0), draws=500)
    per_source = np.stack([taken[:, source == one].sum(axis=1) for one in range(3)])
    times = per_source / np.array([3, 2, 1])[:, None]
    assert np.array_equal(times, np.round(times))
    assert (times.sum(axis=0) == 3).all()


def test_every_thread_is_expected_once() -> None:
    """Every thread is expected once."""
    taken = resample(np.array([0, 0, 1, 1, 1]), np.random.default_rng(1), draws=20_000)
    assert taken.mean(axis=0) == pytest.approx(np.ones(5), abs=0.05)


def test_no_clusters_give_empty_draws() -> None:
    """No clusters give empty draws."""
    assert resample(np.zeros(0, dtype=np.int64), np.random.default_rng(0), draws=7).shape == (7, 0)


@pytest.mark.parametrize(("weights", "worth"), [([1.0, 1.0, 1.0], 3.0), ([3.0, 1.0], 1.6), ([], 0.0)])
def test_kish_counts_what_weights_are_worth(weights: list[float], worth: float) -> None:
    """Kish counts what weights are worth."""
    assert kish(np.array(weights)) == pytest.approx(worth)


def test_an_interval_is_widened_to_hold_its_point() -> None:
    """An interval is widened to hold its point."""
    assert interval(np.array([0.4, 0.5, 0.6]), 0.9)[1] == 0.9
