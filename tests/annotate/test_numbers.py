"""Chances, inclusion, agreement and planning against published figures, simulation and the estimator they serve."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discourse.aggregate.difference import Labelled, difference_estimate
from discourse.aggregate.exact import Stratum, exact_share
from discourse.annotate.drawing import chances, draw
from discourse.annotate.inclusion import inclusions
from discourse.annotate.power import Population, Spread, assumed, design_effect, labels_needed, measured, paired, reach
from discourse.models.krippendorff import Units, alpha_interval, krippendorff_alpha, units
from discourse.tables import Design

# Krippendorff 2011, section C: four observers, twelve units, nominal alpha .743.
PUBLISHED = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
# The three coders and fifteen units of Hayes & Krippendorff's and others' teaching example, nominal alpha .691.
TEACHING = ("*****34121133*3", "1*213343*******", "**21344*21133*4")


def _labels(coders: tuple[str, ...]) -> pl.DataFrame:
    rows = [
        {"comment_id": f"u{unit:02}", "annotator": f"a{coder}", "value": value, "author": f"w{unit}"}
        for coder, values in enumerate(coders)
        for unit, value in enumerate(values)
        if value not in ".*"
    ]
    return pl.DataFrame(rows)


def _alone(counts: Any) -> Units:
    """Return units that are each of another author."""
    return Units(counts, np.arange(len(counts)))


@pytest.mark.parametrize(("coders", "alpha"), [(PUBLISHED, 0.743), (TEACHING, 0.691)], ids=["2011", "teaching"])
def test_alpha_equals_the_published_tables(coders: tuple[str, ...], alpha: float) -> None:
    """Nominal alpha of published data, missing values included, to three digits."""
    found = krippendorff_alpha(units(_labels(coders)).counts)
    assert found == pytest.approx(alpha, abs=5e-4)


def test_alpha_of_like_labels_is_undefined_and_of_equal_coders_one() -> None:
    """All labels alike say nothing about agreement; two values on which all agree give exactly 1."""
    rng = np.random.default_rng(0)
    assert alpha_interval(_alone(np.array([[2, 0], [2, 0]])), rng).estimate is None
    assert krippendorff_alpha(np.zeros((0, 2), dtype=np.int64)) is None
    found = alpha_interval(_alone(np.array([[2, 0], [0, 2]] * 10)), rng)
    assert (found.estimate, found.low, found.high) == (1.0, 1.0, 1.0)


def test_the_interval_of_alpha_holds_the_truth() -> None:
    """Over 60 simulated pairs of coders, at least 88 % of intervals hold the alpha of very many units."""
    rng = np.random.default_rng(1)

    def counts(units: int) -> Any:
        truth = rng.random(units) < 0.4
        said = [np.where(rng.random(units) < 0.15, ~truth, truth) for _ in range(2)]
        yes = said[0].astype(np.int64) + said[1]
        return np.stack([yes, 2 - yes], axis=1)

    true = krippendorff_alpha(counts(200_000)) or 0.0
    held = [alpha_interval(_alone(counts(150)), rng) for _ in range(60)]
    assert np.mean([(each.low or 0) <= true <= (each.high or 0) for each in held]) >= 0.88


def test_alpha_counts_the_comments_of_one_author_together() -> None:
    """Authors about whom coders agree or differ as a whole: twenty comments of each say little more than one."""
    rng = np.random.default_rng(4)
    said = np.array([[2, 0], [0, 2], [1, 1], [2, 0]] * 5)
    each = alpha_interval(Units(np.repeat(said, 20, axis=0), np.repeat(np.arange(20), 20)), rng)
    few = alpha_interval(_alone(said), rng)
    alone = alpha_interval(_alone(np.repeat(said, 20, axis=0)), rng)
    assert None not in (each.low, each.high, few.low, few.high, alone.low, alone.high)
    assert (each.high or 0) - (each.low or 0) == pytest.approx((few.high or 0) - (few.low or 0), rel=0.1)
    assert (each.high or 0) - (each.low or 0) > 3 * ((alone.high or 0) - (alone.low or 0))


def test_alpha_of_one_author_has_no_interval() -> None:
    """Nothing is known of other authors."""
    found = alpha_interval(
        Units(np.array([[2, 0], [0, 2], [1, 1]]), np.zeros(3, dtype=np.int64)), np.random.default_rng(0)
    )
    assert found.estimate is not None
    assert (found.low, found.high) == (None, None)


@given(
    st.sampled_from([Design.UNIFORM, Design.STRATIFIED, Design.UNCERTAIN]),
    st.lists(st.floats(0, 1), min_size=1, max_size=60),
    st.integers(1, 80),
)
def test_chances_sum_to_the_size_and_none_is_tiny(design: Design, scores: list[float], size: int) -> None:
    """Whatever the scores, chances add up to the size asked for and none is below size/(5N)."""
    score = np.array(scores)
    found = chances(design, score, score >= 0.5, size)
    assert found.sum() == pytest.approx(min(size, len(scores)), rel=1e-6)
    assert (found <= 1).all()
    assert (found >= min(size / (5 * len(scores)), 1) - 1e-12).all()


def test_a_draw_takes_each_comment_as_often_as_its_chance_says() -> None:
    """Over 4,000 draws the share of draws with a comment is its chance; the order is random."""
    rng = np.random.default_rng(2)
    chance = np.array([0.1, 0.5, 0.9, 1.0])
    seen = np.zeros(4)
    first = np.zeros(4)
    for _ in range(4_000):
        order = draw(chance, rng)
        seen[order] += 1
        first[order[0]] += 1
    assert np.abs(seen / 4_000 - chance).max() < 0.03
    assert first[3] / 4_000 < 0.6


def _round(number: int, ranks: list[int | None], probability: float, design: str = "uniform") -> pl.DataFrame:
    return pl.DataFrame(
        {
            "round": number,
            "comment_id": [f"c{i}" for i in range(len(ranks))],
            "kind": "frame",
            "level": "fear",
            "design": design,
            "probability": probability,
            "rank": pl.Series(ranks, dtype=pl.Int64),
        }
    )


def _answers(number: int, ids: list[int]) -> pl.DataFrame:
    return pl.DataFrame({"round": number, "comment_id": [f"c{i}" for i in ids], "kind": "frame", "level": "fear"})


def test_inclusion_is_over_all_rounds_and_a_stopped_sheet_counts_as_far_as_it_was_answered() -> None:
    """1 − (1 − 0.4 · 2/4)(1 − 0.5); a round that nobody answered counts nothing, items beyond the stop are left out."""
    samples = pl.concat(
        [
            _round(1, [0, 1, 2, 3, None], 0.4),
            _round(2, [None, None, None, None, 0], 0.5, "uncertain"),
            _round(3, [0, None, None, None, None], 0.9),
        ]
    )
    found = inclusions(samples, pl.concat([_answers(1, [0, 1]), _answers(2, [4])])).sort("comment_id")
    assert found["comment_id"].to_list() == ["c0", "c1", "c4"]
    assert found["inclusion"].round(9).unique().to_list() == [0.6]
    assert found["design"].unique().to_list() == ["uncertain"]


def test_the_plan_keeps_what_the_estimator_gives() -> None:
    """The half-width that is planned is the one that the difference estimator reaches with so many labels."""
    rng = np.random.default_rng(3)
    size = 4_000
    score = rng.beta(0.4, 1.2, size)
    label = (rng.random(size) < score).astype(np.float64)
    everyone = Population(size)
    plan = replace(assumed(score), alike=0.0)
    number = labels_needed(0.03, plan.residual, plan, everyone)
    widths: list[float] = []
    for _ in range(30):
        used = rng.choice(size, number, replace=False)
        inclusion = np.full(number, number / size)
        found = difference_estimate(
            Labelled(label[used], score[used], inclusion, np.arange(number), score, simple=True)
        )
        widths.append((found.high - found.low) / 2)
    assert np.mean(widths) == pytest.approx(0.03, rel=0.06)
    pilot = rng.choice(size, 400, replace=False)
    spread = measured(label[pilot], score[pilot], np.full(400, 0.1), pilot)
    assert reach(number, spread.residual, replace(spread, alike=0.0), everyone) == pytest.approx(0.03, rel=0.12)
    assert spread.residual < spread.label


def test_a_plan_never_asks_for_more_than_there_is() -> None:
    """A width that nothing but a census gives needs every comment; like labels still need some."""
    assert labels_needed(1e-9, 0.25, Spread(0.25, 0.25, 0), Population(50)) == 50
    alike = measured(np.zeros(40), np.zeros(40), np.full(40, 0.5), np.arange(40))
    assert alike.residual > 0


def test_the_plan_reckons_with_authors_who_repeat_themselves() -> None:
    """A few authors who write much and always the same: the plan's half-width is the one that is reached with them."""
    rng = np.random.default_rng(6)
    author = np.repeat(np.arange(60), 50)
    label = (rng.random(60) < 0.4)[author].astype(np.float64)
    label = np.where(rng.random(3_000) < 0.3, 1 - label, label)
    score = np.full(3_000, 0.5)
    everyone = Population(3_000, paired(author))
    pilot = rng.choice(3_000, 500, replace=False)
    spread = measured(label[pilot], score[pilot], np.full(500, 1 / 6), author[pilot])
    assert 0.05 < spread.alike < 0.4
    number = labels_needed(0.06, spread.residual, spread, everyone)
    assert number > 1.2 * labels_needed(0.06, spread.residual, replace(spread, alike=0.0), everyone)
    assert design_effect(number, everyone, spread.alike) > 1.2
    widths: list[float] = []
    for _ in range(30):
        used = rng.choice(3_000, number, replace=False)
        chance = np.full(number, number / 3_000)
        found = difference_estimate(Labelled(label[used], score[used], chance, author[used], score, simple=True))
        widths.append((found.high - found.low) / 2)
    assert np.mean(widths) == pytest.approx(0.06, rel=0.15)


@pytest.mark.parametrize(("share", "size"), [(0.0, 387), (0.01, 2_000), (0.04, 900), (0.97, 900)])
def test_a_rare_frame_needs_labels_enough_for_its_exact_interval(share: float, size: int) -> None:
    """However sure the scores are: with few yes expected, the exact interval of so many labels has the half-width."""
    spread = Spread(max(share * (1 - share), 1e-4), 1e-5, 0, share)
    number = labels_needed(0.03, spread.residual, spread, Population(size))
    yes = round(share * number)
    found = exact_share(Stratum(size, number, yes), Stratum(0, 0, 0))
    assert (found.high - found.low) / 2 == pytest.approx(0.03, abs=0.004)
