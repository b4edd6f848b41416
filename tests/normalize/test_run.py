"""The whole stage: raw tables to threads, comments, quarantine and attributes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from discourse.errors import InputError, UsageError
from discourse.normalize import READS, WRITES
from discourse.normalize.authors import pseudonyms
from discourse.tables import COMMENTS
from discourse.workspace import Workspace

from .records import (
    CONFIG,
    attributes_table,
    by_offset,
    normalize,
    quarantine,
    record,
    rows,
    thread,
    threads_table,
)

MONDAY, TUESDAY = datetime(2024, 5, 6, tzinfo=UTC), datetime(2024, 5, 7, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return an empty workspace."""
    return Workspace(tmp_path / "ws")


def test_every_record_becomes_one_comment_or_one_row_of_quarantine(workspace: Workspace) -> None:
    """Every record becomes one comment or one row of quarantine."""
    outcome = normalize(
        workspace,
        [
            record(0, "A comment about the lamp posts", native_id="a"),
            record(1, " \u200b ", native_id="b"),
            record(2, "again", native_id="a"),
            record(3, "an answer to nothing", native_id="c", native_parent="b"),
            record(4, None, reason="malformed", excerpt='{"text": "cut'),
            record(5, None, native_id="d", state="deleted"),
            record(6, "[removed]", native_id="e", state="removed"),
            record(7, "not yet shown", native_id="f", state="held"),
        ],
    )
    assert outcome.counts | {"records": 8, "comments": 5, "quarantined": 3, "orphans": 1} == dict(outcome.counts)
    assert (outcome.counts["deleted"], outcome.counts["removed"], outcome.counts["held"]) == (1, 1, 1)
    assert outcome.notes[0] == "8 records = 5 comments + 3 quarantined (1 with a repeated id, 1 empty, 1 malformed)"
    assert "1 reply lost its parent" in outcome.notes
    assert {(row["location"], row["reason"]) for row in quarantine(workspace)} == {
        ("line 3", "empty"),
        ("line 4", "duplicate_id"),
        ("line 6", "malformed"),
    }
    found = rows(workspace)
    assert found["forum:c"]["reply_kind"] == "orphan"
    assert all(found[f"forum:{name}"]["text"] is None for name in "def")
    (told,) = threads_table(workspace)
    assert (told["collected"], told["deleted"], told["quarantined"]) == (5, 1, 3)
    assert told["reason"] == "3 in quarantine (1 with a repeated id, 1 empty, 1 malformed)"


def test_the_same_record_place_twice_is_told_apart_in_quarantine(workspace: Workspace) -> None:
    """The same record place twice is told apart in quarantine."""
    normalize(workspace, [record(0, "", location="row 1"), record(1, "", location="row 1"), record(2, "kept")])
    assert [row["location"] for row in quarantine(workspace)] == ["row 1", "row 1 (record 1)"]


def test_no_comment_left_is_an_error_that_names_the_file(workspace: Workspace) -> None:
    """No comment left is an error that names the file."""
    with pytest.raises(InputError, match=r"^raw/comments\.csv: no comments after clean-up: 2 records, 2 quarantined "):
        normalize(workspace, [record(0, " "), record(1, "\u200b")])


def test_quotes_name_the_comment_they_come_from(workspace: Workspace) -> None:
    """Quotes name the comment they come from."""
    normalize(
        workspace,
        [
            record(0, "The mayor bought   forty cameras last year.", native_id="a"),
            record(1, "The mayor bought forty cameras last year. I like it.", native_id="b", native_parent="a"),
            record(2, "> the Mayor bought forty\n> cameras\n\nno", native_id="c", native_parent="b"),
            record(3, "> bought forty cameras last\n\nyes", native_id="d"),
            record(4, "> words of nobody in this thread\n\nwhat", native_id="e"),
            record(5, "> forty cameras", native_id="f", native_parent="a"),
            record(6, "> words of a later comment\n\nwhat", native_id="g", native_parent="a"),
            record(7, "These are words of a later comment.", native_id="h"),
        ],
    )
    found = rows(workspace)
    where = {name: [quote["comment_id"] for quote in found[f"forum:{name}"]["quotes"]] for name in "abcdefgh"}
    assert where == {
        "a": [], "b": [], "c": ["forum:b"], "d": ["forum:a"], "e": [None], "f": [None], "g": [None], "h": []
    }  # fmt: skip
    assert found["forum:f"]["text"] is None
    assert found["forum:f"]["language"] is None
    assert found["forum:f"]["quotes"][0]["text"] == "forty cameras"


