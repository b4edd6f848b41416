"""Distinctive words of one group against another: log-odds with an informative Dirichlet prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from discourse.aggregate.resampling import Reals

Z95 = float(stats.norm.ppf(0.975))


@dataclass(frozen=True, slots=True)
class LogOdds:
    """The log of the odds ratio of each word, float64 (words,), with its standard error."""

    value: Reals
    error: Reals

    @property
    def z(self) -> Reals:
        """The log-odds in units of their standard errors."""
        return self.value / self.error

    @property
    def p(self) -> Reals:
        """The chance of so large a |z| where both groups use the word alike, two-sided."""
        return 2 * special.ndtr(-np.abs(self.z))


def log_odds(first: Reals, second: Reals, background: Reals) -> LogOdds:
    """Compare how often two groups use each word.

    The prior spreads α₀ pseudo-uses over the words as the background uses them; α₀ is the number of uses in the
    smaller group, so that a word that one group never uses is judged by how common it is altogether. A word's two
    log-odds, each with its prior, are subtracted; the variance is 1 / (y₁ + α) + 1 / (y₂ + α).

    Args:
        first, second: float64 (words,), uses by each group.
        background: float64 (words,), uses by all; above 0 for each word.

    Source: Monroe, Colaresi & Quinn 2008, equations 15, 16, 20 and 22.
    """
    strength = max(min(first.sum(), second.sum()), 1.0)
    prior = strength * background / background.sum()
    ours, theirs = first + prior, second + prior
    odds = (np.log(one / (one.sum() - one).clip(1e-9)) for one in (ours, theirs))
    value = next(odds) - next(odds)
    return LogOdds(value, np.sqrt(1 / ours + 1 / theirs))
