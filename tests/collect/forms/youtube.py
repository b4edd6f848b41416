"""A video's comments as the Data API gives them: pages of threads, with one reply inline, and pages of replies."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.collect.trees import BEGAN, Node, Tree

from discourse.collect.answers import Answer, Ask
from discourse.collect.sources.youtube import YouTube

VIDEO = "vid_lamps-1"
ADDRESS = f"https://www.youtube.com/watch?v={VIDEO}"
# YouTube leaves out what is gone; this form keeps it, as any other comment.
SHOWS_GONE = False
# The API hangs every reply on the top comment.
DEPTH = 1
_INLINE = 1


def answers(tree: Tree, *, page_size: int) -> list[Answer]:
    """Answer the first requests and all that follow, `page_size` threads or replies a page."""
    waiting, found = list(YouTube().start(ADDRESS)), dict[str, Answer]()
    while waiting:
        ask = waiting.pop(0)
        if not ask.url or ask.key in found:
            continue
        body = json.dumps(_response(tree, ask, page_size)).encode()
        headers = {"content-type": "application/json; charset=UTF-8"}
        found[ask.key] = Answer(ask.url, 200, headers, body, BEGAN, ask.key, dict(ask.context))
        waiting += YouTube().read(found[ask.key]).next
    return list(found.values())


def name(tree: Tree, node: Node) -> str:
    """The id of a comment: of a reply, with that of its top comment before it."""
    return f"Ug{node.number:04}" if node.parent is None else f"Ug{_top(tree, node):04}.{node.number:04}"


def _top(tree: Tree, node: Node) -> int:
    above = {one.number: one.parent for one in tree.nodes}
    number = node.number
    while (parent := above[number]) is not None:
        number = parent
    return number


def _response(tree: Tree, ask: Ask, page_size: int) -> dict[str, Any]:
    parts = urlsplit(ask.url)
    query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    if parts.path.endswith("/videos"):
        return {"kind": "youtube#videoListResponse", "items": [_video(tree)]}
    start = int(query.get("pageToken", "0"))
    if parts.path.endswith("/comments"):
        top = int(query["parentId"].removeprefix("Ug"))
        every = _below(tree, top)
        kind = "youtube#commentListResponse"
        items = [_comment(tree, node) for node in every[start : start + page_size]]
    else:
        every = tree.children(None)
        kind = "youtube#commentThreadListResponse"
        items = [_thread(tree, node) for node in every[start : start + page_size]]
    more = {"nextPageToken": str(start + page_size)} if start + page_size < len(every) else {}
    return {"kind": kind, "etag": "e", **more, "pageInfo": {"resultsPerPage": page_size}, "items": items}


def _video(tree: Tree) -> dict[str, Any]:
    snippet = {"title": tree.title, "description": tree.article, "channelTitle": "Lamps", "channelId": "UCowner",
               "publishedAt": "2025-03-01T11:00:00Z"}  # fmt: skip
    return {"kind": "youtube#video", "id": VIDEO, "snippet": snippet,
            "statistics": {"commentCount": str(len(tree.nodes))}}  # fmt: skip


def _below(tree: Tree, top: int) -> list[Node]:
    return [node for node in tree.nodes if node.parent is not None and _top(tree, node) == top]


def _thread(tree: Tree, node: Node) -> dict[str, Any]:
    replies = _below(tree, node.number)
    thread: dict[str, Any] = {
        "kind": "youtube#commentThread",
        "id": name(tree, node),
        "snippet": {
            "videoId": VIDEO,
            "channelId": "UCowner",
            "topLevelComment": _comment(tree, node),
            "totalReplyCount": len(replies),
        },
    }
    if replies:
        thread["replies"] = {"comments": [_comment(tree, one) for one in replies[:_INLINE]]}
    return thread


def _comment(tree: Tree, node: Node) -> dict[str, Any]:
    parent = {} if node.parent is None else {"parentId": f"Ug{_top(tree, node):04}"}
    return {
        "kind": "youtube#comment",
        "id": name(tree, node),
        "snippet": {
            "authorDisplayName": node.author,
            "authorChannelId": {"value": f"UC{node.author}"},
            "textDisplay": node.text,
            "likeCount": max(node.score, 0),
            "publishedAt": node.created.isoformat().replace("+00:00", "Z"),
            **parent,
        },
    }
