"""The estimators beside other programs: ppi-python for the point, statsmodels for cluster-robust intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from discourse.aggregate.difference import Labelled, difference_estimate, tuning

ppi_py: Any = pytest.importorskip("ppi_py", reason="ppi-python is a development dependency")
sm: Any = pytest.importorskip("statsmodels.api", reason="statsmodels is a development dependency")


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
