"""Lemmy and PieFed: comments of a post through the API, and single comments as ActivityPub notes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from discourse.collect.answers import EXCERPT, Answer, Ask, Json, UnreadableAnswerError
from discourse.collect.jsonvalues import (
    Object,
    as_list,
    as_object,
    at,
    count_at,
    flag_at,
    name_at,
    number_at,
    text_at,
)
from discourse.collect.moments import moment
from discourse.collect.sources.platform import Login, Page, RawComment, RawThread
from discourse.tables import Reason, ReplyKind, Role, State

LIMIT = 50
_API = re.compile(r"/api/(?:v3|v4|alpha)/(post|comment)(/list)?/?")
_POST = re.compile(r"(?:/c/[^/]+)?/(?:post|p)/(\d+)(?:/[^/]*)*")
_NOTE = re.compile(r"/comment/\d+/?")


@dataclass(frozen=True, slots=True)
class Lemmy:
    """Lemmy (API v3 and v4) and PieFed (API alpha): pages of comments, then walks below those that came in part."""

    name: str = "lemmy"
    title: str = "Lemmy and PieFed"
    needs: tuple[str, ...] = ()
    reads: str = (
        "https://lemmy.example.org/post/N, PieFed's https://piefed.example.org/c/NAME/p/N/TITLE; saved answers of "
        "post, comment and comment/list; saved ActivityPub notes"
    )
    loses: str = "texts of deleted and removed comments; comments that other servers did not send to this one"

    def start(self, url: str) -> tuple[Ask, ...]:
        """Ask for the post, which declares the total, and for the first page of its comments."""
        try:
            parts = urlsplit(url.removeprefix("lemmy+"))
            host = parts.netloc
        except ValueError:
            return ()
        found = _POST.fullmatch(parts.path)
        if parts.scheme not in {"http", "https"} or not parts.hostname or not found:
            return ()
        piefed = parts.path.startswith("/c/")
        base = f"{parts.scheme}://{host}/api/{'alpha' if piefed else 'v3'}"
        number = found.group(1)
        thread = f"{host}/{number}"
        post = Ask(f"{base}/post?id={number}", thread, context=(("lemmy", "post"), ("post", number)))
        return (post, _list(base, number, thread, 1, {}))

    def claims(self, answer: Answer) -> bool:
        """Know our requests, views of posts and comments, and notes of comments."""
        if "lemmy" in answer.context:
            return True
        start = answer.body[:200].lstrip(b"\xef\xbb\xbf \r\n\t")
        if not start.startswith(b"{"):
            return False
        try:
            body = as_object(answer.json())
        except UnreadableAnswerError:
            return False
        return _kind(body) != ""

    def read(self, answer: Answer) -> Page:
        """Read a list of comments, a post, one comment, a note, or a refusal."""
        parts = urlsplit(answer.url)
        query = dict(parse_qsl(parts.query))
        number = answer.context.get("post") or query.get("post_id") or ""
        place = _Place(parts.netloc, answer.url.partition("/comment/")[0], number, query, answer.context)
        if not answer.ok:
            return _refusal(answer, place)
        body = as_object(answer.json())
        kind = _kind(body)
        if kind == "list":
            return _comments(body, place)
        if kind == "post":
            return _post(as_object(body.get("post_view")), place)
        if kind == "comment":
            threads: dict[str, RawThread] = {}
            return Page(comments=(_comment(as_object(body.get("comment_view")), place, {}, threads),))
        if kind == "note":
            return _note(body)
        raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "no answer of Lemmy")

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """Need no keys."""
        del environment
        return None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an answer came from: host, address of the API, the post's number; empty if a file does not tell."""

    host: str
    base: str
    post: str
    query: Mapping[str, str]
    context: Mapping[str, str]

    def thread(self, number: str | None) -> str | None:
        """Return the id of a post's thread."""
        number = number or self.post
        return (f"{self.host}/{number}" if self.host else number) or None


def _list(base: str, post: str, thread: str, page: int, left: Mapping[str, int], parent: str = "") -> Ask:
    """Return the request for a page of a post's comments, or of those below `parent`.

    Args:
        base: address of the API.
        post: the post's number.
        thread: native id.
        page: from 1.
        left: how many comments below each top comment were promised and did not come on the pages before.
        parent: id of the comment, empty for all.
    """
    query = {"post_id": post, "type_": "All", "sort": "Old", "limit": str(LIMIT), "page": str(page)}
    if parent:
        query["parent_id"] = parent
    kept = json.dumps({name: count for name, count in left.items() if count}, sort_keys=True)
    context = (("left", kept), ("lemmy", "list"), ("post", post))
    expects = max(sum(left.values()), 0)
    return Ask(f"{base}/comment/list?{urlencode(query)}", thread, expects=expects, context=context)


