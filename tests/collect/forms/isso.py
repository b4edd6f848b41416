"""A thread as an Isso server lists it, behind a limit on every list."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.collect.trees import BEGAN, Node, Tree

from discourse.collect.answers import Answer, Ask
from discourse.collect.sources.isso import Isso
from discourse.tables import State

ADDRESS = "https://isso.h.test/?uri=%2Flamps%2F"
# Isso hangs a reply to a reply on the top comment.
DEPTH = 1

_HEADERS = {"content-type": "application/json", "access-control-expose-headers": "X-Set-Cookie, Date"}


def answers(tree: Tree, *, page_size: int) -> list[Answer]:
    """Answer the first request and all that follow from it; no list is longer than `page_size`."""
    waiting, found = list(Isso().start(ADDRESS)), dict[str, Answer]()
    while waiting:
        ask = waiting.pop(0)
        if not ask.url or ask.key in found:
            continue
        body = json.dumps(_listing(tree, ask, page_size)).encode()
        found[ask.key] = Answer(ask.url, 200, _HEADERS, body, BEGAN, ask.key, dict(ask.context))
        waiting += Isso().read(found[ask.key]).next
    return list(found.values())


def _listing(tree: Tree, ask: Ask, page_size: int) -> dict[str, Any]:
    query = {name: values[0] for name, values in parse_qs(urlsplit(ask.url).query).items()}
    after = float(query.get("after", 0))
    below: dict[int, list[Node]] = {}
    for node in tree.nodes:
        if node.parent is not None:
            below.setdefault(_top(tree, node), []).append(node)
    if "parent" in query:
        every = below.get(int(query["parent"]), [])
        total = len(every)
    else:
        every, total = tree.children(None), len(tree.nodes)
    listed = [node for node in every if node.created.timestamp() > after][:page_size]
    records = [_record(node, None if "parent" not in query else int(query["parent"])) for node in listed]
    if "parent" not in query:
        for record in records:
            replies = below.get(record["id"], [])
            record["total_replies"] = len(replies)
            record["hidden_replies"] = len(replies) - len(replies[:page_size])
            record["replies"] = [_record(node, record["id"]) for node in replies[:page_size]]
    return {
        "id": int(query["parent"]) if "parent" in query else None,
        "total_replies": total,
        "hidden_replies": len(every) - len(listed),
        "replies": records,
        "config": {"reply-to-self": False, "feed": False},
    }


def _top(tree: Tree, node: Node) -> int:
    above = {one.number: one.parent for one in tree.nodes}
    number = node.number
    while (parent := above[number]) is not None:
        number = parent
    return number


def _record(node: Node, parent: int | None) -> dict[str, Any]:
    gone = node.state in {State.DELETED, State.REMOVED}
    return {
        "id": node.number,
        "parent": parent,
        "created": node.created.timestamp(),
        "modified": None,
        "mode": 4 if gone else 1,
        "text": "" if gone else f"<p>{node.text.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}</p>",
        "author": None if gone else node.author,
        "website": None,
        "likes": max(node.score, 0),
        "dislikes": max(-node.score, 0),
        "notification": None,
        "hash": "c0ffee",
    }
