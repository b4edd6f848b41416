"""Ghost: comments of members under a site's posts; `/members/api/comments/post/ID/` lists a post's (Ghost 5 and 6)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urljoin, urlsplit

from discourse.collect.answers import EXCERPT, Answer, Ask, Json, UnreadableAnswerError
from discourse.collect.jsonvalues import as_list, as_object, at, count_at, name_at, number_at, text_at
from discourse.collect.moments import moment
from discourse.collect.sources.platform import Login, Page, RawComment, RawThread
from discourse.collect.sources.web_address import site_of
from discourse.tables import Reason, Role, State

_API = re.compile(
    r"(?P<root>.*/members/api/comments)/"
    r"(?:post/(?P<post>[^/]+)|(?P<counts>counts)|(?P<one>[0-9a-f]{24})(?P<replies>/replies)?)/?$"
)
_ID = re.compile(r"[0-9a-f]{24}")
_COMMENT = {"id", "html", "status", "created_at"}
_PAGINATION = {"page", "limit", "pages", "total"}
_STATES = {"deleted": State.DELETED, "hidden": State.REMOVED}
# The most that a site delivers at once.
_LIMIT = 100
_ORDER = "created_at%20asc"
# Where Ghost's own themes put the post.
_CONTENT = (".gh-content", ".post-full-content", ".post-content")


@dataclass(frozen=True, slots=True)
class _Place:
    """What a request asked for.

    Attributes:
        root: address of the site's comments interface, empty if not told.
        post: id of the post, empty if not told.
        comment: id of the comment whose replies, or which itself, was asked for; empty otherwise.
        counts: whether numbers of comments were asked for.
    """

    root: str = ""
    post: str = ""
    comment: str = ""
    counts: bool = False

    def thread(self, post: str = "") -> str:
        """Return the id of a post's thread: host and post; empty if the post is not known."""
        found = post or self.post
        host = site_of(self.root)
        return f"{host}/{found}" if host and found else found


@dataclass(frozen=True, slots=True)
class Ghost:
    """Sites on Ghost: pages of top comments with their first replies inline, and further requests for the rest."""

    name: str = "ghost"
    title: str = "Ghost"
    needs: tuple[str, ...] = ()
    reads: str = (
        "https://example.org/members/api/comments/post/ID/ (the list of comments), ghost+https://example.org/post/ "
        "(a post's page, which names the list); saved answers of lists, replies and counts"
    )
    loses: str = "the text of deleted and hidden comments; comments that only members may see; who wrote the post"

    def start(self, url: str) -> tuple[Ask, ...]:
        """Ask for a post's list and count, or for the page behind ``ghost+``, which names them."""
        marked, address = url.startswith("ghost+"), url.removeprefix("ghost+")
        if not site_of(address) or not address.startswith(("http://", "https://")):
            return ()
        place = _place_of(address, {})
        if place.post and not place.comment:
            return _asks(place, {})
        if not marked:
            return ()
        return (Ask(address, accept="text/html", page=True, context=(("ghost", "page"),)),)

    def claims(self, answer: Answer) -> bool:
        """Know our own requests, the interface's addresses, its lists, its counts, and the page of a post."""
        if "ghost" in answer.context or _place_of(answer.url, {}).root:
            return True
        start = answer.body.lstrip()[:1]
        if start == b"<":
            return b"data-ghost-comments=" in answer.body
        if start != b"{":
            return False
        if answer.body.lstrip().startswith(b'{"comments":[{"id":') and b'"in_reply_to_snippet"' in answer.body:
            return True
        try:
            body = as_object(answer.json())
        except UnreadableAnswerError:
            return False
        if body and all(_ID.fullmatch(key) for key in body):
            return all(count_at(body, key) is not None for key in body)
        records = as_list(body.get("comments"))
        if "comments" not in body or not body.keys() <= {"comments", "meta"}:
            return False
        paged = as_object(at(body, "meta", "pagination")).keys() >= _PAGINATION
        return any(as_object(one).keys() >= {*_COMMENT, "member"} for one in records) or (paged and not records)

    def read(self, answer: Answer) -> Page:
        """Read a page of a list or of replies, one comment, counts, or the page of a post."""
        place = _place_of(answer.url, answer.context)
        if answer.body.lstrip()[:1] == b"<" and (not answer.context or answer.context.get("ghost") == "page"):
            return _article(answer)
        if not answer.ok:
            return _refusal(answer, place)
        body = answer.json()
        found = as_object(body)
        if "comments" not in found and (place.counts or (found and all(_ID.fullmatch(key) for key in found))):
            counts = ((place.thread(key), count_at(found, key)) for key in found if _ID.fullmatch(key))
            return Page(tuple(RawThread(native_id=name, declared=number) for name, number in counts))
        if not isinstance(found.get("comments"), list):
            raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "no comments of Ghost")
        return _listing(body, place, answer)

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """Need no keys."""
        del environment
        return None


