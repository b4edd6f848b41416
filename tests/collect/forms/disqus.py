"""A thread as the Disqus API lists it, found by its identifier, behind cursors."""

from __future__ import annotations

import json
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.collect.trees import BEGAN, Node, Tree

from discourse.collect.answers import Answer, Ask
from discourse.collect.sources.disqus import Disqus
from discourse.tables import State

ADDRESS = "https://disqus.com/embed/comments/?f=lampforum&t_i=lamps-1"
PLATFORM = Disqus()
_THREAD = "4200001"


def answers(tree: Tree, *, page_size: int) -> list[Answer]:
    """Answer the thread's details and its posts, `page_size` at a time."""
    waiting, found = list(PLATFORM.start(ADDRESS)), dict[str, Answer]()
    while waiting:
        ask = waiting.pop(0)
        if not ask.url or ask.key in found:
            continue
        body = json.dumps(_body(tree, ask, page_size)).encode()
        headers = {"content-type": "application/json"}
        found[ask.key] = Answer(ask.url, 200, headers, body, BEGAN, ask.key, dict(ask.context))
        waiting += PLATFORM.read(found[ask.key]).next
    return list(found.values())


def _body(tree: Tree, ask: Ask, page_size: int) -> dict[str, Any]:
    if "threads/details" in ask.url:
        thread = {
            "id": _THREAD,
            "forum": "lampforum",
            "identifiers": ["lamps-1"],
            "title": tree.title,
            "clean_title": tree.title,
            "link": "https://lamps.h.test/",
            "posts": len(tree.nodes),
            "isClosed": False,
            "createdAt": "2025-03-01T12:00:00",
        }
        return {"code": 0, "response": thread}
    first = int(parse_qs(urlsplit(ask.url).query).get("cursor", ["0"])[0])
    more = first + page_size < len(tree.nodes)
    cursor = {"hasNext": more, "more": more, "next": str(first + page_size), "hasPrev": first > 0}
    return {"code": 0, "cursor": cursor, "response": list(map(_post, tree.nodes[first : first + page_size]))}


def _post(node: Node) -> dict[str, Any]:
    return {
        "id": str(node.number),
        "thread": _THREAD,
        "forum": "lampforum",
        "parent": node.parent,
        "message": f"<p>{escape(node.text)}</p>",
        "raw_message": node.text,
        "author": {"name": node.author, "username": node.author, "isAnonymous": False},
        "createdAt": node.created.strftime("%Y-%m-%dT%H:%M:%S"),
        "likes": max(node.score, 0),
        "dislikes": max(-node.score, 0),
        "isApproved": True,
        "isDeleted": node.state is State.DELETED,
        "isSpam": node.state is State.REMOVED,
    }
