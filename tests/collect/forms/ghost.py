"""A thread as a Ghost site lists it: pages of top comments with three replies inline, the rest by further requests."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from tests.collect.trees import BEGAN, Node, Tree

from discourse.collect.answers import Answer, Ask
from discourse.collect.sources.ghost import Ghost
from discourse.tables import State

ADDRESS = f"https://ghost.h.test/members/api/comments/post/{9:024d}/"

_INLINE = 3


def answers(tree: Tree, *, page_size: int) -> list[Answer]:
    """Answer the first requests and all that follow from them; no page is longer than `page_size`."""
    waiting, found = list(Ghost().start(ADDRESS)), dict[str, Answer]()
    while waiting:
        ask = waiting.pop(0)
        if not ask.url or ask.key in found:
            continue
        body = json.dumps(_body(tree, ask, page_size), ensure_ascii=False).encode()
        headers = {"content-type": "application/json; charset=utf-8"}
        found[ask.key] = Answer(ask.url, 200, headers, body, BEGAN, ask.key, dict(ask.context))
        waiting += Ghost().read(found[ask.key]).next
    return list(found.values())


def _body(tree: Tree, ask: Ask, page_size: int) -> dict[str, Any]:
    if "/counts/" in ask.url:
        return {f"{9:024d}": len(tree.nodes)}
    page = int(re.findall(r"page=(\d+)", ask.url)[0])
    replies = re.findall(r"/(\d{24})/replies", ask.url)
    if replies:
        every = [node for node in tree.nodes if node.parent is not None and _top(tree, node) == int(replies[0])]
        records = [_record(node, tree) for node in every]
    else:
        every = tree.children(None)
        records = [_record(node, tree) | _below(node, tree) for node in every]
    pages = max(-(-len(every) // page_size), 1)
    pagination = {
        "page": page,
        "limit": page_size,
        "pages": pages,
        "total": len(every),
        "next": page + 1 if page < pages else None,
        "prev": page - 1 or None,
    }
    return {"comments": records[(page - 1) * page_size : page * page_size], "meta": {"pagination": pagination}}


def _below(top: Node, tree: Tree) -> dict[str, Any]:
    replies = [node for node in tree.nodes if node.parent is not None and _top(tree, node) == top.number]
    counted = {"replies": len(replies), "direct_replies": len(tree.children(top.number)), "likes": top.score}
    # The count leaves out what is gone; of what is inline that is shown all the same.
    hidden = sum(_gone(node) for node in replies[:_INLINE])
    counted["replies"] -= hidden
    return {"replies": [_record(node, tree) for node in replies[:_INLINE]], "count": counted}


def _top(tree: Tree, node: Node) -> int:
    above = {one.number: one.parent for one in tree.nodes}
    number = node.number
    while (parent := above[number]) is not None:
        number = parent
    return number


def _gone(node: Node) -> bool:
    return node.state in {State.DELETED, State.REMOVED}


def _record(node: Node, tree: Tree) -> dict[str, Any]:
    top = _top(tree, node)
    status = {State.DELETED: "deleted", State.REMOVED: "hidden"}.get(node.state, "published")
    return {
        "id": f"{node.number:024d}",
        "parent_id": None if node.parent is None else f"{top:024d}",
        "in_reply_to_id": None if node.parent in {None, top} else f"{node.parent:024d}",
        "in_reply_to_snippet": None,
        "status": status,
        "html": None if _gone(node) else f"<p>{html.escape(node.text)}</p>",
        "created_at": f"{node.created:%Y-%m-%dT%H:%M:%S}.000Z",
        "edited_at": None,
        "pinned": False,
        "member": {"id": f"{900 + node.number:024d}", "name": node.author, "expertise": None},
        "liked": False,
        "disliked": False,
        "count": {"direct_replies": len(tree.children(node.number)), "likes": node.score},
    }
