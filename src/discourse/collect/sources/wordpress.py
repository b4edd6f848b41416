"""WordPress: the REST interface of a site (WordPress REST API Handbook, v2), else its pages; exports and feeds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from selectolax.lexbor import LexborHTMLParser

from discourse.collect.answers import EXCERPT, Answer, Ask, Json, UnreadableAnswerError
from discourse.collect.jsonvalues import Object, as_list, as_object, count_at, name_at, objects, text_at
from discourse.collect.moments import moment
from discourse.collect.sources.page_reading import page_address, read_page, same_address
from discourse.collect.sources.platform import Login, Page, RawComment, RawThread
from discourse.collect.sources.web_address import named_address
from discourse.collect.sources.wordpress_feed import is_comment_feed, read_comment_feed
from discourse.collect.sources.wordpress_wxr import is_export, read_export
from discourse.tables import Reason, State

_PER_PAGE = 100
_STATES = {"hold": State.HELD, "unapproved": State.HELD, "0": State.HELD, "spam": State.REMOVED, "trash": State.REMOVED,
           "post-trashed": State.REMOVED}  # fmt: skip
_COMMENTS = {"", "comment", "review"}
_ROUTE = re.compile(r"(?P<root>.*/)wp-json/(?P<route>wp/v2/.*)$")
_FEED = re.compile(r"/feed(?:/atom|/rss2?)?/?$")
_POST = re.compile(rb'[?&]p=(\d+)|postid-(\d+)|page-id-(\d+)|comment_post_ID["\'][^>]{0,80}?value=["\'](\d+)'
                   rb'|value=["\'](\d+)["\'][^>]{0,80}?comment_post_ID')  # fmt: skip
# Parameters that leave comments out of a list.
_PARTIAL = {"parent", "search", "author", "after", "before", "exclude", "include", "offset", "status", "type"}


@dataclass(frozen=True, slots=True)
class WordPress:
    """WordPress sites: the interface lists all approved comments of a post; closed, it leaves the pages."""

    name: str = "wordpress"
    title: str = "WordPress"
    needs: tuple[str, ...] = ()
    reads: str = (
        "wordpress+https://blog.example.org/2026/a-post/ (a post's page), "
        "https://blog.example.org/wp-json/wp/v2/comments?post=4, https://blog.example.org/?p=4, a post's /feed/; "
        "saved answers of these, and exports (WXR)"
    )
    loses: str = (
        "held, trashed and spam comments (an export has them); pingbacks, unless the page or the export shows them; "
        "of a feed all but the last 10"
    )

    def start(self, url: str) -> tuple[Ask, ...]:
        """Ask for the page of a post, which names its interface, or for a list of the interface, or a feed."""
        named = named_address(url, "wordpress+")
        if named is None:
            return ()
        marked, address, parts = named.marked, named.url, named.parts
        query = dict(parse_qsl(parts.query))
        if _ROUTE.match(parts.path) or "rest_route" in query:
            route = _route(address)
            post = query.get("post", "")
            if route == "wp/v2/comments" and post.isdecimal():
                return (_list_ask(_root(address), post, 1),)
            return (Ask(address, context=(("wordpress", "api"),)),)
        if _FEED.search(parts.path) and (marked or "comments" not in parts.path):
            return (Ask(address, accept="application/rss+xml", context=(("wordpress", "feed"),)),)
        short = query.keys() <= {"p", "page_id"} and bool(query) and parts.path.endswith("/")
        if not marked and not short:
            return ()
        return (Ask(address, accept="text/html", page=True, context=(("wordpress", "page"),)),)

    def claims(self, answer: Answer) -> bool:
        """Know our own requests, addresses of the interface, lists of its records, exports and feeds of comments."""
        if "wordpress" in answer.context or _route(answer.url):
            return True
        head = answer.body.lstrip()[:1]
        if head == b"<":
            return is_export(answer) or is_comment_feed(answer)
        if head not in {b"[", b"{"} or not any(
            mark in answer.body for mark in (b'"author_name"', b'"rest_', b'"comment_status"', b"wp\\/v2", b"wp/v2")
        ):
            return False
        try:
            body = answer.json()
        except UnreadableAnswerError:
            return b'"author_name"' in answer.body and b'"rendered"' in answer.body
        if isinstance(body, dict):
            code = text_at(body, "code") or ""
            return _is_comment(body) or _is_post(body) or code.startswith("rest_") or "namespaces" in body
        return any(_is_comment(one) or _is_post(one) for one in objects(body))

    def read(self, answer: Answer) -> Page:
        """Read a list of comments or posts, one of them, a refusal, a page, a feed or an export."""
        kind = answer.context.get("wordpress", "")
        if kind == "page":
            return read_site_page(answer)
        if is_export(answer):
            return read_export(answer)
        if is_comment_feed(answer):
            return read_comment_feed(answer)
        if not answer.ok:
            return _refused(answer)
        if kind == "feed":
            raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "no feed of comments")
        # A closed interface often answers with the site's front page.
        if answer.context.get("pages") and answer.body.lstrip()[:1] == b"<":
            return _refused(answer)
        body = answer.json()
        return _single(answer, body) if isinstance(body, dict) else _several(answer, as_list(body))

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """Need no keys."""
        del environment
        return None


def read_site_page(answer: Answer) -> Page:
    """Read a page with its comments, and ask the interface that it names for all of them.

    If that is closed, the further pages of comments, which wait in the context of the request, are asked for instead.
    """
    if not answer.ok:
        return Page((RawThread(native_id=_page_thread(answer.url, ""), reason=f"HTTP {answer.status}"),))
    page = answer.html()
    address = page_address(answer, page)
    post, root = post_of(answer), api_of(answer, page)
    thread = _page_thread(address, post)
    found = read_page(answer, None, thread=thread, kind=(("wordpress", "page"),))
    if not root or answer.context.get("closed") == "1" or answer.context.get("walk") == "1":
        return found
    asks = [ask.url for ask in found.next if ask.url]
    context = {"pages": json.dumps(asks), "thread": thread}
    if post:
        return replace(found, next=(_list_ask(root, post, 1, context),))
    slug = urlsplit(address).path.rstrip("/").rpartition("/")[2]
    if not slug:
        return found
    return replace(found, next=(_ask(root, "wp/v2/posts", {"slug": slug}, thread, {"wordpress": "slug", **context}),))


def post_of(answer: Answer) -> str:
    """Return the number of the post that a page shows, of its short link, its body's class or its form; or nothing."""
    linked = re.search(r"[?&]p=(\d+)>; rel=.?shortlink|/wp/v2/(?:posts|pages)/(\d+)>", answer.headers.get("link", ""))
    if linked is not None:
        return next(group for group in linked.groups() if group)
    short = re.search(rb"<link[^>]{0,200}shortlink[^>]{0,200}>", answer.body)
    for text in ((short[0],) if short is not None else ()) + tuple(
        part[0]
        for part in re.finditer(rb"<body[^>]{0,4000}>|<input[^>]{0,300}comment_post_ID[^>]{0,300}>", answer.body)
    ):
        found = _POST.search(text)
        if found is not None:
            return next(group for group in found.groups() if group).decode()
    return ""


