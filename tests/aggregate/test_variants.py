"""Variants: what they leave out, and that planted floods and loud authors are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from discourse.aggregate.frames import frame_headlines
from discourse.aggregate.labels import resolve
from discourse.aggregate.units import eligible_comments
from discourse.aggregate.variants import loudest_authors, variant_estimates, variants
from discourse.config import FilterConfig, TaggingConfig
from discourse.tables import LABELS, Measure


def test_the_loudest_are_one_in_a_hundred_rounded_up_and_wrote_more_than_once() -> None:
    """The loudest are one author in a hundred, rounded up, of those who wrote more than once."""
    assert loudest_authors(np.array([1, 2, 2, 2, 3])).tolist() == [2]
    assert loudest_authors(np.arange(500)).tolist() == []
    assert loudest_authors(np.append(np.arange(150), [7, 7, 3])).tolist() == [7, 3]
    assert loudest_authors(np.zeros(0, dtype=np.int64)).tolist() == []


def test_planted_flood_and_loud_author_are_found(
    comments_table: Callable[..., pl.DataFrame],
    frames_table: Callable[..., pl.DataFrame],
    heldout_rows: Callable[..., list[dict[str, Any]]],
    make_bundle: Callable[..., Any],
) -> None:
    """Tags that a flood of duplicates or a loud author makes are gone from the variant without them, and only there."""
    bundle = make_bundle(["fear"], heldout_rows("fear", {(1, 1): 90, (1, 0): 10, (0, 0): 190, (0, 1): 10}))
    size = 200
    # Comments 0–39 repeat comment 0; comments 100–149 are one author's; only these 90 are tagged.
    comments = comments_table(
        size,
        author=["loud" if 100 <= i < 150 else f"a{i}" for i in range(size)],
        duplicate_of=["file:0" if 0 < i < 40 else None for i in range(size)],
    )
    eligible = eligible_comments(comments, ["en"], FilterConfig())
    tags = frames_table(bundle, comments, [i < 40 or 100 <= i < 150 for i in range(size)])
    nobody = resolve(LABELS.empty(), "majority")
    headlines, _ = frame_headlines(eligible, tags, nobody, bundle, TaggingConfig(), 0)
    rows = variant_estimates(headlines, [*eligible.units, *variants(eligible)])
    changed = ("main", "without_duplicates", "without_loudest_authors")
    counts = {row.variant: (row.estimate, row.n) for row in rows if row.measure is Measure.COUNT}
    assert {name: counts[name] for name in changed} == {
        "main": (90, 200),
        "without_duplicates": (51, 161),
        "without_loudest_authors": (40, 150),
    }
    shares = {row.variant: row.estimate for row in rows if row.measure is Measure.SHARE}
    assert set(shares) == {*counts, "one_vote_per_author"}
    # 40 authors of the flood and the one loud one among 151 authors.
    tagged = (41 / 151 - 10 / 200) / (0.9 - 0.05)
    assert shares["one_vote_per_author"] == pytest.approx(tagged)


def test_no_comment_at_all_gives_empty_variants(comments_table: Callable[..., pl.DataFrame]) -> None:
    """No comment at all gives variants of nothing."""
    eligible = eligible_comments(comments_table(0), ["en"], FilterConfig())
    assert {each.n for each in variants(eligible)} == {0}
