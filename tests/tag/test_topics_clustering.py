"""The numbers behind topics: sizes, neighbours, groups, overlap, families."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from discourse.tag.topics import clustering
from discourse.tag.topics.clustering import Groups, centres_of, group, neighbours, ranked, settled, sizes
from discourse.tag.topics.edits import merged
from discourse.tag.topics.guided import claimed, joined
from discourse.tag.topics.hierarchy import lifted, parents
from discourse.tag.topics.naming import keywords, words_of
from discourse.tag.topics.stability import jaccard, stability
from discourse.tag.topics.times import Counted, topic_times

LABELS = st.lists(st.integers(-1, 4), min_size=1, max_size=30)


def clouds(counts: list[int], spread: float = 0.15, width: int = 24) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Unit vectors around random centres, and the number of each one's centre."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(len(counts), width))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    truth = np.repeat(np.arange(len(counts)), counts)
    vectors = centres[truth] + rng.normal(scale=spread, size=(len(truth), width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), truth


def test_few_comments_get_few_topics() -> None:
    for n, most in [(40, 8), (400, 28), (8_000, 91)]:
        chosen = sizes(n)
        assert n / chosen.smallest <= most
        assert n // 3 <= chosen.largest <= n // 2
    assert [sizes(n).smallest for n in (40, 8_000)] == [5, 88]
    assert [sizes(n).largest for n in (40, 1_000, 8_000)] == [20, 400, 2_666]


def test_neighbours_are_exact() -> None:
    vectors, _ = clouds([30, 40])
    places, distances = neighbours(vectors, 6)
    apart = 1 - vectors @ vectors.T
    np.fill_diagonal(apart, -1)
    assert (places[:, 0] == np.arange(70)).all()
    assert np.allclose(distances[:, 1:], np.sort(apart, axis=1)[:, 1:6], atol=1e-4)


def test_clouds_are_found_and_no_group_swallows_the_others() -> None:
    vectors, truth = clouds([120, 60, 50, 40])
    found = ranked(group(vectors, 0), np.ones(len(vectors), np.int64))
    assert len(found.centres) >= 4
    for k in range(len(found.centres)):
        inside = truth[found.labels == k]
        assert (inside == np.bincount(inside).argmax()).mean() > 0.95
    counts = np.bincount(found.labels[found.labels >= 0])
    assert (np.diff(counts) <= 0).all()
    assert counts.max() <= len(vectors) // 2 + (~found.fitted).sum()


def test_beyond_the_most_that_are_fitted_a_choice_is_and_the_others_get_the_nearest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clustering, "MOST_FITTED", 90)
    vectors, truth = clouds([120, 60, 60], spread=0.08)
    found = group(vectors, 0)
    assert found.fitted.sum() <= 90
    assert (found.labels >= 0).mean() > 0.7
    for k in range(len(found.centres)):
        inside = truth[found.labels == k]
        assert (inside == np.bincount(inside).argmax()).mean() > 0.95


def test_what_is_left_over_goes_to_the_nearest_group_only_if_it_is_near() -> None:
    vectors = np.eye(3, dtype=np.float32)[[0, 0, 0, 1, 1, 1, 0, 2]]
    labels = np.array([0, 0, 0, 1, 1, 1, -1, -1])
    found = settled(vectors, labels)
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1, 0, -1]
    assert found.fitted.tolist() == [True] * 6 + [False] * 2
    closed = settled(vectors, labels, np.zeros(8, bool))
    assert closed.labels.tolist() == labels.tolist()
    nothing = settled(vectors, np.full(8, -1))
    assert len(nothing.centres) == 0
    assert (nothing.labels == -1).all()


def test_weights_decide_which_topic_is_the_largest() -> None:
    groups = Groups(
        np.array([0, 0, 1, -1]), np.array([True] * 4), np.ones(4), np.eye(2, dtype=np.float32), np.array([0.1, 0.2])
    )
    found = ranked(groups, np.array([1, 1, 9, 50]))
    assert found.labels.tolist() == [1, 1, 0, -1]
    assert found.reach.tolist() == [0.2, 0.1]
    assert found.centres.tolist() == [[0, 1], [1, 0]]


@given(LABELS)
def test_a_clustering_overlaps_itself_wholly(labels: list[int]) -> None:
    found = np.array(labels)
    overlap = jaccard(found, found, 5)
    present = [k in set(labels) for k in range(5)]
    assert np.array_equal(~np.isnan(overlap), present)
    assert np.allclose(overlap[present], 1)


def test_overlap_is_that_of_the_best_match() -> None:
    shown = np.array([0, 0, 0, 0, 1, 1])
    again = np.array([2, 2, 2, -1, 2, -1])
    assert jaccard(shown, again, 2).tolist() == [3 / 5, 1 / 5]


def test_real_groups_are_stable_and_noise_is_not() -> None:
    vectors, _ = clouds([60, 50, 40], spread=0.1)
    noise, _ = clouds([150], spread=10)
    for rows, low, high in [(vectors, 0.7, 1.0), (noise, 0.0, 0.6)]:
        shown = group(rows, 0)
        found = stability(rows, shown, [1])
        if found is None:
            assert not len(shown.centres)
            continue
        assert low <= found.overlap.mean() <= high
    assert stability(vectors, group(vectors, 0), []) is None


def test_families_hold_topics_that_lie_together() -> None:
    near = np.eye(4, dtype=np.float32)[[0, 0, 0, 1, 1, 2, 3]] + np.linspace(0, 0.05, 28, dtype=np.float32).reshape(7, 4)
    above = parents(near / np.linalg.norm(near, axis=1, keepdims=True))
    assert above[0] == above[1] == above[2] == 7
    assert above[3] == above[4]
    assert above[3] not in {above[0], None}
    assert parents(near[:5]) == {}
    assert lifted(np.array([0, 3, 5, -1]), {0: 7, 3: 8}, 7).tolist() == [0, 1, -1, -1]


def test_merging_joins_groups_that_share_a_topic() -> None:
    labels = np.array([0, 1, 2, 3, 4, -1])
    assert merged(labels, [(1, 2), (2, 4)]).tolist() == [0, 1, 1, 3, 1, -1]


def test_a_topic_looked_for_claims_the_groups_near_to_it() -> None:
    wanted = np.eye(3, dtype=np.float32)[:2]
    centres = np.array([[0, 0.8, 0.6], [0.5, 0.8, 0.33], [0.9, 0.1, 0.42], [0.3, 0, 0.95]], np.float32)
    claims = claimed(centres, wanted)
    assert claims == {0: 1, 1: 1, 2: 0}
    together, first = joined(np.array([0, 1, 2, 3, -1]), claims)
    assert together.tolist() == [0, 0, 2, 3, -1]
    assert first == {0: 1, 2: 0}


def test_keywords_name_no_person_and_come_from_two_comments_at_least() -> None:
    texts = [
        "@harbourmaster the ferries sail",
        "ferry ferries harbourmaster @harbourmaster",
        "ferries wibble u/wob_ble",
    ]
    words = words_of([*texts, "bread bakes", "bread burns"])
    labels = np.array([0, 0, 0, 1, 1])
    assert keywords(words, labels, 2) == [["ferries"], ["bread"]]
    assert {"harbourmaster", "wob", "ble"}.isdisjoint(words.vocabulary.tolist())
    assert keywords(words_of(["!!", "a b"]), np.array([0, 0]), 1) == [[]]


@pytest.mark.parametrize(
    ("step", "span"),
    [
        (timedelta(minutes=30), "1h"),
        (timedelta(days=1), "1d"),
        (timedelta(days=5), "1w"),
        (timedelta(days=20), "1mo"),
        (timedelta(days=300), "1y"),
    ],
    ids=str,
)
def test_spans_follow_the_time_covered(step: timedelta, span: str) -> None:
    times = pl.Series([datetime(2020, 1, 1, tzinfo=UTC) + k * step for k in range(20)])
    found = topic_times(*[Counted(times, np.zeros(20, np.int64))] * 2, [0], words_of(["bread"] * 20))
    assert set(found["span"]) == {span}
    assert found["size"].sum() == 20
    assert found.height <= 25


def test_centres_are_unit_vectors() -> None:
    vectors, truth = clouds([10, 20])
    assert np.allclose(np.linalg.norm(centres_of(vectors, truth), axis=1), 1)