def _kind(body: Object) -> str:
    views = body.get("comments", body.get("items"))
    if isinstance(views, list) and (not views or any(_is_view(one) for one in views)):
        # An empty list is anybody's, unless it was asked for (see `claims`).
        return "list" if views or body.keys() <= {"comments", "next_page"} else ""
    if isinstance(at(body, "post_view", "post"), dict):
        return "post"
    if _is_view(body.get("comment_view")):
        return "comment"
    address = text_at(body, "id") or ""
    if body.get("type") in {"Note", "Tombstone"} and _NOTE.fullmatch(_path(address)):
        return "note"
    return ""


def _is_view(value: Json) -> bool:
    view = as_object(value)
    return isinstance(view.get("comment"), dict) and ("creator" in view or "counts" in view) and "post" in view


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _refusal(answer: Answer, place: _Place) -> Page:
    try:
        said = text_at(answer.json(), "error")
    except UnreadableAnswerError:
        said = None
    thread = place.thread(None)
    gone = answer.status == 404 or said in {"couldnt_find_post", "not_found"}
    if thread is None or answer.context.get("lemmy") != "post" or not gone:
        return Page()
    return Page((RawThread(native_id=thread, reason="the server has no such post"),))


def _post(view: Object, place: _Place) -> Page:
    number = name_at(view, "post", "id")
    thread = place.thread(number)
    if number is None or thread is None:
        raise UnreadableAnswerError(Reason.WRONG_TYPE, json.dumps(view)[:EXCERPT], "a post without an id")
    post = as_object(view.get("post"))
    gone = State.DELETED if flag_at(post, "deleted") else State.REMOVED if flag_at(post, "removed") else State.VISIBLE
    text = text_at(post, "body") if gone is State.VISIBLE else None
    url = f"https://{place.host}/post/{number}" if place.host else text_at(post, "ap_id")
    told = RawThread(
        native_id=thread,
        title=text_at(post, "name") or text_at(post, "title"),
        site=place.host or None,
        community=text_at(view, "community", "name"),
        url=url,
        author=_author(as_object(view.get("creator"))),
        article=text,
        published=moment(post.get("published") or post.get("published_at")),
        declared=count_at(view, "counts", "comments") if "counts" in view else count_at(post, "comments"),
    )
    if text is None and gone is State.VISIBLE:
        return Page((told,))
    opening = RawComment(
        native_id=f"post/{number}",
        thread=thread,
        kind=ReplyKind.OPENING,
        author=told.author,
        role=Role.AUTHOR,
        created=told.published,
        text=text,
        markup="markdown",
        score=number_at(view, "counts", "score"),
        state=gone,
        url=url,
    )
    return Page((told,), (opening,))


def _comments(body: Object, place: _Place) -> Page:
    views = as_list(body.get("comments", body.get("items")))
    threads: dict[str, RawThread] = {}
    comments: list[RawComment] = []
    same = _federated(views)
    left = _left(place.context)
    posts = {number for view in views if (number := name_at(view, "comment", "post_id")) is not None}
    seen: set[str] = set()
    for value in views:
        comment = _comment(as_object(value), place, same, threads)
        comments.append(comment)
        path = (text_at(value, "comment", "path") or "").split(".")
        if comment.native_id is None or comment.native_id in seen or len(path) < 2:
            continue
        seen.add(comment.native_id)
        counts = as_object(at(value, "counts")) or as_object(at(value, "comment"))
        if len(path) == 2:
            left[path[1]] = left.get(path[1], 0) + (count_at(counts, "child_count") or 0)
        else:
            left[path[1]] = left.get(path[1], 0) - 1
    number = place.post or (posts.pop() if len(posts) == 1 else "")
    return Page(tuple(threads.values()), tuple(comments), tuple(_next(views, place, number, left)))


def _left(context: Mapping[str, str]) -> dict[str, int]:
    try:
        kept = as_object(json.loads(context.get("left", "{}")))
    except ValueError:
        return {}
    return {name: int(number_at(count) or 0) for name, count in kept.items()}


def _next(views: list[Json], place: _Place, number: str, left: dict[str, int]) -> list[Ask]:
    """Return the next page; after the last one, walks below the top comments whose replies did not all come."""
    thread = place.thread(number) or ""
    page = int(number_at(place.query.get("page")) or 1)
    parent = place.query.get("parent_id", "")
    if not place.host or not number or "lemmy" not in place.context:
        short = sum(count for count in left.values() if count > 0)
        return [Ask("", thread, expects=short, context=(("page", str(page)),))] if short else []
    if views:
        return [_list(place.base, number, thread, page + 1, left, parent)]
    short = {name: count for name, count in left.items() if count > 0}
    if parent:
        lost = sum(short.values())
        return [Ask("", thread, expects=lost, context=(("parent", parent),))] if lost else []
    # The walk counts anew; what it is asked for is known from its `expects`.
    return [_walk(place.base, number, thread, name, count) for name, count in sorted(short.items())]


