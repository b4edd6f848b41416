"""Distinctive words: planted ones are found, one loud author makes none, and chance makes hardly any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from discourse.aggregate.comparison_sides import PAIRWISE, Comparison, comparisons
from discourse.aggregate.comparison_words import SHOWN, used_words, word_estimates
from discourse.aggregate.estimates import Estimate, as_table
from discourse.aggregate.log_odds import log_odds
from discourse.aggregate.ngrams import ngrams, spelled
from discourse.aggregate.units import eligible_comments
from discourse.config import CompareConfig, FilterConfig
from discourse.tables import ATTRIBUTES, Measure

Make = Callable[..., Any]
COMMON = [f"word{chr(97 + i)}{chr(97 + k)}" for i in range(10) for k in range(10)]


def _texts(rng: np.random.Generator, number: int, length: int = 12) -> list[str]:
    weight = 1 / np.arange(1, len(COMMON) + 1)
    return [" ".join(rng.choice(COMMON, length, p=weight / weight.sum())) for _ in range(number)]


def _words(comments: pl.DataFrame) -> list[Estimate]:
    eligible = eligible_comments(comments, ["en"], FilterConfig())
    threads = comments.select("thread_id").unique(maintain_order=True).with_columns(platform=pl.lit("file"))
    threads = threads.with_columns(site=pl.lit(None), community=pl.lit(None))
    [made] = comparisons(eligible, threads, ATTRIBUTES.empty(), CompareConfig()).made
    rows = word_estimates(used_words(eligible), eligible, made)
    as_table(rows)
    return rows


def _found(rows: list[Estimate], side: str = "first") -> list[str]:
    odds = [row for row in rows if row.measure is Measure.ODDS_RATIO and row.estimate is not None]
    return (
        [row.level for row in odds if (row.estimate or 0) > 1]
        if side == "first"
        else [row.level for row in odds if (row.estimate or 2) < 1]
    )


def _ngrams(texts: list[str]) -> set[str]:
    rows = pl.DataFrame({"text": texts}).select(
        row=pl.int_range(pl.len(), dtype=pl.UInt32), author=pl.int_range(pl.len(), dtype=pl.Int64), text="text"
    )
    found, words = ngrams(rows)
    return set(spelled(found["ngram"], words))


@pytest.mark.parametrize(
    ("text", "there", "absent"),
    [
        (
            "The state of emergency is over",
            {"state", "emergency", "state of emergency"},
            {"of", "the state", "of emergency"},
        ),
        (
            "See https://example.org/secret-plan?x=1 tomorrow",
            {"tomorrow"},
            {"example", "secret-plan", "https"},
        ),
        ("@maria_lopez is wrong, u/maria_lopez too", {"wrong"}, {"maria", "lopez"}),
        ("write to some.body@example.org please", {"write"}, {"some.body", "body", "example"}),
        ("It ended. Rain fell", {"ended", "rain", "rain fell"}, {"ended rain"}),
        ("Нельзя верить газетам", {"нельзя верить", "газетам"}, set()),
        ("don't you see the U.K. flag", {"uk flag", "flag"}, {"don't", "don", "t"}),
        ("l’état c’est moi", {"l'état c'est moi"}, set()),
    ],
    ids=["stop words inside", "address", "handle", "e-mail", "clause", "cyrillic", "contraction", "apostrophe"],
)
def test_ngrams_are_phrases_within_a_clause(text: str, there: set[str], absent: set[str]) -> None:
    """N-grams keep to a clause, begin and end with words that mean something, and name no one."""
    found = _ngrams([text] * 3)
    assert there <= found
    assert not absent & found


def test_words_of_fewer_than_three_authors_are_none() -> None:
    """A word that only two authors use is no word here, however often they use it."""
    assert _ngrams(["banana banana", "banana split", "apple"]) == set()
    assert _ngrams([""]) == set()
    assert _ngrams(["", "🎉 🎉", "42"]) == set()


def test_log_odds_are_those_of_the_paper() -> None:
    """Log-odds, their variance and the prior are as Monroe, Colaresi & Quinn write them."""
    first, second, background = (np.array(x, float) for x in ([30, 10, 0], [10, 25, 5], [40, 35, 5]))
    found = log_odds(first, second, background)
    prior = 40 * background / 80
    odds = [np.log((y + prior) / ((y + prior).sum() - y - prior)) for y in (first, second)]
    assert found.value == pytest.approx(odds[0] - odds[1])
    assert found.error == pytest.approx(np.sqrt(1 / (first + prior) + 1 / (second + prior)))


def test_planted_words_and_phrases_are_found_on_their_side(comments_table: Make) -> None:
    """A word and a phrase that many people use on one side head that side's list, and no other side's."""
    rng = np.random.default_rng(1)
    texts = _texts(rng, 400)
    texts = [
        f"{text} zebra crossing" if i < 200 and i % 4 == 0 else f"{text} volcano" if i >= 200 and i % 3 == 0 else text
        for i, text in enumerate(texts)
    ]
    comments = comments_table(
        400, thread_id=["file:a"] * 200 + ["file:b"] * 200, text=texts, author=[f"u{i}" for i in range(400)]
    )
    rows = _words(comments)
    assert _found(rows)[0] in {"word:zebra crossing", "word:zebra", "word:crossing"}
    assert _found(rows, "second")[0] == "word:volcano"
    top = next(row for row in rows if row.level == "word:volcano" and row.measure is Measure.ODDS_RATIO)
    assert top.p_holm is not None
    assert top.p_holm < 0.05
    assert (top.low or 0) < (top.estimate or 0) < (top.high or 0) < 1
    counts = {
        row.variant: (row.estimate, row.n)
        for row in rows
        if row.level == "word:volcano" and row.measure is Measure.COUNT
    }
    assert counts == {"side": (0, 200), "other_side": (67, 200)}


def test_a_loud_author_and_a_flood_of_copies_make_no_word(comments_table: Make) -> None:
    """A word that one author repeats in fifty comments, or that a copied text carries, is not distinctive."""
    rng = np.random.default_rng(2)
    texts = _texts(rng, 300)
    texts[:50] = [f"{text} zebra" for text in texts[:50]]
    texts[50:90] = ["buy cheap volcano insurance today"] * 40
    comments = comments_table(
        300,
        thread_id=["file:a"] * 150 + ["file:b"] * 150,
        text=texts,
        author=["loud"] * 50 + [f"u{i}" for i in range(250)],
        duplicate_of=["file:50" if 50 < i < 90 else None for i in range(300)],
    )
    assert not {level for level in _found(_words(comments)) if "zebra" in level or "volcano" in level}


def test_chance_makes_hardly_any_word_distinctive(comments_table: Make) -> None:
    """Where both sides draw their words alike, Holm's p is below 0.05 in at most one table in ten of thirty."""
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(30):
        comments = comments_table(
            200,
            thread_id=["file:a"] * 80 + ["file:b"] * 120,
            text=_texts(rng, 200),
            author=[f"u{i}" for i in range(200)],
        )
        alarms += any(row.p_holm is not None and row.p_holm < 0.05 for row in _words(comments))
    assert alarms <= 3


