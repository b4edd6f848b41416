"""Hacker News: trees of Algolia, items of Firebase, dead and deleted comments."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.collect.forms import hackernews as form
from tests.collect.trees import Tree, trees

from discourse.collect.answers import Answer, UnreadableAnswerError
from discourse.collect.harvest import Collected, harvest
from discourse.collect.sources.hackernews import HackerNews
from discourse.tables import Reason, State

NEWS = HackerNews()
AT = datetime(2025, 3, 2, tzinfo=UTC)


def answer(body: object, url: str = "", status: int = 200, **context: str) -> Answer:
    """Return an answer."""
    return Answer(url, status, {"content-type": "application/json"}, json.dumps(body).encode(), AT, "", context)


def item(number: int, *children: object, **fields: Any) -> dict[str, Any]:
    """Return a comment as Algolia writes it."""
    return {"id": number, "type": "comment", "author": "ada", "text": f"<p>{number}", "created_at_i": 1_740_000_000,
            "children": list(children)} | fields  # fmt: skip


def test_an_address_of_the_site_asks_for_the_tree_and_the_total() -> None:
    """The site's address leads to Algolia's tree and Firebase's total; other addresses lead nowhere."""
    urls = [ask.url for ask in NEWS.start("https://news.ycombinator.com/item?id=12")]
    assert urls == ["https://hn.algolia.com/api/v1/items/12", "https://hacker-news.firebaseio.com/v0/item/12.json"]
    assert not NEWS.start("https://news.ycombinator.com/news")
    assert not NEWS.start("https://example.org/item?id=12")


def test_a_comment_without_a_text_is_deleted_and_keeps_its_replies() -> None:
    """Algolia gives null for the text and author of a deleted comment; its reply hangs on it."""
    gone = item(2, item(3), text=None, author=None)
    page = NEWS.read(answer({"id": 1, "type": "story", "title": "t", "author": "op", "children": [gone]}))
    assert [(one.native_id, one.parent, one.state) for one in page.comments] == [
        ("2", None, State.DELETED), ("3", "2", State.VISIBLE),
    ]  # fmt: skip
    assert page.comments[0].text is None


def test_the_total_of_firebase_does_not_lead_to_its_items() -> None:
    """Asked only for the total, an item declares it and no kid is asked for."""
    body = {"id": 1, "type": "story", "by": "op", "time": 1_740_000_000, "descendants": 2, "kids": [2, 3]}
    url = "https://hacker-news.firebaseio.com/v0/item/1.json"
    page = NEWS.read(answer(body, url, hn="total"))
    assert page.threads[0].declared == 2
    assert not page.next
    assert [ask.expects for ask in NEWS.read(answer(body, url)).next] == [1, 1]


def test_an_item_that_is_null_counts_as_missing() -> None:
    """Firebase says null of an item that it does not show."""
    page = NEWS.read(answer(None, "https://hacker-news.firebaseio.com/v0/item/5.json", thread="1"))
    assert [(ask.url, ask.expects, ask.thread) for ask in page.next] == [("", 1, "1")]


def test_the_hits_of_a_search_say_that_they_are_no_thread() -> None:
    """Saved hits are comments of their stories."""
    hit = {"objectID": "7", "_tags": ["comment"], "story_id": 1, "parent_id": 1, "comment_text": "x", "author": "a"}
    body = {"hits": [hit]}
    assert NEWS.claims(answer(body))
    page = NEWS.read(answer(body))
    assert (page.comments[0].thread, page.comments[0].parent, page.comments[0].text) == ("1", None, "x")
    assert page.threads[0].reason is not None


def test_choices_of_a_poll_and_strange_children_are_no_comments() -> None:
    """They go to quarantine with what they are."""
    body = {"id": 1, "type": "poll", "children": [item(2, type="pollopt"), "x", {"id": [3]}]}
    reasons = [one.reason for one in NEWS.read(answer(body)).comments]
    assert reasons == [Reason.NOT_A_COMMENT, Reason.WRONG_TYPE, Reason.WRONG_TYPE]


def test_recorded_items_give_their_trees(shared: Path) -> None:
    """Each recorded file is claimed, and its threads have the comments that stand in it."""
    folder = shared / "payloads" / "hackernews"
    counts: dict[str, tuple[int, int]] = {}
    for path in sorted(folder.iterdir()):
        found = Answer("", 200, {}, path.read_bytes(), AT)
        assert NEWS.claims(found)
        page = NEWS.read(found)
        counts[path.name] = (len(page.threads), path.read_bytes().count(b'"comment"'))
        assert sum(one.kind is None for one in page.comments) == counts[path.name][1]
    assert sum(threads for threads, _ in counts.values()) == 4


@settings(max_examples=30, deadline=None)
@given(trees())
def test_a_tree_in_firebase_form_is_read_back(tree: Tree) -> None:
    """Every comment comes back with its parent, state and text."""
    found = harvest(NEWS, form.answers(tree, page_size=3), Collected("f", AT, "f", {}))
    rows = {
        int(row["native_id"]): row for row in found.comments.filter(found.comments["reply_kind"].is_null()).to_dicts()
    }
    assert rows.keys() == {node.number for node in tree.nodes}
    for node in tree.nodes:
        above = rows[node.number]["native_parent"]
        assert (int(above) if above else None, rows[node.number]["state"]) == (node.parent, node.state)
    assert found.threads.item(0, "declared") == len(tree.nodes)
    assert found.threads.item(0, "unreachable") == 0


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_mutated_items_give_rows_or_reasons(data: st.DataObject) -> None:
    """Bytes changed anywhere never end in another error."""
    body = bytearray(json.dumps({"id": 1, "type": "story", "children": [item(2, item(3))]}).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    found = Answer("", 200, {}, bytes(body), AT)
    with contextlib.suppress(UnreadableAnswerError):
        if NEWS.claims(found):
            NEWS.read(found)


def test_an_answer_of_another_kind_is_refused() -> None:
    """JSON that is no item is unreadable when Hacker News's host sent it."""
    with pytest.raises(UnreadableAnswerError):
        NEWS.read(answer({"a": 1}, "https://hn.algolia.com/api/v1/items/1"))
