"""Lemmy and PieFed: paths, states, duplicates, walks below comments, notes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from tests.collect.forms import lemmy as form
from tests.collect.trees import Tree, trees

from discourse.collect.answers import Answer
from discourse.collect.harvest import Collected, harvest
from discourse.collect.sources.lemmy import Lemmy
from discourse.tables import Role, State

LEMMY = Lemmy()
AT = datetime(2025, 3, 2, tzinfo=UTC)
LIST = "https://l.test/api/v3/comment/list?post_id=7&limit=50&page=1"


def answer(body: object, url: str = "", status: int = 200, **context: str) -> Answer:
    """Return an answer of the API."""
    return Answer(url, status, {"content-type": "application/json"}, json.dumps(body).encode(), AT, "", context)


def view(number: int, path: str, *, below: int = 0, **fields: Any) -> dict[str, Any]:
    """Return a view of a comment."""
    comment = {"id": number, "post_id": 7, "path": path, "content": f"*{number}*", "published": "2025-03-01T12:00:00Z",
               "ap_id": f"https://l.test/comment/{number}", "creator_id": 2}  # fmt: skip
    return {"comment": comment | fields, "creator": {"name": "ada", "local": True},
            "post": {"id": 7, "name": "Lamps", "creator_id": 1}, "counts": {"score": 4, "child_count": below},
            }  # fmt: skip


def test_paths_make_the_tree_and_flags_the_states() -> None:
    """The last step but one of a path is the parent; deleted and removed comments have no text."""
    page = LEMMY.read(
        answer({"comments": [view(1, "0.1"), view(2, "0.1.2", deleted=True), view(3, "0.1.2.3", removed=True)]})
    )
    assert [(one.parent, one.state, one.text) for one in page.comments] == [
        (None, State.VISIBLE, "*1*"), ("1", State.DELETED, None), ("2", State.REMOVED, None)
    ]  # fmt: skip
    assert {one.thread for one in page.comments} == {"7"}
    assert page.threads[0].title == "Lamps"


def test_a_comment_that_came_twice_from_its_server_is_one() -> None:
    """Two ids with one `ap_id` are the first, and replies to the second hang on it."""
    twice = view(2, "0.2", ap_id="https://l.test/comment/1")
    page = LEMMY.read(answer({"comments": [view(1, "0.1"), twice, view(3, "0.2.3")]}))
    assert [(one.native_id, one.parent) for one in page.comments] == [("1", None), ("1", None), ("3", "1")]


def test_after_the_last_page_what_was_promised_is_walked() -> None:
    """A top comment that counts more replies than came leads to a request for what is below it."""
    first = LEMMY.read(answer({"comments": [view(1, "0.1", below=3), view(2, "0.1.2")]}, LIST, lemmy="list", post="7"))
    (ask,) = first.next
    assert "page=2" in ask.url
    assert ask.expects == 2
    last = LEMMY.read(answer({"comments": []}, ask.url, **dict(ask.context)))
    assert [("parent_id=1" in one.url, one.expects) for one in last.next] == [(True, 2)]
    end = LEMMY.read(answer({"comments": []}, f"{LIST}&parent_id=1", lemmy="list", post="7", left='{"1": 2}'))
    assert [(one.url, one.expects) for one in end.next] == [("", 2)]


def test_a_saved_page_says_how_much_it_lacks() -> None:
    """Without its address nothing can be asked, but the counts tell what is missing."""
    page = LEMMY.read(answer({"comments": [view(1, "0.1", below=3)]}))
    assert [(one.url, one.expects) for one in page.next] == [("", 3)]


def test_roles_and_names() -> None:
    """Bots, moderators and the poster are told; a name from another server carries it."""
    bot = view(1, "0.1") | {"creator": {"name": "b", "bot_account": True, "actor_id": "https://far.test/u/b"}}
    staff = view(2, "0.2") | {"creator_is_moderator": True}
    page = LEMMY.read(answer({"comments": [bot, staff, view(3, "0.3", creator_id=1)]}))
    assert [one.role for one in page.comments] == [Role.BOT, Role.STAFF, Role.AUTHOR]
    assert page.comments[0].author == "b@far.test"


def test_an_address_leads_to_post_and_comments_of_both_programs() -> None:
    """Lemmy has API v3, PieFed its own."""
    assert [ask.url.split("?")[0] for ask in LEMMY.start("https://l.test/post/7")] == [
        "https://l.test/api/v3/post", "https://l.test/api/v3/comment/list"
    ]  # fmt: skip
    assert "/api/alpha/" in LEMMY.start("https://p.test/c/lamps/p/7/title")[0].url
    assert not LEMMY.start("https://l.test/c/lamps")


def test_a_missing_post_is_a_reason() -> None:
    """The server's refusal goes to the thread."""
    refused = answer({"error": "couldnt_find_post"}, "https://l.test/api/v3/post?id=7", 400, lemmy="post", post="7")
    assert LEMMY.claims(refused)
    assert LEMMY.read(refused).threads[0].reason == "the server has no such post"


def test_a_recorded_note_is_a_comment(shared: Path) -> None:
    """A note that answers a post is a top comment of it, in the writer's own Markdown."""
    found = Answer("", 200, {}, (shared / "payloads" / "lemmy" / "apub_comment.json").read_bytes(), AT)
    assert LEMMY.claims(found)
    page = LEMMY.read(found)
    assert page.threads[0].native_id == "enterprise.lemmy.ml/55143"
    assert (page.comments[0].parent, page.comments[0].markup) == (None, "markdown")


@settings(max_examples=30, deadline=None)
@given(trees())
def test_a_tree_is_read_back(tree: Tree) -> None:
    """Every comment comes back with its parent and state, and none is said to be missing."""
    found = harvest(LEMMY, form.answers(tree, page_size=3), Collected("f", AT, "f", {}))
    rows = {row["native_id"]: row for row in found.comments.to_dicts() if row["reply_kind"] is None}
    for node in tree.nodes:
        row = rows.pop(str(node.number))
        above = row["native_parent"]
        assert (int(above) if above else None, row["state"]) == (node.parent, node.state)
    assert not rows
    assert found.threads.select("declared", "unreachable").row(0) == (len(tree.nodes), 0)
