"""A post as ForumMagnum answers GraphQL: the post with the newest comments, then lots by offset."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from tests.collect.trees import BEGAN, Node, Tree

from discourse.collect.answers import Answer, Ask
from discourse.collect.sources.lesswrong import LessWrong
from discourse.tables import State

POST = "aB3dE5fG7hJ9kM2nP"
ADDRESS = f"https://forum.h.test/posts/{POST}/lamp-posts"
# Replies may answer any comment.
DEPTH = None


def answers(tree: Tree, *, page_size: int) -> list[Answer]:
    """Answer the first request with `page_size` comments, and all requests that follow from it."""
    waiting, found = list(LessWrong().start(ADDRESS)), dict[str, Answer]()
    while waiting:
        ask = waiting.pop(0)
        if ask.url and ask.key not in found:
            body = json.dumps({"data": _data(tree, ask, page_size)}).encode()
            found[ask.key] = Answer(ask.url, 200, {"content-type": "application/json; charset=utf-8"}, body, BEGAN,
                                    ask.key, dict(ask.context))  # fmt: skip
            waiting += LessWrong().read(found[ask.key]).next
    return list(found.values())


def _data(tree: Tree, ask: Ask, page_size: int) -> dict[str, Any]:
    """Answer what was asked: deleted comments last, the others from the newest to the oldest."""
    asked = json.loads(ask.body)
    offset = asked["variables"]["terms"]["offset"]
    nodes = sorted(tree.nodes, key=lambda node: (node.state is not State.VISIBLE, -node.number))
    comments = {
        "totalCount": len(nodes),
        "results": [_comment(node) for node in nodes[offset : offset + page_size]],
    }
    if "post(" not in asked["query"]:
        return {"comments": comments}
    post = {
        "_id": POST,
        "title": tree.title,
        "pageUrl": ADDRESS,
        "postedAt": BEGAN.isoformat(),
        "userId": "starter",
        "question": False,
        "commentCount": len(nodes),
        "user": {"displayName": "Starter", "slug": "starter"},
        "contents": {"html": f"<p>{escape(tree.article)}</p>"},
    }
    return {"post": {"result": post}, "comments": comments}


def _comment(node: Node) -> dict[str, Any]:
    visible = node.state is State.VISIBLE
    return {
        "_id": f"cXyZ{node.number}",
        "postId": POST,
        "parentCommentId": None if node.parent is None else f"cXyZ{node.parent}",
        "postedAt": node.created.isoformat(),
        "baseScore": node.score,
        "userId": node.author,
        "deleted": not visible,
        "deletedReason": "rude" if node.state is State.REMOVED else "",
        "user": {"displayName": node.author, "slug": node.author},
        "contents": {"html": f"<p>{escape(node.text)}</p>"} if visible else None,
    }
