"""Disqus: addresses, the API's answers and refusals, and pages that show it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from discourse.collect.answers import Answer
from discourse.collect.sources.disqus import Disqus
from discourse.tables import Reason, State

DISQUS = Disqus()
SEEN = datetime(2025, 3, 1, tzinfo=UTC)
POSTS = "https://disqus.com/api/3.0/posts/list.json?thread=42"


def answer(body: object, url: str = POSTS, status: int = 200, **context: str) -> Answer:
    """Return an answer of the API."""
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Answer(url, status, {}, raw, SEEN, "", context)


@pytest.mark.parametrize(
    ("url", "thread", "forum"),
    [
        ("https://disqus.com/embed/comments/?f=lamps&t_i=post%201", "ident:post 1", "lamps"),
        (
            "https://disqus.com/embed/comments/?f=lamps&t_u=https%3A%2F%2Fl.example%2F",
            "link:https://l.example/",
            "lamps",
        ),
        ("https://disqus.com/home/discussion/lamps/more_light/", "slug:more_light", "lamps"),
        ("https://disqus.com/api/3.0/threads/details.json?thread=42", "42", None),
    ],
)
def test_addresses_of_a_thread(url: str, thread: str, forum: str | None) -> None:
    """Each address asks for the thread's details, with the user's key and without it in the request."""
    (ask,) = DISQUS.start(url)
    query = parse_qs(urlsplit(ask.url).query)
    assert (query["thread"], query.get("forum")) == ([thread], None if forum is None else [forum])
    assert ask.login == "disqus"
    assert "api_key" not in query


def test_the_key_comes_from_the_environment() -> None:
    """The key goes into the query when it is sent; without one there is no login."""
    assert DISQUS.login({}) is None
    login = DISQUS.login({"DISQUS_API_KEY": " k "})
    assert login is not None
    assert (login.query, login.value) == ("api_key", "k")


def test_states_and_broken_posts() -> None:
    """Deleted and spam posts lose their text, unapproved ones are held, and a broken record is quarantined."""
    posts = [{"id": "1", "message": "<p>a</p>", "isDeleted": True, "parent": None},
             {"id": 2, "message": "b", "isSpam": True},
             {"id": "3", "message": "c", "isApproved": False, "parent": 1}, "x"]  # fmt: skip
    found = DISQUS.read(answer({"code": 0, "cursor": {"hasNext": False}, "response": posts}))
    assert [one.state for one in found.comments[:3]] == [State.DELETED, State.REMOVED, State.HELD]
    assert [one.text for one in found.comments[:3]] == [None, None, "c"]
    assert found.comments[2].parent == "1"
    assert found.comments[3].reason is Reason.WRONG_TYPE
    assert {one.thread for one in found.comments} == {"42"}


def test_a_refusal_says_why() -> None:
    """An invalid key is a reason of the thread."""
    found = DISQUS.read(answer({"code": 5, "response": "Invalid API key"}, status=401, disqus="posts", thread="42"))
    assert "API key is not valid" in (found.threads[0].reason or "")


def test_a_page_that_shows_disqus_names_its_thread() -> None:
    """Forum and identifier of the page's script lead to the thread."""
    (ask,) = DISQUS.start("disqus+https://l.example/post/")
    assert ask.page
    html = """<script>var disqus_config = function () { this.page.identifier = 'p-1'; };
    s.src = 'https://lamps.disqus.com/embed.js';</script><div id="disqus_thread"></div>"""
    (details,) = DISQUS.read(answer(html, ask.url, **dict(ask.context))).next
    assert parse_qs(urlsplit(details.url).query) == {"thread": ["ident:p-1"], "forum": ["lamps"]}


def test_a_saved_frame_holds_its_first_posts() -> None:
    """The data in Disqus' frame gives the thread, its posts, and an ask for the rest."""
    data = {"code": 0, "cursor": {"hasNext": True}, "response": {"thread": {"id": "42", "posts": 3, "forum": "lamps"},
            "posts": [{"id": "1", "message": "a", "isDeleted": False, "parent": None}]}}  # fmt: skip
    page = answer(f'<html><script type="text/json" id="disqus-threadData">{json.dumps(data)}</script></html>', "")
    assert DISQUS.claims(page)
    found = DISQUS.read(page)
    assert (found.threads[0].declared, len(found.comments), found.next[0].expects) == (3, 1, 2)
