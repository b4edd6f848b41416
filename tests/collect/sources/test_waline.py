"""Waline: what its lists, its feed, an article page and a refusal give."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.collect.forms import waline as form
from tests.collect.trees import trees

from discourse.collect.answers import Answer, UnreadableAnswerError
from discourse.collect.sources.platform import Page
from discourse.collect.sources.waline import Waline
from discourse.tables import Reason, ReplyKind, Role, State

WALINE = Waline()
LIST = "https://w.example.org/api/comment?path=%2Fpost%2F"


def answer(body: object, url: str = LIST, status: int = 200, **context: str) -> Answer:
    """Return an answer of a Waline server."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(url, status, {"content-type": "application/json"}, raw, datetime(2025, 3, 1, tzinfo=UTC), "", context)


def comment(number: int, parent: int | None = None, **fields: Any) -> dict[str, Any]:
    """Return a comment as Waline writes it."""
    return {"objectId": number, "pid": parent, "rid": parent, "nick": "Ada", "comment": f"<p>{number}</p>", "like": 2,
            "status": "approved", "time": 1_740_000_000_000} | fields  # fmt: skip


def listing(*records: object, page: int = 1, pages: int = 1, count: int = 1) -> dict[str, Any]:
    """Return a page of a list without its wrapper, as Waline 2 writes it."""
    return {"page": page, "totalPages": pages, "pageSize": 2, "count": count, "data": list(records)}


def recorded(shared: Path, name: str) -> Page:
    """Read a recorded answer, saved without its headers and address."""
    body = (shared / "payloads" / "servers" / "waline" / f"{name}.body").read_bytes()
    found = Answer("", 200, {}, body, datetime(2025, 3, 1, tzinfo=UTC))
    assert WALINE.claims(found)
    return WALINE.read(found)


def test_the_recorded_list_gives_the_thread(shared: Path) -> None:
    """A saved list has as many comments as it declares, with their true parents, and no false times."""
    page = recorded(shared, "list")
    assert page.threads[0].declared == len(page.comments) == 10
    parents = {one.native_id: one.parent for one in page.comments}
    assert (parents["1"], parents["2"], parents["3"], parents["4"], parents["10"]) == (None, "1", "2", "3", "9")
    assert all(one.created.at is None and one.text for one in page.comments)
    assert page.next == ()


def test_recorded_pages_say_what_is_missing(shared: Path) -> None:
    """A saved page says how many comments the others hold; one past the end holds none."""
    assert [(ask.url, ask.expects) for ask in recorded(shared, "list_p1").next] == [("", 2)]
    assert [(ask.url, ask.expects) for ask in recorded(shared, "list_p2").next] == [("", 8)]
    assert recorded(shared, "list_past").comments == ()


def test_recorded_refusals_and_the_newest(shared: Path) -> None:
    """Refusals are stated, and the newest comments are in the thread that each names."""
    assert recorded(shared, "list_nopath").threads[0].reason == "the Waline server refuses: path can not be blank"
    assert recorded(shared, "list_ps200").threads[0].reason
    page = recorded(shared, "recent")
    assert [one.native_id for one in page.threads] == ["/carbon/"]
    assert len(page.comments) == 3
    assert recorded(shared, "count") == recorded(shared, "article") == recorded(shared, "register") == Page()


def test_the_recorded_feed(shared: Path) -> None:
    """A feed gives comments with names and texts, whose parents are not told."""
    page = recorded(shared, "rss")
    assert len(page.comments) == 10
    assert {one.kind for one in page.comments} == {ReplyKind.FLATTENED}
    assert page.comments[0].author == "Ada"
    assert page.comments[0].created.at is None


def test_addresses() -> None:
    """The list's address leads to its first page; behind waline+ an article's page is asked for."""
    (ask,) = WALINE.start("https://w.example.org/api/comment?path=/post/&pageSize=3&page=7")
    assert ask.url == f"{LIST}&pageSize=100&page=1&sortBy=insertedAt_asc"
    assert ask.thread == "w.example.org/post/"
    assert WALINE.start("waline+https://blog.example.org/a/")[0].page
    for url in ("https://blog.example.org/a/", "https://x.example.org/comment", "ftp://x/comment?path=a", "http://["):
        assert WALINE.start(url) == ()