def _place_of(url: str, context: Mapping[str, str]) -> _Place:
    try:
        parts = urlsplit(url)
    except ValueError:
        return _Place(post=context.get("post", ""))
    found = _API.fullmatch(parts.path)
    if found is None:
        return _Place(post=context.get("post", ""))
    root = f"{parts.scheme}://{parts.netloc}{found['root']}" if parts.netloc else found["root"]
    post = context.get("post") or found["post"] or ""
    if found["counts"]:
        # Of one post; several are told apart by the answer.
        named = ",".join(parse_qs(parts.query).get("ids", []))
        post = post or ("" if "," in named else named)
    return _Place(root, post, found["one"] or "", found["counts"] is not None)


def _asks(place: _Place, told: Mapping[str, str]) -> tuple[Ask, ...]:
    """Return the requests for a post's comments and for their number."""
    counts = f"{place.root}/counts/?ids={place.post}"
    return (
        _list_ask(place, told, 1, 0),
        Ask(counts, place.thread(), context=(("ghost", "counts"), ("post", place.post))),
    )


def _list_ask(place: _Place, told: Mapping[str, str], page: int, expects: int) -> Ask:
    kept = {key: value for key, value in told.items() if key in {"article", "title"}}
    context = {**kept, "ghost": "list", "post": place.post}
    url = f"{place.root}/post/{place.post}/?limit={_LIMIT}&page={page}&order={_ORDER}"
    return Ask(url if site_of(place.root) and place.post else "", place.thread(), expects=expects,
               context=tuple(sorted(context.items())))  # fmt: skip


def _replies_ask(place: _Place, told: Mapping[str, str], parent: str, page: int, expects: int) -> Ask:
    kept = {key: value for key, value in told.items() if key in {"article", "title"}}
    context = {**kept, "ghost": "replies", "post": place.post}
    url = f"{place.root}/{parent}/replies/?limit={_LIMIT}&page={page}"
    known = site_of(place.root) and _ID.fullmatch(parent)
    return Ask(url if known else "", place.thread(), expects=expects, context=tuple(sorted(context.items())))


def _refusal(answer: Answer, place: _Place) -> Page:
    try:
        why = text_at(answer.json(), "errors", 0, "message")
    except UnreadableAnswerError:
        why = None
    if why is None and answer.status == 404:
        why = "it has no such comments"
    if why is None or not place.thread() or place.comment or place.counts:
        return Page()
    return Page((RawThread(native_id=place.thread(), reason=f"the Ghost site refuses: {why}"[:EXCERPT]),))


def _listing(body: Json, place: _Place, answer: Answer) -> Page:
    records = as_list(at(body, "comments"))
    pagination = at(body, "meta", "pagination")
    # Replies, or one comment, which do not tell the post.
    part = bool(place.comment) or pagination is None or any(name_at(one, "parent_id") for one in records)
    first = next((one for record in records if (one := name_at(record, "id"))), None)
    thread = place.thread() or (None if part else f"unnamed-{first}" if first else "unnamed")
    article = answer.context.get("article")
    comments = tuple(_comments(records, thread, article))
    asks = (*_inline(records, place, answer.context), *_following(pagination, records, place, answer.context))
    if thread is None or part:
        return Page((), comments, asks)
    total = count_at(pagination, "total") or 0
    told = RawThread(
        native_id=thread,
        site=urlsplit(place.root).hostname if place.root else None,
        url=article,
        title=answer.context.get("title"),
        reason=None if comments or total else "the Ghost site lists no comments under this post",
    )
    return Page((told,), comments, asks)


