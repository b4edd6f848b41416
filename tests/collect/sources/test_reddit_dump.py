"""Dumps of Reddit: threads, states and roles; broken lines, cut files and the filter lose nothing unsaid."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tests.collect.conftest import Collect

from discourse.collect import run
from discourse.collect.lines import LineReader
from discourse.collect.sources.reddit_dump import RedditDump, is_dump
from discourse.config import InputConfig, parse_config
from discourse.errors import InputError
from discourse.tables import RAW_COMMENTS, RAW_THREADS
from discourse.workspace import Workspace

AT = datetime(2025, 3, 1, tzinfo=UTC)


def comment(native: str, parent: str = "t3_p1", thread: str = "t3_p1", **fields: Any) -> dict[str, Any]:
    """Return a comment as a dump writes it."""
    return {
        "id": native,
        "link_id": thread,
        "parent_id": parent,
        "body": f"We want lamps, says {native}.",
        "author": "ada",
        "created_utc": 1_740_000_000,
        "score": 4,
        "subreddit": "lamps",
        "permalink": f"/r/lamps/comments/{thread[3:]}/_/{native}/",
        "distinguished": None,
        "stickied": False,
        "edited": False,
    } | fields


def submission(native: str = "p1", **fields: Any) -> dict[str, Any]:
    """Return a submission as a dump writes it."""
    return {
        "id": native,
        "title": "Lamps",
        "selftext": "Should there be *lamps*?",
        "num_comments": 9,
        "author": "opener",
        "created_utc": "1739999000",
        "score": 10,
        "subreddit": "lamps",
        "permalink": f"/r/lamps/comments/{native}/lamps/",
    } | fields


def written(*records: dict[str, Any] | bytes) -> bytes:
    """Return a dump's bytes: a record a line; bytes are lines as they are."""
    return b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in records)


def rows_of(comments: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the rows by native id."""
    return {row["native_id"]: row for row in comments.iter_rows(named=True)}


def test_threads_and_replies(collect: Collect) -> None:
    """Threads, parents, times, scores and addresses come with the ids that Reddit's own answers have."""
    found = collect("RC.ndjson", written(comment("a"), comment("b", "t1_a"), comment("c", "t3_q7", "t3_q7")))
    rows = rows_of(found.comments)
    assert {name: (row["thread_id"], row["native_parent"]) for name, row in rows.items()} == {
        "t1_a": ("reddit:t3_p1", None),
        "t1_b": ("reddit:t3_p1", "t1_a"),
        "t1_c": ("reddit:t3_q7", None),
    }
    assert rows["t1_b"]["created_at"] == datetime.fromtimestamp(1_740_000_000, UTC)
    assert (rows["t1_b"]["score"], rows["t1_b"]["created_precision"]) == (4, "exact")
    assert rows["t1_b"]["url"] == "https://www.reddit.com/r/lamps/comments/p1/_/b/"
    assert found.threads["community"].to_list() == ["lamps", "lamps"]
    assert found.comments["location"].to_list() == ["line 1", "line 2", "line 3"]
    assert "3 comments, 0 submissions" in found.note


def test_the_submission_is_the_article_wherever_it_lies(tmp_path: Path) -> None:
    """A submission in another file gives its thread title, article, author and declared total, and an opening row."""
    (tmp_path / "RC.ndjson").write_bytes(written(comment("a")))
    (tmp_path / "RS.ndjson").write_bytes(written(submission(), submission("link", selftext="")))
    workspace = Workspace(tmp_path / "ws")
    sources = [str(tmp_path / name) for name in ("RC.ndjson", "RS.ndjson")]
    outcome = run(workspace, parse_config({"input": {"sources": sources}}))
    thread = workspace.read(RAW_THREADS).row(by_predicate=pl.col("thread_id") == "reddit:t3_p1", named=True)
    assert (thread["title"], thread["article"], thread["article_author"], thread["declared"]) == (
        "Lamps",
        "Should there be *lamps*?",
        "opener",
        9,
    )
    rows = rows_of(workspace.read(RAW_COMMENTS))
    assert set(rows) == {"t1_a", "t3_p1"}
    assert (rows["t3_p1"]["reply_kind"], rows["t3_p1"]["role"]) == ("opening", "author")
    assert outcome.counts == {"files": 2, "records": 2, "threads": 2, "unusable": 0}
    assert any("declared 9, collected 1" in note for note in outcome.notes)


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"body": "[deleted]", "author": "[deleted]"}, "deleted"),
        ({"body": "[removed]", "author": "[deleted]"}, "removed"),
        ({"body": "[ Removed by Reddit ]"}, "removed"),
        ({"body": "It was [removed], they say"}, "visible"),
    ],
)
def test_states(collect: Collect, fields: dict[str, str], state: str) -> None:
    """Deleted and removed comments stay, without their text; a comment that speaks of it is whole."""
    row = rows_of(collect("RC.ndjson", written(comment("a", **fields), comment("b", "t1_a"))).comments)["t1_a"]
    assert row["state"] == state
    assert row["text"] == (fields["body"] if state == "visible" else None)


