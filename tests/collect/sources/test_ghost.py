"""Ghost: what its lists, counts, pages and refusals give."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.collect.forms import ghost as form
from tests.collect.trees import trees

from discourse.collect.answers import Answer, UnreadableAnswerError
from discourse.collect.sources.ghost import Ghost
from discourse.collect.sources.platform import Page
from discourse.tables import Reason, State

GHOST = Ghost()
POST = f"{7:024x}"
API = "https://blog.example.org/members/api/comments"
LIST = f"{API}/post/{POST}/"


def answer(body: object, url: str = LIST, status: int = 200, **context: Any) -> Answer:
    """Return an answer of a Ghost site."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(url, status, {"content-type": "application/json"}, raw, datetime(2025, 3, 1, tzinfo=UTC), "", context)


def comment(number: int, parent: int | None = None, **fields: Any) -> dict[str, Any]:
    """Return a comment as Ghost writes it."""
    return {"id": f"{number:024x}", "parent_id": parent and f"{parent:024x}", "status": "published",
            "html": f"<p>{number}</p>", "created_at": "2025-02-01T10:00:00.000Z", "member": {"name": "Ada"},
            "replies": [], "count": {"replies": 0, "likes": 2}} | fields  # fmt: skip


def listing(*records: object, total: int | None = None, page: int = 1, limit: int = 100) -> dict[str, Any]:
    """Return a page of a list."""
    total = len(records) if total is None else total
    pages = max(-(-total // limit), 1)
    return {"comments": list(records),
            "meta": {"pagination": {"page": page, "limit": limit, "pages": pages, "total": total}}}  # fmt: skip


def recorded(shared: Path, name: str) -> Page:
    """Read a recorded answer, saved without its headers and address."""
    body = (shared / "payloads" / "servers" / "ghost" / f"{name}.body").read_bytes()
    found = Answer("", 200, {}, body, datetime(2025, 3, 1, tzinfo=UTC))
    assert GHOST.claims(found)
    return GHOST.read(found)


def test_the_recorded_list_gives_the_thread(shared: Path) -> None:
    """A saved list gives all comments, replies to replies under what they answer, and deleted ones without text."""
    page = recorded(shared, "list")
    parents = {(one.native_id or "")[-4:]: one.parent and one.parent[-4:] for one in page.comments}
    assert len(parents) == 11
    assert (parents["64ac"], parents["64b6"], parents["64b7"], parents["64c1"]) == (None, "64ac", "64b6", "64b7")
    (gone,) = [one for one in page.comments if one.text is None]
    assert (gone.state, gone.author) == (State.DELETED, None)
    assert page.next == ()


def test_recorded_parts_say_what_is_missing(shared: Path) -> None:
    """A saved page or part of the replies says how many other pages hold; counts, an empty list and a page are read."""
    assert [(ask.url, ask.expects) for ask in recorded(shared, "list_l2").next] == [("", 1)]
    assert [(ask.url, ask.expects) for ask in recorded(shared, "list_l2p2").next] == [("", 2)]
    replies = recorded(shared, "replies")
    assert [(ask.url, ask.expects) for ask in replies.next] == [("", 5)]
    assert [one.thread for one in replies.comments] == [None, None]
    assert len(recorded(shared, "one").comments) == 1
    assert recorded(shared, "counts").threads[0].declared == 10
    assert recorded(shared, "list_bad").threads[0].reason
    (thread,) = recorded(shared, "html").threads
    assert thread.title == "Carbon"
    assert (thread.article or "").strip() == "<p>x</p>"
    assert thread.reason


def test_addresses() -> None:
    """The list's address leads to the list and the count; behind ghost+ a page is asked for."""
    asks = GHOST.start(f"{LIST}?limit=2&page=3")
    assert [ask.url for ask in asks] == [
        f"{LIST}?limit=100&page=1&order=created_at%20asc",
        f"{API}/counts/?ids={POST}",
    ]
    assert {ask.thread for ask in asks} == {f"blog.example.org/{POST}"}
    assert GHOST.start("ghost+https://blog.example.org/lamps/")[0].page
    for url in (
        "https://blog.example.org/lamps/",
        f"{API}/counts/",
        "ftp://x/members/api/comments/post/1/",
        "http://[",
    ):
        assert GHOST.start(url) == ()


def test_a_page_leads_to_its_list() -> None:
    """The settings of the comment box name site and post; title and address are kept with the thread."""
    html = (
        f'<h1>Lamps</h1><script data-ghost-comments="https://blog.example.org/" data-post-id="{POST}"></script>'
    ).encode()
    page = GHOST.read(answer(html, "https://blog.example.org/lamps/", ghost="page"))
    ask = page.next[0]
    assert page.threads[0].reason is None
    found = GHOST.read(answer(listing(comment(1)), ask.url, **dict[str, Any](ask.context)))
    assert (found.threads[0].title, found.threads[0].url) == ("Lamps", "https://blog.example.org/lamps/")
    assert found.comments[0].url == f"https://blog.example.org/lamps/#ghost-comments-{1:024x}"
    with pytest.raises(UnreadableAnswerError):
        GHOST.read(answer(b"<p>none</p>", "https://blog.example.org/lamps/", ghost="page"))


def test_replies_beyond_the_first_are_asked_for() -> None:
    """Where more replies are counted than shown, they are asked for, page by page; gone ones are not counted."""
    shown = [comment(2, 1), comment(3, 1, status="deleted", html=None)]
    page = GHOST.read(answer(listing(comment(1, replies=shown, count={"replies": 4, "likes": 1})), ghost="list"))
    (ask,) = page.next
    assert (ask.url, ask.expects) == (f"{API}/{1:024x}/replies/?limit=100&page=1", 3)
    part = GHOST.read(answer(listing(comment(2, 1), total=4, limit=1), ask.url, **dict[str, Any](ask.context)))
    assert [(one.url[-6:], one.expects) for one in part.next] == [("page=2", 3)]
    assert part.comments[0].thread == f"blog.example.org/{POST}"


def test_states_refusals_and_strange_records() -> None:
    """Hidden comments have no text; a refusal is stated; what is no comment is quarantined; a cut list is an error."""
    page = GHOST.read(answer(listing(comment(1, status="hidden"), 7, {"id": "x"})))
    assert (page.comments[0].state, page.comments[0].text) == (State.REMOVED, None)
    assert [one.reason for one in page.comments] == [None, Reason.WRONG_TYPE, Reason.WRONG_TYPE]
    refused = GHOST.read(answer({"errors": [{"message": "Comments are not enabled."}]}, status=405, ghost="list"))
    assert refused.threads[0].reason == "the Ghost site refuses: Comments are not enabled."
    assert GHOST.read(answer(b"busy", status=503, ghost="list")) == Page()
    cut = answer(json.dumps(listing(comment(1))).encode()[:70])
    assert GHOST.claims(cut)
    with pytest.raises(UnreadableAnswerError):
        GHOST.read(cut)


@settings(max_examples=60, deadline=None)
@given(tree=trees(), page_size=st.integers(1, 6))
def test_trees_are_read_back(tree: Any, page_size: int) -> None:
    """A thread in pages, with replies behind further requests, is read back whole with its parents."""
    found: dict[str, str | None] = {}
    for one in form.answers(tree, page_size=page_size):
        found |= {str(each.native_id): each.parent for each in GHOST.read(one).comments}
    ids = {node.number: f"{node.number:024d}" for node in tree.nodes}
    assert found == {ids[node.number]: None if node.parent is None else ids[node.parent] for node in tree.nodes}


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["comments", "meta", "pagination", "page", "pages", "total", "limit", "id",
                                         "parent_id", "html", "status", "replies", "count", "member"]), inner,
                        max_size=8),
                    max_leaves=20))  # fmt: skip
def test_any_json_is_read(body: object) -> None:
    """Whatever JSON comes, the answer is a page or an explained refusal."""
    GHOST.claims(answer(body))
    with contextlib.suppress(UnreadableAnswerError):
        GHOST.read(answer(body, ghost="list"))
    with contextlib.suppress(UnreadableAnswerError):
        GHOST.read(answer(body, ""))
