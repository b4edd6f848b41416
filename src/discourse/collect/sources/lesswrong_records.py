"""Posts and comments in a GraphQL answer of ForumMagnum, whatever was asked: lists, single ones, batches, aliases."""

from __future__ import annotations

from dataclasses import dataclass

from discourse.collect.answers import Answer, Json, UnreadableAnswerError
from discourse.collect.jsonvalues import Object, as_object, count_at, name_at

_OURS = ("postedAt", "parentCommentId", "postId", "baseScore", "contents", "commentCount", "htmlBody")
_NESTED = ("latestChildren", "comments", "recentComments")


@dataclass(frozen=True, slots=True)
class Records:
    """What an answer holds.

    Attributes:
        posts: each with its fields as delivered.
        comments: those of all lists; a record of a wrong type as it is.
        total: `totalCount` of the list of comments, None if not told or if there are several lists.
        lists: how many lists of comments there are, empty ones too.
    """

    posts: tuple[Object, ...]
    comments: tuple[Json, ...]
    total: int | None
    lists: int


def is_forum_answer(answer: Answer) -> bool:
    """Tell an answer with posts or comments by the field names of their records."""
    if b'"_id"' not in answer.body or not any(f'"{one}"'.encode() in answer.body for one in _OURS):
        return False
    if answer.body.lstrip()[:1] not in {b"{", b"["}:
        return False
    try:
        body = answer.json()
    except UnreadableAnswerError:
        # Cut short, but what is left says whose it was.
        return b'"parentCommentId"' in answer.body and b'"baseScore"' in answer.body
    records = records_of(body)
    return any(
        name_at(one, "_id") and sum(key in as_object(one) for key in _OURS) > 1
        for one in (*records.posts, *records.comments)
    )


def records_of(body: Json) -> Records:
    """Collect posts and comments by the names of the fields that hold them, else by their own fields."""
    posts: list[Object] = []
    comments: list[Json] = []
    totals: list[int | None] = []
    waiting: list[tuple[Json, str]] = [(body, "")]
    while waiting:
        value, kind = waiting.pop()
        if isinstance(value, list):
            waiting += ((one, kind) for one in reversed(value))
            continue
        if not isinstance(value, dict):
            if kind == "comment" and value is not None:
                comments.append(value)
            continue
        inside = [value[key] for key in ("results", "result") if key in value]
        if kind == "comment" and inside:
            totals += [count_at(value, "totalCount")] if isinstance(value.get("results"), list) else []
        if inside:
            waiting += ((one, kind) for one in inside)
        elif _is_comment(value, kind):
            comments.append(value)
            waiting += ((value[key], "comment") for key in _NESTED if isinstance(value.get(key), list))
            waiting += ((value["post"], "post") for _ in range(isinstance(value.get("post"), dict)))
        elif _is_post(value, kind):
            posts.append(value)
            waiting += ((value[key], "comment") for key in _NESTED if isinstance(value.get(key), list))
        elif "_id" not in value:
            waiting += ((one, _kind(key)) for key, one in value.items() if isinstance(one, dict | list))
    return Records(tuple(posts), tuple(comments), totals[0] if len(totals) == 1 else None, len(totals))


def _kind(key: str) -> str:
    """What a field of a query holds, by its name; aliases mostly begin with it."""
    name = key.lower()
    return next((kind for kind in ("comment", "post") if name.startswith(kind)), "")


def _is_comment(value: Object, kind: str) -> bool:
    if kind == "comment":
        return True
    return kind == "" and "_id" in value and "parentCommentId" in value


def _is_post(value: Object, kind: str) -> bool:
    return "_id" in value and (kind == "post" or ("title" in value and "commentCount" in value))