def api_of(answer: Answer, page: LexborHTMLParser) -> str:
    """Return the address of the interface that a page names: its end is ``/wp-json/`` or ``?rest_route=/``."""
    link = page.css_first('link[rel="https://api.w.org/"]')
    told = (link.attributes.get("href") if link is not None else None) or ""
    if not told:
        found = re.search(r'<([^>]{1,500})>;\s*rel="?https://api\.w\.org/', answer.headers.get("link", ""))
        told = found[1] if found is not None else ""
    try:
        address = urljoin(page_address(answer, page), told) if told else ""
        return address if not address or urlsplit(address).hostname else ""
    except ValueError:
        return ""


def _ask(root: str, route: str, query: Mapping[str, str], thread: str, context: Mapping[str, str]) -> Ask:
    url = root + route
    joint = "&" if "?" in root else "?"
    return Ask(f"{url}{joint}{urlencode(query)}", thread, context=tuple(sorted(context.items())))


def _list_ask(root: str, post: str, page: int, context: Mapping[str, str] | None = None, expects: int = 0) -> Ask:
    query = {"post": post, "per_page": str(_PER_PAGE), "page": str(page), "order": "asc", "orderby": "date_gmt"}
    told = {**(context or {}), "wordpress": "list", "post": post}
    thread = told.get("thread") or _page_thread(root, post)
    return replace(_ask(root, "wp/v2/comments", query, thread, told), expects=expects)


