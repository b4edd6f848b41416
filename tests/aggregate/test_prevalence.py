"""Way 2: tagged shares corrected by held-out error rates."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from discourse.aggregate.error_rates import (
    ErrorRates,
    Outcomes,
    Rate,
    error_rates,
    smoothed_share,
    source_spread,
    spread_draws,
)
from discourse.aggregate.prevalence import (
    Interval,
    Tagged,
    clustering_effect,
    corrected_share,
    design_effect,
    rogan_gladen,
    separable,
    share_draws,
    share_of_share,
    text_numbers,
)
from discourse.aggregate.resampling import Clusters, resample


def rates(se: float, fp: float, draws: int = 4_000) -> ErrorRates:
    """Return error rates that are known for certain."""
    known_se, known_fp = np.full(draws, se), np.full(draws, fp)
    return ErrorRates(Rate(se, known_se, known_se, 100.0), Rate(fp, known_fp, known_fp, 100.0), 3)


@pytest.mark.parametrize(
    ("tagged", "se", "fp", "expected"),
    [
        (0.35, 0.8, 0.2, 0.25),
        (0.10, 0.9, 0.05, 0.0588235),
        (0.02, 0.9, 0.05, 0.0),  # fewer are tagged than mistakes alone would tag
        (0.95, 0.9, 0.05, 1.0),
    ],
)
def test_rogan_gladen_against_values_worked_by_hand(tagged: float, se: float, fp: float, expected: float) -> None:
    """Rogan gladen against values worked by hand."""
    assert rogan_gladen(tagged, se, fp) == pytest.approx(expected, abs=1e-6)


def test_design_effect_is_one_for_authors_of_one_comment_and_grows_with_a_loud_one() -> None:
    """Design effect is one for authors of one comment and grows with a loud one."""
    assert design_effect(np.ones(10, dtype=np.int64)) == 1
    assert design_effect(np.array([4, 1, 1]), correlation=0.1) == pytest.approx(1 + (18 / 6 - 1) * 0.1)
    assert design_effect(np.zeros(0, dtype=np.int64)) == 1


def test_near_duplicates_count_as_one_and_authors_by_their_correlation() -> None:
    """6 comments: an author of 4, one text 3 times; variances add 0.1·(18 − 6) and 12 − 6."""
    author, text = np.array([0, 0, 0, 0, 1, 2]), np.array([0, 1, 2, 3, 3, 3])
    assert clustering_effect(author, np.arange(6)) == pytest.approx(design_effect(np.array([4, 1, 1])))
    assert clustering_effect(author, text) == pytest.approx(1 + 0.1 * 12 / 6 + 6 / 6)
    assert clustering_effect(np.arange(6), np.zeros(6, dtype=np.int64)) == pytest.approx(6)
    assert clustering_effect(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)) == 1


def test_weights_widen_as_kish_says() -> None:
    """Weights widen as Kish says."""
    weight = np.array([3.0, 1.0, 1.0, 1.0])
    assert clustering_effect(np.arange(4), np.arange(4), weight) == pytest.approx(4 * 12 / 36)


def test_texts_are_numbered_with_the_first_of_their_near_duplicates() -> None:
    """Texts are numbered with the first of their near duplicates, also where that one is not among the comments."""
    comments = pl.DataFrame({"comment_id": ["a", "b", "c", "d"], "duplicate_of": [None, "a", "x", "x"]})
    numbers = text_numbers(comments)
    assert numbers[0] == numbers[1] != numbers[2] == numbers[3]


def test_draws_spread_as_misclassification_does_where_the_error_rates_are_certain() -> None:
    """With known rates the only noise is Var(q | labels), which the delta method gives too."""
    seen = Tagged(0.35, 2_000, 1.0)
    draws = share_draws(seen, rates(0.8, 0.2), np.random.default_rng(0))
    expected = np.sqrt((0.25 * 0.16 + 0.75 * 0.16) / 2_000) / 0.6
    assert draws.mean() == pytest.approx(0.25, abs=0.002)
    assert draws.std() == pytest.approx(expected, rel=0.05)


def test_no_tag_at_all_leaves_the_interval_open_above() -> None:
    """No tag at all leaves the interval open above."""
    seen = Tagged(0.0, 40, 1.0)
    found = corrected_share(seen, rates(0.7, 0.0), share_draws(seen, rates(0.7, 0.0), np.random.default_rng(0)))
    assert found.estimate == found.low == 0
    assert 1 / 40 < found.high < 5 / 40


def test_rates_that_may_be_alike_are_not_separable() -> None:
    """Rates that may be alike are not separable."""
    assert separable(rates(0.5, 0.1))
    assert not separable(rates(0.5, 0.45))
    noisy = Rate(0.5, np.linspace(0, 1, 100), np.linspace(0, 1, 100), 5.0)
    assert not separable(ErrorRates(noisy, rates(0.5, 0.1, 100).false_positive, 3))
    assert not separable(ErrorRates(Rate(0.0, noisy.draws, noisy.draws, 0.0), noisy, 3))


def test_a_source_that_may_differ_widens_the_interval_and_does_not_forbid_it() -> None:
    """Tags that tell yes from no on average are separable, however far one source may stray."""
    wide, known = np.linspace(0, 1, 400), np.full(400, 0.5)
    assert separable(ErrorRates(Rate(0.5, known, wide, 50.0), rates(0.5, 0.1, 400).false_positive, 4))


def test_fewer_tags_than_mistakes_alone_leave_an_upper_end() -> None:
    """False-positive rates of about 0.05 and not one tag: draws without a solution do not close the interval."""
    rng = np.random.default_rng(0)
    known, some = np.full(4_000, 0.7), rng.beta(5, 95, 4_000)
    unfit = ErrorRates(Rate(0.7, known, known, 100.0), Rate(0.05, some, some, 100.0), 5)
    seen = Tagged(0.0, 300, 1.0)
    found = corrected_share(seen, unfit, share_draws(seen, unfit, rng))
    assert found.low == found.estimate == 0
    assert found.high > 0.001


def test_the_spread_between_sources_is_small_where_they_agree_and_found_where_they_do_not() -> None:
    """The spread between sources is small where they agree and found where they do not."""
    rng = np.random.default_rng(1)
    size = np.full(30, 200.0)
    alike = spread_draws(rng.binomial(200, 0.3, 30) / 200, size, 4_000, rng)
    unlike = spread_draws(rng.binomial(200, rng.beta(2.7, 6.3, 30)) / 200, size, 4_000, rng)
    assert np.quantile(alike, 0.975) < 0.02
    assert 0.04 < np.median(unlike) < 0.2
    assert (spread_draws(np.array([0.5, 0.5]), np.array([1.0, 1.0]), 10, rng) == 0).all()


def test_smoothing_ends_near_the_jeffreys_interval_where_nothing_varies() -> None:
    """0 of 20 in every draw: the Jeffreys interval of 0 of 20 ends at 0.117 or so."""
    found = smoothed_share(np.zeros(50_000), np.full(50_000, 20.0), 1.0, np.random.default_rng(0))
    assert np.quantile(found, 0.975) == pytest.approx(0.1166, abs=0.012)


def test_source_spread_is_chance_where_sources_are_alike_and_more_where_they_differ() -> None:
    """Source spread is chance where sources are alike and more where they differ."""
    rng = np.random.default_rng(0)
    size = np.full(40, 100.0)
    alike, information = source_spread(rng.binomial(100, 0.3, 40) / 100, size)
    assert (alike - 39) / information < 0.01
    unlike, information = source_spread(rng.binomial(100, rng.beta(2.7, 6.3, 40)) / 100, size)
    assert (unlike - 39) / information == pytest.approx(0.1, abs=0.05)


def test_error_rates_are_weighted() -> None:
    """Error rates are weighted."""
    clusters = Clusters(np.array([0, 0, 1, 1]), np.array([0, 0]))
    outcomes = Outcomes(np.array([1.0, 1, 0, 0]), np.array([1.0, 0, 0, 1]), np.array([3.0, 1, 9, 1]), clusters)
    rng = np.random.default_rng(0)
    found = error_rates(outcomes, resample(clusters.source, rng), rng)
    assert found.sensitivity.point == 0.75
    assert found.false_positive.point == 0.1
    assert found.sensitivity.effective == pytest.approx(1.6)


def test_a_class_share_divides_draw_by_draw() -> None:
    """A class share divides draw by draw."""
    part, whole = Interval(0.1, 0.1, 0.1), Interval(0.4, 0.3, 0.5)
    found = share_of_share(part, whole, np.full(100, 0.1), np.linspace(0.3, 0.5, 100))
    assert found is not None
    assert found.estimate == pytest.approx(0.25)
    assert 0.2 <= found.low < 0.25 < found.high <= 0.1 / 0.3
    assert share_of_share(part, Interval(0.0, 0, 0.1), np.full(9, 0.1), np.full(9, 0.1)) is None
    assert share_of_share(part, whole, np.full(100, 0.1), np.r_[np.zeros(10), np.full(90, 0.4)]) is None


def _covers(rng: np.random.Generator, spread: float, sources: int = 8) -> bool | None:
    """Draw exchangeable sources, and a unit from one more; say whether its interval holds its share."""
    centre = {1: 0.7, 0: 0.05}

    def source_rates() -> dict[int, float]:
        precision = (1 - spread) / spread
        return {label: float(rng.beta(mean * precision, (1 - mean) * precision)) for label, mean in centre.items()}

    label = rng.random(sources * 400) < 0.2
    of_source = np.repeat(np.arange(sources), 400)
    each = [source_rates() for _ in range(sources)]
    chance = np.where(label, [each[s][1] for s in of_source], [each[s][0] for s in of_source])
    tag = rng.random(len(label)) < chance
    clusters = Clusters(np.arange(len(label)) // 40, np.repeat(np.arange(sources), 10))
    outcomes = Outcomes(label.astype(float), tag.astype(float), np.ones(len(label)), clusters)
    found = error_rates(outcomes, resample(clusters.source, rng, 1_000), rng)
    if not separable(found):
        return None
    own, size, yes = source_rates(), 600, 90
    tagged = rng.binomial(yes, own[1]) + rng.binomial(size - yes, own[0])
    seen = Tagged(tagged / size, size, 1.0)
    share = corrected_share(seen, found, share_draws(seen, found, rng))
    return share.low <= yes / size <= share.high


@pytest.mark.parametrize("spread", [0.001, 0.03], ids=["sources alike", "sources differ"])
def test_way_2_covers_where_sources_are_exchangeable(spread: float) -> None:
    """The threads come from a source that is not held out: resampling known sources alone covers about 55 %."""
    rng = np.random.default_rng(7)
    held = [covered for covered in (_covers(rng, spread) for _ in range(300)) if covered is not None]
    assert len(held) > 200
    assert np.mean(held) >= 0.92 - 2 * np.sqrt(0.93 * 0.07 / len(held))
