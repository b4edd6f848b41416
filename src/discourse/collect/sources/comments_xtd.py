"""django-comments-xtd: comments of a Django site, listed whole by its web API (django-comments-xtd 1.6 to 2.10)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urljoin, urlsplit

import dateparser

from discourse.collect.answers import EXCERPT, Answer, Ask, Json, UnreadableAnswerError
from discourse.collect.jsonvalues import as_list, as_object, at, count_at, flag_at, name_at, text_at
from discourse.collect.moments import UNKNOWN, Moment, moment
from discourse.collect.sources.platform import Login, Page, RawComment, RawThread
from discourse.collect.sources.web_address import named_address
from discourse.tables import Precision, Reason, Role, State

# What is commented on is named by its model and key, as in `/comments/api/blog-post/12/`.
_API = re.compile(r"(?P<mount>.*/api/)(?P<thing>\w+-\w+/[-\w]+)(?:/(?P<count>count/?)?)?$")
_LINK = re.compile(r"/cr/(\d+)/([-\w]+)/")
_IN_PAGE = re.compile(r"""(?:https?://[^\s"'<>]{1,200})?/[\w./-]{0,200}api/\w{1,50}-\w{1,50}/[-\w]{1,50}/""")
_FIELDS = {"id", "user_name", "submit_date", "parent_id", "level", "allow_reply"}
_LONGEST_DATE = 64


@dataclass(frozen=True, slots=True)
class CommentsXtd:
    """Sites with django-comments-xtd: one answer holds a whole thread, another its count."""

    name: str = "xtd"
    title: str = "django-comments-xtd"
    needs: tuple[str, ...] = ()
    reads: str = (
        "https://example.org/comments/api/blog-post/12/ (the site's list of comments), xtd+https://example.org/post/ "
        "(an article page that names it); saved answers of the list"
    )
    loses: str = (
        "held comments; the text of removed ones and the replies to them; the time zone, so that times are sure to "
        "the day only"
    )

    def start(self, url: str) -> tuple[Ask, ...]:
        """Ask for the list and the count; for ``xtd+`` and an article's address, for the page that names them."""
        named = named_address(url, "xtd+")
        if named is None:
            return ()
        marked, address, parts = named.marked, named.url, named.parts
        found = _API.fullmatch(parts.path)
        if found is not None and (marked or "/comments/api/" in parts.path):
            return _asks(f"{parts.scheme}://{parts.netloc}{found['mount']}{found['thing']}/")
        if not marked:
            return ()
        return (Ask(address, accept="text/html", page=True, context=(("xtd", "page"),)),)

    def claims(self, answer: Answer) -> bool:
        """Know our own requests, the API's addresses with JSON of its kinds, and a list of its records."""
        if "xtd" in answer.context:
            return True
        if answer.body.lstrip()[:1] not in {b"[", b"{"}:
            return False
        path = _path(answer.url)
        ours = _API.fullmatch(path) is not None and "/comments/api/" in path
        if not ours and b'"allow_reply"' not in answer.body:
            return False
        try:
            body = answer.json()
        except UnreadableAnswerError:
            return ours
        records = as_list(at(body, "results") if isinstance(body, dict) else body)
        known = bool(records) and any(as_object(one).keys() >= _FIELDS for one in records)
        return known or (ours and not records)

    def read(self, answer: Answer) -> Page:
        """Read the list, a page of it, the count, or the article page that names the list."""
        if answer.context.get("xtd") == "page":
            return _article(answer)
        thread = _thread_of(answer.url)
        if not answer.ok:
            why = _refusal(answer)
            return Page((RawThread(native_id=thread, reason=why),)) if thread and why else Page()
        body = answer.json()
        if isinstance(body, dict) and "results" not in body:
            total = count_at(body, "count")
            if total is None:
                raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "no comments of django-comments-xtd")
            return Page((RawThread(native_id=thread, declared=total),) if thread else ())
        records = as_list(at(body, "results") if isinstance(body, dict) else body)
        thread = thread or _named_by(records)
        told = RawThread(
            native_id=thread,
            site=urlsplit(answer.url).hostname,
            url=answer.context.get("article") or answer.url or None,
            title=answer.context.get("title"),
            declared=count_at(body, "count") if isinstance(body, dict) else None,
        )
        return Page((told,), tuple(_comments(records, thread, answer.url)), tuple(_following(body, answer, thread)))

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """Need no keys."""
        del environment
        return None


def _asks(listing: str, told: Mapping[str, str] | None = None) -> tuple[Ask, ...]:
    thread = _thread_of(listing)
    context = tuple(sorted({"xtd": "list", **(told or {})}.items()))
    return Ask(listing, thread, context=context), Ask(f"{listing}count/", thread, context=(("xtd", "count"),))


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _thread_of(url: str) -> str:
    """Return the thread's id: the host, if known, and what is commented on; empty if the address does not tell."""
    found = _API.fullmatch(_path(url))
    if found is None:
        return ""
    host = urlsplit(url).netloc
    return f"{host}/{found['thing']}" if host else found["thing"]


