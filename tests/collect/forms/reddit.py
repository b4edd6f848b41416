"""A thread as Reddit's API gives it: a part of the tree, stubs for the rest, and the rest on request."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.collect.trees import BEGAN, Node, Tree

from discourse.collect.answers import Answer, Ask
from discourse.collect.sources.reddit import Reddit
from discourse.tables import State

THREAD = "lamps1"
ADDRESS = f"https://oauth.reddit.com/comments/{THREAD}/"
# Deeper than this below what was asked for, a stub of count 0 says only that the thread goes on.
_DEEPEST = 2
_MARKS = {State.DELETED: "[deleted]", State.REMOVED: "[removed]"}


def answers(tree: Tree, *, page_size: int) -> list[Answer]:
    """Answer the first request and all that follow; no more than `page_size` replies to one comment are shown."""
    waiting, found = list(Reddit().start(ADDRESS)), dict[str, Answer]()
    while waiting:
        ask = waiting.pop(0)
        if not ask.url or ask.key in found:
            continue
        body = json.dumps(_response(tree, ask, page_size)).encode()
        headers = {"content-type": "application/json; charset=UTF-8"}
        found[ask.key] = Answer(ask.url, 200, headers, body, BEGAN, ask.key, dict(ask.context))
        waiting += Reddit().read(found[ask.key]).next
    return list(found.values())


def name(number: int) -> str:
    """The id of a comment, without ``t1_``."""
    return f"c{number:03}"


def _response(tree: Tree, ask: Ask, page_size: int) -> Any:
    by_name = {name(node.number): node for node in tree.nodes}
    if ask.method == "POST":
        children = parse_qs(ask.body)["children"][0].split(",")
        things = [_comment(tree, by_name[one], page_size, 0) for one in children[:page_size]]
        rest = children[page_size:]
        if rest:
            above = by_name[rest[0]].parent
            things.append(_stub(tree, rest, above))
        return {"json": {"errors": [], "data": {"things": things}}}
    steps = [step for step in urlsplit(ask.url).path.split("/") if step]
    shown = [_comment(tree, by_name[steps[3]], page_size, 0)] if len(steps) > 2 else _below(tree, None, page_size, 0)
    post = {
        "id": THREAD, "name": f"t3_{THREAD}", "title": tree.title, "selftext": tree.article, "subreddit": "lamps",
        "author": "op", "score": 12, "num_comments": len(tree.nodes), "created_utc": 1_740_000_000.0,
        "permalink": f"/r/lamps/comments/{THREAD}/lamps/", "url": "https://www.reddit.com/",
    }  # fmt: skip
    return [_listing([{"kind": "t3", "data": post}]), _listing(shown)]


def _listing(children: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": "Listing", "data": {"modhash": "", "children": children, "after": None, "before": None}}


def _below(tree: Tree, number: int | None, page_size: int, depth: int) -> list[dict[str, Any]]:
    children = tree.children(number)
    shown = [_comment(tree, node, page_size, depth) for node in children[:page_size]]
    rest = [name(node.number) for node in children[page_size:]]
    return [*shown, _stub(tree, rest, number)] if rest else shown


def _stub(tree: Tree, rest: list[str], above: int | None) -> dict[str, Any]:
    parent = f"t3_{THREAD}" if above is None else f"t1_{name(above)}"
    numbers = {name(node.number): node.number for node in tree.nodes}
    count = sum(_size(tree, numbers[one]) for one in rest)
    first = rest[0]
    return {"kind": "more", "data": {"count": count, "name": f"t1_{first}", "id": first, "parent_id": parent,
                                     "depth": 0, "children": rest}}  # fmt: skip


def _size(tree: Tree, number: int) -> int:
    return 1 + sum(_size(tree, child.number) for child in tree.children(number))


def _comment(tree: Tree, node: Node, page_size: int, depth: int) -> dict[str, Any]:
    replies: Any = ""
    if tree.children(node.number):
        if depth >= _DEEPEST:
            stub = {"count": 0, "name": "t1__", "id": "_", "parent_id": f"t1_{name(node.number)}", "children": []}
            replies = _listing([{"kind": "more", "data": stub}])
        else:
            replies = _listing(_below(tree, node.number, page_size, depth + 1))
    data = {
        "id": name(node.number), "name": f"t1_{name(node.number)}", "link_id": f"t3_{THREAD}",
        "parent_id": f"t3_{THREAD}" if node.parent is None else f"t1_{name(node.parent)}",
        "author": node.author if node.state is not State.DELETED else "[deleted]",
        "body": _MARKS.get(node.state, node.text), "score": node.score, "score_hidden": False,
        "created_utc": node.created.timestamp(), "replies": replies, "subreddit": "lamps", "is_submitter": False,
        "distinguished": None, "permalink": f"/r/lamps/comments/{THREAD}/lamps/{name(node.number)}/",
    }  # fmt: skip
    return {"kind": "t1", "data": data}
