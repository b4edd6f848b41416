"""A thread as a Mastodon server answers it: the status, then contexts that end at a depth."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from tests.collect.trees import BEGAN, Node, Tree

from discourse.collect.answers import Answer, Ask
from discourse.collect.sources.mastodon import Mastodon
from discourse.tables import State

ROOT = 1_000_000
ADDRESS = f"https://social.h.test/@starter/{ROOT}"
# Replies may answer any status.
DEPTH = None
# The id of a status is this much above the number of the comment.
FIRST_ID = ROOT
# A deleted status leaves no trace.
KEEPS_GONE = False


def answers(tree: Tree, *, page_size: int) -> list[Answer]:
    """Answer the first request and all that follow from it, `page_size` levels at a time."""
    waiting, found = list(Mastodon().start(ADDRESS)), dict[str, Answer]()
    while waiting:
        ask = waiting.pop(0)
        if ask.url and ask.key not in found:
            body = json.dumps(_body(tree, ask, page_size)).encode()
            found[ask.key] = Answer(ask.url, 200, {"content-type": "application/json; charset=utf-8"}, body, BEGAN,
                                    ask.key, dict(ask.context))  # fmt: skip
            waiting += Mastodon().read(found[ask.key]).next
    return list(found.values())


def _body(tree: Tree, ask: Ask, levels: int) -> dict[str, Any]:
    number = int(dict(ask.context)["status"]) - ROOT
    if not ask.url.endswith("/context"):
        return _opening(tree)
    below = _below(tree, number or None, levels)
    above = [_opening(tree), *(_status(tree, node) for node in _above(tree, number))] if number else []
    return {"ancestors": above, "descendants": [_status(tree, node) for node in below]}


def _above(tree: Tree, number: int) -> list[Node]:
    parents = {node.number: node.parent for node in tree.nodes}
    nodes = {node.number: node for node in tree.nodes}
    found: list[Node] = []
    above = parents[number]
    while above is not None:
        found.insert(0, nodes[above])
        above = parents[above]
    return [node for node in found if node.state is State.VISIBLE]


def _below(tree: Tree, number: int | None, levels: int) -> list[Node]:
    """What hangs below a status, `levels` deep; what hangs on a deleted status counts as its parent's."""
    found: list[Node] = []
    for node in tree.children(number) if levels else ():
        gone = node.state is not State.VISIBLE
        found += ([] if gone else [node]) + _below(tree, node.number, levels if gone else levels - 1)
    return found


def _opening(tree: Tree) -> dict[str, Any]:
    text = f"<p>{escape(tree.article)}</p>"
    return _fields(ROOT, None, text, BEGAN.isoformat(), "starter", 0) | {"replies_count": len(_below(tree, None, 1))}


def _status(tree: Tree, node: Node) -> dict[str, Any]:
    answered = ROOT + (node.parent or 0)
    text = f"<p>{escape(node.text)}</p>"
    fields = _fields(ROOT + node.number, answered, text, node.created.isoformat(), node.author, max(node.score, 0))
    return fields | {"replies_count": len(_below(tree, node.number, 1))}


def _fields(native: int, answered: int | None, text: str, at: str, author: str, likes: int) -> dict[str, Any]:
    return {
        "id": str(native),
        "in_reply_to_id": None if answered is None else str(answered),
        "created_at": at,
        "content": text,
        "spoiler_text": "",
        "favourites_count": likes,
        "account": {"id": author, "acct": author, "bot": False},
        "reblog": None,
        "url": f"https://social.h.test/@{author}/{native}",
    }
