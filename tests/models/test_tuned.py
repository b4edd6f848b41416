"""Tuned layers, heads and calibration on toy data."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score

from discourse.errors import BundleError
from discourse.models.calibration import calibrate, prevalence_threshold, probability
from discourse.models.encoder import Encoder, load_encoder
from discourse.models.evaluation import Scored, cluster_resamples, quality
from discourse.models.frames import text_sequences
from discourse.models.heads import HeadSettings, fit_heads, load_heads, save_heads
from discourse.models.tuned import TuningSettings, load_top, lower_states, save_top, score_states, tune

LEVELS = ("one", "two")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The default encoder."""
    return load_encoder()


def _quiet(done: int = 1) -> None:
    del done


def test_tuned_layers_learn_repeat_and_survive_the_disk(encoder: Encoder, tmp_path: Path) -> None:
    texts = [f"{word} number {i}" for i in range(16) for word in ("cameras everywhere", "a lovely pie")]
    wanted = torch.tensor([[1.0], [0.0]] * 16)
    states = lower_states(encoder, text_sequences(encoder, texts, 32), 1, _quiet)

    def loss(logits: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted[rows])

    how = TuningSettings(layers=1, epochs=4, batch=8)
    tops = [tune(encoder, states, 1, loss, how, 7, _quiet) for _ in range(2)]
    scores = score_states(tops[0], states)
    assert ((scores[:, 0] > 0) == (wanted[:, 0].numpy() > 0)).all()
    assert np.array_equal(scores, score_states(tops[1], states))
    save_top(tops[0], tmp_path / "weights.safetensors")
    kept, others = load_top(tmp_path / "weights.safetensors", encoder, 1, 1)
    assert others == {}
    assert np.abs(score_states(kept, states) - scores).max() < 0.05
    with pytest.raises(BundleError, match="does not fit"):
        load_top(tmp_path / "weights.safetensors", encoder, 2, 1)


def test_heads_learn_and_survive_the_disk(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    vectors = generator.normal(size=(200, 8)).astype(np.float32)
    labels = np.column_stack([vectors[:, 0] > 0, vectors[:, 1] > 1]).astype(np.int8)
    heads = fit_heads(LEVELS, vectors, labels, np.ones(200), HeadSettings(penalty=10, positive_weight=1))
    assert ((heads.scores(vectors) > 0) == labels).mean() > 0.95
    save_heads(heads, tmp_path / "w.safetensors")
    assert (
        np.abs(load_heads(tmp_path / "w.safetensors", LEVELS, 8).scores(vectors) - heads.scores(vectors)).max() < 0.02
    )
    with pytest.raises(BundleError, match="another encoder or codebook"):
        load_heads(tmp_path / "w.safetensors", LEVELS, 16)
    with pytest.raises(BundleError, match='"two" has only one class'):
        fit_heads(LEVELS, vectors, labels * np.array([1, 0], np.int8), np.ones(200), HeadSettings())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 4)), min_size=3, max_size=30), st.randoms())
def test_as_much_is_tagged_as_is_labelled(rows: list[tuple[bool, int]], random: Random) -> None:
    labels, weights = (np.array(column) for column in zip(*rows, strict=True))
    scores = np.array(random.sample(range(100), len(rows)), float)
    found = prevalence_threshold(scores, labels.astype(np.int8), weights.astype(float))
    yes = (weights * labels).sum()
    assert weights[scores > found].sum() <= yes or yes == 0
    assert weights[scores >= found].sum() >= yes


def test_calibrated_probabilities_keep_the_order_and_the_base_rate() -> None:
    generator = np.random.default_rng(2)
    labels = (generator.random(4_000) < 0.1).astype(np.int8)
    scores = generator.normal(size=4_000) + 2 * labels
    found = probability(scores, calibrate(scores, labels, np.ones(4_000)))
    assert (np.argsort(found, kind="stable") == np.argsort(scores, kind="stable")).all()
    assert found.mean() == pytest.approx(labels.mean(), abs=0.005)


def test_quality_agrees_with_scikit_learn() -> None:
    generator = np.random.default_rng(3)
    label = (generator.random(300) < 0.3).astype(np.int8)
    p = np.clip(generator.normal(0.3 + 0.3 * label, 0.2), 0.01, 0.99)
    source = np.array(["a", "b", "c"])[generator.integers(0, 3, 300)]
    thread = np.array([f"{s}{i % 7}" for i, s in enumerate(source)])
    found = quality(Scored(label, (p > 0.5).astype(np.int8), p, np.ones(300), source, thread), draws=50)
    assert found.f1 == pytest.approx(f1_score(label, p > 0.5))
    assert found.average_precision == pytest.approx(average_precision_score(label, p))
    assert found.intervals["f1"][0] < found.f1 < found.intervals["f1"][1]
    assert found.yes_effective == pytest.approx(label.sum())


def test_a_resample_keeps_threads_whole() -> None:
    source, thread = np.array(list("aaabbb")), np.array(["1", "1", "2", "3", "3", "3"])
    for rows in cluster_resamples(source, thread, seed=0, draws=20):
        counts = np.bincount(rows, minlength=6)
        assert counts[0] == counts[1]
        assert counts[3] == counts[4] == counts[5]
