"""Substack: what posts, comments, notes and refusals give."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.collect.forms import substack as form
from tests.collect.trees import trees

from discourse.collect.answers import Answer, UnreadableAnswerError
from discourse.collect.sources.platform import Page
from discourse.collect.sources.substack import Substack
from discourse.tables import Reason, ReplyKind, Role, State

SUBSTACK = Substack()
LIST = "https://lamps.substack.com/api/v1/post/4711/comments?all_comments=true&sort=oldest_first"


def answer(body: object, url: str = LIST, status: int = 200, **context: Any) -> Answer:
    """Return an answer of Substack."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(url, status, {"content-type": "application/json"}, raw, datetime(2025, 3, 1, tzinfo=UTC), "", context)


def comment(number: int, path: str = "", **fields: Any) -> dict[str, Any]:
    """Return a comment as Substack writes it."""
    return {"id": number, "body": f"Comment {number}", "date": "2025-02-01T10:00:00.000Z", "name": "Ada",
            "ancestor_path": path, "post_id": 4711, "reaction_count": 3, "children": []} | fields  # fmt: skip


def test_the_recorded_note_is_the_opening_of_its_thread(shared: Path) -> None:
    """A note of a feed is an opening post; the answers to it are known and not there."""
    body = (shared / "payloads" / "substack" / "feed_comment_excerpt.json").read_bytes()
    found = answer(body, "")
    assert SUBSTACK.claims(found)
    page = SUBSTACK.read(found)
    (note,) = page.comments
    assert (note.native_id, note.kind, note.score) == ("196576534", ReplyKind.OPENING, 659)
    assert page.threads[0].article == note.text
    assert [(ask.url, ask.thread, ask.expects) for ask in page.next] == [("", "note-196576534", 18)]


def test_addresses() -> None:
    """A post's address at Substack, or behind substack+ at another domain, leads to the post and to its comments."""
    for url in ("https://lamps.substack.com/p/lamp-posts", "https://lamps.substack.com/p/lamp-posts/comments?x=1",
                "https://lamps.substack.com/api/v1/posts/lamp-posts"):  # fmt: skip
        assert [ask.url for ask in SUBSTACK.start(url)] == ["https://lamps.substack.com/api/v1/posts/lamp-posts"]
    assert [(ask.url, ask.thread) for ask in SUBSTACK.start(LIST)] == [(LIST, "4711")]
    assert SUBSTACK.start("substack+https://lamps.example.org/p/a")[0].url == "https://lamps.example.org/api/v1/posts/a"
    for url in (
        "https://lamps.example.org/p/a",
        "https://lamps.substack.com/about",
        "ftp://x.substack.com/p/a",
        "http://[",
    ):
        assert SUBSTACK.start(url) == ()


def test_a_post_declares_and_leads_to_its_comments() -> None:
    """The post gives title, article, author and count; a saved one without an address says what is missing."""
    post = {"id": 4711, "slug": "a", "title": "Lamps", "canonical_url": "https://lamps.example.org/p/a",
            "post_date": "2025-02-01T10:00:00.000Z", "comment_count": 2, "body_html": "<p>On lamps</p>",
            "publishedBylines": [{"name": "Ada"}]}  # fmt: skip
    page = SUBSTACK.read(answer(post, "https://lamps.example.org/api/v1/posts/a", substack="post"))
    (thread,) = page.threads
    assert (thread.native_id, thread.title, thread.author, thread.declared) == ("4711", "Lamps", "Ada", 2)
    (ask,) = page.next
    assert (ask.url, ask.expects) == (LIST.replace("lamps.substack.com", "lamps.example.org"), 2)
    read = SUBSTACK.read(answer({"comments": [comment(8)]}, ask.url, **dict[str, Any](ask.context)))
    assert read.comments[0].url == "https://lamps.example.org/p/a/comment/8"
    assert SUBSTACK.claims(answer(post, ""))
    assert [(one.url, one.expects) for one in SUBSTACK.read(answer(post, "")).next] == [("", 2)]


