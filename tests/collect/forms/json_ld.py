"""A thread in the JSON-LD of a page, as forums write it for search engines."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from tests.collect.trees import BEGAN, Node, Tree

from discourse.collect.answers import Answer
from discourse.collect.sources.article_page import ArticlePage
from discourse.tables import State

ADDRESS = "https://forum.h.test/t/lamps"
PLATFORM = ArticlePage()


def answers(tree: Tree, *, page_size: int) -> list[Answer]:
    """Return the page; all comments are in one block."""
    del page_size
    (ask,) = PLATFORM.start(ADDRESS)
    block = {
        "@context": "https://schema.org",
        "@type": "DiscussionForumPosting",
        "headline": tree.title,
        "text": tree.article,
        "commentCount": len(tree.nodes),
        "comment": [_comment(tree, node) for node in tree.children(None)],
    }
    data = json.dumps(block).replace("<", "\\u003c")
    body = f"""<!DOCTYPE html><html><head><title>{escape(tree.title)}</title>
<script type="application/ld+json">{data}</script></head><body><p>{escape(tree.article)}</p></body></html>"""
    return [Answer(ask.url, 200, {"content-type": "text/html"}, body.encode(), BEGAN, ask.key, dict(ask.context))]


def _comment(tree: Tree, node: Node) -> dict[str, Any]:
    gone = node.state in {State.DELETED, State.REMOVED}
    told: dict[str, Any] = {"text": node.text} if not gone else {"creativeWorkStatus": "Deleted"}
    below = [_comment(tree, child) for child in tree.children(node.number)]
    return {
        "@type": "Comment",
        "url": f"{ADDRESS}#comment-{node.number}",
        "author": {"@type": "Person", "name": node.author},
        "datePublished": node.created.isoformat(),
        "upvoteCount": node.score,
        **told,
        **({"comment": below} if below else {}),
    }
