"""Isso: comments of a site, on a server of its own; `GET /?uri=THREAD` lists a thread (Isso API, 0.14)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from discourse.collect.answers import EXCERPT, Answer, Ask, Json, UnreadableAnswerError
from discourse.collect.jsonvalues import Object, as_list, as_object, count_at, name_at, number_at, objects, text_at
from discourse.collect.moments import moment
from discourse.collect.sources.isso_feed import is_feed, read_feed
from discourse.collect.sources.platform import Login, Page, RawComment, RawThread
from discourse.collect.sources.web_address import named_address
from discourse.tables import Reason, State

_STATES = {2: State.HELD, 4: State.DELETED}
_LISTING = re.compile(rb'\s*\{\s*"id":\s*(?:null|\d+),\s*"total_replies":')
# What stands behind a server's address in its other requests.
_ENDPOINT = re.compile(r"(?<=/)(?:latest|feed|new|count|id/\d+)$")
_FLAT = {"id", "uri", "mode", "parent", "likes", "dislikes"}
# Parameters with which a listing leaves comments out.
_PARTIAL = {"limit", "after", "offset", "nested_limit", "parent"}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a listing came from.

    Attributes:
        server: its address, empty if a file does not tell.
        uri: the thread's name on it.
        query: the other parameters of the request.
        context: of the request.
    """

    server: str
    uri: str
    query: Mapping[str, str]
    context: Mapping[str, str]

    @property
    def thread(self) -> str:
        """The thread's id: server and name; empty if neither is known."""
        if not self.uri:
            return ""
        parts = urlsplit(self.server)
        home = parts.netloc + parts.path.rstrip("/")
        return f"{home}{self.uri}" if self.uri.startswith("/") else f"{home}/{self.uri}"

    def ask(self, *, expects: int = 0, context: Mapping[str, str] | None = None, **query: str) -> Ask:
        """Return the request for the thread's listing; one without an address if it is not known."""
        url = f"{self.server}?{urlencode({'uri': self.uri, **query})}" if self.server and self.uri else ""
        kept = {key: value for key, value in self.context.items() if key in {"page", "title"}}
        told = {**kept, "isso": "list", **(context or {})}
        return Ask(url, self.thread, expects=expects, context=tuple(sorted(told.items())))


@dataclass(frozen=True, slots=True)
class Isso:
    """Isso servers, all versions: a listing without limits holds a whole thread, in two levels."""

    name: str = "isso"
    title: str = "Isso"
    needs: tuple[str, ...] = ()
    reads: str = (
        "https://comments.example.org/?uri=/post/ (the server and the thread's name on it), "
        "isso+https://example.org/post/ (an article page that shows Isso); saved answers of /?uri=, /latest and /feed"
    )
    loses: str = (
        "held comments; deleted comments without replies; who deleted a comment; replies to replies hang on the top "
        "comment, where Isso puts them"
    )

    def start(self, url: str) -> tuple[Ask, ...]:
        """Ask for the whole thread, or for the article page behind ``isso+``, which names server and thread."""
        named = named_address(url, "isso+")
        if named is None:
            return ()
        marked, address, parts = named.marked, named.url, named.parts
        place = _place_of(address, {})
        if place.uri and (marked or parts.path in {"", "/"} or parts.path.endswith("/")):
            return (place.ask(),)
        if not marked:
            return ()
        return (Ask(address, accept="text/html", page=True, context=(("isso", "page"),)),)

    def claims(self, answer: Answer) -> bool:
        """Know our own requests, the header that only Isso sends, a listing, and the list of the newest comments."""
        if (
            "isso" in answer.context
            or "x-set-cookie" in answer.headers.get("access-control-expose-headers", "").lower()
        ):
            return True
        if _LISTING.match(answer.body) or is_feed(answer):
            return True
        start = answer.body[:200].lstrip()
        if not (start.startswith(b"{") and b'"hidden_replies"' in answer.body) and not (
            start.startswith(b"[") and b'"dislikes"' in answer.body
        ):
            return False
        try:
            body = answer.json()
        except UnreadableAnswerError:
            return False
        found = as_list(body)
        return _is_listing(body) or (bool(found) and all(as_object(one).keys() >= _FLAT for one in found))

    def read(self, answer: Answer) -> Page:
        """Read a listing, the newest comments, one comment, or the article page that names the server."""
        if answer.context.get("isso") == "page":
            return _article(answer)
        place = _place_of(answer.url, answer.context)
        if not answer.ok:
            unknown = answer.status == 404 and place.uri and answer.context.get("isso") == "list"
            why = "the Isso server has no such thread"
            return Page((RawThread(native_id=place.thread, reason=why),)) if unknown else Page()
        if is_feed(answer):
            return read_feed(answer, place.thread)
        if answer.media == "text/html" and not answer.context:
            return Page()
        body = answer.json()
        markup = "markdown" if place.query.get("plain", "0") != "0" else "html"
        if isinstance(body, list):
            return _newest(body, place, markup)
        if _is_listing(body):
            return _listing(as_object(body), place, markup)
        if name_at(body, "id") is not None and "mode" in as_object(body):
            return Page(comments=(_comment(body, place.thread or None, None, markup),))
        if "isso" in answer.context:
            raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "no listing of Isso")
        return Page()

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """Need no keys."""
        del environment
        return None


