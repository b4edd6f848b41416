"""The jackknife over threads and authors, and intervals for what it finds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from discourse.aggregate.clustered import (
    Grouping,
    assumed_size,
    covariance,
    exact_interval,
    independent,
    score_interval,
    shares_of,
    variance,
)
from discourse.aggregate.resampling import Reals


def _mean(sums: Reals) -> Reals:
    return np.where(sums[:, 0] > 0, sums[:, 1] / np.maximum(sums[:, 0], 1), np.nan)


def _columns(value: Reals) -> Reals:
    return np.column_stack([np.ones(len(value)), value])


def test_one_comment_a_thread_gives_the_variance_of_a_mean() -> None:
    """With threads of one comment by one author each, the jackknife is s²/n to the digit."""
    value = np.random.default_rng(0).random(30)
    alone = np.arange(30)
    found = variance(_columns(value), _mean, Grouping(alone, alone))
    assert found == pytest.approx(value.var(ddof=1) / 30)


def test_comments_that_repeat_their_thread_count_as_one() -> None:
    """Ten comments with the value of their thread are worth one."""
    value = np.random.default_rng(1).random(20)
    threads = np.repeat(np.arange(20), 10)
    found = variance(_columns(value[threads]), _mean, Grouping(threads, np.arange(200)))
    assert found == pytest.approx(value.var(ddof=1) / 20)


def test_an_author_in_many_threads_widens_the_variance() -> None:
    """Half the authors say yes wherever they write: threads look alike, and still the share may be off."""
    author = np.tile(np.arange(6), 12)
    value = (author < 3).astype(np.float64)
    threads = np.repeat(np.arange(12), 6)
    within = variance(_columns(value), _mean, Grouping(threads, np.arange(72)))
    across = variance(_columns(value), _mean, Grouping(threads, author))
    assert within == pytest.approx(value.var(ddof=1) / 72)
    assert across == pytest.approx(0.3 / 6)


@pytest.mark.parametrize(("threads", "authors"), [(1, 9), (9, 1)], ids=["one thread", "one author"])
def test_nobody_to_leave_out_leaves_everything_open(threads: int, authors: int) -> None:
    """A single thread or a single author cannot be left out."""
    value = np.arange(9) % 2.0
    found = variance(_columns(value), _mean, Grouping(np.arange(9) % threads, np.arange(9) % authors))
    assert np.isinf(found)


def test_two_shares_vary_together_as_their_threads_do() -> None:
    """A share and its complement have opposite covariances of one size."""
    rng = np.random.default_rng(2)
    value = (rng.random(200) < 0.3).astype(np.float64)
    columns = np.column_stack([np.ones(200), value, 1 - value])
    found = covariance(
        columns, (_mean, lambda sums: sums[:, 2] / sums[:, 0]), Grouping(np.arange(200) // 10, np.arange(200))
    )
    assert found == pytest.approx(found[0, 0] * np.array([[1, -1], [-1, 1]]))


def test_unequal_threads_have_fewer_degrees_of_freedom() -> None:
    """Ten threads of which one holds nearly everything are worth little more than one."""
    equal = Grouping(np.repeat(np.arange(10), 5), np.arange(50))
    unequal = Grouping(np.append(np.zeros(991, dtype=np.int64), np.arange(1, 10)), np.arange(1_000))
    assert equal.freedom == pytest.approx(9)
    assert unequal.freedom == 1


def test_score_interval_is_wilsons() -> None:
    """With many degrees of freedom it is Wilson's interval, and it inverts the score test."""
    found = score_interval(0.3, 50, 1e9)
    wilson = stats.binomtest(15, 50).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((wilson.low, wilson.high), abs=1e-6)
    assert shares_of(0.3, 50, np.zeros(1)) == pytest.approx([0.3])


def test_exact_interval_is_clopper_pearsons_and_wider_with_few_threads() -> None:
    """With many degrees of freedom it is the exact interval of as many comments; with few it is wider."""
    found = exact_interval(3 / 20, 20, 1e9)
    exact = stats.binomtest(3, 20).proportion_ci(method="exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-6)
    assert exact_interval(3 / 20, 20, 7).high > found.high
    assert (exact_interval(0, 20, 7).low, exact_interval(1, 20, 7).high) == (0, 1)


def test_a_share_is_worth_no_more_than_its_comments_and_no_less_than_one() -> None:
    """Effective sizes stay within bounds; what cannot be seen is assumed."""
    assert independent(0.5, 0.25 / 40, 9, 100) == pytest.approx(40)
    assert independent(0.5, 1e-12, 9, 100) == 100
    assert independent(0.5, np.inf, 9, 100) == 1
    assert independent(0.0, 0.0, 9, 100) == 9
    assert assumed_size(np.repeat(np.arange(5), 11)) == pytest.approx(55 / 2)