@pytest.mark.parametrize(
    ("fields", "role"),
    [
        ({"author": "AutoModerator", "distinguished": "moderator", "stickied": True}, "bot"),
        ({"distinguished": "moderator"}, "staff"),
        ({"distinguished": "admin"}, "staff"),
        ({"is_submitter": True}, "author"),
        ({}, "user"),
        ({"author": "[deleted]"}, "unknown"),
    ],
)
def test_roles(collect: Collect, fields: dict[str, Any], role: str) -> None:
    """AutoModerator is a bot, distinguished comments are the staff's, the submitter is the author."""
    assert collect("RC.ndjson", written(comment("a", **fields))).comments["role"].to_list() == [role]


def test_escapes_of_markup_are_undone(collect: Collect) -> None:
    """Dumps hold what Reddit escaped for HTML; quotes and ampersands are characters again, once."""
    found = collect("RC.ndjson", written(comment("a", body="&gt; lamps &amp;lt; R&amp;D")))
    assert found.comments["text"].to_list() == ["> lamps &lt; R&D"]


def test_broken_lines_are_kept_with_their_reasons(collect: Collect) -> None:
    """Each line that is no record is a row with its place, reason and start; the lines around it are read."""
    broken = (b'{"id": "x", "body": "cut', b'{"id": "y", "body": "\xff\xfe"}', b"[1, 2]", b'{"id": "z"}', b"[" * 20_000)
    found = collect("RC.ndjson", written(comment("a"), *broken, b"", comment("b", "t1_a")))
    lost = found.comments.filter(pl.col("reason").is_not_null())
    assert lost.select("location", "reason").rows() == [
        ("line 2", "malformed"),
        ("line 3", "undecodable"),
        ("line 4", "wrong_type"),
        ("line 5", "wrong_type"),
        ("line 6", "too_deep"),
    ]
    assert lost["excerpt"][0] == broken[0].decode()
    kept = found.comments.filter(pl.col("reason").is_null())
    assert kept.select("native_id", "location").rows() == [("t1_a", "line 1"), ("t1_b", "line 8")]
    assert found.outcome.counts["unusable"] == 5
    assert "5 lines could not be read" in found.note


@pytest.mark.parametrize("wanted", ["q7", "t3_q7", "reddit:t3_q7", "https://www.reddit.com/r/lamps/comments/q7/lamps/"])
def test_only_the_thread_that_was_asked_for(collect: Collect, wanted: str) -> None:
    """The filter takes the thread's id in any form, and says how many records it left out."""
    dump = written(comment("a"), comment("b", "t3_q7", "t3_q7"), submission("q7"), submission())
    found = collect("RC.ndjson", dump, thread=wanted)
    assert set(found.comments["native_id"]) == {"t1_b", "t3_q7"}
    assert found.threads["thread_id"].to_list() == ["reddit:t3_q7"]
    assert "2 records of other threads left out" in found.note


def test_a_thread_that_is_not_there_is_an_error(collect: Collect) -> None:
    """A filter that leaves nothing says so, and how many records there are."""
    with pytest.raises(InputError, match="holds nothing of the thread zz, but 1 records"):
        collect("RC.ndjson", written(comment("a")), thread="zz")


def packed(kind: str, data: bytes) -> bytes:
    """Return data as such dumps come: plain, gzip, or zstd in two frames."""
    if kind == "gz":
        return gzip.compress(data)
    if kind == "zst":
        packer = zstandard.ZstdCompressor()
        return packer.compress(data[:1000]) + packer.compress(data[1000:])
    return data