def _place_of(url: str, context: Mapping[str, str]) -> _Place:
    try:
        parts = urlsplit(url)
    except ValueError:
        return _Place("", "", {}, context)
    query = dict(parse_qsl(parts.query))
    path = _ENDPOINT.sub("", parts.path) or "/"
    server = f"{parts.scheme}://{parts.netloc}{path}" if parts.scheme and parts.netloc else ""
    return _Place(server, query.pop("uri", ""), query, context)


def _is_listing(body: Json) -> bool:
    return as_object(body).keys() >= {"total_replies", "hidden_replies", "replies"}


def _listing(body: Object, place: _Place, markup: str) -> Page:
    root = name_at(body, "id")
    thread = place.thread or _unnamed(body)
    comments = tuple(_comments(body, thread, markup))
    ids = {one.native_id for one in comments if one.native_id is not None}
    told = RawThread(
        native_id=thread,
        url=place.context.get("page") or place.ask().url or None,
        site=urlsplit(place.server).hostname if place.server else None,
        title=place.context.get("title"),
        declared=count_at(body, "total_replies") if root is None else None,
        reason=None if comments or root is not None else "the Isso server has no comments under this name",
    )
    asks = tuple(replace(ask, thread=thread) for ask in _next(body, place, len(ids)))
    return Page((told,), comments, asks)


def _next(body: Object, place: _Place, delivered: int) -> Iterator[Ask]:
    """Yield what is known to be left out.

    An answer that was asked for in part leads to the whole listing. Where a server limits that too, the rest of each
    list follows, page by page, from the time of the last comment but one, so that comments of one second are not lost.
    """
    root = name_at(body, "id")
    hidden = count_at(body, "hidden_replies") or 0
    total = count_at(body, "total_replies") or 0
    missing = max(total - delivered, 0)
    if not place.server or not place.uri:
        if missing:
            yield Ask("", expects=missing)
        return
    own = place.context.get("walk") == "1"
    if _PARTIAL & place.query.keys() and not own:
        if missing:
            yield place.ask(expects=missing)
        return
    below = 0
    replies = list(objects(body.get("replies")))
    for one in replies:
        left, native_id = count_at(one, "hidden_replies") or 0, name_at(one, "id")
        if root is None and left and native_id is not None:
            below += left
            yield place.ask(expects=left, parent=native_id, context={"walk": "1"})
    if own and "after" in place.query:
        # Here `hidden_replies` also counts what came before.
        last = number_at(place.context.get("last")) or 0.0
        fresh = sum((number_at(one, "created") or 0.0) > last for one in replies)
        left = (count_at(place.context.get("left")) or 0) - fresh
        yield from _rest(replies, root, place, left, going_on=fresh > 0)
        return
    yield from _rest(replies, root, place, hidden, going_on=True)
    # Replies to comments that are held are counted and never listed.
    if not hidden and missing > below:
        yield Ask("", expects=missing - below)


