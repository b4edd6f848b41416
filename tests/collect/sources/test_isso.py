"""Isso: what a listing, a part of one, and a refusal give."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.collect.forms import isso as form
from tests.collect.trees import trees

from discourse.collect.answers import Answer, UnreadableAnswerError
from discourse.collect.sources.isso import Isso
from discourse.collect.sources.platform import Page
from discourse.tables import Reason, State

ISSO = Isso()
SERVER = "https://c.example.org/"


def answer(body: object, url: str = f"{SERVER}?uri=%2Fpost%2F", status: int = 200, **context: str) -> Answer:
    """Return an answer of an Isso server."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(url, status, {"content-type": "application/json"}, raw, datetime(2025, 3, 1, tzinfo=UTC), "", context)


def comment(number: int, parent: int | None = None, **fields: Any) -> dict[str, Any]:
    """Return a comment as Isso writes it."""
    return {"id": number, "parent": parent, "created": 1_740_000_000.5 + number, "mode": 1, "text": f"<p>{number}</p>",
            "author": "Ada", "likes": 3, "dislikes": 1} | fields  # fmt: skip


def listing(*replies: object, total: int | None = None, hidden: int = 0, root: int | None = None) -> dict[str, Any]:
    """Return a listing as Isso writes it."""
    every = sum(1 + len(one.get("replies", [])) for one in replies if isinstance(one, dict))
    return {"id": root, "total_replies": every if total is None else total, "hidden_replies": hidden,
            "replies": list(replies)}  # fmt: skip


@pytest.fixture
def saved(shared: Path) -> Path:
    """The recorded answers."""
    return shared / "payloads" / "servers" / "isso"


def recorded(folder: Path, name: str, url: str = "") -> Page:
    """Read a recorded answer, saved without its headers."""
    found = Answer(url, 200, {}, (folder / f"{name}.body").read_bytes(), datetime(2025, 3, 1, tzinfo=UTC))
    assert ISSO.claims(found)
    return ISSO.read(found)


def test_a_recorded_listing_gives_the_whole_thread(saved: Path) -> None:
    """A full listing has as many comments as it declares, replies under their top comments, and nothing to ask."""
    page = recorded(saved, "list_full", f"{SERVER}?uri=%2Fcarbon%2F")
    assert page.threads[0].native_id == "c.example.org/carbon/"
    assert page.threads[0].declared == len(page.comments) == 11
    assert {one.native_id for one in page.comments if one.parent == "1"} == {"2", "3", "4", "5", "6", "12"}
    assert all(one.text and one.created.at for one in page.comments)
    assert page.next == ()


def test_a_recorded_part_asks_for_the_whole(saved: Path) -> None:
    """A listing asked for with limits leads to the one without; without an address it says how much is missing."""
    page = recorded(saved, "list_limit2", f"{SERVER}?uri=%2Fcarbon%2F&limit=2&nested_limit=1")
    assert [(ask.url, ask.expects) for ask in page.next] == [(f"{SERVER}?uri=%2Fcarbon%2F", 7)]
    assert [(ask.url, ask.expects) for ask in recorded(saved, "list_limit2").next] == [("", 7)]


@pytest.mark.parametrize("name", ["list_after", "list_missing", "list_nested0", "list_offset", "list_parent_a",
                                  "list_plain", "list_sort_upvotes", "latest"])  # fmt: skip
def test_every_recorded_list_is_claimed_and_read(saved: Path, name: str) -> None:
    """Each recorded list is known by its shape alone, and no comment in it is unusable."""
    assert all(one.native_id and one.reason is None for one in recorded(saved, name).comments)


def test_addresses() -> None:
    """A server's address names the thread by `uri`; behind isso+ an article's page is asked for."""
    (ask,) = ISSO.start("https://blog.example.org/isso/?uri=%2Fa%2F&limit=5")
    assert (ask.url, ask.thread) == ("https://blog.example.org/isso/?uri=%2Fa%2F", "blog.example.org/isso/a/")
    (page,) = ISSO.start("isso+https://blog.example.org/a/")
    assert page.page
    assert page.url == "https://blog.example.org/a/"
    for url in (
        "https://blog.example.org/a/",
        "https://x.example.org/search?uri=a",
        "ftp://c/?uri=a",
        "http://[/?uri=a",
    ):
        assert ISSO.start(url) == ()


def test_an_article_page_leads_to_its_server() -> None:
    """The embedded script names the server and the section the thread; the page's title is kept."""
    html = (
        b'<h1>Lamps</h1><script data-isso="//c.example.org/" src="//c.example.org/js/embed.min.js"></script>'
        b'<section id="isso-thread" data-isso-id="/lamps"></section>'
    )
    page = ISSO.read(answer(html, "https://blog.example.org/2025/lamps", isso="page"))
    (ask,) = page.next
    assert ask.url == "https://c.example.org/?uri=%2Flamps"
    (thread,) = ISSO.read(answer(listing(), ask.url, **dict(ask.context))).threads
    assert (thread.title, thread.url) == ("Lamps", "https://blog.example.org/2025/lamps")
    with pytest.raises(UnreadableAnswerError):
        ISSO.read(answer(b"<p>none</p>", "https://blog.example.org/2025/lamps", isso="page"))


