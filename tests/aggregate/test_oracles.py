"""The estimators beside other programs: ppi-python for the point, statsmodels for cluster-robust intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from discourse.aggregate.clustered import Grouping, exact_interval, score_interval, variance
from discourse.aggregate.difference import Labelled, difference_estimate, tuning
from discourse.aggregate.labels import as_coding
from discourse.aggregate.ppi import ppi_mean, tuned
from discourse.aggregate.similar_labels import similar_share

ppi_py: Any = pytest.importorskip("ppi_py", reason="ppi-python is a development dependency")
sm: Any = pytest.importorskip("statsmodels.api", reason="statsmodels is a development dependency")
proportion_confint: Any = pytest.importorskip("statsmodels.stats.proportion").proportion_confint


@pytest.mark.parametrize("seed", range(5))
def test_the_point_is_that_of_ppi_python_for_the_same_tuning(seed: int) -> None:
    """With one comment per author and equal chances, λ·mean(f) + mean(y − λ·f) is ppi-python's point."""
    rng = np.random.default_rng(seed)
    score = rng.random(2_000)
    label = (rng.random(2_000) < score).astype(float)
    drawn = np.arange(150)
    found = difference_estimate(
        Labelled(label[drawn], score[drawn], np.full(150, 150 / 2_000), drawn, score, simple=True)
    )
    slope = tuning(label[drawn], score[drawn], np.full(150, 1 / 150))
    theirs = ppi_py.ppi_mean_pointestimate(label[drawn], score[drawn], score, lam=slope)
    assert found.estimate == pytest.approx(float(np.squeeze(theirs)), abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_clustered_interval_is_that_of_statsmodels(seed: int) -> None:
    """Authors who repeat themselves, scores that say nothing, tiny chances: the cluster-robust interval of WLS."""
    rng = np.random.default_rng(seed)
    author = np.repeat(np.arange(40), rng.integers(2, 9, 40))
    label = np.clip(rng.random(40) < 0.5, 0, 1)[author].astype(float)
    inclusion = rng.uniform(1e-9, 3e-9, len(author))
    found = difference_estimate(
        Labelled(label, np.full(len(author), 0.5), inclusion, author, np.full(9, 0.5), simple=False)
    )
    fitted = sm.WLS(label, np.ones(len(author)), weights=1 / inclusion).fit(
        cov_type="cluster", cov_kwds={"groups": author}, use_t=True
    )
    low, high = fitted.conf_int()[0]
    assert (found.estimate, found.low, found.high) == pytest.approx((fitted.params[0], max(low, 0), min(high, 1)))


def _independent(seed: int, labelled: int, unlabelled: int, good: float = 1.0) -> tuple[Any, Any, Any]:
    """Return labels and scores of independent comments, and scores of others."""
    rng = np.random.default_rng(seed)
    truth = rng.random(labelled + unlabelled) < 0.35
    score = 1 / (1 + np.exp(-rng.normal(np.where(truth, good, -good), 1)))
    return truth[:labelled].astype(np.float64), score[:labelled], score[labelled:]


CASES = [(0, 150, 2_000, 1.0), (1, 60, 90, 2.0), (2, 400, 300, 0.1), (3, 12, 5_000, 3.0), (4, 500, 40, 1.0)]


@pytest.mark.parametrize(("seed", "labelled", "unlabelled", "good"), CASES)
def test_prediction_powered_mean_is_that_of_ppi_python(seed: int, labelled: int, unlabelled: int, good: float) -> None:
    """Point, tuned λ and analytic interval, to 1e-6; how far their point lies from the labels' mean tells their λ."""
    label, score, others = _independent(seed, labelled, unlabelled, good)
    found = ppi_mean(label, score, others)
    low, high = (float(np.squeeze(end)) for end in ppi_py.ppi_mean_ci(label, score, others, alpha=0.05))
    point = float(np.squeeze(ppi_py.ppi_mean_pointestimate(label, score, others)))
    assert (found.estimate, found.low, found.high) == pytest.approx((point, low, high), abs=1e-6)
    slope = (point - label.mean()) / (others.mean() - score.mean())
    assert tuned(label, score, others) == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_weighted_prediction_powered_mean_is_that_of_ppi_python(seed: int) -> None:
    """The same with labelled comments that stand for different numbers of others."""
    label, score, others = _independent(seed, 200, 900)
    weight = np.random.default_rng(seed).uniform(1, 9, 200)
    found = ppi_mean(label, score, others, weight)
    ends = ppi_py.ppi_mean_ci(label, score, others, alpha=0.05, w=weight)
    point = ppi_py.ppi_mean_pointestimate(label, score, others, w=weight)
    theirs = [float(np.squeeze(each)) for each in (point, *ends)]
    assert (found.estimate, found.low, found.high) == pytest.approx(tuple(theirs), abs=1e-6)


@pytest.mark.parametrize(("seed", "labelled", "unlabelled", "good"), CASES[:3])
def test_the_clustered_form_is_as_wide_where_nothing_is_clustered(
    seed: int, labelled: int, unlabelled: int, good: float
) -> None:
    """One comment a thread and author: the point is ppi-python's to 1e-6, the width within a tenth."""
    label, score, others = _independent(seed, labelled, unlabelled, good)
    alone = np.arange(labelled + unlabelled)
    value = ["yes" if one else "no" for one in label] + [None] * unlabelled
    chance = labelled / len(alone)
    labels = as_coding(
        pl.Series(value),
        pl.Series([chance] * labelled + [None] * unlabelled, dtype=pl.Float64),
        pl.Series(["uniform"] * labelled + [None] * unlabelled),
    )
    found = similar_share(labels, labels.where("yes"), np.append(score, others), Grouping(alone, alone))
    assert found is not None
    assert found.interval is not None
    low, high = (float(np.squeeze(end)) for end in ppi_py.ppi_mean_ci(label, score, others, alpha=0.05))
    point = float(np.squeeze(ppi_py.ppi_mean_pointestimate(label, score, others)))
    assert found.interval.estimate == pytest.approx(point, abs=1e-6)
    assert found.interval.high - found.interval.low == pytest.approx(high - low, rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_the_jackknife_is_near_the_cluster_robust_variance_of_statsmodels(seed: int) -> None:
    """Threads of unequal size that differ: the standard error is theirs within 5 %, never below it."""
    rng = np.random.default_rng(seed)
    thread = np.repeat(np.arange(60), rng.integers(5, 15, 60))
    label = (rng.random(len(thread)) < np.clip(rng.normal(0.4, 0.2, 60), 0, 1)[thread]).astype(np.float64)
    columns = np.column_stack([np.ones(len(thread)), label])
    found = variance(columns, lambda sums: sums[:, 1] / sums[:, 0], Grouping(thread, np.arange(len(thread))))
    fitted = sm.OLS(label, np.ones(len(thread))).fit(cov_type="cluster", cov_kwds={"groups": thread})
    assert float(fitted.bse[0]) <= np.sqrt(found) * (1 + 1e-3)
    assert np.sqrt(found) == pytest.approx(float(fitted.bse[0]), rel=0.05)


@pytest.mark.parametrize(("yes", "size"), [(0, 40), (3, 20), (50, 100), (99, 100)])
def test_score_and_exact_intervals_are_those_of_statsmodels(yes: int, size: int) -> None:
    """Wilson and Clopper-Pearson, where degrees of freedom do not matter."""
    many = 1e9
    for method, interval in (("wilson", score_interval), ("beta", exact_interval)):
        found = interval(yes / size, size, many)
        theirs = proportion_confint(yes, size, method=method)
        assert (found.low, found.high) == pytest.approx(np.nan_to_num(theirs), abs=1e-6)
