"""The probability at which a tag is given, for a stated aim.

With few yes the threshold of the best F1 on the rows themselves is close to a guess. Here F1 and precision are those
expected under smooth probabilities of the rows (maximising expected F1: Lewis 1995; Ye et al. 2012), which come from a
calibration of three parameters (beta calibration, Kull, Silva Filho & Flach 2017) fitted to the same labels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from discourse.models.decisions import Aim

Floats = NDArray[np.float64]


def threshold(probability: Floats, scores: Floats, labels: NDArray[np.int8], weights: Floats, aim: Aim) -> float:
    """Return the least probability that is tagged, halfway between two that occur.

    Args:
        probability: of each row, calibrated.
        scores: out-of-fold log-odds of which `probability` is a rising function.
        labels: 0 or 1; both occur.
        weights: how many comments a row stands for; ignored (all 1) unless the aim is weighted.
        aim: `f1`: the greatest expected F1; `precision`: the most tags whose expected precision is at least that of
            the aim (if no row reaches it, the aim's precision itself); `prevalence`: as much weight is tagged as is
            labelled yes, so that tags count right on average.
    """
    order = np.argsort(-scores, kind="stable")
    values, ranked = probability[order], weights[order]
    tagged = np.cumsum(ranked)
    # Rows of one probability are tagged together or not at all.
    last = np.append(np.flatnonzero(np.diff(values) < 0), len(values) - 1)
    if aim.name == "prevalence":
        wanted = float((weights * labels).sum())
        best = int(np.argmin(np.abs(tagged[last] - wanted)))
    else:
        hits = np.cumsum(ranked * smooth_probability(scores, labels, weights)[order])
        if aim.name == "f1":
            best = int(np.argmax(2 * hits[last] / (tagged[last] + hits[-1])))
        else:
            reached = np.flatnonzero(hits[last] / tagged[last] >= aim.precision)
            if not len(reached):
                return aim.precision
            best = int(reached[-1])
    following = values[last[best] + 1] if last[best] + 1 < len(values) else 0.0
    return float((values[last[best]] + following) / 2)


def smooth_probability(scores: Floats, labels: NDArray[np.int8], weights: Floats) -> Floats:
    """Return the share of yes expected at each row's score, by beta calibration; by Platt's where that would fall.

    Args:
        scores: log-odds.
        labels: 0 or 1; both occur.
        weights: of the rows.
    """
    # scikit-learn takes longer to import than a comment takes to be tagged.
    from sklearn.linear_model import LogisticRegression

    scale = weights / weights.mean()
    # ln p and -ln(1 - p) of p = sigmoid(score).
    features = np.column_stack([-np.logaddexp(0, -scores), np.logaddexp(0, scores)])
    model = LogisticRegression(C=1.0, max_iter=1_000).fit(features, labels, sample_weight=scale)
    if (np.ravel(model.coef_) <= 0).any():
        features = scores[:, None]
        model = LogisticRegression(C=1.0, max_iter=1_000).fit(features, labels, sample_weight=scale)
    return model.predict_proba(features)[:, 1]