def test_states() -> None:
    """Deleted comments stay without text and name; held ones are marked; votes are counted against each other."""
    deleted = comment(1, mode=4, text="", author="Ada", replies=[comment(2, 1, mode=2)])
    gone, held = ISSO.read(answer(listing(deleted))).comments
    assert (gone.state, gone.text, gone.author) == (State.DELETED, None, None)
    assert (held.state, held.parent, held.score) == (State.HELD, "1", 2)


def test_replies_below_held_comments_are_missed() -> None:
    """What is counted and listed nowhere, as under a held comment, is said to be unreachable."""
    page = ISSO.read(answer(listing(comment(1), total=3)))
    assert [(ask.url, ask.expects, ask.thread) for ask in page.next] == [("", 2, "c.example.org/post/")]


def test_strange_records_are_kept_as_such() -> None:
    """What is no comment is quarantined, and its neighbours are read."""
    page = ISSO.read(answer(listing("no comment", {"id": True}, comment(3, parent=None, created="soon", likes="x"))))
    assert [one.reason for one in page.comments] == [Reason.WRONG_TYPE, Reason.WRONG_TYPE, None]
    assert page.comments[2].created.at is None


FEED = """<?xml version='1.0' encoding='utf-8'?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0">
<updated>2025-03-01T12:01:00Z</updated><id>tag:blog.example.org,2018:/isso/thread/lamps/</id>
<title>Comments for blog.example.org/lamps/</title>
<entry><id>tag:blog.example.org,2018:/isso/1/2</id><title>Comment #2</title><updated>2025-03-01T12:01:00.5Z</updated>
<author><name>Bo</name></author><link href="http://blog.example.org/lamps/#isso-2" />
<content type="html">&lt;p&gt;A reply&lt;/p&gt;</content>
<thr:in-reply-to ref="tag:blog.example.org,2018:/isso/1/1" href="http://blog.example.org/lamps/#isso-1" /></entry>
<entry><id>tag:blog.example.org,2018:/isso/1/1</id><updated>2025-03-01T12:00:00Z</updated>
<author><name /></author><content type="html" /></entry><entry><id>something else</id></entry></feed>"""


def test_a_feed() -> None:
    """A saved feed gives its comments with their parents; what has neither text nor name is a deleted one."""
    found = answer(FEED.encode(), "")
    assert ISSO.claims(found)
    page = ISSO.read(found)
    assert page.threads[0].native_id == "blog.example.org/lamps/"
    assert [(one.native_id, one.parent, one.state) for one in page.comments[:2]] == [
        ("2", "1", State.VISIBLE),
        ("1", None, State.DELETED),
    ]
    assert page.comments[2].reason is Reason.MALFORMED
    with pytest.raises(UnreadableAnswerError):
        ISSO.read(answer(FEED.encode()[:700], ""))


def test_refusals() -> None:
    """A thread that a server does not know is explained; other refusals give nothing; a cut answer is an error."""
    assert ISSO.read(answer(b"", status=404, isso="list")).threads[0].reason
    assert ISSO.read(answer(b"", status=500, isso="list")) == Page()
    assert ISSO.read(answer(listing())).threads[0].reason
    cut = answer(json.dumps(listing(comment(1))).encode()[:60])
    assert ISSO.claims(cut)
    with pytest.raises(UnreadableAnswerError):
        ISSO.read(cut)


@settings(max_examples=60, deadline=None)
@given(tree=trees(depth=form.DEPTH), page_size=st.integers(1, 4))
def test_limited_servers_are_walked_to_the_end(tree: Any, page_size: int) -> None:
    """Where a server limits its lists, the rest is asked for until all comments are there, under their parents."""
    found: dict[str, str | None] = {}
    left = 0
    for one in form.answers(tree, page_size=page_size):
        page = ISSO.read(one)
        found |= {str(each.native_id): each.parent for each in page.comments}
        left += sum(ask.expects for ask in page.next if not ask.url)
    assert found == {str(node.number): None if node.parent is None else str(node.parent) for node in tree.nodes}
    assert left == 0


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["id", "replies", "total_replies", "hidden_replies", "parent", "mode", "uri",
                                         "text", "created", "likes", "dislikes", "author"]), inner, max_size=8),
                    max_leaves=20))  # fmt: skip
def test_any_json_is_read(body: object) -> None:
    """Whatever JSON comes, the answer is a page or an explained refusal."""
    with contextlib.suppress(UnreadableAnswerError):
        ISSO.read(answer(body))
    with contextlib.suppress(UnreadableAnswerError):
        ISSO.read(answer(body, isso="list", walk="1", last="x", left="9"))
