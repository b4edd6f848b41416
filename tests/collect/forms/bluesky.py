"""A thread as the Bluesky AppView answers it: whose the handle is, then nested replies down to a depth."""

from __future__ import annotations

import json
from typing import Any

from tests.collect.trees import BEGAN, Node, Tree

from discourse.collect.answers import Answer, Ask
from discourse.collect.sources.bluesky import Bluesky
from discourse.tables import State

ADDRESS = "https://bsky.app/profile/lamps.h.test/post/root"
# Replies may answer any post.
DEPTH = None
_DID = "did:plc:lamps"


def answers(tree: Tree, *, page_size: int) -> list[Answer]:
    """Answer the first request and all that follow from it, `page_size` levels at a time."""
    waiting, found = list(Bluesky().start(ADDRESS)), dict[str, Answer]()
    while waiting:
        ask = waiting.pop(0)
        if ask.url and ask.key not in found:
            body = json.dumps(_body(tree, ask, page_size)).encode()
            found[ask.key] = Answer(ask.url, 200, {"content-type": "application/json; charset=utf-8"}, body, BEGAN,
                                    ask.key, dict(ask.context))  # fmt: skip
            waiting += Bluesky().read(found[ask.key]).next
    return list(found.values())


def _body(tree: Tree, ask: Ask, levels: int) -> dict[str, Any]:
    context = dict(ask.context)
    if context["bluesky"] == "handle":
        return {"did": _DID}
    name = context["uri"].rpartition("/")[2]
    node = None if name == "root" else next(one for one in tree.nodes if str(one.number) == name)
    return {"thread": _view(tree, node, levels)}


def _view(tree: Tree, node: Node | None, levels: int) -> dict[str, Any]:
    number = node.number if node else None
    children = tree.children(number)
    if node and node.state is State.DELETED and not children:
        return {"$type": "app.bsky.feed.defs#notFoundPost", "uri": _uri(number), "notFound": True}
    replies = [_view(tree, one, levels - 1) for one in children] if levels else []
    post = _post(tree, node) | {"replyCount": len(children)}
    return {"$type": "app.bsky.feed.defs#threadViewPost", "post": post, "replies": replies, "threadContext": {}}


def _post(tree: Tree, node: Node | None) -> dict[str, Any]:
    at = (node.created if node else BEGAN).isoformat()
    record: dict[str, Any] = {"$type": "app.bsky.feed.post", "text": node.text if node else tree.article,
                              "createdAt": at}  # fmt: skip
    if node:
        record["reply"] = {"root": {"uri": _uri(None)}, "parent": {"uri": _uri(node.parent)}}
    # The AppView drops what stands below a deleted post; a post that moderators hide keeps its replies.
    hidden = node is not None and node.state is not State.VISIBLE
    return {
        "uri": _uri(node.number if node else None),
        "author": {"did": _DID, "handle": node.author if node else "lamps.h.test"},
        "record": record,
        "likeCount": max(node.score, 0) if node else 0,
        "indexedAt": at,
        "labels": [{"val": "!hide"}] if hidden else [],
    }


def _uri(number: int | None) -> str:
    return f"at://{_DID}/app.bsky.feed.post/{'root' if number is None else number}"
