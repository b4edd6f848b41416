"""Heads on toy data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from discourse.errors import BundleError
from discourse.models.heads import HeadSettings, fit_heads, load_heads, save_heads

LEVELS = ("one", "two")


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
