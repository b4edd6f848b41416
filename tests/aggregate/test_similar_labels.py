"""Shares in threads like these from labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discourse.aggregate.clustered import Grouping
from discourse.aggregate.labels import Coding, as_coding
from discourse.aggregate.similar_labels import similar_ratio, similar_share


def _coding(values: list[str | None], inclusion: list[float], design: str = "uniform") -> Coding:
    given = [value is not None for value in values]
    return as_coding(
        pl.Series(values, dtype=pl.String),
        pl.Series([chance if one else None for one, chance in zip(given, inclusion, strict=True)], dtype=pl.Float64),
        pl.Series([design if one else None for one in given], dtype=pl.String),
    )


def _threads(threads: int, each: int) -> Grouping:
    return Grouping(np.repeat(np.arange(threads), each), np.arange(threads * each) // 2)


def _share(values: list[str | None], grouping: Grouping, inclusion: float = 0.5, score: Any = None) -> Any:
    labels = _coding(values, [inclusion] * len(values))
    scores = np.full(len(values), 0.5) if score is None else score
    return similar_share(labels, labels.where("yes"), scores, grouping)


def test_below_eight_threads_there_is_no_share_and_a_sentence_says_so() -> None:
    """Seven threads: the sentence names seven and eight."""
    found = _share(["yes", "no"] * 35, _threads(7, 10))
    assert found.interval is None
    assert "there are 7 threads" in found.assumptions
    assert "8 are needed" in found.assumptions


def test_labels_in_fewer_than_eight_of_many_threads_give_no_share() -> None:
    """Twenty threads of which three hold labels."""
    found = _share(["yes", "no"] * 15 + [None] * 170, _threads(20, 10))
    assert found.interval is None
    assert "stand in 3 threads" in found.assumptions


def test_eight_threads_give_a_share_even_where_all_is_labelled() -> None:
    """A census of these threads is no census of threads like these: the interval has a width."""
    rng = np.random.default_rng(0)
    values = ["yes" if one else "no" for one in rng.random(160) < 0.4]
    found = _share(values, _threads(8, 20), 1.0)
    assert found.method == "prediction_powered"
    assert found.interval.estimate == pytest.approx(values.count("yes") / 160)
    assert found.interval.high - found.interval.low > 0.1


@pytest.mark.parametrize(("yes", "held"), [(0, 0.0), (120, 1.0)], ids=["no yes", "all yes"])
def test_labels_all_alike_leave_the_other_end_open(yes: int, held: float) -> None:
    """No yes at all is no proof that there is none, and the interval holds the edge."""
    values = [value for one in ["yes"] * yes + ["no"] * (120 - yes) for value in (one, None)]
    found = _share(values, _threads(12, 20))
    assert found.method == "exact_clustered"
    assert found.interval.estimate == held
    assert 0.01 < found.interval.high - found.interval.low < 0.3


def test_one_author_of_all_labels_leaves_everything_open() -> None:
    """Nobody can be left out, so nothing is known of how authors differ."""
    grouping = Grouping(np.repeat(np.arange(10), 10), np.where(np.arange(100) % 2, np.arange(100), 0))
    values = [None if i % 2 else ("yes" if i % 4 else "no") for i in range(100)]
    found = _share(values, grouping)
    assert (found.interval.low, found.interval.high) == (0, 1)


def test_unequal_chances_are_weighted_back() -> None:
    """Yes labels of chance 1 and no labels of chance 1/2 stand for one and two comments."""
    values: list[str | None] = ["yes", "no", None] * 40
    labels = _coding(values, [1.0, 0.5, 0.5] * 40, "stratified")
    found = similar_share(labels, labels.where("yes"), np.full(120, 0.5), _threads(12, 10))
    assert found is not None
    assert found.interval is not None
    assert found.interval.estimate == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("inclusion", "design"),
    [(float("nan"), "unknown"), (1.0, "census"), (1.0, "uniform")],
    ids=["unknown", "old", "wrong"],
)
def test_labels_that_say_nothing_of_the_rest_are_not_used(inclusion: float, design: str) -> None:
    """Unknown inclusion, a census of a part, and what was certain to be labelled."""
    labels = _coding(["yes", "no", None] * 40, [inclusion] * 120, design)
    assert similar_share(labels, labels.where("yes"), np.full(120, 0.5), _threads(12, 10)) is None


def test_skipped_comments_are_counted_in_a_sentence() -> None:
    """Drawn and asked about, but without a label."""
    values = pl.Series(["yes", "no", None] * 40, dtype=pl.String)
    chances = pl.Series([0.9, 0.9, None] * 39 + [0.9] * 3, dtype=pl.Float64)
    labels = as_coding(values, chances, pl.Series(["uniform"] * 120))
    found = similar_share(labels, labels.where("yes"), np.full(120, 0.5), _threads(12, 10))
    assert found is not None
    assert found.assumptions.endswith(
        "1 of the 81 comments asked about were skipped, and are taken for skipped by chance."
    )


def test_a_side_is_a_share_of_those_about_the_target() -> None:
    """Half of those about the target are in favor; the share of the target itself does not matter."""
    values: list[str | None] = ["favor", "against", "off_target", None] * 40
    labels = _coding(values, [0.75] * 160)
    about = labels.where("favor", "against", "neutral")
    score = np.full(160, 0.5)
    found = similar_ratio(labels, (labels.where("favor"), about), (score, score), _threads(16, 10))
    assert found is not None
    assert found.interval is not None
    assert found.interval.estimate == pytest.approx(0.5)
    assert found.n_labelled == 120
    nobody = _coding(["off_target", None] * 80, [0.5] * 160)
    silent = similar_ratio(nobody, (nobody.where("favor"), nobody.where("favor")), (score, score), _threads(16, 10))
    assert silent is not None
    assert silent.interval is None


def _thread_world(rng: np.random.Generator, threads: int) -> tuple[Any, Any, Grouping]:
    """Return labels, scores and groups of threads that differ, with authors who differ."""
    size = rng.integers(20, 60, threads)
    thread = np.repeat(np.arange(threads), size)
    author = np.concatenate([1_000 * i + rng.integers(0, max(n // 3, 1), n) for i, n in enumerate(size)])
    author = np.unique(author, return_inverse=True)[1]
    tilt = rng.normal(0, 0.6, threads)[thread] + rng.normal(0, 0.8, author.max() + 1)[author]
    label = rng.random(len(thread)) < 1 / (1 + np.exp(0.8 - tilt))
    score = 1 / (1 + np.exp(-rng.normal(np.where(label, 1.5, -1.5), 1)))
    return label, score, Grouping(thread, author)


def test_the_interval_holds_the_share_of_such_threads() -> None:
    """Of 200 draws of 15 threads with 100 labels each, at least 92 % hold the share over thousands of threads."""
    rng = np.random.default_rng(4)
    truth = _thread_world(rng, 3_000)[0].mean()
    held = []
    for _ in range(200):
        label, score, grouping = _thread_world(rng, 15)
        chance = 100 / len(label)
        drawn = rng.random(len(label)) < chance
        values = [("yes" if yes else "no") if one else None for yes, one in zip(label, drawn, strict=True)]
        found = _share(values, grouping, chance, score)
        held.append(found.interval.low <= truth <= found.interval.high)
    assert np.mean(held) >= 0.92


@settings(max_examples=150, deadline=None)
@given(
    values=st.lists(st.sampled_from(["favor", "against", "off_target", None]), min_size=8, max_size=60),
    threads=st.integers(1, 12),
    authors=st.integers(1, 30),
    chance=st.floats(1e-6, 1),
    seed=st.integers(0, 1_000),
)
def test_whatever_is_labelled_the_interval_lies_within_0_and_1_and_holds_its_point(
    values: list[str | None], threads: int, authors: int, chance: float, seed: int
) -> None:
    """All alike, one author, tiny chances, few threads: never NaN, never outside."""
    size = len(values)
    rng = np.random.default_rng(seed)
    labels = _coding(values, [chance] * size)
    about = labels.where("favor", "against", "neutral")
    score = rng.choice([0.0, 0.5, 1.0, 0.2], size)
    grouping = Grouping(np.arange(size) % threads, rng.integers(0, authors, size))
    found = [
        similar_share(labels, about, score, grouping),
        similar_ratio(labels, (labels.where("favor"), about), (score * 0.5, score), grouping),
    ]
    for each in found:
        if each is not None and each.interval is not None:
            assert 0 <= each.interval.low <= each.interval.estimate <= each.interval.high <= 1
            assert each.n_effective is not None
            assert each.n_effective >= 1
