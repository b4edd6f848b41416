"""Waline: comments of a site, on a server of its own; `GET /api/comment?path=THREAD` lists a thread (Waline 1 to 3)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qsl, unquote, urlencode, urljoin, urlsplit
from xml.etree.ElementTree import Element

from discourse.collect.answers import EXCERPT, Answer, Ask, Json, UnreadableAnswerError
from discourse.collect.jsonvalues import as_list, as_object, at, count_at, name_at, number_at, text_at
from discourse.collect.moments import UNKNOWN, Moment, moment
from discourse.collect.sources.platform import Login, Page, RawComment, RawThread
from discourse.collect.sources.web_address import site_of
from discourse.tables import Reason, ReplyKind, Role, State

_STATES = {"waiting": State.HELD, "spam": State.REMOVED}
_LISTING = {"page", "totalPages", "pageSize", "count", "data"}
_COMMENT = {"objectId", "nick", "comment"}
_WRAPPER = {"errno", "errmsg", "data"}
# The most that a server delivers at once.
_PAGE_SIZE = 100
_SERVER = re.compile(r"""\bserverURL["']?\s*[:=]\s*["'`]([^"'`\s]{1,300})["'`]""")
_FEED_ITEM = re.compile(r"(?P<author>.*) commented on (?P<path>\S+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a list came from: the server's endpoint and the thread's name on it, each empty if not told."""

    endpoint: str
    path: str

    @property
    def thread(self) -> str:
        """The thread's id: host and name; empty if the name is not known."""
        return f"{site_of(self.endpoint)}{'' if self.path.startswith('/') else '/'}{self.path}" if self.path else ""

    def ask(self, page: int, told: Mapping[str, str], *, had: int = 0, expects: int = 0) -> Ask:
        """Return the request for a page of the thread's list; one without an address if it is not known."""
        query = urlencode({"path": self.path, "pageSize": _PAGE_SIZE, "page": page, "sortBy": "insertedAt_asc"})
        url = f"{self.endpoint}?{query}" if self.endpoint and self.path else ""
        kept = {key: value for key, value in told.items() if key in {"article", "title"}}
        context = {**kept, "waline": "list", "had": str(had)}
        return Ask(url, self.thread, expects=expects, context=tuple(sorted(context.items())))


@dataclass(frozen=True, slots=True)
class Waline:
    """Waline servers: pages of top comments, each with all its replies, which name the comment they answer."""

    name: str = "waline"
    title: str = "Waline"
    needs: tuple[str, ...] = ()
    reads: str = (
        "https://waline.example.org/api/comment?path=/post/ (the server and the thread's name on it), "
        "waline+https://example.org/post/ (an article page that shows Waline); saved answers of the list, of the "
        "newest comments and of the feed"
    )
    loses: str = "held, deleted and removed comments; replies below a removed top comment; parents in a saved feed"

    def start(self, url: str) -> tuple[Ask, ...]:
        """Ask for the first page, or for the article page behind ``waline+``, which names the server."""
        marked, address = url.startswith("waline+"), url.removeprefix("waline+")
        if not site_of(address) or not address.startswith(("http://", "https://")):
            return ()
        place = _place_of(address)
        if place.endpoint and place.path:
            return (place.ask(1, {}),)
        if not marked:
            return ()
        return (Ask(address, accept="text/html", page=True, context=(("waline", "page"),)),)

    def claims(self, answer: Answer) -> bool:
        """Know our own requests, the header that only Waline sends, its lists, its refusals and its feed."""
        if "waline" in answer.context or "x-waline-version" in answer.headers:
            return True
        if answer.body.lstrip()[:1] == b"<":
            return _is_feed(answer)
        if answer.body.lstrip()[:1] not in {b"{", b"["}:
            return False
        if not any(mark in answer.body for mark in (b'"errno"', b'"objectId"', b'"totalPages"')):
            return False
        try:
            body = answer.json()
        except UnreadableAnswerError:
            return answer.body.lstrip().startswith(b'{"errno":') and b'"objectId"' in answer.body
        keys = as_object(body).keys()
        if {"errno", "errmsg"} <= keys <= _WRAPPER:
            return True
        records = as_list(at(body, "data") if keys else body)
        if keys and not keys >= _LISTING:
            return False
        return any(as_object(one).keys() >= _COMMENT for one in records) or (
            bool(keys) and not records and bool(_place_of(answer.url).endpoint)
        )

    def read(self, answer: Answer) -> Page:
        """Read a page of the list, the newest comments, a count, the feed, or the article page."""
        if answer.context.get("waline") == "page":
            return _article(answer)
        place = _place_of(answer.url)
        if answer.body.lstrip()[:1] == b"<":
            return _feed(answer) if answer.ok and _is_feed(answer) else Page()
        try:
            body = answer.json()
        except UnreadableAnswerError:
            if not answer.ok:
                return Page()
            raise
        if at(body, "errno") or not answer.ok:
            return _refusal(body, place)
        data = at(body, "data") if as_object(body).keys() <= _WRAPPER and isinstance(body, dict) else body
        if as_object(data).keys() >= {"data", "count"}:
            return _listing(data, place, answer)
        records = as_list(data)
        if place.path and len(records) == 1 and number_at(records, 0) is not None:
            return Page((RawThread(native_id=place.thread, declared=count_at(records, 0)),))
        if any(as_object(one).keys() >= _COMMENT for one in records):
            return _newest(records, place)
        if answer.context.get("waline") == "list":
            raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "no list of Waline")
        return Page()

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """Need no keys."""
        del environment
        return None


