"""A thread as Firebase gives it, item by item; Firebase is the form that has pages."""

from __future__ import annotations

import html
import json
from typing import Any

from tests.collect.trees import BEGAN, Node, Tree

from discourse.collect.answers import Answer
from discourse.collect.sources.hackernews import HackerNews
from discourse.tables import State

STORY = 9_000_000
ADDRESS = f"https://hacker-news.firebaseio.com/v0/item/{STORY}.json"


def answers(tree: Tree, *, page_size: int) -> list[Answer]:
    """Answer the first request and all that follow; an item is a page, whatever `page_size` is."""
    del page_size
    by_id = {node.number: node for node in tree.nodes}
    waiting, found = list(HackerNews().start(ADDRESS)), dict[str, Answer]()
    while waiting:
        ask = waiting.pop(0)
        if not ask.url or ask.key in found:
            continue
        number = int(ask.url.rsplit("/", 1)[1].removesuffix(".json"))
        item = _story(tree) if number == STORY else _item(tree, by_id[number])
        body = json.dumps(item).encode()
        headers = {"content-type": "application/json"}
        found[ask.key] = Answer(ask.url, 200, headers, body, BEGAN, ask.key, dict(ask.context))
        waiting += HackerNews().read(found[ask.key]).next
    return list(found.values())


def _story(tree: Tree) -> dict[str, Any]:
    kids = [node.number for node in tree.children(None)]
    return {"by": "op", "descendants": len(tree.nodes), "id": STORY, "kids": kids, "score": 9, "time": 1_740_000_000,
            "title": tree.title, "text": f"<p>{tree.article}", "type": "story"}  # fmt: skip


def _item(tree: Tree, node: Node) -> dict[str, Any]:
    kids = [child.number for child in tree.children(node.number)]
    item: dict[str, Any] = {"id": node.number, "parent": node.parent or STORY, "type": "comment",
                            "time": int(node.created.timestamp()), "kids": kids}  # fmt: skip
    if node.state is State.DELETED:
        return item | {"deleted": True}
    if node.state is State.REMOVED:
        return item | {"by": node.author, "dead": True, "text": "[flagged]"}
    return item | {"by": node.author, "text": html.escape(node.text)}
