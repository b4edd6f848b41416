"""Hacker News: Algolia's items, a whole tree in one answer, and Firebase's, one item an answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from discourse.collect.answers import EXCERPT, Answer, Ask, Json, UnreadableAnswerError
from discourse.collect.jsonvalues import Object, as_list, as_object, count_at, flag_at, name_at, number_at, text_at
from discourse.collect.moments import moment
from discourse.collect.sources.platform import Login, Page, RawComment, RawThread
from discourse.collect.sources.web_address import host_of
from discourse.tables import Reason, ReplyKind, Role, State

_ALGOLIA = "hn.algolia.com"
_FIREBASE = "hacker-news.firebaseio.com"
_SITE = "news.ycombinator.com"
_ITEM = re.compile(r"/(?:api/v1/items|v0/item)/(\d+)(?:\.json)?/?")
_KINDS = {"story", "comment", "job", "poll", "pollopt"}
_POSTS = {"story", "job", "poll"}


@dataclass(frozen=True, slots=True)
class HackerNews:
    """Hacker News, by Algolia for the tree and by Firebase for the declared total."""

    name: str = "hackernews"
    title: str = "Hacker News"
    needs: tuple[str, ...] = ()
    reads: str = (
        "https://news.ycombinator.com/item?id=N (and the items of hn.algolia.com, hacker-news.firebaseio.com); saved "
        "items of both, also many in one file, and saved searches"
    )
    loses: str = (
        "scores of comments; texts of killed comments, which Algolia leaves out and Firebase shows to nobody; "
        "what was edited"
    )

    def start(self, url: str) -> tuple[Ask, ...]:
        """Ask Algolia for the tree and Firebase for the total; a Firebase address is walked item by item."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return ()
        if parts.scheme not in {"http", "https"}:
            return ()
        if parts.hostname == _FIREBASE:
            found = _ITEM.fullmatch(parts.path)
            return (_firebase(found.group(1), found.group(1), expects=0),) if found else ()
        found = _ITEM.fullmatch(parts.path) if parts.hostname == _ALGOLIA else None
        number = found.group(1) if found else parse_qs(parts.query).get("id", [""])[0]
        on_site = parts.hostname == _SITE and parts.path in {"/item", "/item/"}
        if not (found or on_site) or not (number.isascii() and number.isdigit()):
            return ()
        total = Ask(f"https://{_FIREBASE}/v0/item/{number}.json", number, context=(("hn", "total"),))
        return (Ask(f"https://{_ALGOLIA}/api/v1/items/{number}", number), total)

    def claims(self, answer: Answer) -> bool:
        """Know both hosts, and an item by its type and the fields that only one of them has."""
        if host_of(answer.url) in {_ALGOLIA, _FIREBASE}:
            return True
        if answer.url or not (b'"type"' in answer.body or b'"comment_text"' in answer.body):
            return False
        try:
            body = answer.json()
        except UnreadableAnswerError:
            return False
        return bool(_items(body)) or _is_search(body)

    def read(self, answer: Answer) -> Page:
        """Read an item, several, or the hits of a search."""
        asked = _ITEM.fullmatch(urlsplit(answer.url).path) if answer.url else None
        number = asked.group(1) if asked else ""
        thread = answer.context.get("thread") or number
        if not answer.ok:
            gone = answer.status == 404 and "thread" not in answer.context and number
            return Page((RawThread(native_id=thread, reason="Hacker News has no such item"),)) if gone else Page()
        body = answer.json()
        if body is None and number:
            if answer.context.get("hn") == "total":
                return Page()
            missing = Ask("", thread, expects=1, context=(("item", number),))
            return Page(next=(missing,)) if thread != number else Page((_nothing(thread),))
        if _is_search(body):
            return _search(body)
        items = _items(body)
        if not items:
            raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "no item of Hacker News")
        threads: list[RawThread] = []
        comments: list[RawComment] = []
        asks: list[Ask] = []
        for item in items:
            if "children" in item:
                _algolia_tree(item, threads, comments)
            else:
                only_total = answer.context.get("hn") == "total"
                _firebase_item(item, answer.context.get("thread"), threads, comments, asks, only_total=only_total)
        return Page(tuple(threads), tuple(comments), tuple(asks))

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """Need no keys."""
        del environment
        return None


def _nothing(thread: str) -> RawThread:
    return RawThread(native_id=thread, reason="Hacker News has no such item")


def _items(body: Json) -> list[Object]:
    """Return the items in an answer: itself, a list of them, or an object that maps ids to them."""
    if _is_item(body):
        return [as_object(body)]
    found = as_list(body) or list(as_object(body).values())
    return [as_object(one) for one in found] if found and all(_is_item(one) for one in found) else []


def _is_item(value: Json) -> bool:
    item = as_object(value)
    if item.get("type") not in _KINDS or count_at(item, "id") is None:
        return False
    return isinstance(item.get("children"), list) or ("time" in item and ("by" in item or "deleted" in item))


def _is_search(body: Json) -> bool:
    hits = as_list(as_object(body).get("hits"))
    return bool(hits) and all("objectID" in as_object(one) and "_tags" in as_object(one) for one in hits)


def _post(item: Object, native_id: str, author: str | None, time: Json, declared: int | None) -> RawThread:
    return RawThread(
        native_id=native_id,
        title=text_at(item, "title"),
        site=_SITE,
        url=f"https://{_SITE}/item?id={native_id}",
        author=author,
        article=text_at(item, "text") or text_at(item, "story_text"),
        published=moment(time),
        declared=declared,
    )