def _place_of(url: str) -> _Place:
    """Tell server and thread from the address of a request; a count names its thread by `url`."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _Place("", "")
    if not parts.path.rstrip("/").endswith("/comment"):
        return _Place("", "")
    query = dict(parse_qsl(parts.query))
    path = query.get("path", "") if query.get("type", "list") != "count" else query.get("url", "")
    endpoint = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}" if parts.scheme and parts.netloc else ""
    return _Place(endpoint, path)


def _refusal(body: Json, place: _Place) -> Page:
    told = at(body, "errmsg")
    why = told if isinstance(told, str) else "; ".join(str(one) for one in as_object(told).values())
    reason = f"the Waline server refuses: {why or 'it does not say why'}"[:EXCERPT]
    return Page((RawThread(native_id=place.thread or "unnamed", reason=reason),))


def _listing(data: Json, place: _Place, answer: Answer) -> Page:
    records = as_list(at(data, "data"))
    thread = place.thread or f"unnamed-{next((one for record in records if (one := name_at(record, 'objectId'))), 0)}"
    comments = tuple(_comments(records, thread))
    count, page = count_at(data, "count"), count_at(data, "page") or 1
    told = RawThread(
        native_id=thread,
        site=urlsplit(answer.url).hostname if place.endpoint else None,
        url=answer.context.get("article") or place.ask(1, {}).url or None,
        title=answer.context.get("title"),
        declared=count,
        reason=None if count or comments else "the Waline server has no comments under this name",
    )
    delivered = sum(one.native_id is not None for one in comments)
    had = (count_at(answer.context.get("had")) or 0) + delivered
    last = page >= (count_at(data, "totalPages") or 0) or not records
    if not place.endpoint:
        missing = max((count or 0) - delivered, 0)
        return Page((told,), comments, (Ask("", thread, expects=missing),) if missing else ())
    if "waline" not in answer.context and page != 1:
        return Page((told,), comments, (place.ask(1, answer.context),))
    missing = max((count or 0) - had, 0)
    if not last:
        return Page((told,), comments, (place.ask(page + 1, answer.context, had=had, expects=missing),))
    # Replies below a removed top comment are counted and never listed.
    return Page((told,), comments, (Ask("", thread, expects=missing),) if missing else ())


def _comments(records: list[Json], thread: str) -> Iterator[RawComment]:
    waiting: list[tuple[Json, str | None]] = [(one, None) for one in reversed(records)]
    while waiting:
        record, above = waiting.pop()
        comment = _comment(record, thread, above)
        yield comment
        below = as_list(at(record, "children"))
        waiting += [(one, comment.native_id) for one in reversed(below)]


def _comment(record: Json, thread: str, above: str | None = None) -> RawComment:
    native_id = name_at(record, "objectId") or name_at(record, "id")
    if native_id is None or not as_object(record).keys() & {"comment", "orig"}:
        excerpt = json.dumps(record, ensure_ascii=False)[:EXCERPT]
        return RawComment(native_id=None, thread=thread, reason=Reason.WRONG_TYPE, excerpt=excerpt)
    state = _STATES.get(text_at(record, "status") or "", State.VISIBLE)
    rendered = text_at(record, "comment")
    return RawComment(
        native_id=native_id,
        thread=thread,
        parent=name_at(record, "pid") or name_at(record, "rid") or above,
        author=text_at(record, "nick"),
        role=Role.STAFF if text_at(record, "type") == "administrator" else Role.USER,
        created=_written(record),
        text=None if state is State.REMOVED else rendered or text_at(record, "orig"),
        markup="html" if rendered else "markdown",
        score=number_at(record, "like"),
        state=state,
    )


def _written(record: Json) -> Moment:
    """Read the time: milliseconds (0 where the server could not tell), or in older versions a text or an object."""
    for value in (at(record, "time"), at(record, "insertedAt"), at(record, "insertedAt", "iso"),
                  at(record, "createdAt")):  # fmt: skip
        found = moment(value)
        if found.at is not None:
            return found
    return UNKNOWN


def _newest(records: list[Json], place: _Place) -> Page:
    """Read the newest comments of a server, or an old list of a whole thread; each may tell its thread."""
    threads: dict[str, RawThread] = {}
    comments: list[RawComment] = []
    for record in records:
        thread = _Place(place.endpoint, place.path or text_at(record, "url") or "").thread or "unnamed"
        threads[thread] = RawThread(native_id=thread, reason="only the newest comments of the server were saved")
        comments.append(_comment(record, thread))
    return Page(tuple(threads.values()), tuple(comments))


def _is_feed(answer: Answer) -> bool:
    return b"<rss" in answer.body[:400] and b" commented on " in answer.body[:20_000]


def _feed(answer: Answer) -> Page:
    """Read the RSS feed of the newest comments, which tells no parents."""
    threads: dict[str, RawThread] = {}
    comments: list[RawComment] = []
    for item in answer.xml().iter("item"):
        comment, url = _item(item)
        thread = cast("str", comment.thread)
        threads[thread] = RawThread(native_id=thread, url=url, reason="only a feed of the newest comments was read")
        comments.append(comment)
    return Page(tuple(threads.values()), tuple(comments))


def _item(item: Element) -> tuple[RawComment, str | None]:
    """Return a comment of the feed and the address of its article."""
    named = _FEED_ITEM.fullmatch((item.findtext("title") or "").strip())
    link, native_id = item.findtext("link") or "", (item.findtext("guid") or "").strip()
    if named is None or not native_id:
        excerpt = " ".join("".join(item.itertext()).split())[:EXCERPT]
        return RawComment(native_id=None, thread="unnamed", reason=Reason.MALFORMED, excerpt=excerpt), None
    comment = RawComment(
        native_id=native_id,
        thread=_Place(link, named["path"]).thread,
        kind=ReplyKind.FLATTENED,
        author=named["author"] or None,
        created=_mailed(item.findtext("pubDate") or ""),
        text=(item.findtext("description") or "").strip() or None,
        url=link or None,
    )
    return comment, link.partition("#")[0] or None


def _mailed(written: str) -> Moment:
    """Read the time of a feed; the beginning of 1970 stands for an unknown one."""
    found = moment(written)
    return UNKNOWN if found.at is not None and found.at.timestamp() == 0 else found


def _article(answer: Answer) -> Page:
    """Find the server in an article page; the thread's name is the page's own path, as Waline's script has it."""
    if not answer.ok:
        return Page()
    found = _SERVER.search(answer.text().replace("\\/", "/"))
    if found is None:
        raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "the page shows no Waline comments")
    try:
        server = urljoin(answer.url, found[1] if "//" in found[1] or found[1].startswith("/") else f"//{found[1]}")
        place = _Place(f"{server.rstrip('/')}/api/comment", unquote(urlsplit(answer.url).path))
    except ValueError as e:
        raise UnreadableAnswerError(Reason.MALFORMED, answer.excerpt(), "the page names no Waline server") from e
    heading = answer.html().css_first("h1") or answer.html().css_first("title")
    title = heading.text(strip=True) if heading is not None else ""
    told = {"article": answer.url, **({"title": title} if title else {})}
    return Page((RawThread(native_id=place.thread, url=answer.url, title=title or None),), (), (place.ask(1, told),))
