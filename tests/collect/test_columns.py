"""Columns are found by their names, then by their contents, and the choice is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from discourse.collect.names import SYNONYMS, fields_named, rank
from discourse.errors import InputError, UsageError

Collect = Callable[..., Any]


def jsonl(*rows: dict[str, object]) -> str:
    """Jsonl."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_the_guess_is_shown_in_one_line(collect: Collect) -> None:
    """The guess is shown in one line."""
    found = collect("thread.csv", "body,user,reply_to,date,votes_hidden,Comment ID\nHello there,ann,,2024-05-01,1,c1\n")
    assert found.note == (
        "thread.csv read as CSV (1 rows): text=body, comment_id=Comment ID, parent_id=reply_to, author=user, "
        "created_at=date; not used: votes_hidden"
    )


def test_names_are_matched_without_case_and_punctuation() -> None:
    """Names are matched without case and punctuation."""
    for name in ("Comment-Body", "commentBody", "COMMENT BODY", "comment_body"):
        assert fields_named(name) == {"text"}
    assert fields_named("votes_hidden") == set()
    assert rank("text", "data.text") == (1, 0)
    assert fields_named("speaker.id") == {"author"}


def test_no_name_means_two_fields() -> None:
    """No name means two fields."""
    words = [word for names in SYNONYMS.values() for word in names.split()]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("name", "content", "preset", "first"),
    [
        (
            "t3c.csv",
            "id,interview,comment\n1,Ann Example,We need more buses in town\n",
            "Talk to the City",
            {"native_id": "1", "author": "Ann Example", "text": "We need more buses in town"},
        ),
        (
            "k.csv",
            "comment-id,comment-body,agree\n9,We need more buses in town,1\n",
            "kouchou-ai",
            {"native_id": "9", "text": "We need more buses in town"},
        ),
        (
            "utterances.jsonl",
            jsonl(
                {
                    "id": "a",
                    "conversation_id": "a",
                    "reply-to": None,
                    "speaker": "s1",
                    "timestamp": 1.4e9,
                    "text": "x y",
                }
            ),
            "ConvoKit",
            {"native_id": "a", "author": "s1", "reply_kind": "opening", "thread_id": "file:a"},
        ),
        (
            "utterances2.jsonl",
            jsonl({"id": "a", "root": "r", "reply_to": "r", "user": {"id": "s1"}, "timestamp": None, "text": "x y"}),
            "ConvoKit",
            {"native_id": "a", "author": "s1", "native_parent": None, "thread_id": "file:r"},
        ),
        (
            "4cat.csv",
            "thread_id,id,timestamp,body,subject,author,extra\n5,6,2024-05-01 10:00:00,Some words,A subject,Anon,1\n",
            "4CAT",
            {"native_id": "6", "text": "Some words", "author": "Anon", "created_precision": "exact"},
        ),
        (
            "zee.ndjson",
            jsonl(
                {
                    "item_id": "77",
                    "timestamp_collected": 1715000000000,
                    "source_platform": "tiktok-comments",
                    "data": {
                        "text": "Some words",
                        "create_time": 1714000000,
                        "digg_count": 3,
                        "user": {"unique_id": "ann", "id": "1"},
                        "aweme_id": "v1",
                    },
                }
            ),
            "Zeeschuimer",
            {"native_id": "77", "text": "Some words", "author": "ann", "score": 3.0, "thread_id": "tiktok-comments:v1"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value and len(value) < 20 else "",
)
def test_tables_of_known_tools_are_recognised(
    collect: Collect, name: str, content: str, preset: str, first: dict
) -> None:
    """Tables of known tools are recognised."""
    found = collect(name, content)
    row = found.comments.row(0, named=True)
    assert f", {preset} form (" in found.note
    assert {key: row[key] for key in first} == first


def test_a_speaker_may_be_a_name_in_one_row_and_an_object_in_another(collect: Collect) -> None:
    """A speaker may be a name in one row and an object in another."""
    base = {"conversation_id": "r", "reply_to": "r", "timestamp": 1_400_000_000, "text": "some words"}
    found = collect(
        "u.jsonl", jsonl({"id": "a", "speaker": "s1", **base}, {"id": "b", "speaker": {"id": "s2"}, **base})
    )
    assert found.comments["text"].null_count() == 0
    assert found.comments["author"].to_list()[0] == "s1"


def test_contents_decide_where_names_say_nothing(collect: Collect) -> None:
    """Contents decide where names say nothing."""
    rows = ["aa;bb;cc;dd;ee"]
    for number in range(30):
        parent = "" if number % 3 == 0 else f"x{number - 1:03}"
        rows.append(
            f"x{number:03};{parent};ann;This is free text number {number};2024-05-{number % 28 + 1:02}T10:00:00Z"
        )
    found = collect("odd.csv", "\n".join(rows))
    assert "text=dd, comment_id=aa, parent_id=bb, created_at=ee; not used: cc" in found.note


def test_a_map_overrides_every_guess(collect: Collect) -> None:
    """A map overrides every guess."""
    content = "text,other,who\nshort title,The real comment stands here,ann\n"
    found = collect("a.csv", content, map={"text": "other", "author": "", "title": "text"})
    assert found.comments["text"].to_list() == ["The real comment stands here"]
    assert found.threads["title"].to_list() == ["short title"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"map": {"text": "boddy"}}, r'"boddy".*did you mean "body".*columns are: body, user'),
        ({"map": {"txt": "body"}}, r'no field "txt".*did you mean "text"'),
        ({"attributes": "users"}, r'"users".*did you mean "user"'),
    ],
)
def test_a_column_that_is_not_there_is_wrong_usage(collect: Collect, options: dict[str, object], said: str) -> None:
    """A column that is not there is wrong usage."""
    with pytest.raises(UsageError, match=said):
        collect("a.csv", "body,user\nHello there,ann\n", **options)


def test_a_table_without_text_shows_its_columns_and_the_fix(collect: Collect) -> None:
    """A table without text shows its columns and the fix."""
    with pytest.raises(InputError, match=r"--map text=NAME.*one of: a, b"):
        collect("n.csv", "a,b\n1,2\n3,4\n")


def test_hostile_column_names_do_not_reach_the_terminal(collect: Collect) -> None:
    """Hostile column names do not reach the terminal."""
    found = collect("a.csv", '"te\x1b[31mxt\nx",text\n1,Hello there\n')
    assert found.note.isprintable()


def test_a_text_column_named_parent_is_no_parent_id(collect: Collect) -> None:
    """A text column named parent is no parent id."""
    found = collect("a.csv", "id,text,parent\n1,Yes indeed,What do you all think?\n2,No,What do you all think?\n")
    assert found.comments["native_parent"].null_count() == 2
    assert "not used: parent" in found.note