def _inline(records: list[Json], place: _Place, told: Mapping[str, str]) -> Iterator[Ask]:
    """Yield the requests for replies of which only the first are shown; deleted ones are not counted by the site."""
    for one in records:
        parent, replies = name_at(one, "id"), as_list(at(one, "replies"))
        visible = sum(text_at(reply, "status") not in _STATES for reply in replies)
        left = (count_at(one, "count", "replies") or 0) - visible
        # One comment alone comes without its replies, and counts none where it is a reply itself.
        if parent is not None and left > 0:
            yield _replies_ask(place, told, parent, 1, left)


def _following(pagination: Json, records: list[Json], place: _Place, told: Mapping[str, str]) -> Iterator[Ask]:
    """Yield the request for the next page; of a saved list, how many of its kind other pages hold."""
    page, pages = count_at(pagination, "page") or 1, count_at(pagination, "pages") or 0
    limit, total = count_at(pagination, "limit") or _LIMIT, count_at(pagination, "total") or 0
    if "ghost" not in told:
        missing = total - len(records)
        parents = {name_at(one, "parent_id") for one in records}
        parent = place.comment or (parents.pop() if len(parents) == 1 else None) or ""
        if missing > 0:
            yield _replies_ask(place, told, parent, 1, missing) if parent else _list_ask(place, told, 1, missing)
    elif page < pages and records:
        left = max(total - page * limit, 0)
        if place.comment:
            yield _replies_ask(place, told, place.comment, page + 1, left)
        else:
            yield _list_ask(place, told, page + 1, left)


def _comments(records: list[Json], thread: str | None, article: str | None) -> Iterator[RawComment]:
    for record in records:
        top = _comment(record, thread, None, article)
        yield top
        for reply in as_list(at(record, "replies")):
            yield _comment(reply, thread, top.native_id, article)


def _comment(record: Json, thread: str | None, above: str | None, article: str | None) -> RawComment:
    native_id = name_at(record, "id")
    if native_id is None or not as_object(record).keys() & {"html", "status"}:
        excerpt = json.dumps(record, ensure_ascii=False)[:EXCERPT]
        return RawComment(native_id=None, thread=thread, reason=Reason.WRONG_TYPE, excerpt=excerpt)
    state = _STATES.get(text_at(record, "status") or "", State.VISIBLE)
    visible = state is State.VISIBLE
    return RawComment(
        native_id=native_id,
        thread=thread,
        # `parent_id` is the top comment, also of a reply to a reply.
        parent=name_at(record, "in_reply_to_id") or name_at(record, "parent_id") or above,
        author=text_at(record, "member", "name") if visible else None,
        role=Role.USER,
        created=moment(at(record, "created_at")),
        text=text_at(record, "html") if visible else None,
        score=number_at(record, "count", "likes"),
        state=state,
        url=f"{article.partition('#')[0]}#ghost-comments-{native_id}" if article else None,
    )


def _article(answer: Answer) -> Page:
    """Find site and post in a page, where they stand among the settings of the comment box."""
    if not answer.ok:
        return Page()
    page = answer.html()
    box = page.css_first("script[data-ghost-comments]")
    if box is None:
        raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "the page shows no comments of Ghost")
    post = box.attributes.get("data-post-id") or ""
    try:
        site = urljoin(answer.url, box.attributes.get("data-ghost-comments") or "/")
        place = _Place(f"{site.rstrip('/')}/members/api/comments", post) if site_of(site) else _Place("", post)
    except ValueError as e:
        raise UnreadableAnswerError(Reason.MALFORMED, answer.excerpt(), "the page names no usable site") from e
    if not post:
        raise UnreadableAnswerError(Reason.MALFORMED, answer.excerpt(), "the page does not tell the id of its post")
    heading = page.css_first("h1") or page.css_first("title")
    canonical = page.css_first('link[rel="canonical"]')
    url = answer.url or (canonical.attributes.get("href") if canonical is not None else None) or ""
    title = heading.text(strip=True) if heading is not None else ""
    told = {key: value for key, value in (("article", url), ("title", title)) if value}
    thread = RawThread(
        native_id=place.thread(),
        url=url or None,
        title=title or None,
        article=next((node.inner_html for one in _CONTENT if (node := page.css_first(one)) is not None), None),
        # In a collection they follow.
        reason=None if answer.context else "the page of a Ghost site loads its comments from a list that is not in it",
    )
    return Page((thread,), (), _asks(place, told) if site_of(place.root) else ())