@pytest.mark.parametrize("kind", ["ndjson", "gz", "zst"])
def test_however_packed_and_cut_the_result_is_equal(kind: str, tmp_path: Path) -> None:
    """Plain, gzip and zstd give equal rows, in pieces of any size."""
    records = [comment(f"c{number}", f"t1_c{number - 1}" if number else "t3_p1") for number in range(60)]
    data = written(*records[:30], b'{"id": ', submission(), *records[30:])
    path, plain = tmp_path / kind / "RC", tmp_path / "plain" / "RC"
    path.parent.mkdir()
    plain.parent.mkdir()
    path.write_bytes(packed(kind, data))
    plain.write_bytes(data)
    assert is_dump(path, InputConfig())
    whole = RedditDump(plain, None, AT)
    expected = pl.concat(whole.comments())

    for size in (1, 700, 1 << 20):
        dump = RedditDump(path, None, AT, piece=size)
        assert_frame_equal(pl.concat(dump.comments()), expected)
        assert_frame_equal(dump.threads(), whole.threads(), check_row_order=False)
        assert dump.note == whole.note


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_a_cut_file_gives_what_is_whole(kind: str, collect: Collect) -> None:
    """Of a download that broke off, the whole lines are read, the cut one is kept as broken, and the note says it."""
    records = [comment(f"c{number}", body=f"{number * 7919 % 1009} " * 900) for number in range(900)]
    data = packed(kind, written(*records))
    found = collect(f"RC.{kind}", data[: len(data) * 9 // 10])
    good = found.comments.filter(pl.col("reason").is_null())
    assert 0 < good.height < 900
    assert good["native_id"].to_list() == [f"t1_c{number}" for number in range(good.height)]
    assert found.comments.height - good.height <= 1
    assert "cut short" in found.note


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from([b"a", b"bb\n", b"\n", b"\r\n", b"ccccccc"]), max_size=30), st.integers(1, 9))
def test_pieces_are_whole_lines(tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], size: int) -> None:
    """All pieces together are the file, each ends with a line, and each knows the number of its first."""
    path = tmp_path_factory.mktemp("lines") / "a"
    path.write_bytes(b"".join(parts))
    pieces = list(LineReader(path, piece=size))
    before = b""
    for piece in pieces:
        assert piece.first == before.count(b"\n")
        assert before.endswith(b"\n") or not before
        before += piece.data
    assert before == b"".join(parts)


SAMPLE = written(comment("a"), submission(), comment("b", "t1_a", score=None), comment("c", created_utc=1.5e9))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.binary(max_size=3), st.integers(0, 3)), max_size=5),
    st.sampled_from([None, "p1"]),
    st.integers(1, 2000),
)
def test_a_damaged_dump_gives_rows_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[int, bytes, int]], thread: str | None, size: int
) -> None:
    """Whatever bytes a dump holds, each line that is not blank is a row, a thread, or counted."""
    data = bytearray(SAMPLE)
    for at, put, gone in edits:
        data[at : at + gone] = put
    path = tmp_path_factory.mktemp("dump") / "RC"
    path.write_bytes(data)
    dump = RedditDump(path, thread, AT, piece=size)
    try:
        comments = RAW_COMMENTS.conform(pl.concat(dump.comments()))
    except InputError as e:
        assert "\n" not in str(e)  # noqa: PT017 -- any message will do
        return
    threads = RAW_THREADS.conform(dump.threads())
    assert set(comments["thread_id"]) <= set(threads["thread_id"])
    if thread is None:
        lines = sum(bool(line.strip()) for line in bytes(data).split(b"\n"))
        assert lines - 1 <= comments.height <= lines


@pytest.mark.parametrize("value", [1e300, -5, "soon", True, [1], {"a": 1}, None, float("inf"), "nan", 10**30])
def test_numbers_that_are_none(collect: Collect, value: object) -> None:
    """Times, scores and totals of a wrong kind or size are unknown, and the comment is read."""
    records = (comment("a", created_utc=value, score=value), submission(created_utc=value, num_comments=value))
    found = collect("RC.ndjson", written(comment("z"), *records))
    row = rows_of(found.comments)["t1_a"]
    assert row["text"] == "We want lamps, says a."
    assert (row["created_at"], row["created_precision"]) == (None, "unknown")


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a line longer than any record, only the start is kept; it counts as broken, and the next one is read."""
    monkeypatch.setattr("discourse.collect.lines.LONGEST_LINE", 3_000_000)
    path = tmp_path / "RC.ndjson.gz"
    path.write_bytes(gzip.compress(written(comment("a"), comment("b", body="x" * 9_000_000), comment("c"))))
    dump = RedditDump(path, None, AT, piece=1000)
    rows = pl.concat(dump.comments())
    assert rows.select("location", "reason").rows() == [("line 1", None), ("line 2", "malformed"), ("line 3", None)]


def test_a_table_with_mapped_columns_is_no_dump(tmp_path: Path) -> None:
    """Whoever names columns wants a table; so does a file with other fields."""
    path = tmp_path / "RC.ndjson"
    path.write_bytes(written(comment("a")))
    assert is_dump(path, InputConfig())
    assert not is_dump(path, InputConfig(map={"text": "body"}))
    path.write_bytes(b'{"id": "a", "text": "lamps", "author": "ada"}\n')
    assert not is_dump(path, InputConfig())
    path.write_bytes(b"")
    assert not is_dump(path, InputConfig())


def test_a_dump_replaces_the_parts_of_a_larger_one(collect: Collect, workspace: Workspace) -> None:
    """Parts of an earlier reading do not stay beside those of a later one."""
    workspace.write_parts(RAW_COMMENTS, [RAW_COMMENTS.empty()] * 3)
    collect("RC.ndjson", written(comment("a")))
    assert [part.name for part in workspace.parts(RAW_COMMENTS)] == ["part-00000.parquet"]
