"""Frame heads on frozen vectors: one logistic regression a frame, fast to train and needing few labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from discourse.errors import BundleError


@dataclass(frozen=True, slots=True)
class Heads:
    """Linear heads: `weights` is levels × width, `bias` is levels; `levels` names them in order."""

    levels: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def scores(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return log-odds, rows × levels, for unit vectors, rows × width."""
        return vectors.astype(np.float64) @ self.weights.T.astype(np.float64) + self.bias


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """How heads are fitted: inverse L2 penalty, and how much more a yes weighs than a no.

    `definition`: the scale at which scores from the frame's definition are a feature beside the vector, 0 for not.
    """

    penalty: float = 1.0
    positive_weight: float = 3.0
    definition: float = 0.0


def fit_heads(
    levels: tuple[str, ...],
    vectors: NDArray[np.float32],
    labels: NDArray[np.int8],
    importance: NDArray[np.float64],
    settings: HeadSettings,
    definitions: Heads | None = None,
) -> Heads:
    """Fit one L2-penalised logistic regression for each level (deterministic, liblinear-free lbfgs).

    Scores from definitions are one more feature, which the penalty hardly holds back: with few labels the fit leans on
    it, with many the vectors decide. What is fitted is linear in the vector all the same.

    Args:
        levels: names of the columns of `labels`.
        vectors: unit vectors, rows × width.
        labels: 0 or 1, rows × levels.
        importance: how much each row counts in training.
        settings: penalty, weight of a yes, and how much the definitions count.
        definitions: heads of the same levels from the codebook alone, see `zero_shot.zero_shot_heads`.

    Raises:
        BundleError: a level has only one class.
    """
    # scikit-learn takes longer to import than a comment takes to be tagged.
    from sklearn.linear_model import LogisticRegression

    weights = np.zeros((len(levels), vectors.shape[1]), np.float32)
    bias = np.zeros(len(levels), np.float32)
    for k, level in enumerate(levels):
        y = labels[:, k]
        if len(np.unique(y)) < 2:
            raise BundleError(f'"{level}" has only one class in {len(y)} training rows; label some of the other too')
        model = LogisticRegression(C=settings.penalty, max_iter=2_000)
        features = vectors
        if definitions is not None:
            features = np.column_stack([vectors, settings.definition * definitions.scores(vectors)[:, k]])
        model.fit(features, y, sample_weight=importance * np.where(y == 1, settings.positive_weight, 1.0))
        found = np.ravel(model.coef_)
        weights[k], bias[k] = found[: vectors.shape[1]], np.ravel(model.intercept_)[0]
        if definitions is not None:
            share = settings.definition * found[-1]
            weights[k] += share * definitions.weights[k]
            bias[k] += share * definitions.bias[k]
    return Heads(levels, weights, bias)


def save_heads(heads: Heads, path: Path) -> None:
    """Write heads as safetensors in half precision."""
    save_file({"weights": heads.weights.astype(np.float16), "bias": heads.bias.astype(np.float32)}, str(path))


def load_heads(path: Path, levels: tuple[str, ...], width: int) -> Heads:
    """Read heads and check their shape.

    Raises:
        BundleError: the file is no safetensors file or does not fit the levels and the encoder.
    """
    try:
        found = load_file(str(path))
        weights, bias = found["weights"].astype(np.float32), found["bias"].astype(np.float32)
    except (SafetensorError, OSError, KeyError, ValueError) as e:
        raise BundleError(f"{path}: is not a weights file of a bundle; fetch the bundle again") from e
    if weights.shape != (len(levels), width) or bias.shape != (len(levels),):
        raise BundleError(
            f"{path}: has weights of shape {weights.shape}, expected {(len(levels), width)}; it was trained for "
            "another encoder or codebook"
        )
    return Heads(levels, weights, bias)
