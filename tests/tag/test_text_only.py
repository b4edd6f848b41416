"""Path text_only: whole threads, the answers of the main path, and nobody who reads tags counts them twice."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discourse.aggregate.tags import wanted_path
from discourse.config import Config, parse_config
from discourse.receipt import Receipt
from discourse.report.selection import asked
from discourse.tables import COMMENTS, FRAMES, STANCES
from discourse.tag import run
from discourse.tag.text_only import chosen_threads
from discourse.workspace import Workspace


def frames(*ids: str, path: str = "exact") -> pl.DataFrame:
    rows = [
        {
            "comment_id": name,
            "frame": frame,
            "probability": 0.9,
            "above_threshold": True,
            "decision": "yes",
            "tier": "encoder",
            "path": path,
            "bundle": "b@1",
        }
        for name in ids
        for frame in ("fear", "war")
    ]
    return FRAMES.conform(pl.DataFrame(rows))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.integers(0, 99), st.integers(1, 120))
def test_threads_are_taken_whole_up_to_the_limit(sizes: list[int], seed: int, most: int) -> None:
    ids = pl.Series([f"t{k}" for k, size in enumerate(sizes) for _ in range(size)])
    chosen = chosen_threads(ids, seed, most)
    taken = sum(sizes[int(name[1:])] for name in chosen)
    assert taken <= most
    assert chosen == chosen_threads(ids.reverse(), seed, most)
    if sum(sizes) <= most:
        assert len(chosen) == len(sizes)
    else:
        left = [size for k, size in enumerate(sizes) if f"t{k}" not in chosen]
        assert all(size > most - taken for size in left)


@pytest.mark.parametrize("exact", [True, False])
def test_the_aggregate_reads_the_path_that_was_asked_for(exact: bool) -> None:
    tags = pl.concat([frames("a", "b", path="text_only"), frames("a")])
    config = parse_config({"tagging": {"exact": exact}})
    assert wanted_path(tags, config.tagging) == "exact"


@pytest.mark.parametrize("setting", [{}, {"exact": True}, {"context": False}], ids=["cascade", "exact", "no context"])
def test_the_report_shows_each_tag_once(setting: dict[str, bool]) -> None:
    tags = pl.concat([frames("a", "b", path="text_only").with_columns(probability=0.1), frames("a", "b")])
    shown = asked(tags, "frame", parse_config({"tagging": setting}), Receipt())
    assert shown.height == 4
    assert set(shown["path"]) == {"exact"}


def test_a_table_of_nothing_but_text_only_rows_shows_nothing() -> None:
    only = frames("a", path="text_only")
    assert asked(only, "frame", Config(), Receipt()).is_empty()


def test_the_stage_reads_stances_by_text_alone_beside_the_main_path(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    texts = ["The toll bridge is a wonderful idea, I support it.", "So true, the toll bridge is.", "Nobody needs it!"]
    rows = {
        "comment_id": ["file:0", "file:1", "file:2"],
        "thread_id": ["file:t"] * 3,
        "parent_id": [None, "file:0", "file:1"],
        "reply_kind": ["top", "reply", "reply"],
        "depth": [0, 1, 2],
        "position": [0, 1, 2],
        "role": ["user"] * 3,
        "created_precision": ["unknown"] * 3,
        "text": texts,
        "quotes": [[], [], []],
        "links": [[], [], []],
        "language": ["en"] * 3,
        "state": ["visible"] * 3,
        "raw": [{"file": "f", "offset": i} for i in range(3)],
    }
    workspace.write(COMMENTS, COMMENTS.conform(pl.DataFrame(rows, schema_overrides=dict(COMMENTS.schema))))
    run(workspace, parse_config({"stance": {"targets": ["the toll bridge"]}}))
    found = workspace.read(STANCES)
    assert found.group_by("path").len().sort("path").rows() == [("exact", 3), ("text_only", 3)]
    top = found.filter(comment_id="file:0").drop("path").unique()
    assert top.height == 1, "a comment without a parent is read the same both ways"
