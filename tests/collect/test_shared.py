"""Real threads beside the checkout are read whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

Collect = Callable[..., Any]

SAMPLE = Path(__file__).parents[2] / "data" / "raw" / "lamp-posts.jsonl"


def test_the_seed_thread_gives_ten_comments(collect: Collect, shared: Path) -> None:
    """The seed thread gives ten comments."""
    found = collect(shared / "threads" / "seed" / "000_a7bd2c93768cd70c.txt", article_lines="1-28")
    unusable = found.comments.drop_nulls("reason")
    assert unusable.select("location", "reason").rows() == [("line 29", "furniture"), ("line 30", "furniture")]
    assert found.comments.drop_nulls("text")["offset"].to_list() == list(range(30, 40))
    assert found.threads["article"].item().count("\n\n") == 27


@pytest.mark.parametrize(
    ("name", "threads", "openings", "top"),
    [
        ("reddit_conspiracy_2025", 123, 0, 2_099),
        ("reddit_music_2025", 30, 0, 1_303),
        ("mtcsd_reddit", 114, 114, 114 + 548),
        ("reddit_cmv", 67, 0, 88),
        ("discourse_iitm_tds", 117, 0, 117),
    ],
)
def test_real_threads_keep_every_row_and_their_tree(
    collect: Collect, shared: Path, name: str, threads: int, openings: int, top: int
) -> None:
    """Real threads keep every row and their tree."""
    path = shared / "threads" / f"{name}.parquet"
    found = collect(path)
    frame = pl.read_parquet(path)
    assert found.comments["text"].to_list() == frame["text"].to_list()
    assert found.comments["native_id"].to_list() == frame["comment_id"].to_list()
    assert found.threads.height == threads
    assert found.comments["reply_kind"].drop_nulls().to_list() == ["opening"] * openings
    assert found.comments["native_parent"].null_count() == top
    assert found.comments["reason"].null_count() == frame.height


def test_labelled_sets_with_odd_columns_are_read(collect: Collect, shared: Path) -> None:
    """Labelled sets with odd columns are read."""
    paths = sorted((shared / "data").rglob("*.parquet"))
    assert paths
    for path in paths:
        found = collect(path)
        frame = pl.read_parquet(path, columns=["text"])
        assert found.comments.height == frame.height
        assert found.comments["native_parent"].null_count() == frame.height


def test_our_own_sample_has_an_opening_a_bot_and_gone_comments(collect: Collect) -> None:
    """Our own sample has an opening a bot and gone comments."""
    found = collect(SAMPLE)
    opening = found.comments.filter(pl.col("reply_kind") == "opening")
    assert opening["native_id"].to_list() == ["lamp-posts"]
    assert found.threads["article"].to_list() == opening["text"].to_list()
    assert found.comments["url"].n_unique() == found.comments.height
    assert found.comments.filter(pl.col("role") == "bot")["author"].unique().to_list() == ["GazetteModBot"]
    gone = found.comments.filter(pl.col("state") != "visible")
    assert sorted(gone["state"]) == ["deleted"] * 4 + ["removed"] * 3
    assert gone["text"].null_count() == 7
