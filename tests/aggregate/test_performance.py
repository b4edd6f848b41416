"""F1 and average precision on held-out comments."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from discourse.aggregate.error_rates import Outcomes
from discourse.aggregate.performance import average_precision, f1
from discourse.aggregate.resampling import Clusters, resample


def test_weighted_figures_agree_with_scikit_learn_ties_included() -> None:
    """Weighted figures agree with scikit learn ties included."""
    rng = np.random.default_rng(0)
    label = (rng.random(400) < 0.2).astype(float)
    score = np.round(rng.normal(label, 1.0), 1)
    weight = rng.gamma(1.0, 2.0, 400)
    clusters = Clusters(np.arange(400) // 10, np.repeat(np.arange(4), 10))
    outcomes = Outcomes(label, (score > 0.5).astype(float), weight, clusters)
    taken = resample(clusters.source, rng, 300)
    ranked, tagged = average_precision(outcomes, score, taken), f1(outcomes, taken)
    assert ranked is not None
    assert tagged is not None
    assert ranked.estimate == pytest.approx(average_precision_score(label, score, sample_weight=weight))
    assert tagged.estimate == pytest.approx(f1_score(label, outcomes.tag, sample_weight=weight))
    assert ranked.low < ranked.estimate < ranked.high
    assert tagged.low < tagged.estimate < tagged.high


def test_without_any_yes_there_is_no_figure() -> None:
    """Without any yes there is no figure."""
    outcomes = Outcomes(np.zeros(3), np.ones(3), np.ones(3), Clusters(np.arange(3), np.zeros(3, dtype=np.int64)))
    taken = resample(outcomes.clusters.source, np.random.default_rng(0), 10)
    assert f1(outcomes, taken) is None
    assert average_precision(outcomes, np.ones(3), taken) is None