def test_names_become_pseudonyms_and_stand_in_no_table(workspace: Workspace) -> None:
    """Names become pseudonyms and stand in no table."""
    normalize(
        workspace,
        [
            record(0, "one", author="Ann Example"),
            record(1, "two", author="Ann Example"),
            record(2, "three", author="[deleted]"),
            record(3, "four", author="Bob", role="staff"),
            record(4, "five", author="Bob", thread_id="other:x"),
        ],
        [thread(article_author="Ann Example"), thread("other:x")],
    )
    found = by_offset(workspace)
    ann = found[0]["author"]
    assert found[1]["author"] == ann
    assert ann.startswith("u")
    assert len(ann) == 17
    assert found[2]["author"] is None
    assert found[3]["author"] != found[4]["author"]
    assert [found[i]["role"] for i in range(5)] == ["author", "author", "unknown", "staff", "unknown"]
    assert threads_table(workspace)[0]["article_author"] == ann
    for table in WRITES:
        assert "Ann Example" not in workspace.read(table).write_json()


def test_a_pseudonym_is_a_keyed_hash() -> None:
    """A pseudonym is a keyed hash."""
    import hashlib
    import hmac

    import polars as pl

    expected = "u" + hmac.new(b"k" * 16, b"forum:Ann", hashlib.sha256).hexdigest()[:16]
    names, platforms = pl.Series(["Ann", None, " "]), pl.Series(["forum"] * 3)
    assert pseudonyms(names, platforms, b"k" * 16).to_list() == [expected, None, None]


def test_who_wrote_the_opening_post_is_the_author(workspace: Workspace) -> None:
    """Who wrote the opening post is the author."""
    normalize(
        workspace,
        [
            record(0, "my post", native_id="o", author="Op", reply_kind="opening", markup="markdown"),
            record(1, "my answer", native_id="a", native_parent="o", author="Op"),
            record(2, "her answer", native_id="b", native_parent="o", author="She"),
        ],
    )
    assert [by_offset(workspace)[i]["role"] for i in range(3)] == ["author", "author", "unknown"]
    (told,) = threads_table(workspace)
    assert told["article"] == "my post"
    assert told["collected"] == 2


def test_a_text_in_most_threads_is_a_bot(workspace: Workspace) -> None:
    """A text in most threads is a bot."""
    sticky = "Please stay civil and read the rules before you write."
    records = [record(i, sticky.upper() if i else sticky, thread_id=f"forum:t{i}") for i in range(5)]
    records += [record(9, "I agree with you", thread_id=f"forum:t{i}") | {"offset": 10 + i} for i in range(5)]
    outcome = normalize(workspace, records)
    found = by_offset(workspace)
    assert [found[i]["role"] for i in (0, 4, 10, 14)] == ["bot", "bot", "unknown", "unknown"]
    assert outcome.counts["bots"] == 5
    assert found[4]["duplicate_of"] is None


def test_four_threads_are_too_few_to_tell_a_bot(workspace: Workspace) -> None:
    """Four threads are too few to tell a bot."""
    sticky = "Please stay civil and read the rules before you write."
    outcome = normalize(workspace, [record(i, sticky, thread_id=f"forum:t{i}") for i in range(4)])
    assert outcome.counts["bots"] == 0


