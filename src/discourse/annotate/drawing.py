"""Which comments people are asked to label: Poisson samples of known inclusion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discourse.tables import Design

Reals = NDArray[np.float64]

LEAST = 5  # no comment's chance is below this part of what a uniform sample would give it


def chances(design: Design, score: Reals, tagged: NDArray[np.bool_], size: float) -> Reals:
    """Return each comment's probability of being drawn; they sum to `size`.

    `uniform`: alike. `stratified`: half of the sample from the tagged comments, half from the others. `uncertain`: in
    proportion to √(p(1 − p)), the standard deviation of a label given its calibrated score, which is the optimal size
    measure for the difference estimator. No probability is below a fifth of size/N, none above 1.

    Args:
        design: uniform, stratified or uncertain.
        score: float64 (N,), calibrated probability of yes.
        tagged: bool (N,).
        size: expected number of comments drawn, at most N.

    Source: Särndal, Swensson & Wretman 1992, §3.5 (Poisson sampling) and §12.2 (optimal inclusion).
    """
    number = len(score)
    if size >= number:
        return np.ones(number)
    if design is Design.STRATIFIED and tagged.any() and not tagged.all():
        favour = np.where(tagged, 0.5 / tagged.sum(), 0.5 / (~tagged).sum())
    elif design is Design.UNCERTAIN:
        favour = np.sqrt(np.clip(score * (1 - score), 1e-6, None))
    else:
        favour = np.ones(number)
    return _scaled(favour, size)


def _scaled(favour: Reals, size: float) -> Reals:
    """Scale to a sum of `size` between the least chance and 1, by bisection: the sum grows with the scale."""
    floor = size / (LEAST * len(favour))
    low, high = 0.0, 1.0 / float(favour.min())
    for _ in range(200):
        middle = (low + high) / 2
        if np.clip(middle * favour, floor, 1).sum() < size:
            low = middle
        else:
            high = middle
    return np.clip(high * favour, floor, 1)


def draw(chance: Reals, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw each comment by itself with its chance; return the drawn ones' row numbers in random order."""
    drawn = np.flatnonzero(rng.random(len(chance)) < chance)
    return rng.permutation(drawn)
