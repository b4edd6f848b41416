"""Saying unsure: stated coverage of yes and of no for whole new threads, and never two answers ruled out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discourse.models.conformal import cutoffs, lowest_kept


def threads_of(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return scores, labels, weights and threads; comments of a thread share a shift, a base rate and a length."""
    lengths = generator.integers(1, 30, count)
    shift, rate = generator.normal(0, 1, count), generator.beta(1, 3, count)
    thread = np.repeat(np.arange(count), lengths)
    labels = (generator.random(len(thread)) < rate[thread]).astype(np.int8)
    scores = generator.normal(size=len(thread)) + shift[thread] + 1.5 * labels
    return scores, labels, generator.choice([1.0, 5.0], len(thread)), thread.astype(str)


@pytest.mark.parametrize("error", [0.1, 0.25])
def test_new_threads_lose_no_more_yes_and_no_than_stated(error: float) -> None:
    generator = np.random.default_rng(5)
    lost, whole = np.zeros(2), np.zeros(2)
    for _ in range(150):
        found = cutoffs(*threads_of(generator, 80), error)
        scores, labels, weights, _ = threads_of(generator, 200)
        ruled_out = np.where(labels == 1, scores < found.low, scores > found.high)
        for answer in (0, 1):
            lost[answer] += weights[(labels == answer) & ruled_out].sum()
            whole[answer] += weights[labels == answer].sum()
    # 150 calibrations: the standard error of each share is about 0.003.
    assert (lost / whole <= error + 0.006).all()
    assert (lost / whole >= error - 0.05).all(), "and not much less, or everything would be unsure"


def test_rows_taken_for_independent_would_break_the_promise() -> None:
    """With few threads of many like comments, the usual quantile of rows loses more than is stated; ours does not."""
    generator = np.random.default_rng(6)
    ours, naive = [], []
    for _ in range(400):
        shift = generator.normal(0, 1, 12)
        scores = np.repeat(shift, 40) + generator.normal(0, 0.1, 480)
        new = generator.normal(0, 1, 200)
        one = np.ones(480)
        ours.append((new < lowest_kept(scores, one, np.repeat(np.arange(12), 40).astype(str), 0.1).score).mean())
        naive.append((new < lowest_kept(scores, one, np.arange(480).astype(str), 0.1).score).mean())
    assert np.mean(ours) <= 0.1
    assert np.mean(naive) > 0.1


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=60), st.sampled_from([0.05, 0.1, 0.3]))
def test_single_comments_get_the_usual_conformal_quantile(scores: list[float], error: float) -> None:
    values = np.array(scores)
    found = lowest_kept(values, np.ones(len(values)), np.arange(len(values)).astype(str), error)
    place = int(np.floor(error * (len(values) + 1) + 1e-9)) - 1
    if place < 0:
        assert found.score == values.min()
        assert found.error == pytest.approx(1 / (len(values) + 1))
    else:
        assert found.score == np.sort(values)[place]
        assert found.error == error


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40))
def test_a_smaller_error_never_makes_the_range_narrower(seed: int, count: int) -> None:
    scores, labels, weights, threads = threads_of(np.random.default_rng(seed), count)
    if len(np.unique(labels)) < 2:
        return
    careful, bold = (cutoffs(scores, labels, weights, threads, error) for error in (0.05, 0.2))
    assert careful.low <= bold.low
    assert careful.high >= bold.high


def test_too_few_yes_keep_every_score_seen_and_say_what_can_be_stated() -> None:
    scores = np.concatenate([np.linspace(1, 2, 5), np.linspace(-2, 1.5, 200)])
    labels = np.array([1] * 5 + [0] * 200, np.int8)
    found = cutoffs(scores, labels, np.ones(205), np.arange(205).astype(str), 0.1)
    assert (found.low, found.error_yes) == (1.0, pytest.approx(1 / 6))
    assert found.error_no == 0.1
    one_thread = cutoffs(scores, labels, np.ones(205), np.full(205, "t"), 0.1)
    assert (one_thread.error_yes, one_thread.error_no) == (0.5, 0.5)
