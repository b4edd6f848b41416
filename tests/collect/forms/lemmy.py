"""A post's comments as Lemmy's API lists them, oldest first."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.collect.trees import BEGAN, Node, Tree

from discourse.collect.answers import Answer, Ask
from discourse.collect.sources.lemmy import Lemmy
from discourse.tables import State

POST = 700
ADDRESS = f"https://lemmy.h.test/post/{POST}"


def answers(tree: Tree, *, page_size: int) -> list[Answer]:
    """Answer the first requests and all that follow, `page_size` comments a page."""
    waiting, found = list(Lemmy().start(ADDRESS)), dict[str, Answer]()
    while waiting:
        ask = waiting.pop(0)
        if not ask.url or ask.key in found:
            continue
        body = json.dumps(_response(tree, ask, page_size)).encode()
        headers = {"content-type": "application/json"}
        found[ask.key] = Answer(ask.url, 200, headers, body, BEGAN, ask.key, dict(ask.context))
        waiting += Lemmy().read(found[ask.key]).next
    return list(found.values())


def _response(tree: Tree, ask: Ask, page_size: int) -> dict[str, Any]:
    parts = urlsplit(ask.url)
    query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    if parts.path.endswith("/post"):
        counts = {"comments": len(tree.nodes), "score": 3}
        return {"post_view": {"post": _post(tree), "creator": _person("op"), "counts": counts,
                              "community": {"name": "lamps"}}, "moderators": []}  # fmt: skip
    start = (int(query["page"]) - 1) * page_size
    return {"comments": [view(tree, node) for node in tree.nodes[start : start + page_size]]}


def view(tree: Tree, node: Node) -> dict[str, Any]:
    """A comment with what the list says around it."""
    gone = node.state is not State.VISIBLE
    comment = {
        "id": node.number,
        "creator_id": 5,
        "post_id": POST,
        "content": "" if gone else node.text,
        "removed": node.state is State.REMOVED,
        "deleted": node.state is State.DELETED,
        "published": node.created.isoformat().replace("+00:00", "Z"),
        "ap_id": f"https://lemmy.h.test/comment/{node.number}",
        "local": True,
        "path": _path(tree, node),
    }
    counts = {"score": node.score, "child_count": _below(tree, node.number)}
    return {"comment": comment, "creator": _person(node.author), "post": _post(tree), "counts": counts,
            "community": {"name": "lamps"}}  # fmt: skip


def _post(tree: Tree) -> dict[str, Any]:
    return {"id": POST, "name": tree.title, "body": tree.article, "creator_id": 1,
            "published": "2025-03-01T11:00:00Z", "ap_id": ADDRESS}  # fmt: skip


def _person(name: str) -> dict[str, Any]:
    return {"id": 5, "name": name, "local": True, "actor_id": f"https://lemmy.h.test/u/{name}"}


def _path(tree: Tree, node: Node) -> str:
    above = {one.number: one.parent for one in tree.nodes}
    steps: list[int] = []
    number: int | None = node.number
    while number is not None:
        steps.append(number)
        number = above[number]
    return ".".join(["0", *(str(step) for step in reversed(steps))])


def _below(tree: Tree, number: int) -> int:
    return sum(1 + _below(tree, child.number) for child in tree.children(number))
