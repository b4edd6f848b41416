"""The null: what may be exchanged, and what every draw keeps."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from discourse.aggregate.null_permutation import against_null, donors, exchangeable
from discourse.aggregate.reply_pairs import depth_band, roots

replies = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


def _columns(rows: list[tuple[int, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = [row for row in rows if row[1] != row[2]] or [(0, 0, 1)]
    stratum, author, parent = np.array(rows, dtype=np.int64).T
    return stratum, author, parent


@settings(max_examples=60, deadline=None)
@given(replies, st.integers(0, 99))
def test_a_draw_hands_each_tag_on_once_within_its_stratum_and_never_to_an_answer_to_oneself(
    rows: list[tuple[int, int, int]], seed: int
) -> None:
    """Every draw is a permutation within strata in which nobody answers himself."""
    stratum, author, parent = _columns(rows)
    exchange = exchangeable(stratum, author, parent)
    home = stratum[exchange.replies]
    for taken in donors(exchange, 20, np.random.default_rng(seed)):
        assert sorted(taken) == list(range(len(home)))
        assert (home[taken] == home).all()
        given_to = author[exchange.replies]
        assert not (given_to[taken] == parent[exchange.replies]).any()


@settings(max_examples=60, deadline=None)
@given(replies)
def test_every_reply_moves_or_is_counted_among_those_that_do_not(rows: list[tuple[int, int, int]]) -> None:
    """Moving replies and the three kinds of others add up to all, and lone bands are those of one author."""
    stratum, author, parent = _columns(rows)
    exchange = exchangeable(stratum, author, parent)
    left = int(exchange.alone.sum()) + exchange.alike + exchange.fixed
    assert len(exchange.replies) + left == len(stratum)
    for number in np.unique(stratum):
        inside = stratum == number
        assert exchange.alone[inside].all() == (len(np.unique(author[inside])) < 2)


def test_replies_of_one_author_move_together() -> None:
    """Two authors with three replies each either keep or swap all three."""
    stratum = np.zeros(6, dtype=np.int64)
    author = np.array([1, 1, 1, 2, 2, 2])
    exchange = exchangeable(stratum, author, np.full(6, 9))
    seen = {tuple(author[exchange.replies][row]) for row in donors(exchange, 50, np.random.default_rng(0))}
    assert seen == {(1, 1, 1, 2, 2, 2), (2, 2, 2, 1, 1, 1)}


def test_blocks_of_unlike_size_are_laid_end_to_end() -> None:
    """Where no two authors wrote equally often, their replies still move, each author's in a row."""
    exchange = exchangeable(np.zeros(3, dtype=np.int64), np.array([1, 2, 2]), np.full(3, 9))
    seen = {tuple(row) for row in donors(exchange, 50, np.random.default_rng(0))}
    assert seen == {(0, 1, 2), (1, 2, 0)}


def test_a_dialogue_of_two_stays_as_it_is() -> None:
    """Two who answer each other cannot change places, and are counted as fixed."""
    exchange = exchangeable(np.zeros(4, dtype=np.int64), np.array([1, 2, 1, 2]), np.array([2, 1, 2, 1]))
    assert len(exchange.replies) == 0
    assert exchange.fixed == 4


def test_nothing_is_exchanged_where_all_answer_comments_tagged_alike() -> None:
    """Strata whose comments answered do not differ are counted as alike."""
    stratum = np.array([0, 0, 1, 1])
    exchange = exchangeable(stratum, np.arange(4), np.full(4, 9), varied=stratum == 1)
    assert sorted(exchange.replies) == [2, 3]
    assert exchange.alike == 2


def test_p_counts_draws_at_least_as_far_away_and_is_never_zero() -> None:
    """p = (1 + b) / (1 + B), both sides; no p where no draw differs."""
    null = against_null(np.array([5.0, 2.0, 3.0]), np.array([[1.0, 2.0, 3.0], [2.0, 1.0, 3.0], [1.0, 3.0, 3.0]]))
    assert null.p[:2].tolist() == [1 / 4, 1.0]
    assert np.isnan(null.p[2])
    assert null.expected.tolist() == [9 / 4, 2.0, 3.0]


def test_bands_double() -> None:
    """Depth bands are 1, 2–3, 4–7, 8–15."""
    assert depth_band(np.array([1, 2, 3, 4, 7, 8, 15, 16])).tolist() == [0, 1, 1, 2, 2, 3, 3, 4]


def test_a_branch_is_a_comment_without_a_parent_and_all_below_it() -> None:
    """Every comment finds the top of its branch, however deep."""
    chain = np.append(np.arange(-1, 2_999), [-1, 3_000])
    assert roots(chain).tolist() == [0] * 3_000 + [3_000, 3_000]
    assert roots(np.zeros(0, dtype=np.int64)).tolist() == []
