"""The reply tree and the names of comments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discourse.normalize.identity import (
    comment_ids,
    given_ids,
    id_keys,
    native_keys,
    repeated_ids,
    repeated_keys,
)
from discourse.normalize.thread import reply_tree
from discourse.tables import RAW_COMMENTS

from .records import record

Row = dict[str, Any]


def frame(records: list[Row]) -> pl.DataFrame:
    """Return raw records as the stage has them before the tree."""
    raw = RAW_COMMENTS.conform(pl.DataFrame(records, infer_schema_length=None)).sort("file", "offset")
    return raw.with_columns(pl.lit([], dtype=pl.List(pl.String)).alias("quotes"))


def tree(records: list[Row]) -> dict[str, Row]:
    """Build the tree of some records, by comment_id."""
    rows = frame(records)
    rows = rows.filter(~rows.select(repeated_ids()).to_series())
    shared = repeated_keys([native_keys(rows).drop_nulls()])
    met = repeated_keys([id_keys(given_ids(rows, shared))])
    found = reply_tree(rows.with_columns(comment_ids(rows, shared, met).alias("comment_id")))
    return {row["comment_id"]: row for row in found.iter_rows(named=True)}


def node(offset: int, native_id: str | None, parent: str | None = None, **fields: Any) -> Row:
    """Return a record with an id and a parent."""
    return record(offset, f"text {offset}", native_id=native_id, native_parent=parent, **fields)


def test_replies_stand_below_their_parents_in_reading_order() -> None:
    """Replies stand below their parents in reading order."""
    found = tree([node(0, "a"), node(1, "b"), node(2, "c", "a"), node(3, "d", "c"), node(4, "e", "a")])
    order = sorted(found.values(), key=lambda row: row["position"])
    assert [row["native_id"] for row in order] == ["a", "c", "d", "e", "b"]
    assert [row["depth"] for row in order] == [0, 1, 2, 1, 0]
    assert [row["reply_kind"] for row in order] == ["top", "reply", "reply", "reply", "top"]
    assert found["forum:d"]["parent_id"] == "forum:c"


def test_siblings_stand_by_time_and_unknown_times_last() -> None:
    """Siblings stand by time and unknown times last."""
    from datetime import UTC, datetime

    late, early = datetime(2024, 5, 2, tzinfo=UTC), datetime(2024, 5, 1, tzinfo=UTC)
    found = tree([node(0, "none"), node(1, "late", created_at=late), node(2, "early", created_at=early)])
    assert sorted(found, key=lambda name: found[name]["position"]) == ["forum:early", "forum:late", "forum:none"]


def test_answers_to_the_opening_post_are_top_comments() -> None:
    """Answers to the opening post are top comments."""
    found = tree([node(0, "a", "t1"), node(1, "o", reply_kind="opening"), node(2, "b", "o"), node(3, "c", "b")])
    assert found["forum:o"]["position"] == 0
    assert found["forum:o"]["reply_kind"] == "opening"
    for name in ("forum:a", "forum:b"):
        assert (found[name]["reply_kind"], found[name]["parent_id"], found[name]["depth"]) == ("top", None, 0)
    assert found["forum:c"]["depth"] == 1


def test_a_second_opening_post_is_a_comment_like_others() -> None:
    """A second opening post is a comment like others."""
    found = tree([node(0, "o", reply_kind="opening"), node(1, "p", "o", reply_kind="opening")])
    assert [found[name]["reply_kind"] for name in ("forum:o", "forum:p")] == ["opening", "top"]


def test_what_the_source_knows_of_a_reply_is_kept() -> None:
    """What the source knows of a reply is kept."""
    found = tree(
        [
            node(0, "a"),
            node(1, "b", "a", reply_kind="flattened"),
            node(2, "c", "gone", reply_kind="flattened"),
            node(3, "d", "a", reply_kind="top"),
            node(4, "e", None, reply_kind="reply"),
        ]
    )
    assert [found[f"forum:{name}"]["reply_kind"] for name in "bcde"] == ["flattened", "flattened", "top", "orphan"]
    assert [found[f"forum:{name}"]["parent_id"] for name in "bcde"] == ["forum:a", None, None, None]


def test_a_missing_parent_makes_an_orphan() -> None:
    """A missing parent makes an orphan."""
    found = tree([node(0, "a", "gone"), node(1, "b", "a")])
    assert (found["forum:a"]["reply_kind"], found["forum:a"]["parent_id"]) == ("orphan", None)
    assert found["forum:b"]["depth"] == 1


def test_loops_are_cut_at_the_member_that_comes_first() -> None:
    """Loops are cut at the member that comes first."""
    found = tree([node(0, "x", "z"), node(1, "y", "x"), node(2, "z", "y"), node(3, "in", "y"), node(4, "self", "self")])
    assert [name for name, row in found.items() if row["loop"]] == ["forum:x", "forum:self"]
    assert found["forum:x"]["reply_kind"] == found["forum:self"]["reply_kind"] == "orphan"
    assert [found[f"forum:{name}"]["depth"] for name in ("x", "y", "z", "in")] == [0, 1, 2, 2]


def test_a_chain_as_long_as_the_thread_is_no_trouble() -> None:
    """A chain as long as the thread is no trouble."""
    length = 50_000
    found = tree([node(i, str(i), str(i - 1) if i else None) for i in range(length)])
    assert found[f"forum:{length - 1}"]["depth"] == found[f"forum:{length - 1}"]["position"] == length - 1


def test_threads_that_share_native_ids_name_their_comments_with_the_thread() -> None:
    """Threads that share native ids name their comments with the thread."""
    found = tree(
        [
            node(0, "1"),
            node(1, "2", "1", thread_id="forum:t2"),
            node(2, "1", thread_id="forum:t2"),
            node(3, "9", thread_id="forum:t3"),
        ]
    )
    assert set(found) == {"forum:t1/1", "forum:t2/1", "forum:t2/2", "forum:9"}
    assert found["forum:t2/2"]["parent_id"] == "forum:t2/1"


def test_ids_that_meet_by_accident_are_told_apart() -> None:
    """Ids that meet by accident are told apart."""
    records = [node(0, "b/c", thread_id="p:a"), node(1, "c", thread_id="p:a/b")]
    records += [node(2, "same", thread_id="p:a"), node(3, "same", thread_id="p:a/b")]
    assert len(tree(records)) == 4


def test_comments_without_ids_keep_theirs_when_the_file_grows() -> None:
    """Comments without ids keep theirs when the file grows."""
    short = [record(0, "first"), record(1, "again"), record(2, "again")]
    long = [record(0, "new"), record(1, "again"), record(2, "first"), record(3, "again"), record(4, "again")]
    assert set(tree(short)) < set(tree(long))
    assert len(tree(long)) == 5
    assert all(len(name) == len("forum:") + 16 for name in tree(long))


THREADS = st.sampled_from(["forum:t1", "forum:t2"])
IDS = st.one_of(st.none(), st.sampled_from("abcdefgh"))
KINDS = st.sampled_from([None, None, None, None, "flattened", "opening"])
NODES = st.lists(st.tuples(THREADS, IDS, IDS, KINDS), min_size=1, max_size=14)


@settings(max_examples=100, deadline=None)
@given(NODES)
def test_any_reply_links_become_a_tree(nodes: list[tuple[str, str | None, str | None, str | None]]) -> None:
    """Whatever points where: nobody is lost, parents exist, stand first and one level above; positions are dense."""
    records = [
        record(i, f"t{i}", thread_id=thread, native_id=name, native_parent=parent, reply_kind=kind)
        for i, (thread, name, parent, kind) in enumerate(nodes)
    ]
    found = tree(records)
    named = [(thread, name) for thread, name, *_ in nodes if name is not None]
    assert len(found) == len(nodes) - (len(named) - len(set(named)))
    places: dict[str, list[int]] = {}
    for row in found.values():
        places.setdefault(row["thread_id"], []).append(row["position"])
        if row["parent_id"] is None:
            assert row["depth"] == 0
            assert row["reply_kind"] != "reply"
        else:
            parent = found[row["parent_id"]]
            assert parent["thread_id"] == row["thread_id"]
            assert parent["depth"] == row["depth"] - 1
            assert parent["position"] < row["position"]
            assert parent["reply_kind"] != "opening"
    for positions in places.values():
        assert sorted(positions) == list(range(len(positions)))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_order_of_records_moves_only_siblings(data: st.DataObject) -> None:
    """Without loops, openings or repeated ids, a shuffled file gives the same ids, parents, kinds and depths."""
    size = data.draw(st.integers(1, 12))
    parents = [data.draw(st.sampled_from([None, "gone", *map(str, range(i))])) for i in range(size)]
    records = [node(i, str(i), parent) for i, parent in enumerate(parents)]
    records += [
        record(size + i, text) for i, text in enumerate(data.draw(st.lists(st.sampled_from("xyz"), max_size=5)))
    ]
    shuffled = data.draw(st.permutations(records))
    moved = [{**row, "offset": i, "location": f"line {i}"} for i, row in enumerate(shuffled)]
    kept = ("parent_id", "reply_kind", "depth")
    assert {n: [r[k] for k in kept] for n, r in tree(records).items()} == {
        n: [r[k] for k in kept] for n, r in tree(moved).items()
    }


SHARED = Path(__file__).parents[2] / ".." / "shared" / "threads" / "reddit_conspiracy_2025.parquet"


@pytest.mark.skipif(not SHARED.exists(), reason="no shared/threads beside this checkout")
def test_a_real_forum_becomes_a_tree() -> None:
    """A real forum becomes a tree."""
    raw = pl.read_parquet(SHARED)
    records = [
        record(i, text, thread_id=f"reddit:{thread}", platform="reddit", native_id=name, native_parent=parent)
        for i, (thread, name, parent, text) in enumerate(
            raw.select("thread_id", "comment_id", "parent_id", "text").iter_rows()
        )
    ]
    found = tree(records)
    assert len(found) == len(records)
    assert all(row["parent_id"] in found for row in found.values() if row["parent_id"])
    assert any(row["depth"] > 3 for row in found.values())