def _opening(thread: RawThread, score: float | None) -> Iterator[RawComment]:
    """Yield the text of an Ask HN or Show HN; a link has none."""
    if thread.article is not None:
        yield RawComment(
            native_id=thread.native_id,
            thread=thread.native_id,
            kind=ReplyKind.OPENING,
            author=thread.author,
            role=Role.AUTHOR,
            created=thread.published,
            text=thread.article,
            score=score,
            url=thread.url,
        )


def _algolia_tree(root: Object, threads: list[RawThread], comments: list[RawComment]) -> None:
    number = name_at(root, "id") or ""
    posted = root.get("type") in _POSTS
    # A saved comment names its story, if at all, in `story_id`.
    thread = number if posted else name_at(root, "story_id")
    poster = text_at(root, "author") if posted else None
    waiting: list[tuple[Json, str | None]] = []
    if posted:
        told = _post(root, number, poster, root.get("created_at_i") or root.get("created_at"), None)
        threads.append(told)
        comments += _opening(told, number_at(root, "points"))
        waiting += [(one, None) for one in reversed(as_list(root.get("children")))]
    else:
        above = name_at(root, "parent_id")
        waiting.append((root, None if above == thread else above))
    while waiting:
        record, above = waiting.pop()
        comment = _algolia_comment(record, thread, above, poster)
        comments.append(comment)
        waiting += [(one, comment.native_id) for one in reversed(as_list(as_object(record).get("children")))]


def _algolia_comment(record: Json, thread: str | None, above: str | None, poster: str | None) -> RawComment:
    item = as_object(record)
    native_id = name_at(item, "id")
    if native_id is None or item.get("type") not in {None, "comment"}:
        return _strange(record, native_id, thread)
    author, text = text_at(item, "author"), text_at(item, "text")
    state = State.VISIBLE if text is not None else State.DELETED if author is None else State.REMOVED
    return _comment(
        native_id,
        thread,
        above,
        author,
        poster,
        time=item.get("created_at_i") or item.get("created_at"),
        text=text,
        score=number_at(item, "points"),
        state=state,
    )


def _comment(
    native_id: str,
    thread: str | None,
    parent: str | None,
    author: str | None,
    poster: str | None,
    *,
    time: Json,
    text: str | None,
    score: float | None,
    state: State,
) -> RawComment:
    return RawComment(
        native_id=native_id,
        thread=thread,
        parent=parent,
        author=author,
        role=Role.AUTHOR if author is not None and author == poster else Role.UNKNOWN,
        created=moment(time),
        text=text if state is State.VISIBLE else None,
        score=score,
        state=state,
        url=f"https://{_SITE}/item?id={native_id}",
    )


def _strange(record: Json, native_id: str | None, thread: str | None) -> RawComment:
    """Return a choice of a poll, or a record of a wrong type."""
    known = native_id is not None and as_object(record).get("type") in _KINDS
    reason = Reason.NOT_A_COMMENT if known else Reason.WRONG_TYPE
    excerpt = json.dumps(record, ensure_ascii=False)[:EXCERPT]
    return RawComment(native_id=native_id, thread=thread, reason=reason, excerpt=excerpt)


def _firebase(number: str, thread: str, *, expects: int) -> Ask:
    url = f"https://{_FIREBASE}/v0/item/{number}.json"
    return Ask(url, thread, expects=expects, context=(("thread", thread),))


def _firebase_item(
    item: Object,
    thread: str | None,
    threads: list[RawThread],
    comments: list[RawComment],
    asks: list[Ask],
    *,
    only_total: bool,
) -> None:
    number = name_at(item, "id") or ""
    author = text_at(item, "by")
    if item.get("type") in _POSTS:
        thread = number
        told = _post(item, number, author, item.get("time"), count_at(item, "descendants"))
        threads.append(told)
        comments += _opening(told, number_at(item, "score"))
    elif item.get("type") == "comment":
        above = name_at(item, "parent")
        gone, dead = flag_at(item, "deleted"), flag_at(item, "dead")
        text = text_at(item, "text")
        state = State.REMOVED if dead else State.DELETED if gone or text is None else State.VISIBLE
        score = number_at(item, "score")
        parent = None if above == thread else above
        comments.append(
            _comment(number, thread, parent, author, None, time=item.get("time"), text=text, score=score, state=state)
        )
    else:
        comments.append(_strange(item, number, thread))
    if not only_total:
        kids = dict.fromkeys(name for one in as_list(item.get("kids")) if (name := name_at(one)) is not None)
        asks += [_firebase(kid, thread or "", expects=1) for kid in kids if kid.isdigit()]


def _search(body: Json) -> Page:
    """Read the hits of a search of Algolia; a page of hits is no whole thread."""
    threads: dict[str, RawThread] = {}
    comments: list[RawComment] = []
    for hit in as_list(as_object(body).get("hits")):
        item = as_object(hit)
        number, tags = name_at(item, "objectID"), as_list(item.get("_tags"))
        author, time = text_at(item, "author"), item.get("created_at_i") or item.get("created_at")
        if number is None or "comment" not in tags:
            if number is not None and _POSTS & {tag for tag in tags if isinstance(tag, str)}:
                threads[number] = _post(item, number, author, time, count_at(item, "num_comments"))
            else:
                comments.append(_strange(hit, number, None))
            continue
        thread, above = name_at(item, "story_id"), name_at(item, "parent_id")
        if thread is not None and thread not in threads:
            threads[thread] = RawThread(
                native_id=thread,
                title=text_at(item, "story_title"),
                site=_SITE,
                url=f"https://{_SITE}/item?id={thread}",
                reason="only the hits of a search were saved",
            )
        text = text_at(item, "comment_text")
        state = State.VISIBLE if text is not None else State.DELETED
        parent, score = None if above == thread else above, number_at(item, "points")
        comments.append(_comment(number, thread, parent, author, None, time=time, text=text, score=score, state=state))
    return Page(tuple(threads.values()), tuple(comments))
