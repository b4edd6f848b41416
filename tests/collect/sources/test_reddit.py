"""Reddit: trees, stubs, states, escapes, feeds, keys and refusals."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from tests.collect.forms import reddit as form
from tests.collect.trees import Tree, trees

from discourse.collect.answers import Answer, UnreadableAnswerError
from discourse.collect.harvest import Collected, harvest
from discourse.collect.rawfile import read_file
from discourse.collect.saved import saved_answers
from discourse.collect.sources.base import Parsed
from discourse.collect.sources.reddit import Reddit
from discourse.tables import Reason, ReplyKind, Role, State

REDDIT = Reddit(keys=True)
AT = datetime(2025, 3, 2, tzinfo=UTC)
URL = "https://oauth.reddit.com/comments/abc/?raw_json=1"


def answer(body: object, url: str = "", status: int = 200, **context: str) -> Answer:
    """Return an answer of the API."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(url, status, {"content-type": "application/json"}, raw, AT, "", context)


def comment(name: str, *replies: object, **fields: Any) -> dict[str, Any]:
    """Return a comment as Reddit writes it."""
    below = {"kind": "Listing", "data": {"children": list(replies)}} if replies else ""
    data = {"id": name, "link_id": "t3_abc", "parent_id": "t3_abc", "author": "ada", "body": name, "replies": below,
            "created_utc": 1_740_000_000.0, "score": 2}  # fmt: skip
    return {"kind": "t1", "data": data | fields}


def more(*children: str, count: int, parent: str = "t3_abc") -> dict[str, Any]:
    """Return a stub."""
    data = {"count": count, "id": children[0] if children else "_", "parent_id": parent, "children": list(children)}
    return {"kind": "more", "data": data}


def page(*children: object, **post: Any) -> list[dict[str, Any]]:
    """Return a thread."""
    data = {"id": "abc", "title": "Lamps", "selftext": "why?", "author": "op", "num_comments": 9, "subreddit": "lamps"}
    return [{"kind": "Listing", "data": {"children": [{"kind": "t3", "data": data | post}]}},
            {"kind": "Listing", "data": {"children": list(children)}}]  # fmt: skip


def test_without_keys_the_feed_is_asked_for() -> None:
    """Keys lead to the API, none to the feed; an API address always means the API."""
    url = "https://www.reddit.com/r/lamps/comments/abc/a_title/?sort=new"
    assert Reddit(keys=True).start(url)[0].url.startswith("https://oauth.reddit.com/comments/abc/")
    assert ".rss" in Reddit(keys=False).start(url)[0].url
    assert not Reddit(keys=False).start(url)[0].login
    assert Reddit(keys=False).start("https://oauth.reddit.com/comments/abc")[0].login == "reddit"
    assert Reddit(keys=True).start("https://redd.it/abc")
    assert not REDDIT.start("https://www.reddit.com/r/lamps/")


def test_the_keys_fetch_a_token() -> None:
    """Both keys are needed."""
    login = REDDIT.login({"REDDIT_CLIENT_ID": "i", "REDDIT_CLIENT_SECRET": "s"})
    assert login is not None
    assert login.token is not None
    assert (login.user, login.password) == ("i", "s")
    assert REDDIT.login({"REDDIT_CLIENT_ID": "i"}) is None


def test_a_stub_is_asked_for_in_lots_of_100() -> None:
    """250 children make three requests, which expect together what the stub counts."""
    names = [f"c{number}" for number in range(250)]
    asks = REDDIT.read(answer(page(more(*names, count=400)), URL)).next
    assert [len(parse_qs(ask.body)["children"][0].split(",")) for ask in asks] == [100, 100, 50]
    assert sum(ask.expects for ask in asks) == 400
    assert {ask.method for ask in asks} == {"POST"}


def test_a_stub_of_count_0_leads_to_the_thread_below_its_parent() -> None:
    """It names no children: the comment's own page shows them."""
    found = REDDIT.read(answer(page(comment("x", more(count=0, parent="t1_x"))), URL))
    assert [("/comments/abc/_/x?" in ask.url, ask.expects) for ask in found.next] == [(True, 1)]


def test_what_the_rest_leaves_out_is_counted() -> None:
    """Of two comments asked for, one that neither came nor has a stub is missing."""
    body = {"json": {"errors": [], "data": {"things": [comment("x")]}}}
    found = REDDIT.read(answer(body, "https://oauth.reddit.com/api/morechildren", children="x,y", thread="t3_abc"))
    assert [(ask.url, ask.expects) for ask in found.next] == [("", 1)]


