"""A thread as django-comments-xtd lists it, in pages where a site's settings cut the list."""

from __future__ import annotations

import json
from typing import Any

from tests.collect.trees import BEGAN, Node, Tree

from discourse.collect.answers import Answer, Ask
from discourse.tables import State

ADDRESS = "https://xtd.h.test/comments/api/blog-post/12/"


def answers(tree: Tree, *, page_size: int) -> list[Answer]:
    """Return the count and the list; one longer than `page_size` comes in pages, as Django REST Framework cuts it."""
    records = [_record(node, tree) for node in tree.nodes]
    count = _answer(f"{ADDRESS}count/", {"count": len(records)})
    if len(records) <= page_size:
        return [_answer(ADDRESS, records), count]
    pages: list[Answer] = []
    for start in range(0, len(records), page_size):
        page = start // page_size + 1
        more = start + page_size < len(records)
        body = {
            "count": len(records),
            "next": f"{ADDRESS}?page={page + 1}" if more else None,
            "previous": None if page == 1 else f"{ADDRESS}?page={page - 1}",
            "results": records[start : start + page_size],
        }
        pages.append(_answer(ADDRESS if page == 1 else f"{ADDRESS}?page={page}", body))
    return [*pages, count]


def _answer(url: str, body: object) -> Answer:
    headers = {"content-type": "application/json", "vary": "Accept, Cookie"}
    return Answer(url, 200, headers, json.dumps(body, ensure_ascii=False).encode(), BEGAN, Ask(url).key)


def _record(node: Node, tree: Tree) -> dict[str, Any]:
    above = {one.number: one.parent for one in tree.nodes}
    level, number = 0, node.parent
    while number is not None:
        level, number = level + 1, above[number]
    gone = node.state in {State.DELETED, State.REMOVED}
    likes, dislikes = max(node.score, 0), max(-node.score, 0)
    names = ["like"] * likes + ["dislike"] * dislikes
    return {
        "id": node.number,
        "user_name": node.author,
        "user_url": "",
        "user_moderator": False,
        "permalink": f"/comments/cr/7/12/#c{node.number}",
        "comment": "This comment has been removed." if gone else node.text,
        "submit_date": f"{node.created:%b. %-d, %Y, %-I:%M} {'a.m.' if node.created.hour < 12 else 'p.m.'}",
        "parent_id": node.number if node.parent is None else node.parent,
        "level": level,
        "is_removed": gone,
        "allow_reply": True,
        "flags": [{"flag": name, "user": f"u{each}", "id": each} for each, name in enumerate(names)],
    }
