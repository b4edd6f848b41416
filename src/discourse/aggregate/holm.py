"""Holm's correction of p-values for having looked at many."""

from __future__ import annotations

import numpy as np

from discourse.aggregate.resampling import Reals


def holm(p: Reals) -> Reals:
    """Return p-values that may be compared with 0.05 one by one, so that at most one family in twenty errs at all.

    Args:
        p: float64 (tests,), unadjusted, no NaN.

    Source: Holm 1979.
    """
    order = np.argsort(p, kind="stable")
    scaled = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0) if len(p) else scaled
    return adjusted