def _named_by(records: list[Json]) -> str:
    """Return an id for a saved list without an address: the comments' own links name what they are about by numbers."""
    for one in records:
        found = _LINK.search(text_at(one, "permalink") or "")
        if found is not None:
            return f"{found[1]}/{found[2]}"
    return "unnamed"


def _following(body: Json, answer: Answer, thread: str) -> Iterator[Ask]:
    """Yield the next page of a list that a site's own settings cut in pages."""
    following = text_at(body, "next")
    if following is None or not answer.url:
        return
    try:
        url = urljoin(answer.url, following)
        if urlsplit(url).netloc == urlsplit(answer.url).netloc:
            yield Ask(url, thread, context=tuple(sorted(answer.context.items())) or (("xtd", "list"),))
    except ValueError:
        return


def _comments(records: list[Json], thread: str, url: str) -> Iterator[RawComment]:
    voted = any(_votes(one) != (0, 0) for one in records)
    for one in records:
        native_id = name_at(one, "id")
        if native_id is None or not as_object(one).keys() >= {"comment", "parent_id"}:
            excerpt = json.dumps(one, ensure_ascii=False)[:EXCERPT]
            yield RawComment(native_id=None, thread=thread, reason=Reason.WRONG_TYPE, excerpt=excerpt)
            continue
        parent, link = name_at(one, "parent_id"), text_at(one, "permalink")
        removed = flag_at(one, "is_removed")
        likes, dislikes = _votes(one)
        yield RawComment(
            native_id=native_id,
            thread=thread,
            # A top comment names itself.
            parent=None if parent in {native_id, "0"} else parent,
            author=text_at(one, "user_name"),
            role=Role.STAFF if flag_at(one, "user_moderator") else Role.USER,
            created=_written(text_at(one, "submit_date") or ""),
            text=None if removed else text_at(one, "comment"),
            markup="plain",
            score=likes - dislikes if voted else None,
            state=State.REMOVED if removed else State.VISIBLE,
            url=_joined(url, link),
        )


def _votes(record: Json) -> tuple[int, int]:
    """Count likes and dislikes; versions before 2.4 list the users of each flag."""
    flags = at(record, "flags")
    if isinstance(flags, dict):
        return len(as_list(at(flags, "like", "users"))), len(as_list(at(flags, "dislike", "users")))
    named = [text_at(one, "flag") for one in as_list(flags)]
    return named.count("like"), named.count("dislike")


def _joined(url: str, link: str | None) -> str | None:
    try:
        return urljoin(url, link) if link and url else None
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _written(date: str) -> Moment:
    """Read a time as the site's language writes it.

    It is local time in a zone that is not told, so only its day is known, give or take one.
    """
    told = moment(date)
    if told.at is not None:
        return told
    if len(date) > _LONGEST_DATE or not re.search(r"\d{4}", date):
        return UNKNOWN
    clock = re.sub(r"\bnoon$", "12 p.m.", re.sub(r"\bmidnight$", "12 a.m.", date))
    settings = {
        "TIMEZONE": "UTC",
        "RETURN_AS_TIMEZONE_AWARE": True,
        "STRICT_PARSING": True,
        "PARSERS": ["absolute-time"],
    }
    try:
        found = dateparser.parse(clock, settings=settings)
    except (ValueError, OverflowError, TypeError, RecursionError):
        return UNKNOWN
    read = moment(found.isoformat()) if found is not None else UNKNOWN
    return Moment(read.at, Precision.DAY) if read.at is not None else UNKNOWN


def _refusal(answer: Answer) -> str | None:
    if answer.status == 404:
        return "the site has no such list of comments"
    try:
        detail = text_at(answer.json(), "detail")
    except UnreadableAnswerError:
        return None
    return f"the site refuses: {detail[:EXCERPT]}" if detail else None


def _article(answer: Answer) -> Page:
    """Find the address of the list in an article page, where it stands among the settings of the comment box."""
    if not answer.ok:
        return Page()
    text = answer.text().replace("\\/", "/").replace("\\u002D", "-")
    found = _IN_PAGE.search(text)
    if found is None:
        raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "the page names no list of comments")
    listing = _joined(answer.url, found[0])
    if listing is None:
        raise UnreadableAnswerError(Reason.MALFORMED, answer.excerpt(), "the page names no usable list of comments")
    heading = answer.html().css_first("h1") or answer.html().css_first("title")
    told = {"article": answer.url}
    if heading is not None and (title := heading.text(strip=True)):
        told["title"] = title
    thread = RawThread(native_id=_thread_of(listing), url=answer.url, title=told.get("title"))
    return Page((thread,), (), _asks(listing, told))