def test_an_article_page_leads_to_its_server() -> None:
    """The page's script names the server; the thread is named as the page's path."""
    html = b"<h1>Lamps</h1><script>Waline.init({el: '#waline', serverURL: 'https://w.example.org/'})</script>"
    page = WALINE.read(answer(html, "https://blog.example.org/post/", waline="page"))
    (ask,) = page.next
    assert ask.url.startswith(f"{LIST}&")
    (thread,) = WALINE.read(answer(listing(comment(1)), ask.url, **dict[str, Any](ask.context))).threads
    assert (thread.title, thread.url) == ("Lamps", "https://blog.example.org/post/")
    with pytest.raises(UnreadableAnswerError):
        WALINE.read(answer(b"<p>none</p>", "https://blog.example.org/post/", waline="page"))


def test_states_times_and_roles() -> None:
    """Held and removed comments are marked, administrators are staff, times of all versions are read."""
    page = WALINE.read(
        answer(
            listing(
                comment(1, status="waiting", type="administrator"),
                comment(2, status="spam", time=None, insertedAt="2025-02-01T10:00:00.000Z"),
                comment(3, comment=None, orig="*three*"),
                count=3,
            )
        )
    )
    held, spam, source = page.comments
    assert (held.state, held.role, held.score) == (State.HELD, Role.STAFF, 2)
    assert (spam.state, spam.text, spam.created.at) == (State.REMOVED, None, datetime(2025, 2, 1, 10, tzinfo=UTC))
    assert (source.text, source.markup) == ("*three*", "markdown")


def test_pages_follow_and_what_is_never_listed_is_said() -> None:
    """The next page is expected to hold the rest; after the last page the rest is unreachable."""
    first = WALINE.read(answer(listing(comment(1), pages=2, count=4)))
    (ask,) = first.next
    assert ask.expects == 3
    (left,) = WALINE.read(
        answer(listing(comment(2), page=2, pages=2, count=4), ask.url, **dict[str, Any](ask.context))
    ).next
    assert (left.url, left.expects) == ("", 2)


def test_counts_strange_records_and_refusals() -> None:
    """A count declares; what is no comment is quarantined; a fault gives nothing; a cut list is an error."""
    count = "https://w.example.org/api/comment?type=count&url=%2Fpost%2F"
    assert WALINE.read(answer({"errno": 0, "errmsg": "", "data": [7]}, count)).threads[0].declared == 7
    page = WALINE.read(answer(listing(7, comment(2), {"objectId": 3})))
    assert [one.reason for one in page.comments] == [Reason.WRONG_TYPE, None, Reason.WRONG_TYPE]
    assert WALINE.read(answer(b"busy", status=503, waline="list")) == Page()
    with pytest.raises(UnreadableAnswerError):
        WALINE.read(answer(json.dumps(listing(comment(1))).encode()[:60]))


@settings(max_examples=60, deadline=None)
@given(tree=trees(), page_size=st.integers(1, 6))
def test_trees_are_read_back(tree: Any, page_size: int) -> None:
    """A thread in pages is read back whole, with its parents; nothing is left unsaid."""
    found: dict[str, str | None] = {}
    declared = set[int | None]()
    for one in form.answers(tree, page_size=page_size):
        page = WALINE.read(one)
        found |= {str(each.native_id): each.parent for each in page.comments}
        declared |= {thread.declared for thread in page.threads}
    visible = {node.number for node in tree.nodes if node.state is State.VISIBLE}
    assert {str(number) for number in visible} <= found.keys()
    parents = {str(node.number): None if node.parent is None else str(node.parent) for node in tree.nodes}
    assert all(parents[number] == parent for number, parent in found.items())
    assert declared == {len(found)}


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["errno", "errmsg", "data", "page", "totalPages", "count", "objectId", "pid",
                                         "rid", "nick", "comment", "children", "time", "status"]), inner, max_size=8),
                    max_leaves=20))  # fmt: skip
def test_any_json_is_read(body: object) -> None:
    """Whatever JSON comes, the answer is a page or an explained refusal."""
    WALINE.claims(answer(body))
    with contextlib.suppress(UnreadableAnswerError):
        WALINE.read(answer(body, waline="list"))