def _listing(answer: Answer, records: list[Json]) -> Page:
    query = {key: values[0] for key, values in parse_qs(urlsplit(answer.url).query).items()} if answer.url else {}
    wanted = query.get("post") or answer.context.get("post") or ""
    host = urlsplit(answer.url).netloc
    named = answer.context.get("thread") or (_page_thread(answer.url, wanted) if wanted else "")
    comments = [_comment(one, host, wanted, answer.context.get("thread")) for one in records]
    total, pages = count_at(answer.headers.get("x-wp-total")), count_at(answer.headers.get("x-wp-totalpages"))
    whole = bool(wanted) and not _PARTIAL & {key.partition("[")[0] for key in query}
    declared = total if whole else None
    threads = {one.thread for one in comments if one.thread} | ({named} if named else set())
    told = tuple(
        RawThread(native_id=name, url=_home(comments, name), site=host or None, declared=declared)
        for name in sorted(threads)
    )
    page, size = count_at(query.get("page")) or 1, count_at(query.get("per_page")) or 10
    more: list[Ask] = []
    if whole and records:
        # Sites may deliver fewer on a page than they were asked for.
        size = len(records) if pages is not None and page < pages else size
        last = pages if pages is not None else (page + 1 if len(records) >= size and answer.url else page)
        for number in range(page + 1, min(last, page + 10_000) + 1):
            left = min(size, max((total or 0) - (number - 1) * size, 0))
            url = _with_page(answer.url, number)
            context = {**answer.context, "wordpress": "list", "post": wanted}
            more.append(Ask(url, named, expects=left, context=tuple(sorted(context.items()))))
    return Page(told, tuple(comments), tuple(more))


def _comment(record: Json, host: str, wanted: str, known: str | None) -> RawComment:
    native_id = name_at(record, "id")
    excerpt = json.dumps(record, ensure_ascii=False)[:EXCERPT]
    post = name_at(record, "post") or (wanted if wanted.isdecimal() else "")
    own = host or _netloc(text_at(record, "link") or "")
    link = text_at(record, "link")
    thread = known or (_page_thread(f"//{own}", post) if post else _page_thread(link, "") if link else None)
    if native_id is None:
        return RawComment(native_id=None, thread=thread, reason=Reason.WRONG_TYPE, excerpt=excerpt)
    if (text_at(record, "type") or "") not in _COMMENTS:
        return RawComment(native_id=native_id, thread=thread, reason=Reason.NOT_A_COMMENT, excerpt=excerpt)
    state = _STATES.get(name_at(record, "status") or "", State.VISIBLE)
    parent = name_at(record, "parent")
    gmt = text_at(record, "date_gmt")
    return RawComment(
        native_id=native_id,
        thread=thread,
        parent=None if parent in {None, "0"} else parent,
        author=text_at(record, "author_name"),
        created=moment(gmt if gmt is not None else text_at(record, "date")),
        text=None
        if state is State.REMOVED
        else text_at(record, "content", "rendered") or text_at(record, "content", "raw"),
        state=state,
        url=text_at(record, "link"),
    )


def _several(answer: Answer, records: list[Json]) -> Page:
    kind, route = answer.context.get("wordpress", ""), _route(answer.url)
    if any(_is_post(one) for one in records):
        return _posts(answer, records)
    if kind == "slug" or route in {"wp/v2/posts", "wp/v2/pages"}:
        return _no_post(answer)
    if kind == "list" or route == "wp/v2/comments" or any(_is_comment(one) for one in records):
        return _listing(answer, records)
    return Page()


def _single(answer: Answer, body: Object) -> Page:
    if _is_comment(body):
        return _listing(answer, [body])
    if isinstance(body.get("previous"), dict) and _is_comment(body["previous"]):
        return _listing(answer, [body["previous"]])
    if _is_post(body):
        return _posts(answer, [body])
    if (text_at(body, "code") or "").startswith("rest_"):
        return _refused(answer)
    return Page()


