"""django-comments-xtd: what its list, its count and an article page give."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.collect.forms import comments_xtd as form
from tests.collect.trees import trees

from discourse.collect.answers import Answer, UnreadableAnswerError
from discourse.collect.sources.comments_xtd import CommentsXtd
from discourse.collect.sources.platform import Page
from discourse.tables import Precision, Reason, Role, State

XTD = CommentsXtd()
LIST = "https://news.example.org/comments/api/news-story/5/"


def answer(body: object, url: str = LIST, status: int = 200, **context: str) -> Answer:
    """Return an answer of a Django site."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(url, status, {"content-type": "application/json"}, raw, datetime(2025, 3, 1, tzinfo=UTC), "", context)


def comment(number: int, parent: int | None = None, **fields: Any) -> dict[str, Any]:
    """Return a comment as the API writes it."""
    record = {
        "id": number, "user_name": "Ada", "user_url": "", "user_moderator": False, "flags": [],
        "permalink": f"/comments/cr/7/5/#c{number}", "comment": f"Comment {number}", "level": 0,
        "submit_date": "Nov. 3, 2025, 3:16 a.m.", "parent_id": parent or number, "is_removed": False,
        "allow_reply": True,
    }  # fmt: skip
    return record | fields


@pytest.fixture
def saved(shared: Path) -> Path:
    """The recorded answers."""
    return shared / "payloads" / "servers" / "xtd"


def test_the_recorded_list_gives_the_thread(saved: Path) -> None:
    """A saved list without an address gives all comments with their true parents; the removed one has no text."""
    found = Answer("", 200, {}, (saved / "list.body").read_bytes(), datetime(2025, 3, 1, tzinfo=UTC))
    assert XTD.claims(found)
    page = XTD.read(found)
    assert page.threads[0].native_id == "7/1"
    parents = {one.native_id: one.parent for one in page.comments}
    assert len(parents) == 12
    assert (parents["1"], parents["2"], parents["3"], parents["5"], parents["6"]) == (None, "1", "2", "4", "1")
    removed = {one.native_id for one in page.comments if one.state is State.REMOVED}
    assert removed == {one.native_id for one in page.comments if one.text is None} == {"12"}
    assert all(one.created.precision is Precision.DAY for one in page.comments)


@pytest.mark.parametrize("name", ["count", "list", "list_limit", "list_none"])
def test_every_recorded_answer_is_claimed(saved: Path, name: str) -> None:
    """Each recorded answer is known by the address it came from."""
    path = (saved / f"{name}.head").read_text().split()[1]
    found = Answer(path, 200, {}, (saved / f"{name}.body").read_bytes(), datetime(2025, 3, 1, tzinfo=UTC))
    assert XTD.claims(found)
    (thread,) = XTD.read(found).threads
    assert thread.native_id in {"flatpages-flatpage/1", "flatpages-flatpage/9"}
    assert thread.declared == (12 if name == "count" else None)


def test_addresses() -> None:
    """The list's address, also of its count, gives list and count; behind xtd+ a page; others are not ours."""
    for url in (LIST, f"{LIST}count/", LIST.rstrip("/")):
        asks = XTD.start(url)
        assert [ask.url for ask in asks] == [LIST, f"{LIST}count/"]
        assert {ask.thread for ask in asks} == {"news.example.org/news-story/5"}
    assert XTD.start("xtd+https://n.example.org/talk/api/a-b/1/")[0].url == "https://n.example.org/talk/api/a-b/1/"
    assert XTD.start("xtd+https://n.example.org/story/")[0].page
    for url in ("https://n.example.org/talk/api/a-b/1/", "https://n.example.org/", "file:///comments/api/a-b/1/"):
        assert XTD.start(url) == ()


def test_an_article_page_leads_to_its_list() -> None:
    """The settings of the comment box name the list; the page's title is kept with the thread."""
    html = b'<h1>Lamps</h1><script>window.props = {"list_url": "/comments/api/news-story/5/"}</script>'
    page = XTD.read(answer(html, "https://news.example.org/lamps/", xtd="page"))
    assert page.next[0].url == LIST
    (thread,) = XTD.read(answer([], LIST, **dict(page.next[0].context))).threads
    assert (thread.title, thread.url) == ("Lamps", "https://news.example.org/lamps/")
    with pytest.raises(UnreadableAnswerError):
        XTD.read(answer(b"<p>none</p>", "https://news.example.org/lamps/", xtd="page"))


