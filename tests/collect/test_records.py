"""Ids, reply links, openings, states, roles and attributes of table rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from discourse.errors import InputError, UsageError

Collect = Callable[..., Any]


def rows(found: Any, *columns: str) -> list[tuple[object, ...]]:
    """Return these columns of the raw comments."""
    return found.comments.select(columns).rows()


def test_the_row_whose_id_is_its_thread_opens_it(collect: Collect) -> None:
    """The row whose id is its thread opens it."""
    content = (
        "platform,thread_id,id,parent_id,author,created_at,text,title\n"
        "Forum X,t,t,,ann,2024-05-01,The article,Headline\n"
        "Forum X,t,a,t,bob,,first,\n"
        "Forum X,t,b,a,ann,,second,\n"
        "Forum X,t,c,gone,,,third,\n"
    )
    found = collect("a.csv", content)
    assert rows(found, "native_id", "native_parent", "reply_kind", "role") == [
        ("t", None, "opening", "author"),
        ("a", None, None, "user"),
        ("b", "a", None, "author"),
        ("c", "gone", None, "unknown"),
    ]
    (thread,) = found.threads.to_dicts()
    assert thread["thread_id"] == "forum-x:t"
    assert (thread["article"], thread["article_author"], thread["title"]) == ("The article", "ann", "Headline")
    assert thread["published_at"] == datetime(2024, 5, 1, tzinfo=UTC)


def test_reddit_prefixes_may_be_there_or_not(collect: Collect) -> None:
    """Reddit prefixes may be there or not."""
    content = (
        "platform,link_id,id,parent_id,body\n"
        "reddit,t3_p,a,t3_p,one\n"
        "reddit,t3_p,b,t1_a,two\n"
        "reddit,t3_p,t1_c,p,three\n"
        "reddit,t3_p,d,c,four\n"
        "reddit,t3_q,q,,five\n"
        "reddit,t3_q,e,t3_q,six\n"
        "reddit,t3_q,t3_q-x,t3_z,seven\n"
    )
    found = collect("a.csv", content)
    parents = ["a", "t1_c"]
    assert found.comments["native_parent"].to_list() == [None, parents[0], None, parents[1], None, None, "t3_z"]
    assert found.comments["reply_kind"].to_list() == [None] * 4 + ["opening"] + [None] * 2
    assert found.comments["markup"].unique().to_list() == ["markdown"]


def test_the_first_row_opens_a_thread_only_when_asked(collect: Collect) -> None:
    """The first row opens a thread only when asked."""
    content = "thread_id,id,parent_id,text\nx,a,,post\nx,b,a,reply\ny,y,,post\ny,c,y,reply\ny,d,c,reply\n"
    found = collect("a.csv", content)
    assert found.comments["reply_kind"].to_list() == [None, None, "opening", None, None]
    assert found.comments["native_parent"].to_list() == [None, "a", None, None, "c"]
    found = collect("a.csv", content, opening="first")
    assert found.comments["reply_kind"].to_list() == ["opening", None, "opening", None, None]
    assert found.comments["native_parent"].to_list() == [None, None, None, None, "c"]
    assert found.threads["article"].to_list() == ["post", "post"]


def test_without_a_thread_column_the_file_is_the_thread(collect: Collect) -> None:
    """Without a thread column the file is the thread."""
    assert collect("my.csv", "text\nHello there\n").threads["thread_id"].to_list() == ["file:my.csv"]
    assert collect("my.csv", "text\nHello there\n", thread="x").threads["thread_id"].to_list() == ["file:x"]


def test_one_thread_can_be_renamed_and_several_cannot(collect: Collect) -> None:
    """One thread can be renamed and several cannot."""
    content = "platform,thread_id,id,parent_id,text\nreddit,p,a,p,Hello there\n"
    found = collect("a.csv", content, thread="x")
    assert found.threads["thread_id"].to_list() == ["reddit:x"]
    assert found.comments["native_parent"].to_list() == [None]
    with pytest.raises(UsageError, match="2 threads"):
        collect("a.csv", content + "reddit,q,b,q,Hello again\n", thread="x")


def test_whole_numbers_kept_as_floats_are_ids(collect: Collect, tmp_path: Path) -> None:
    """Whole numbers kept as floats are ids."""
    frame = pl.DataFrame({"id": [1, 2], "parent_id": [None, 1.0], "text": ["one", "two"]})
    frame.write_parquet(tmp_path / "a.parquet")
    assert rows(collect("a.parquet"), "native_id", "native_parent") == [("1", None), ("2", "1")]
    frame.write_csv(tmp_path / "a.csv")
    assert rows(collect("a.csv"), "native_id", "native_parent") == [("1", None), ("2", "1")]


@pytest.mark.parametrize(
    ("columns", "state", "kept"),
    [
        ({"state": "visible"}, "visible", True),
        ({"state": "Deleted"}, "deleted", False),
        ({"status": "removed by moderator"}, "removed", False),
        ({"status": "pending"}, "held", True),
        ({"status": "approved", "text": "[removed]"}, "removed", False),
        ({"deleted": True}, "deleted", False),
        ({"is_removed": "1", "deleted": False}, "removed", False),
        ({"removed": "no"}, "visible", True),
        ({"text": " [deleted] "}, "deleted", False),
        ({"text": "[Deleted by user]"}, "deleted", False),
        ({"text": "[removed by moderator]"}, "removed", False),
        ({"text": "It was [removed] again"}, "visible", True),
        ({"state": "CA"}, "visible", True),
        ({"text": None}, "visible", False),
        ({"text": ""}, "visible", False),
    ],
)
def test_states_are_read_from_columns_and_texts(
    collect: Collect, columns: dict[str, object], state: str, kept: bool
) -> None:
    """States are read from columns and texts."""
    lines = [{"id": "a", "text": "some words", **columns}, {"id": "b", "text": "others"}]
    found = collect("a.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    row = found.comments.row(0, named=True)
    assert (row["state"], row["text"] is not None, row["reason"]) == (state, kept, None)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("AutoModerator", "bot"),
        ("GazetteModBot", "bot"),
        ("mod-bot", "bot"),
        ("news_Bot2", "bot"),
        ("renovate[bot]", "bot"),
        ("Abbot", "user"),
        ("Fox Talbot", "user"),
        ("robot", "user"),
        ("[deleted]", "unknown"),
        ("", "unknown"),
    ],
)
def test_roles_are_told_by_the_name(collect: Collect, name: str, role: str) -> None:
    """Roles are told by the name."""
    found = collect("a.csv", f"author,text\n{name},some words\nann,others\n")
    assert found.comments["role"].to_list() == [role, "user"]


def test_an_address_that_all_rows_share_is_the_threads(collect: Collect) -> None:
    """An address that all rows share is the threads."""
    found = collect("a.csv", "url,text\nhttps://News.example/a,one\nhttps://News.example/a,two\n")
    assert found.comments["url"].to_list() == [None, None]
    assert found.threads.select("url", "site").row(0) == ("https://News.example/a", "news.example")
    found = collect("a.csv", "url,text\nhttps://news.example/a#1,one\nhttps://news.example/a#2,two\n")
    assert found.comments["url"].to_list() == ["https://news.example/a#1", "https://news.example/a#2"]


def test_attributes_are_kept_as_text(collect: Collect) -> None:
    """Attributes are kept as text."""
    content = '{"text":"Hello there","age":30,"tags":["a"]}\n{"text":"Hello again","age":null,"tags":[]}\n'
    found = collect("a.jsonl", content, attributes=["age", "tags"])
    assert found.attributes.select("offset", "name", "value").rows() == [
        (0, "age", "30"),
        (1, "age", None),
        (0, "tags", '["a"]'),
        (1, "tags", "[]"),
    ]


def test_broken_records_stand_among_the_comments(collect: Collect) -> None:
    """Broken records stand among the comments."""
    found = collect("a.jsonl", '{"thread_id":"x","text":"one"}\n{"te\n{"thread_id":"y","text":"two"}\n')
    assert rows(found, "offset", "location", "thread_id", "reason", "text") == [
        (0, "line 1", "file:x", None, "one"),
        (1, "line 2", "file:a.jsonl", "malformed", None),
        (2, "line 3", "file:y", None, "two"),
    ]
    assert set(found.threads["thread_id"]) == {"file:x", "file:y", "file:a.jsonl"}
    assert dict(found.outcome.counts) == {"files": 1, "records": 3, "threads": 3, "unusable": 1}


def test_a_long_line_is_kept_and_an_endless_text_is_not(collect: Collect) -> None:
    """A long line is kept and an endless text is not."""
    lines = [
        {"id": "a", "text": "x" * 1_000_000, "other": "y" * 9_000_000},
        {"id": "b", "text": "z" * 1_000_001},
    ]
    found = collect("a.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    assert found.comments["reason"].to_list() == [None, "too_large"]
    assert found.comments["text"].str.len_chars().to_list() == [1_000_000, None]
    assert found.comments["excerpt"].to_list() == [None, "z" * 200]


@pytest.mark.parametrize("content", ["id,text\n", "[]", '{"a\n', "id,text\n1\n2,3,4\n"])
def test_a_table_without_one_readable_row_is_an_error(collect: Collect, content: str) -> None:
    """A table without one readable row is an error."""
    with pytest.raises(InputError, match=r"has a header|no records|not one record|neither"):
        collect("a.csv", content)