def test_states_roles_and_scores() -> None:
    """Deleted and removed comments keep their place; a text outlives its author's account."""
    found = REDDIT.read(answer(page(
        comment("a", comment("b", parent_id="t1_a", score_hidden=True, is_submitter=True), author="[deleted]",
                body="[deleted]"),
        comment("c", body="[removed]", author="[deleted]"), comment("d", author="[deleted]"),
        comment("e", distinguished="moderator"), comment("f", author="AutoModerator"),
    ), URL)).comments  # fmt: skip
    by_id = {one.native_id: one for one in found}
    assert by_id["t3_abc"].kind is ReplyKind.OPENING
    assert [by_id[f"t1_{name}"].state for name in "abcd"] == [
        State.DELETED, State.VISIBLE, State.REMOVED, State.VISIBLE
    ]  # fmt: skip
    assert by_id["t1_a"].text is None
    assert by_id["t1_b"].parent == "t1_a"
    assert by_id["t1_b"].score is None
    assert by_id["t1_d"].author is None
    assert by_id["t1_d"].text == "d"
    assert [by_id[f"t1_{name}"].role for name in "bef"] == [Role.AUTHOR, Role.STAFF, Role.BOT]


def test_escapes_are_taken_back_only_where_reddit_made_them() -> None:
    """Without `raw_json=1` Reddit escapes; the HTML beside the text tells where the address does not."""
    body = page(comment("a", body="1 &lt; 2 &amp;amp;"))
    assert REDDIT.read(answer(body)).comments[-1].text == "1 < 2 &amp;"
    assert REDDIT.read(answer(body, URL)).comments[-1].text == "1 &lt; 2 &amp;amp;"
    raw = page(comment("a", body="1 &lt; 2", body_html="<div>1 &amp;lt; 2</div>"))
    assert REDDIT.read(answer(raw)).comments[-1].text == "1 &lt; 2"


def test_a_link_has_no_opening_post() -> None:
    """A submission without a text is told by the thread only."""
    found = REDDIT.read(answer(page(comment("a"), selftext=""), URL))
    assert [one.native_id for one in found.comments] == ["t1_a"]
    assert found.threads[0].declared == 9


def test_refusals() -> None:
    """A private community and a missing thread are reasons; HTML is not read."""
    private = answer({"reason": "private", "message": "Forbidden", "error": 403}, URL, 403)
    assert REDDIT.claims(private)
    assert REDDIT.read(private).threads[0].reason == "the community is private"
    assert "no such thread" in (REDDIT.read(answer(b"<html>", URL, 404)).threads[0].reason or "")
    with pytest.raises(UnreadableAnswerError):
        REDDIT.read(answer({"a": 1}, URL))


def test_a_strange_child_goes_to_quarantine() -> None:
    """A record that is no thing is kept with its start."""
    found = REDDIT.read(answer(page("x", {"kind": "t1", "data": 4}, comment("a")), URL)).comments
    assert [one.reason for one in found[1:]] == [Reason.WRONG_TYPE, Reason.WRONG_TYPE, None]


def _recorded(shared: Path, name: str) -> Parsed:
    answers = saved_answers(
        read_file(shared / "payloads" / "reddit" / name), AT, lambda place, error: pytest.fail(f"{place}: {error}")
    )
    assert all(REDDIT.claims(one) for one in answers)
    return harvest(REDDIT, answers, Collected(name, AT, name, {}))


@pytest.mark.parametrize(
    ("name", "comments", "declared", "missing"),
    [("parent__chain", 32, 32, 0), ("refresh__removed_comment", 201, 6280, 6079)],
)
def test_recorded_threads(shared: Path, name: str, comments: int, declared: int, missing: int) -> None:
    """Comments and what is missing make up what Reddit declares."""
    found = _recorded(shared, f"praw_TestComment.test_{name}.json")
    assert (found.comments.height, *found.threads.select("declared", "unreachable").row(0)) == (
        comments,
        declared,
        missing,
    )


def test_a_recorded_thread_with_its_rest(shared: Path) -> None:
    """A page, the rest in 12 lots and 6 continued threads are one tree in which every parent is there."""
    found = _recorded(shared, "praw_TestCommentForest.test_replace__all.json")
    rows = found.comments
    assert rows.height == rows["native_id"].n_unique() == 541
    assert found.threads.item(0, "declared") == 543
    assert rows.filter(rows["native_parent"].is_not_null() & ~rows["native_parent"].is_in(rows["native_id"])).is_empty()


def test_a_recorded_feed(shared: Path) -> None:
    """A feed's comments hide what they answer, and the thread says so."""
    found = _recorded(shared, "a2web_thread.rss")
    assert found.comments["reply_kind"].value_counts().sort("count").rows() == [("opening", 1), ("flattened", 33)]
    assert "feed" in found.threads.item(0, "reason")
    assert not found.comments["text"].str.contains("SC_OFF|submitted by").any()


@settings(max_examples=30, deadline=None)
@given(trees())
def test_a_tree_is_read_back(tree: Tree) -> None:
    """Stubs and continued threads are followed to every comment, and none is said to be missing."""
    found = harvest(REDDIT, form.answers(tree, page_size=2), Collected("f", AT, "f", {}))
    rows = {row["native_id"]: row for row in found.comments.to_dicts() if row["reply_kind"] is None}
    for node in tree.nodes:
        row = rows.pop(f"t1_{form.name(node.number)}")
        above = None if node.parent is None else f"t1_{form.name(node.parent)}"
        assert (row["native_parent"], row["state"]) == (above, node.state)
    assert not rows
    assert found.threads.select("declared", "unreachable").row(0) == (len(tree.nodes), 0)