@pytest.mark.parametrize(
    ("written", "at", "precision"),
    [
        ("Nov. 3, 2025, 3:16 a.m.", datetime(2025, 11, 3, 3, 16, tzinfo=UTC), Precision.DAY),
        ("Sept. 3, 2024, noon", datetime(2024, 9, 3, 12, tzinfo=UTC), Precision.DAY),
        ("23. November 2025 03:16", datetime(2025, 11, 23, 3, 16, tzinfo=UTC), Precision.DAY),
        ("2025-11-03T03:16:05Z", datetime(2025, 11, 3, 3, 16, 5, tzinfo=UTC), Precision.EXACT),
        ("yesterday", None, Precision.UNKNOWN),
        ("2025" * 40, None, Precision.UNKNOWN),
    ],
)
def test_times(written: str, at: datetime | None, precision: Precision) -> None:
    """Times are read in the site's language; without a zone they are sure to the day only."""
    (one,) = XTD.read(answer([comment(1, submit_date=written)])).comments
    assert (one.created.at, one.created.precision) == (at, precision)


def test_votes_and_roles() -> None:
    """Likes count against dislikes in both forms of flags, and are unknown where nobody votes; moderators are staff."""
    likes = [{"flag": "like", "id": 1}, {"flag": "like", "id": 2}, {"flag": "dislike", "id": 3}, {"flag": "removal"}]
    old = {"like": {"users": ["1:ada"]}, "dislike": {"users": []}}
    page = XTD.read(answer([comment(1, flags=likes), comment(2, flags=old, user_moderator=True), comment(3)]))
    assert [one.score for one in page.comments] == [1, 1, 0]
    assert [one.role for one in page.comments] == [Role.USER, Role.STAFF, Role.USER]
    assert XTD.read(answer([comment(1)])).comments[0].score is None
    assert page.comments[0].url == "https://news.example.org/comments/cr/7/5/#c1"


def test_strange_records_and_refusals() -> None:
    """What is no comment is quarantined; a refusal with a reason explains the thread; a cut list is an error."""
    page = XTD.read(answer([7, comment(2), {"id": 3}]))
    assert [one.reason for one in page.comments] == [Reason.WRONG_TYPE, None, Reason.WRONG_TYPE]
    refused = XTD.read(answer({"detail": "Members only."}, status=403, xtd="list"))
    assert refused.threads[0].reason == "the site refuses: Members only."
    assert XTD.read(answer(b"", status=500, xtd="list")) == Page()
    with pytest.raises(UnreadableAnswerError):
        XTD.read(answer(json.dumps([comment(1)]).encode()[:50]))


def test_pages_of_another_host_are_not_followed() -> None:
    """A next page is asked for only at the same host."""
    body = {"count": 1, "next": "https://evil.example.net/?page=2", "results": [comment(1)]}
    assert XTD.read(answer(body)).next == ()


@settings(max_examples=60, deadline=None)
@given(tree=trees(), page_size=st.integers(1, 9))
def test_trees_are_read_back(tree: Any, page_size: int) -> None:
    """A thread written in the API's form, whole or in pages, is read back with the same parents and count."""
    pages = {one.key: one for one in form.answers(tree, page_size=page_size)}
    waiting, found, declared = list(XTD.start(form.ADDRESS)), dict[str, str | None](), set[int | None]()
    while waiting:
        page = XTD.read(pages[waiting.pop().key])
        found |= {str(one.native_id): one.parent for one in page.comments}
        declared |= {thread.declared for thread in page.threads}
        waiting += page.next
    assert found == {str(node.number): None if node.parent is None else str(node.parent) for node in tree.nodes}
    assert declared - {None} == {len(tree.nodes)}


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["id", "results", "count", "next", "parent_id", "comment", "submit_date",
                                         "permalink", "flags", "like", "is_removed", "user_name"]), inner, max_size=8),
                    max_leaves=20))  # fmt: skip
def test_any_json_is_read(body: object) -> None:
    """Whatever JSON comes, the answer is a page or an explained refusal."""
    XTD.claims(answer(body))
    with contextlib.suppress(UnreadableAnswerError):
        XTD.read(answer(body))