def test_comments_without_an_address_know_their_post() -> None:
    """Saved comments name their post; parents come from the path, in either form, or from the nesting."""
    below = [comment(2, "1"), comment(3, "1.2"), comment(4, "1/2", metadata={"is_author": True})]
    found = answer({"comments": [comment(1, children=[*below, comment(5, children=[comment(6)])])]}, "")
    assert SUBSTACK.claims(found)
    page = SUBSTACK.read(found)
    assert {one.thread for one in page.comments} == {"4711"}
    parents = {one.native_id: one.parent for one in page.comments}
    assert parents == {"1": None, "2": "1", "3": "2", "4": "2", "5": "1", "6": "5"}
    assert [one.role for one in page.comments if one.native_id == "4"] == [Role.AUTHOR]


def test_states_and_rich_text() -> None:
    """Deleted and removed comments have no text; a comment that has only a document gives its words."""
    document = {"type": "doc", "content": [
        {"type": "paragraph", "content": [{"type": "text", "text": "One "}, {"type": "text", "text": "line"}]},
        {"type": "paragraph", "content": [{"type": "text", "text": "Two"}, {"type": "hardBreak"},
                                          {"type": "text", "text": "Three"}]}]}  # fmt: skip
    records = [
        comment(1, deleted=True, body=None),
        comment(2, body=None, name=None),
        comment(3, body=None, user_banned=True),
        comment(4, body=None, body_json=document, reaction_count=None, reactions={"❤": 2, "x": 1}),
    ]
    page = SUBSTACK.read(answer({"comments": records}))
    assert [one.state for one in page.comments] == [State.DELETED, State.DELETED, State.REMOVED, State.VISIBLE]
    assert [one.text for one in page.comments] == [None, None, None, "One line\n\nTwo\nThree"]
    assert page.comments[3].score == 3


def test_a_note_with_its_answers() -> None:
    """The answers to a note hang on it, in the thread that it opens."""
    note = comment(1, post_id=None, publication_id=None, type="feed", children_count=1)
    reply = comment(2, "1", post_id=None, publication_id=None, type="feed")
    body = {"rootComment": note, "commentBranches": [{"comment": reply, "descendantComments": []}], "moreBranches": 0}
    page = SUBSTACK.read(answer(body, ""))
    assert [(one.native_id, one.thread, one.parent, one.kind) for one in page.comments] == [
        ("2", "note-1", "1", None),
        ("1", "note-1", None, ReplyKind.OPENING),
    ]
    assert page.next == ()


def test_refusals_and_strange_records() -> None:
    """A refusal is stated; what is no comment is quarantined; a fault gives nothing; a cut answer is an error."""
    assert SUBSTACK.read(answer({"error": "Paid only"}, status=403)).threads[0].reason == "Substack refuses: Paid only"
    assert SUBSTACK.read(answer(b"", status=404)).threads[0].reason == "Substack refuses: there is no such post"
    assert SUBSTACK.read(answer(b"busy", status=503)) == Page()
    page = SUBSTACK.read(answer({"comments": [7, comment(2), {"id": 3}]}))
    assert [one.reason for one in page.comments] == [Reason.WRONG_TYPE, None, Reason.WRONG_TYPE]
    with pytest.raises(UnreadableAnswerError):
        SUBSTACK.read(answer({"other": 1}, substack="comments"))
    cut = answer(json.dumps({"comments": [comment(1)]}).encode()[:90])
    assert SUBSTACK.claims(cut)
    with pytest.raises(UnreadableAnswerError):
        SUBSTACK.read(cut)


@settings(max_examples=60, deadline=None)
@given(tree=trees())
def test_trees_are_read_back(tree: Any) -> None:
    """A post's comments are read back whole with their parents, as many as it declares."""
    pages = [SUBSTACK.read(one) for one in form.answers(tree, page_size=3)]
    found = {one.native_id: one.parent for page in pages for one in page.comments}
    assert found == {str(node.number): None if node.parent is None else str(node.parent) for node in tree.nodes}
    assert pages[0].threads[0].declared == len(found)


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["comments", "items", "comment", "id", "body", "body_json", "date", "children",
                                         "ancestor_path", "post_id", "type", "content", "deleted", "post"]), inner,
                        max_size=8),
                    max_leaves=20))  # fmt: skip
def test_any_json_is_read(body: object) -> None:
    """Whatever JSON comes, the answer is a page or an explained refusal."""
    SUBSTACK.claims(answer(body, ""))
    with contextlib.suppress(UnreadableAnswerError):
        SUBSTACK.read(answer(body, substack="comments"))
    with contextlib.suppress(UnreadableAnswerError):
        SUBSTACK.read(answer(body, ""))