def test_of_many_threads_each_is_compared_with_the_rest(comments_table: Make) -> None:
    """An author who writes in two threads is one of the rest for both, and is counted once there."""
    size = PAIRWISE + 1
    texts = [f"alpha common talk {i}" for i in range(size * 10)]
    comments = comments_table(
        size * 10,
        thread_id=[f"file:t{i % size}" for i in range(size * 10)],
        text=[f"{text} zebra" if i % size == 0 else text for i, text in enumerate(texts)],
        author=[f"u{i // 2}" for i in range(size * 10)],
    )
    rows = _words(comments)
    top = [row for row in rows if row.unit == "thread:file:t0" and "zebra" in row.level]
    assert {(row.variant, row.estimate) for row in top if row.measure is Measure.COUNT} == {
        ("side", 10),
        ("other_side", 0),
    }
    assert {row.contrast for row in rows} == {"rest"}
    per_side = [row for row in rows if row.unit == "thread:file:t0" and row.measure is Measure.ODDS_RATIO]
    assert len(per_side) <= 2 * SHOWN


def test_no_words_at_all_give_no_rows(comments_table: Make) -> None:
    """Comments of emoji and numbers give no words and no rows."""
    comments = comments_table(40, threads=2, text=["🎉 42"] * 40)
    assert _words(comments) == []
    eligible = eligible_comments(comments, ["en"], FilterConfig())
    assert word_estimates(used_words(eligible), eligible, Comparison("group:language", eligible.units[1:])) == []
