"""A thread as a Waline server lists it: pages of top comments, each with all its replies in one list."""

from __future__ import annotations

import html
import json
from typing import Any

from tests.collect.trees import BEGAN, Node, Tree

from discourse.collect.answers import Answer, Ask
from discourse.collect.sources.waline import Waline
from discourse.tables import State

ADDRESS = "https://waline.h.test/api/comment?path=%2Flamps%2F"
# What is removed is not listed; only a top comment with replies is, as administrators see it.
KEEPS_GONE = False


def answers(tree: Tree, *, page_size: int) -> list[Answer]:
    """Answer the first request and all that follow from it; a page has `page_size` top comments."""
    waiting, found = list(Waline().start(ADDRESS)), list[Answer]()
    while waiting:
        ask = waiting.pop(0)
        if ask.url:
            found.append(_answer(tree, ask, len(found) + 1, page_size))
            waiting += Waline().read(found[-1]).next
    return found


def _answer(tree: Tree, ask: Ask, page: int, page_size: int) -> Answer:
    roots = [node for node in tree.children(None) if not _gone(node) or tree.children(node.number)]
    below: dict[int, list[Node]] = {}
    for node in reversed(tree.nodes):
        if node.parent is not None and not _gone(node):
            below.setdefault(_top(tree, node), []).append(node)
    shown = roots[(page - 1) * page_size : page * page_size]
    data = {
        "page": page,
        "totalPages": -(-len(roots) // page_size),
        "pageSize": page_size,
        "count": len(roots) + sum(len(below.get(root.number, [])) for root in roots),
        "data": [
            _record(root, root.number)
            | {"children": [_record(node, root.number) for node in below.get(root.number, [])]}
            for root in shown
        ],
    }
    body = json.dumps({"errno": 0, "errmsg": "", "data": data}, ensure_ascii=False).encode()
    headers = {"content-type": "application/json; charset=utf-8", "x-waline-version": "1.39.3"}
    return Answer(ask.url, 200, headers, body, BEGAN, ask.key, dict(ask.context))


def _gone(node: Node) -> bool:
    return node.state in {State.DELETED, State.REMOVED}


def _top(tree: Tree, node: Node) -> int:
    above = {one.number: one.parent for one in tree.nodes}
    number = node.number
    while (parent := above[number]) is not None:
        number = parent
    return number


def _record(node: Node, top: int) -> dict[str, Any]:
    return {
        "status": "spam" if _gone(node) else "approved",
        "comment": f"<p>{html.escape(node.text)}</p>\n",
        "link": None,
        "nick": node.author,
        "pid": node.parent,
        "rid": None if node.parent is None else top,
        "user_id": None,
        "sticky": None,
        "like": node.score,
        "objectId": node.number,
        "orig": node.text,
        "time": int(node.created.timestamp() * 1000),
    }
