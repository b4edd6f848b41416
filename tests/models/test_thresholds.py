"""Thresholds for a stated aim: as good as the plain maximum of F1, and steadier."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from discourse.models.decisions import Aim
from discourse.models.figures import tagging
from discourse.models.thresholds import smooth_probability, threshold


def draw(generator: np.random.Generator, n: int, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and labels; at this overlap the best F1 is well below 1."""
    labels = (generator.random(n) < rate).astype(np.int8)
    return generator.normal(size=n) + 1.8 * labels, labels


def plain_maximum(scores: np.ndarray, labels: np.ndarray) -> float:
    """Return the score of the greatest F1 on the rows themselves."""
    tags = [(tagging(labels, scores >= cut, np.ones(len(scores)))["f1"] or 0.0, cut) for cut in np.unique(scores)]
    return float(max(tags)[1])


@pytest.mark.parametrize("rate", [0.012, 0.04])
def test_with_few_yes_it_is_steadier_than_the_plain_maximum_and_no_worse(rate: float) -> None:
    generator = np.random.default_rng(8)
    fresh, truth = draw(generator, 50_000, rate)
    one = np.ones(len(fresh))
    cuts: dict[str, list[float]] = {"plain": [], "ours": []}
    for _ in range(30):
        scores, labels = draw(generator, 1_000, rate)
        if labels.sum() < 3:
            continue
        cuts["plain"].append(plain_maximum(scores, labels))
        p = threshold(expit(scores), scores, labels, np.ones(1_000), Aim("f1"))
        cuts["ours"].append(float(np.log(p / (1 - p))))
    means = {name: np.mean([tagging(truth, fresh >= cut, one)["f1"] for cut in found]) for name, found in cuts.items()}
    assert np.std(cuts["ours"]) < 0.7 * np.std(cuts["plain"])
    assert means["ours"] > means["plain"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 4)), min_size=3, max_size=30), st.integers(0, 1_000))
def test_as_much_is_tagged_as_is_labelled(rows: list[tuple[bool, int]], seed: int) -> None:
    labels, weights = (np.array(column) for column in zip(*rows, strict=True))
    scores = np.random.default_rng(seed).permutation(len(rows)) / 4
    cut = threshold(expit(scores), scores, labels.astype(np.int8), weights.astype(float), Aim("prevalence"))
    tagged = weights[expit(scores) >= cut].sum()
    # The nearest that whole rows allow; at least one row is tagged.
    assert abs(tagged - (weights * labels).sum()) <= max(weights.max(), 1)


def test_precision_tags_the_most_that_are_right_often_enough() -> None:
    generator = np.random.default_rng(9)
    scores, labels = draw(generator, 6_000, 0.2)
    fresh, truth = draw(generator, 50_000, 0.2)
    cuts = {p: threshold(expit(scores), scores, labels, np.ones(6_000), Aim("precision", p)) for p in (0.6, 0.8)}
    for wanted, cut in cuts.items():
        found = tagging(truth, expit(fresh) >= cut, np.ones(len(fresh)))["precision"]
        assert found == pytest.approx(wanted, abs=0.04)
    assert cuts[0.6] < cuts[0.8]
    hopeless = threshold(np.full(6_000, 0.2), np.zeros(6_000), labels, np.ones(6_000), Aim("precision", 0.9))
    assert hopeless == 0.9, "no row reaches it: none is tagged"


def test_smooth_probabilities_follow_scores_whose_ends_differ() -> None:
    generator = np.random.default_rng(10)
    scores = generator.normal(-1, 2, 8_000)
    # Low scores say little, high ones much: no slope and intercept fit both ends.
    truth = expit(-2 + 0.3 * np.logaddexp(0, scores) * 5 - 0.2 * np.logaddexp(0, -scores))
    labels = (generator.random(8_000) < truth).astype(np.int8)
    found = smooth_probability(scores, labels, np.ones(8_000))
    assert np.abs(found - truth).mean() < 0.01
    platt = LogisticRegression().fit(scores[:, None], labels).predict_proba(scores[:, None])[:, 1]
    assert np.abs(found - truth).mean() < 0.5 * np.abs(platt - truth).mean()
