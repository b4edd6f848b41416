"""Substack: comments under a newsletter's posts, and notes; one answer holds a post's whole tree.

The interface is the one that the site's own pages use; it is not documented by Substack.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from discourse.collect.answers import EXCERPT, Answer, Ask, Json, UnreadableAnswerError
from discourse.collect.jsonvalues import Object, as_list, as_object, at, count_at, flag_at, name_at, number_at, text_at
from discourse.collect.moments import moment
from discourse.collect.sources.platform import Login, Page, RawComment, RawThread
from discourse.tables import Reason, ReplyKind, Role, State

_POST_PAGE = re.compile(r"/p/(?P<slug>[\w-]+)(?:/comments|/comment/\d+)?/?$")
_POST_API = re.compile(r"/api/v1/posts/(?:by-id/)?(?P<slug>[\w-]+)/?$")
_LIST_API = re.compile(r"/api/v1/post/(?P<id>\d+)/comments/?$")
_COMMENT = {"id", "body", "date"}
_POST = {"id", "slug", "canonical_url", "post_date"}
_MARKS = (b'"ancestor_path"', b'"body_json"', b'"reaction_count"', b'"canonical_url"')
# Where comments stand in the answers of posts, notes, replies and feeds.
_HOLDERS = ("comments", "items", "commentBranches", "descendantComments", "parentComments", "item", "rootComment",
            "comment")  # fmt: skip
_INLINE = {"text", "hardBreak", "hard_break", "mention", "substack_mention"}


@dataclass(frozen=True, slots=True)
class Substack:
    """Substack, also under a publication's own domain: the post tells its id, the id leads to all its comments."""

    name: str = "substack"
    title: str = "Substack"
    needs: tuple[str, ...] = ()
    reads: str = (
        "https://NAME.substack.com/p/POST, substack+https://example.org/p/POST (a publication's own domain); saved "
        "answers of posts, comments, notes and feeds"
    )
    loses: str = "comments that only paying readers see; the text of deleted and removed ones; replies to notes"

    def start(self, url: str) -> tuple[Ask, ...]:
        """Ask for the post; only Substack's own domain is known without ``substack+``."""
        parts = _split(url.removeprefix("substack+"))
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            return ()
        if not url.startswith("substack+") and not _is_home(parts):
            return ()
        listed = _LIST_API.search(parts.path)
        if listed is not None:
            return (_list_ask(f"{parts.scheme}://{parts.netloc}", listed["id"], 0, {}),)
        found = _POST_PAGE.search(parts.path) or _POST_API.search(parts.path)
        if found is None:
            return ()
        kind = "by-id/" if "/posts/by-id/" in parts.path else ""
        address = f"{parts.scheme}://{parts.netloc}/api/v1/posts/{kind}{found['slug']}"
        return (Ask(address, context=(("substack", "post"),)),)

    def claims(self, answer: Answer) -> bool:
        """Know our own requests, the interface at Substack's domain, and the shape of posts, comments and notes."""
        if "substack" in answer.context:
            return True
        if answer.body.lstrip()[:1] not in {b"{", b"["}:
            return False
        parts = _split(answer.url)
        if _is_home(parts) and parts.path.startswith("/api/v1/"):
            return True
        if not any(mark in answer.body for mark in _MARKS):
            return False
        try:
            body = answer.json()
        except UnreadableAnswerError:
            return b'"ancestor_path"' in answer.body
        return _is_post(body) or any(_is_comment(record) for record, _ in _records(body))

    def read(self, answer: Answer) -> Page:
        """Read a post, its comments, or notes."""
        parts = _split(answer.url)
        home = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
        listed = _LIST_API.search(parts.path)
        if not answer.ok:
            return _refusal(answer, listed["id"] if listed is not None else _last(parts.path))
        body = answer.json()
        post = at(body, "post") if _is_post(at(body, "post")) else body
        if _is_post(post) and not isinstance(at(body, "comments"), list):
            return _post(post, home)
        found = list(_records(body))
        if not found and not isinstance(at(body, "comments"), list):
            if "substack" in answer.context:
                raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "no post or comments of Substack")
            return Page()
        return _comments(found, listed["id"] if listed is not None else None, answer)

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """Need no keys."""
        del environment
        return None


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _is_home(parts: SplitResult) -> bool:
    host = (parts.hostname or "").lower()
    return host == "substack.com" or host.endswith(".substack.com")


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _is_post(value: Json) -> bool:
    return as_object(value).keys() >= _POST


def _is_comment(value: Json) -> bool:
    keys = as_object(value).keys()
    return keys >= _COMMENT and bool(keys & {"ancestor_path", "body_json", "reaction_count"})


def _list_ask(home: str, post: str, expects: int, told: Mapping[str, str]) -> Ask:
    url = f"{home}/api/v1/post/{post}/comments?all_comments=true&sort=oldest_first" if home else ""
    return Ask(url, post, expects=expects, context=tuple(sorted({**told, "substack": "comments"}.items())))


def _refusal(answer: Answer, thread: str) -> Page:
    try:
        body = answer.json()
    except UnreadableAnswerError:
        body = None
    why = text_at(body, "errors", 0, "msg") or text_at(body, "error")
    if why is None and answer.status in {401, 403, 404, 410}:
        why = "there is no such post" if answer.status in {404, 410} else "only subscribers may read this"
    return (
        Page((RawThread(native_id=thread, reason=f"Substack refuses: {why}"[:EXCERPT]),)) if why and thread else Page()
    )


