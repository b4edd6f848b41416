"""A topic as a Discourse forum answers it: the first posts with the ids of all, then lots of posts."""

from __future__ import annotations

import json
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.collect.trees import BEGAN, Node, Tree

from discourse.collect.answers import Answer, Ask
from discourse.collect.sources.discourse_forum import DiscourseForum
from discourse.tables import State

ADDRESS = "https://forum.h.test/t/lamp-posts/7"
# Replies may answer any post.
DEPTH = None
# Post ids are this much above the number of the comment.
FIRST_ID = 100


def answers(tree: Tree, *, page_size: int) -> list[Answer]:
    """Answer the first request with `page_size` posts, and all requests that follow from it."""
    waiting, found = list(DiscourseForum().start(ADDRESS)), dict[str, Answer]()
    while waiting:
        ask = waiting.pop(0)
        if ask.url and ask.key not in found:
            body = json.dumps(_body(tree, ask, page_size)).encode()
            found[ask.key] = Answer(ask.url, 200, {"content-type": "application/json; charset=utf-8"}, body, BEGAN,
                                    ask.key, dict(ask.context))  # fmt: skip
            waiting += DiscourseForum().read(found[ask.key]).next
    return list(found.values())


def _body(tree: Tree, ask: Ask, page_size: int) -> dict[str, Any]:
    posts = [_opening(tree), *(_post(node) for node in tree.nodes)]
    wanted = parse_qs(urlsplit(ask.url).query).get("post_ids[]")
    if wanted is not None:
        return {"post_stream": {"posts": [post for post in posts if str(post["id"]) in wanted]}, "id": 7}
    return {
        "post_stream": {"posts": posts[:page_size], "stream": [post["id"] for post in posts]},
        "id": 7,
        "title": tree.title,
        "posts_count": len(posts),
        "created_at": BEGAN.isoformat(),
        "user_id": 900,
        "details": {"created_by": {"id": 900, "username": "starter"}},
    }


def _opening(tree: Tree) -> dict[str, Any]:
    return _fields(100, 1, None, f"<p>{escape(tree.article)}</p>", BEGAN.isoformat(), "starter", 900, 0)


def _post(node: Node) -> dict[str, Any]:
    visible = node.state is State.VISIBLE
    answered = None if node.parent is None else node.parent + 1
    text = f"<p>{escape(node.text)}</p>" if visible else "<p>(hidden)</p>"
    post = _fields(100 + node.number, node.number + 1, answered, text, node.created.isoformat(), node.author,
                   1, max(node.score, 0))  # fmt: skip
    return post | {"user_deleted": node.state is State.DELETED, "hidden": node.state is State.REMOVED}


def _fields(
    native: int, number: int, answered: int | None, text: str, at: str, author: str, user: int, likes: int
) -> dict[str, Any]:
    return {
        "id": native,
        "post_number": number,
        "post_type": 1,
        "reply_to_post_number": answered,
        "cooked": text,
        "created_at": at,
        "username": author,
        "user_id": user,
        "topic_id": 7,
        "staff": False,
        "hidden": False,
        "deleted_at": None,
        "actions_summary": [{"id": 2, "count": likes}],
    }
