"""A thread as a WordPress site's REST interface lists it, found by the post's page."""

from __future__ import annotations

import json
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.collect.trees import BEGAN, Node, Tree

from discourse.collect.answers import Answer, Ask
from discourse.collect.sources.wordpress import WordPress
from discourse.tables import State

ADDRESS = "wordpress+https://wp.h.test/2025/lamps/"
PLATFORM = WordPress()

_PAGE = """<!DOCTYPE html><html lang="en"><head><title>{title}</title>
<link rel="https://api.w.org/" href="https://wp.h.test/wp-json/"><link rel="shortlink" href="https://wp.h.test/?p=7">
</head><body class="single postid-7"><article><h1>{title}</h1><p>{article}</p></article></body></html>"""


def answers(tree: Tree, *, page_size: int) -> list[Answer]:
    """Answer the page and all that follows from it; no list is longer than `page_size`."""
    waiting, found = list(PLATFORM.start(ADDRESS)), dict[str, Answer]()
    while waiting:
        ask = waiting.pop(0)
        if not ask.url or ask.key in found:
            continue
        found[ask.key] = _answer(tree, ask, page_size)
        waiting += PLATFORM.read(found[ask.key]).next
    return list(found.values())


def _answer(tree: Tree, ask: Ask, page_size: int) -> Answer:
    if "/wp-json/" not in ask.url:
        body = _PAGE.format(title=escape(tree.title), article=escape(tree.article)).encode()
        return Answer(
            ask.url, 200, {"content-type": "text/html; charset=UTF-8"}, body, BEGAN, ask.key, dict(ask.context)
        )
    page = int(parse_qs(urlsplit(ask.url).query)["page"][0])
    records = [record(node) for node in tree.nodes[(page - 1) * page_size : page * page_size]]
    headers = {
        "content-type": "application/json; charset=UTF-8",
        "x-wp-total": str(len(tree.nodes)),
        "x-wp-totalpages": str(-(-len(tree.nodes) // page_size)),
    }
    return Answer(ask.url, 200, headers, json.dumps(records).encode(), BEGAN, ask.key, dict(ask.context))


def record(node: Node) -> dict[str, Any]:
    """Return a comment as the interface writes it; trash and all, as an editor sees it."""
    gone = node.state in {State.DELETED, State.REMOVED}
    return {
        "id": node.number,
        "post": 7,
        "parent": node.parent or 0,
        "author": 0,
        "author_name": node.author,
        "date": node.created.strftime("%Y-%m-%dT%H:%M:%S"),
        "date_gmt": node.created.strftime("%Y-%m-%dT%H:%M:%S"),
        "content": {"rendered": f"<p>{escape(node.text)}</p>\n"},
        "link": f"https://wp.h.test/2025/lamps/#comment-{node.number}",
        "status": "trash" if gone else "approved",
        "type": "comment",
    }