def _post(post: Json, home: str) -> Page:
    native_id, url = name_at(post, "id") or "", text_at(post, "canonical_url")
    declared = count_at(post, "comment_count")
    title = text_at(post, "title")
    open_to = text_at(post, "write_comment_permissions")
    thread = RawThread(
        native_id=native_id,
        title=title,
        site=_split(url or home).hostname,
        url=url,
        author=text_at(post, "publishedBylines", 0, "name"),
        article=text_at(post, "body_html") or text_at(post, "truncated_body_text"),
        published=moment(at(post, "post_date")),
        declared=declared,
        reason="comments are closed" if open_to == "none" and not declared else None,
    )
    told = {"article": url} if url else {}
    return Page((thread,), (), (_list_ask(home, native_id, declared or 0, told),) if home or declared else ())


def _records(body: Json) -> Iterator[tuple[Json, str | None]]:
    """Yield the comments of any answer in order, each with the id of the one in whose `children` it stands."""
    waiting: list[tuple[Json, str | None]] = [(body, None)]
    while waiting:
        value, above = waiting.pop()
        if isinstance(value, list):
            waiting += [(one, above) for one in reversed(value)]
            continue
        record = as_object(value)
        inner = [key for key in _HOLDERS if isinstance(record.get(key), dict | list)]
        if record.keys() & {"id", "body"} or not isinstance(value, dict):
            # A post in a feed has an id, too, and holds no comments.
            if not _is_post(value):
                yield value, above
            waiting += [(one, name_at(record, "id")) for one in reversed(as_list(record.get("children")))]
        else:
            waiting += [(record[key], above) for key in reversed(inner)]


def _comments(found: list[tuple[Json, str | None]], post: str | None, answer: Answer) -> Page:
    threads: dict[str, RawThread] = {}
    comments: list[RawComment] = []
    asks: list[Ask] = []
    article = answer.context.get("article")
    if post is not None:
        threads[post] = RawThread(native_id=post, url=article)
    for record, above in found:
        comment = _comment(record, above, post, article)
        comments.append(comment)
        if comment.thread is None or comment.thread in threads:
            continue
        threads[comment.thread] = RawThread(native_id=comment.thread)
    delivered = {one.parent for one in comments}
    for index, comment in enumerate(comments):
        if comment.kind is not ReplyKind.OPENING or comment.thread is None:
            continue
        threads[comment.thread] = RawThread(
            native_id=comment.thread,
            site="substack.com",
            url=comment.url,
            author=comment.author,
            article=comment.text,
            published=comment.created,
        )
        left = count_at(found[index][0], "children_count") or 0
        if left and comment.native_id not in delivered:
            asks.append(Ask("", comment.thread, expects=left))
    return Page(tuple(threads.values()), tuple(comments), tuple(asks))


def _comment(record: Json, above: str | None, post: str | None, article: str | None) -> RawComment:
    native_id = name_at(record, "id")
    fields = as_object(record)
    if native_id is None or not fields.keys() & {"body", "body_json", "deleted"}:
        excerpt = json.dumps(record, ensure_ascii=False)[:EXCERPT]
        return RawComment(native_id=None, thread=post, reason=Reason.WRONG_TYPE, excerpt=excerpt)
    path = [one for one in re.split(r"[./]", text_at(record, "ancestor_path") or "") if one]
    thread = post or name_at(record, "post_id")
    is_note = thread is None and (fields.get("type") == "feed" or not {"post_id", "publication_id"} - fields.keys())
    if is_note:
        thread = f"note-{path[0] if path else native_id}"
    text = text_at(record, "body") or _written(at(record, "body_json"))
    state = _state(fields, text)
    visible = state is State.VISIBLE
    handle = text_at(record, "handle")
    note = f"https://substack.com/@{handle}/note/c-{native_id}" if handle and is_note else None
    return RawComment(
        native_id=native_id,
        thread=thread,
        parent=(path[-1] if path else None) or above,
        kind=ReplyKind.OPENING if is_note and not path and above is None else None,
        author=text_at(record, "name") if visible else None,
        role=Role.AUTHOR if flag_at(record, "metadata", "is_author") else Role.USER,
        created=moment(at(record, "date")),
        text=text if visible else None,
        markup="plain",
        score=_score(record),
        state=state,
        url=f"{article.rstrip('/')}/comment/{native_id}" if article else note,
    )


def _state(record: Object, text: str | None) -> State:
    """Tell what became of a comment; the site leaves it without text where there are replies."""
    if flag_at(record, "deleted"):
        return State.DELETED
    if text is None and (flag_at(record, "user_banned") or flag_at(record, "suppressed") or
                         text_at(record, "status") not in {None, "ok"}):  # fmt: skip
        return State.REMOVED
    return State.DELETED if text is None and text_at(record, "name") is None else State.VISIBLE


def _score(record: Json) -> float | None:
    told = number_at(record, "reaction_count")
    if told is not None:
        return told
    counts = [count_at(one) for one in as_object(at(record, "reactions")).values()]
    return float(sum(one for one in counts if one is not None)) if counts else None


def _written(document: Json) -> str | None:
    """Return the plain text of a ProseMirror document, a blank line between blocks."""
    parts: list[str] = []
    waiting: list[Json] = [document]
    while waiting:
        node = waiting.pop()
        kind = text_at(node, "type")
        if kind in {"hardBreak", "hard_break"}:
            parts.append("\n")
        elif kind is not None and kind not in _INLINE:
            parts.append("\n\n")
        parts.append(text_at(node, "text") or text_at(node, "attrs", "label") or "")
        waiting += reversed(as_list(at(node, "content")))
    return re.sub(r"\n{3,}", "\n\n", "".join(parts)).strip() or None
