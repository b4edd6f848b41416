"""A post of a publication on Substack, and the one answer that holds all its comments."""

from __future__ import annotations

import json
from typing import Any

from tests.collect.trees import BEGAN, Node, Tree

from discourse.collect.answers import Answer
from discourse.collect.sources.substack import Substack
from discourse.tables import State

ADDRESS = "https://lamps.substack.com/p/lamp-posts"


def answers(tree: Tree, *, page_size: int) -> list[Answer]:
    """Return the post and its comments; the site cuts them in no pages."""
    del page_size
    (ask,) = Substack().start(ADDRESS)
    post = {
        "id": 4_711,
        "slug": "lamp-posts",
        "title": tree.title,
        "canonical_url": ADDRESS,
        "post_date": "2025-03-01T12:00:00.000Z",
        "comment_count": len(tree.nodes),
        "write_comment_permissions": "everyone",
        "body_html": f"<p>{tree.article}</p>",
        "publishedBylines": [{"id": 1, "name": "ada"}],
    }
    first = _answer(ask.url, ask.key, dict(ask.context), post)
    (following,) = Substack().read(first).next
    comments = {"comments": _nested(tree)}
    return [first, _answer(following.url, following.key, dict(following.context), comments)]


def _answer(url: str, key: str, context: dict[str, str], body: object) -> Answer:
    headers = {"content-type": "application/json; charset=utf-8"}
    return Answer(url, 200, headers, json.dumps(body, ensure_ascii=False).encode(), BEGAN, key, context)


def _nested(tree: Tree) -> list[dict[str, Any]]:
    records: dict[int | None, dict[str, Any]] = {None: {"children": [], "ancestor_path": "", "id": ""}}
    for node in tree.nodes:
        above = records[node.parent]
        path = f"{above['ancestor_path']}.{above['id']}".strip(".")
        records[node.number] = _record(node, path)
        above["children"].append(records[node.number])
    for record in records.values():
        record["children_count"] = len(record["children"])
    return records[None]["children"]


def _record(node: Node, path: str) -> dict[str, Any]:
    gone = node.state in {State.DELETED, State.REMOVED}
    return {
        "id": node.number,
        "body": None if gone else node.text,
        "body_json": None,
        "publication_id": 5,
        "post_id": 4_711,
        "user_id": None if gone else 9,
        "name": None if gone else node.author,
        "ancestor_path": path,
        "type": "comment",
        "deleted": node.state is State.DELETED,
        "status": "moderator_removed" if node.state is State.REMOVED else "ok",
        "date": f"{node.created:%Y-%m-%dT%H:%M:%S}.000Z",
        "edited_at": None,
        "reaction_count": node.score,
        "reactions": {"❤": node.score},
        "children": [],
    }