def _walk(base: str, post: str, thread: str, parent: str, expects: int) -> Ask:
    ask = _list(base, post, thread, 1, {}, parent)
    return Ask(ask.url, thread, expects=expects, context=ask.context)


def _federated(views: list[Json]) -> dict[str, str]:
    """Map the ids of comments that came to the server twice to the id of the first."""
    first: dict[str, str] = {}
    same: dict[str, str] = {}
    for view in views:
        native_id, address = name_at(view, "comment", "id"), text_at(view, "comment", "ap_id")
        if native_id is not None and address is not None and first.setdefault(address, native_id) != native_id:
            same[native_id] = first[address]
    return same


def _comment(view: Object, place: _Place, same: Mapping[str, str], threads: dict[str, RawThread]) -> RawComment:
    record = as_object(view.get("comment"))
    native_id = name_at(record, "id")
    number = name_at(record, "post_id") or name_at(view, "post", "id")
    thread = place.thread(number)
    if native_id is None:
        excerpt = json.dumps(view, ensure_ascii=False)[:EXCERPT]
        return RawComment(native_id=None, thread=thread, reason=Reason.WRONG_TYPE, excerpt=excerpt)
    if thread is not None and thread not in threads:
        post = as_object(view.get("post"))
        threads[thread] = RawThread(
            native_id=thread,
            title=text_at(post, "name") or text_at(post, "title"),
            site=place.host or None,
            community=text_at(view, "community", "name"),
            url=f"https://{place.host}/post/{number}" if place.host else text_at(post, "ap_id"),
            article=text_at(post, "body"),
            published=moment(post.get("published") or post.get("published_at")),
        )
    path = (text_at(record, "path") or "").split(".")
    parent = path[-2] if len(path) > 2 else name_at(record, "parent_id")
    parent = None if parent == "0" else parent
    deleted, removed = flag_at(record, "deleted"), flag_at(record, "removed")
    state = State.REMOVED if removed else State.DELETED if deleted else State.VISIBLE
    counts = as_object(view.get("counts")) or record
    return RawComment(
        native_id=same.get(native_id, native_id),
        thread=thread,
        parent=same.get(parent, parent) if parent is not None else None,
        author=_author(as_object(view.get("creator"))),
        role=_role(view, record),
        created=moment(record.get("published") or record.get("published_at")),
        text=(text_at(record, "content") or text_at(record, "body")) if state is State.VISIBLE else None,
        markup="markdown",
        score=number_at(counts, "score"),
        state=state,
        url=f"https://{place.host}/comment/{native_id}" if place.host else text_at(record, "ap_id"),
    )


def _role(view: Object, record: Object) -> Role:
    if flag_at(view, "creator", "bot_account") or flag_at(view, "creator", "bot"):
        return Role.BOT
    if flag_at(view, "creator_is_moderator") or flag_at(view, "creator_is_admin") or flag_at(record, "distinguished"):
        return Role.STAFF
    writer = name_at(record, "creator_id") or name_at(view, "creator", "id")
    poster = name_at(view, "post", "creator_id")
    return Role.AUTHOR if writer is not None and writer == poster else Role.UNKNOWN


def _author(creator: Object) -> str | None:
    """Return the person's name, with the server if it is another one: names are unique on one server only."""
    name = text_at(creator, "name") or text_at(creator, "user_name")
    address = text_at(creator, "actor_id") or text_at(creator, "ap_id")
    if name is None or address is None or creator.get("local") is True:
        return name
    try:
        host = urlsplit(address).hostname
    except ValueError:
        return name
    return f"{name}@{host}" if host else name


def _note(body: Object) -> Page:
    """Read a comment as servers send it to each other (ActivityPub)."""
    address = text_at(body, "id") or ""
    above = text_at(body, "inReplyTo") or ""
    found = _POST.fullmatch(_path(above))
    thread = f"{urlsplit(above).netloc}/{found.group(1)}" if found else None
    gone = body.get("type") == "Tombstone"
    source = as_object(body.get("source"))
    marked = text_at(source, "content")
    markdown = marked is not None and text_at(source, "mediaType") == "text/markdown"
    text = None if gone else marked if markdown else text_at(body, "content")
    author = text_at(body, "attributedTo") or text_at(body, "attributedTo", "id") or ""
    comment = RawComment(
        native_id=address,
        thread=thread,
        parent=None if found else above or None,
        author=f"{author.rstrip('/').rpartition('/')[2]}@{urlsplit(author).netloc}" if author else None,
        role=Role.STAFF if flag_at(body, "distinguished") else Role.UNKNOWN,
        created=moment(body.get("published")),
        text=text,
        markup="markdown" if markdown else "html",
        state=State.DELETED if gone else State.VISIBLE,
        url=address,
    )
    told = RawThread(native_id=thread, site=urlsplit(above).hostname, url=above) if thread else None
    return Page((told,) if told else (), (comment,))