def _posts(answer: Answer, records: list[Json]) -> Page:
    threads: list[RawThread] = []
    asks: list[Ask] = []
    for record in objects(records):
        post, link = name_at(record, "id"), text_at(record, "link")
        if post is None or not _is_post(record):
            continue
        thread = answer.context.get("thread") or _page_thread(answer.url or link or "", post)
        threads.append(
            RawThread(
                native_id=thread,
                title=_plain(text_at(record, "title", "rendered")),
                url=link,
                site=_netloc(link or answer.url) or None,
                article=text_at(record, "content", "rendered"),
                published=moment(record.get("date_gmt") or record.get("date")),
                reason="comments are closed" if text_at(record, "comment_status") == "closed" else None,
            )
        )
        if answer.url:
            asks.append(
                _list_ask(
                    _root(answer.url), post, 1, {k: v for k, v in answer.context.items() if k in {"pages", "thread"}}
                )
            )
    return Page(tuple(threads), (), tuple(asks))


def _no_post(answer: Answer) -> Page:
    """Look among the pages when there is no such post, and at the site's HTML when there is no such page either."""
    query = dict(parse_qsl(urlsplit(answer.url).query))
    if _route(answer.url) == "wp/v2/posts" and "slug" in query:
        context = {**answer.context, "wordpress": "slug"}
        thread = answer.context.get("thread", "")
        return Page((), (), (_ask(_root(answer.url), "wp/v2/pages", {"slug": query["slug"]}, thread, context),))
    return _refused(answer)


def _refused(answer: Answer) -> Page:
    """Go on with the pages of comments if the interface refuses."""
    try:
        pages: Json = json.loads(answer.context.get("pages", "null"))
    except ValueError:
        pages = None
    thread = answer.context.get("thread") or (
        _page_thread(answer.url, answer.context["post"]) if answer.context.get("post") else ""
    )
    if isinstance(pages, list):
        told = (("closed", "1"), ("thread", thread), ("wordpress", "page"))
        urls = [one for one in pages if isinstance(one, str)]
        return Page((), (), tuple(Ask(one, thread, accept="text/html", page=True, context=told) for one in urls))
    try:
        message = text_at(answer.json(), "message")
    except UnreadableAnswerError:
        message = None
    why = f"the site's interface refuses: {_plain(message) or f'HTTP {answer.status}'}"[:EXCERPT]
    return Page((RawThread(native_id=thread, reason=why),) if thread else ())


def _is_comment(record: Json) -> bool:
    found = as_object(record)
    return "author_name" in found and ("content" in found or "post" in found)


def _is_post(record: Json) -> bool:
    found = as_object(record)
    return "title" in found and "comment_status" in found and "id" in found


def _plain(html: str | None) -> str | None:
    return (LexborHTMLParser(html).text().strip() or None) if html else None


def _home(comments: list[RawComment], thread: str) -> str | None:
    link = next((one.url for one in comments if one.thread == thread and one.url), None)
    return same_address(link.partition("#")[0]) if link else None


def _netloc(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def _page_thread(url: str, post: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return post
    if post:
        return f"{parts.netloc}/{post}" if parts.netloc else post
    return f"{parts.netloc}{urlsplit(same_address(url)).path}".rstrip("/")


def _route(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    found = _ROUTE.match(parts.path)
    route = found["route"] if found is not None else dict(parse_qsl(parts.query)).get("rest_route", "")
    return route.strip("/") if route.strip("/").startswith("wp/v2") else ""


def _root(url: str) -> str:
    parts = urlsplit(url)
    found = _ROUTE.match(parts.path)
    base = f"{parts.scheme}://{parts.netloc}"
    return f"{base}{found['root']}wp-json/" if found is not None else f"{base}{parts.path or '/'}?rest_route=/"


def _with_page(url: str, number: int) -> str:
    if not url:
        return ""
    parts = urlsplit(url)
    query = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key != "page"]
    place = next(
        (i for i, (key, _) in enumerate(parse_qsl(parts.query, keep_blank_values=True)) if key == "page"), len(query)
    )
    query.insert(place, ("page", str(number)))
    return urlunsplit(parts._replace(query=urlencode(query, safe="/[]")))