def _rest(replies: list[Object], root: str | None, place: _Place, left: int, *, going_on: bool) -> Iterator[Ask]:
    times = sorted({time for one in replies if (time := number_at(one, "created")) is not None})
    if left <= 0:
        return
    if not going_on or not times:
        yield Ask("", expects=left)
        return
    after = times[-2] if len(times) > 1 else times[-1]
    parent = {"parent": root} if root is not None else {}
    context = {"walk": "1", "left": str(left), "last": repr(times[-1])}
    yield place.ask(expects=left, context=context, after=repr(after), **parent)


def _comments(body: Object, thread: str, markup: str) -> Iterator[RawComment]:
    waiting = [(one, name_at(body, "id")) for one in reversed(as_list(body.get("replies")))]
    while waiting:
        record, above = waiting.pop()
        comment = _comment(record, thread, above, markup)
        yield comment
        waiting += [(one, comment.native_id) for one in reversed(as_list(as_object(record).get("replies")))]


def _comment(record: Json, thread: str | None, above: str | None, markup: str) -> RawComment:
    native_id = name_at(record, "id")
    if native_id is None:
        excerpt = json.dumps(record, ensure_ascii=False)[:EXCERPT]
        return RawComment(native_id=None, thread=thread, reason=Reason.WRONG_TYPE, excerpt=excerpt)
    state = _STATES.get(count_at(record, "mode") or 1, State.VISIBLE)
    gone = state is State.DELETED
    likes, dislikes = number_at(record, "likes"), number_at(record, "dislikes")
    return RawComment(
        native_id=native_id,
        thread=thread,
        parent=name_at(record, "parent") or above,
        author=None if gone else text_at(record, "author"),
        created=moment(as_object(record).get("created")),
        text=None if gone else text_at(record, "text"),
        markup=markup,
        score=None if likes is None else likes - (dislikes or 0),
        state=state,
    )


def _newest(body: list[Json], place: _Place, markup: str) -> Page:
    """Read `/latest`, which lists comments of all threads; any other list, such as of counts, holds none."""
    threads: dict[str, RawThread] = {}
    comments: list[RawComment] = []
    for record in body:
        uri = text_at(record, "uri")
        if uri is None:
            continue
        thread = _Place(place.server, uri, {}, {}).thread
        threads[thread] = RawThread(native_id=thread, reason="only the newest comments of the server were saved")
        comments.append(_comment(record, thread, None, markup))
    return Page(tuple(threads.values()), tuple(comments))


def _article(answer: Answer) -> Page:
    """Find the server and the thread's name in an article page, as Isso's embedded script does."""
    if not answer.ok:
        return Page()
    page = answer.html()
    script = page.css_first("script[data-isso]") or page.css_first('script[src*="/js/embed."]')
    section = page.css_first("#isso-thread")
    if script is None or section is None:
        raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "the page shows no Isso comments")
    try:
        named = script.attributes.get("data-isso")
        # Without it, the script's own address tells.
        named = (script.attributes.get("src") or "").partition("/js/embed.")[0] if named is None else named
        server = urljoin(answer.url, named.rstrip("/") + "/")
        uri = section.attributes.get("data-isso-id") or urlsplit(answer.url).path
    except ValueError as e:
        raise UnreadableAnswerError(Reason.MALFORMED, answer.excerpt(), "the page names no Isso server") from e
    heading = page.css_first("h1") or page.css_first("title")
    title = section.attributes.get("data-title") or (heading.text(strip=True) if heading is not None else "")
    place = _Place(server, uri, {}, {"page": answer.url, **({"title": title} if title else {})})
    return Page((RawThread(native_id=place.thread, url=answer.url, title=title or None),), (), (place.ask(),))


def _unnamed(body: Object) -> str:
    """Return an id for a saved listing of which neither server nor thread is known: its first comment and its time."""
    first = next(objects(body.get("replies")), None)
    return f"unnamed-{name_at(first, 'id')}-{number_at(first, 'created')}" if first is not None else "unnamed"