def test_near_duplicates_name_the_earliest(workspace: Workspace) -> None:
    """Near duplicates name the earliest."""
    text = "They put the cameras up at night so that nobody on our street could say a word against it at all"
    outcome = normalize(
        workspace,
        [
            record(0, text + "!!", native_id="late", created_at=TUESDAY),
            record(1, text, native_id="early", created_at=MONDAY),
            record(2, text.upper() + " really", native_id="undated"),
            record(3, "They put the lamps up in May and then the whole street came out to cheer", native_id="else"),
            record(4, "five words are too few", native_id="s1"),
            record(5, "five words are too few", native_id="s2"),
        ],
    )
    found = rows(workspace)
    assert found["forum:late"]["duplicate_of"] == found["forum:undated"]["duplicate_of"] == "forum:early"
    assert [found[f"forum:{name}"]["duplicate_of"] for name in ("early", "else", "s1", "s2")] == [None] * 4
    assert outcome.counts["duplicates"] == 2


def test_first_seen_outlives_a_second_collection(workspace: Workspace) -> None:
    """First seen outlives a second collection."""
    normalize(workspace, [record(0, "old", native_id="a")], [thread(collected_at=MONDAY)])
    normalize(
        workspace,
        [record(0, "old", native_id="a"), record(1, "new", native_id="b")],
        [thread(collected_at=TUESDAY)],
    )
    found = rows(workspace)
    assert (found["forum:a"]["first_seen"], found["forum:a"]["last_seen"]) == (MONDAY, TUESDAY)
    assert found["forum:b"]["first_seen"] == TUESDAY


def test_threads_say_in_words_why_they_are_not_whole(workspace: Workspace) -> None:
    """Threads say in words why they are not whole."""
    normalize(
        workspace,
        [record(0, "one")],
        [
            thread(declared=9, unreachable=3, title="<b>Lamp</b> &amp; post", article="> an article that is a quote"),
            thread("forum:empty", declared=0),
        ],
    )
    told, empty = threads_table(workspace)
    assert told["reason"] == "the platform declares 9 comments, 1 collected; 3 could not be reached"
    assert (told["title"], told["article"]) == ("Lamp & post", "an article that is a quote")
    assert (empty["collected"], empty["reason"]) == (0, None)


def test_attributes_follow_their_comment(workspace: Workspace) -> None:
    """Attributes follow their comment."""
    place = {"file": "raw/comments.csv"}
    normalize(
        workspace,
        [record(0, "one", native_id="a"), record(1, "", native_id="b")],
        attributes=[
            {**place, "offset": 0, "name": "age", "value": "40"},
            {**place, "offset": 1, "name": "age", "value": "50"},
        ],
    )
    assert attributes_table(workspace) == [{"unit": "comment", "id": "forum:a", "name": "age", "value": "40"}]


def test_a_thread_that_only_comments_name_gets_a_row(workspace: Workspace) -> None:
    """A thread that only comments name gets a row."""
    normalize(workspace, [record(0, "one"), record(1, "two", thread_id="forum:lost")], [thread()])
    assert {row["thread_id"] for row in threads_table(workspace)} == {"forum:t1", "forum:lost"}


def test_running_again_gives_the_same_tables(workspace: Workspace) -> None:
    """Running again gives the same tables."""
    records = [record(i, f"comment number {i % 3} about the cameras", author=f"a{i % 2}") for i in range(9)]
    normalize(workspace, records)
    before = {table.name: workspace.read(table) for table in WRITES}
    normalize(workspace, records[::-1])
    for table in WRITES:
        assert workspace.read(table).equals(before[table.name])


def test_an_unknown_language_is_a_usage_error(workspace: Workspace) -> None:
    """An unknown language is a usage error."""
    config = CONFIG.model_copy(update={"normalize": CONFIG.normalize.model_copy(update={"languages": ("en", "xx")})})
    with pytest.raises(UsageError, match='"xx" is no ISO 639-1 code'):
        normalize(workspace, [record(0, "one")], config=config)


def test_the_stage_reads_raw_tables_and_writes_its_own() -> None:
    """The stage reads raw tables and writes its own."""
    assert all(table.stage == "collect" for table in READS)
    assert all(table.stage == "normalize" for table in WRITES)
    assert COMMENTS in WRITES
