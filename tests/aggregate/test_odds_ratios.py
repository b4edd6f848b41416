"""Odds ratios against oracles, and what hangs together."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import contingency
from statsmodels.stats.contingency_tables import StratifiedTable, Table2x2

from discourse.aggregate.odds_ratios import Dyads, dyadic_variance, odds_ratio, people, within_strata


def _fourfold(cells: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return flags above and below for [both, parent only, reply only, neither]."""
    return np.repeat([True, True, False, False], cells), np.repeat([True, False, True, False], cells)


def _strangers(number: int) -> Dyads:
    return Dyads(np.arange(number), np.arange(number) + number)


def test_the_odds_ratio_of_strangers_is_that_of_a_fourfold_table() -> None:
    """With nobody twice, ratio and interval are those of statsmodels, up to Student's t and G / (G − 1)."""
    above, below = _fourfold([40, 60, 80, 320])
    found = odds_ratio(above, below, _strangers(500))
    table = Table2x2(np.array([[40, 60], [80, 320]]))
    assert found is not None
    assert not found.smoothed
    assert found.interval.estimate == pytest.approx(table.oddsratio)
    assert (found.interval.low, found.interval.high) == pytest.approx(table.oddsratio_confint(), rel=0.01)


def test_the_ratio_within_strata_is_that_of_mantel_and_haenszel() -> None:
    """With nobody twice, the ratio and its interval are those of statsmodels, or a little wider."""
    rng = np.random.default_rng(0)
    tables = rng.integers(1, 20, (30, 2, 2))
    above, below = (np.concatenate([_fourfold(list(one.ravel()))[side] for one in tables]) for side in (0, 1))
    stratum = np.repeat(np.arange(30), tables.sum((1, 2)))
    found = within_strata(above, below, stratum, _strangers(len(above)))
    oracle = StratifiedTable([one.astype(float) for one in tables])
    assert found is not None
    assert found.interval.estimate == pytest.approx(oracle.oddsratio_pooled)
    low, high = oracle.oddsratio_pooled_confint()
    assert found.interval.low <= low * 1.001
    assert found.interval.high >= high * 0.999
    assert np.log(found.interval.high / found.interval.low) < 1.2 * np.log(high / low)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.floats(-2, 2)), min_size=2, max_size=25))
def test_replies_that_share_a_person_vary_together(rows: list[tuple[int, int, float]]) -> None:
    """The dyadic variance is the sum of products over all pairs of replies with a person in common."""
    parent, reply = (np.array([row[side] for row in rows]) for side in (0, 1))
    influence = np.array([row[2] for row in rows])
    total = float(np.square(influence).sum())
    for one, other in combinations(range(len(rows)), 2):
        if {parent[one], reply[one]} & {parent[other], reply[other]}:
            total += 2 * influence[one] * influence[other]
    number = len({*parent, *reply})
    expected = max(total, 0.0) * (number / (number - 1) if number > 1 else 1)
    assert dyadic_variance(influence, Dyads(parent, reply)) == pytest.approx(expected, abs=1e-9)


def test_unknown_authors_make_their_branch_the_cluster() -> None:
    """All unknown authors of a branch are one person; known ones are themselves."""
    found = people(np.array([-1, -1, 4]), np.array([-1, 3, -1]), np.array([0, 0, 7]))
    assert found.parent.tolist() == [5, 5, 4]
    assert found.reply.tolist() == [5, 3, 12]


@pytest.mark.parametrize("cells", [[0, 20, 20, 60], [20, 0, 20, 60], [20, 20, 0, 60], [20, 20, 60, 0]])
def test_an_empty_cell_is_smoothed_and_said(cells: list[int]) -> None:
    """Half a reply more in each cell keeps the ratio finite."""
    found = odds_ratio(*_fourfold(cells), _strangers(100))
    assert found is not None
    assert found.smoothed
    assert 0 <= found.interval.low < found.interval.estimate < found.interval.high < np.inf


@pytest.mark.parametrize("cells", [[0, 1, 1, 593], [1, 0, 0, 99], [1, 4, 1, 94]])
def test_hardly_any_tag_gives_no_ratio(cells: list[int]) -> None:
    """Where chance alone would not make tags meet once, a ratio would be that of half a reply added."""
    assert odds_ratio(*_fourfold(cells), _strangers(sum(cells))) is None


def test_few_in_a_cell_widen_the_interval_to_the_exact_one() -> None:
    """With two replies in a cell the interval is not narrower than Fisher's."""
    cells = [2, 30, 8, 60]
    found = odds_ratio(*_fourfold(cells), _strangers(100))
    exact = contingency.odds_ratio(np.reshape(cells, (2, 2))).confidence_interval()
    assert found is not None
    assert found.interval.low <= exact.low
    assert found.interval.high >= exact.high


@pytest.mark.parametrize("cells", [[0, 0, 5, 95], [5, 95, 0, 0], [0, 5, 0, 95], [5, 0, 95, 0], [0, 0, 0, 0]])
def test_no_ratio_without_a_contrast(cells: list[int]) -> None:
    """None tagged or all tagged, above or below, or no reply: there is no ratio."""
    assert odds_ratio(*_fourfold(cells), _strangers(sum(cells))) is None
