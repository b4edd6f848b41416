"""Disqus: the API with the user's key (Disqus API 3.0), the data in its embedded frame, and exports."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from discourse.collect.answers import EXCERPT, Answer, Ask, Json, UnreadableAnswerError
from discourse.collect.jsonvalues import Object, as_list, as_object, at, count_at, flag_at, name_at, number_at, text_at
from discourse.collect.moments import moment
from discourse.collect.sources.disqus_xml import is_export, read_export
from discourse.collect.sources.platform import Login, Page, RawComment, RawThread
from discourse.collect.sources.web_address import host_of
from discourse.tables import Reason, Role, State

_API = "https://disqus.com/api/3.0/"
_KEY = "DISQUS_API_KEY"
_LIMIT = 100
_POST = {"id", "message", "isDeleted", "parent"}
_SHORTNAME = re.compile(r"""disqus_shortname\s*[=:]\s*["']([\w-]{1,100})["']|//([\w-]{1,100})\.disqus\.com/embed\.js""")
_SETTING = r"""(?:disqus_|this\.page\.|\.page\.){name}\s*=\s*(["'])((?:(?!\1).){{1,1000}})\1"""
_REFUSALS = {
    2: "no such thread",
    5: "the API key is not valid",
    8: "no such thread",
    13: "too many requests",
    14: "too many requests",
}


@dataclass(frozen=True, slots=True)
class Disqus:
    """Disqus: one thread found by its page or name, then its posts, a hundred at a time."""

    name: str = "disqus"
    title: str = "Disqus"
    needs: tuple[str, ...] = (_KEY,)
    reads: str = (
        "disqus+https://example.org/post/ (an article page that shows Disqus), "
        "https://disqus.com/embed/comments/?f=FORUM&t_i=IDENT, https://disqus.com/home/discussion/FORUM/SLUG/; "
        "saved answers of threads/details and posts/list, and exports (XML)"
    )
    loses: str = "what only moderators see: held, spam and deleted posts (an export has them); edits"

    def start(self, url: str) -> tuple[Ask, ...]:
        """Ask for the thread that an address names, or for the article page behind ``disqus+``."""
        marked, address = url.startswith("disqus+"), url.removeprefix("disqus+")
        try:
            parts = urlsplit(address)
        except ValueError:
            return ()
        host = parts.hostname or ""
        if parts.scheme not in {"http", "https"} or not host:
            return ()
        if host not in {"disqus.com", "www.disqus.com"}:
            return (Ask(address, accept="text/html", page=True, context=(("disqus", "page"),)),) if marked else ()
        query = dict(parse_qsl(parts.query))
        if parts.path.startswith("/api/3.0/"):
            thread, forum = query.get("thread", ""), query.get("forum", "")
            return (_details(thread, forum),) if thread else ()
        if parts.path.startswith("/embed/comments"):
            return _lookup(query.get("f", ""), query.get("t_i", ""), query.get("t_u", ""))
        found = re.match(r"/home/discussion/(?:channel-)?([\w-]+)/([\w-]+)/?", parts.path)
        return (_details(f"slug:{found[2]}", found[1]),) if found is not None else ()

    def claims(self, answer: Answer) -> bool:
        """Know our own requests, the API's addresses, lists of its posts, and exports."""
        if "disqus" in answer.context:
            return True
        host = host_of(answer.url)
        if host.endswith("disqus.com") and ("/api/3.0/" in answer.url or "/embed/comments" in answer.url):
            return True
        head = answer.body.lstrip()[:1]
        if head == b"<":
            return is_export(answer) or b'id="disqus-threadData"' in answer.body
        if head != b"{" or b'"response"' not in answer.body:
            return False
        try:
            body = answer.json()
        except UnreadableAnswerError:
            return b'"isDeleted"' in answer.body and b'"raw_message"' in answer.body
        response = at(body, "response")
        if isinstance(response, list):
            known = any(as_object(one).keys() >= _POST for one in response)
            return known or (not response and "hasNext" in as_object(at(body, "cursor")))
        return as_object(response).keys() >= {"identifiers", "forum"} or _is_frame(body)

    def read(self, answer: Answer) -> Page:
        """Read a thread's details, a page of posts, a refusal, an export, or a page that shows Disqus."""
        if is_export(answer):
            return read_export(answer)
        if answer.context.get("disqus") == "page":
            return _article(answer)
        if answer.body.lstrip()[:1] == b"<":
            script = answer.html().css_first("#disqus-threadData")
            if script is None:
                if not answer.ok:
                    return Page()
                raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "no answer of Disqus")
            answer = Answer(answer.url, answer.status, {}, script.text().encode(), answer.at, "", answer.context)
        body = answer.json()
        response = at(body, "response")
        if (
            not answer.ok
            or isinstance(response, str)
            or ((count_at(body, "code") or 0) != 0 and not isinstance(response, list))
        ):
            return _refused(answer, body)
        if _is_frame(body):
            return _frame(as_object(response))
        if isinstance(response, list):
            return _posts(answer, body, response)
        if name_at(response, "id") is not None and (
            "identifiers" in as_object(response) or "posts" in as_object(response)
        ):
            return _thread(answer, as_object(response))
        raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "no thread and no posts of Disqus")

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """Send the public key of the user's own application with each request."""
        key = environment.get(_KEY, "").strip()
        return Login(query="api_key", value=key) if key else None


def _lookup(forum: str, identifier: str, link: str) -> tuple[Ask, ...]:
    if not forum or not (identifier or link):
        return ()
    return (_details(f"ident:{identifier}" if identifier else f"link:{link}", forum),)


def _details(thread: str, forum: str, page: str = "") -> Ask:
    query = {"thread": thread, **({"forum": forum} if forum else {})}
    told = (("disqus", "details"), *((("page", page),) if page else ()))
    return Ask(f"{_API}threads/details.json?{urlencode(query)}", login="disqus", context=told)


def _posts_ask(thread: str, total: int, left: int, cursor: str = "") -> Ask:
    query = {"thread": thread, "limit": str(_LIMIT), "order": "asc", **({"cursor": cursor} if cursor else {})}
    context = (("disqus", "posts"), ("left", str(left)), ("thread", thread), ("total", str(total)))
    return Ask(f"{_API}posts/list.json?{urlencode(query)}", thread, login="disqus", expects=left, context=context)


def _thread(answer: Answer, record: Object) -> Page:
    told = _told(record, answer.context.get("page"))
    total = told.declared or 0
    # A saved answer without its posts still says how many there are.
    asks = (_posts_ask(told.native_id, total, total),)
    return Page((told,), (), asks)


def _told(record: Object, page: str | None = None) -> RawThread:
    return RawThread(
        native_id=name_at(record, "id") or "",
        title=text_at(record, "clean_title") or text_at(record, "title"),
        site=name_at(record, "forum") or text_at(record, "forum", "id"),
        url=text_at(record, "link") or page,
        published=moment(record.get("createdAt")),
        declared=count_at(record, "posts"),
        reason="comments are closed" if flag_at(record, "isClosed") else None,
    )


def _posts(answer: Answer, body: Json, records: list[Json]) -> Page:
    asked = answer.context.get("thread") or (
        dict(parse_qsl(urlsplit(answer.url).query)).get("thread", "") if answer.url else ""
    )
    asked = asked if asked.isdecimal() else ""
    comments = tuple(_comment(one, asked or None) for one in records)
    names = {one.thread for one in comments if one.thread is not None} | ({asked} if asked else set())
    threads = {name: RawThread(native_id=name) for name in names}
    for record in records:
        thread = as_object(at(record, "thread"))
        if name_at(thread, "id") is not None:
            threads[name_at(thread, "id") or ""] = _told(thread)
    cursor = as_object(at(body, "cursor"))
    following = text_at(cursor, "next")
    more = flag_at(cursor, "hasNext") or flag_at(cursor, "more")
    asks: tuple[Ask, ...] = ()
    if more and records and following is not None:
        left = max((count_at(answer.context.get("left")) or 0) - len(records), 0)
        one = asked or (next(iter(names)) if len(names) == 1 else "")
        total = count_at(answer.context.get("total")) or 0
        asks = (_posts_ask(one, total, left, following),) if one else ()
    return Page(tuple(threads[name] for name in sorted(threads)), comments, asks)


def _comment(record: Json, asked: str | None) -> RawComment:
    native_id = name_at(record, "id")
    thread = name_at(record, "thread") or name_at(record, "thread", "id") or asked
    if native_id is None or not as_object(record).keys() & {"message", "raw_message", "isDeleted", "createdAt"}:
        excerpt = json.dumps(record, ensure_ascii=False)[:EXCERPT]
        return RawComment(native_id=native_id, thread=thread, reason=Reason.WRONG_TYPE, excerpt=excerpt)
    state = _state(record)
    gone = state in {State.DELETED, State.REMOVED}
    parent = name_at(record, "parent") or name_at(record, "parent", "id")
    likes, dislikes = number_at(record, "likes"), number_at(record, "dislikes")
    score = None if likes is None else likes - (dislikes or 0)
    html, raw = text_at(record, "message"), text_at(record, "raw_message")
    return RawComment(
        native_id=native_id,
        thread=thread,
        parent=None if parent in {"0", native_id} else parent,
        author=None if gone else text_at(record, "author", "name") or text_at(record, "author", "username"),
        role=Role.STAFF
        if as_list(at(record, "author", "badges")) and flag_at(record, "author", "isModerator")
        else Role.UNKNOWN,
        created=moment(as_object(record).get("createdAt")),
        text=None if gone else html or raw,
        markup="html" if html is not None else "plain",
        score=score,
        state=state,
        url=text_at(record, "url"),
    )


def _state(record: Json) -> State:
    if flag_at(record, "isSpam"):
        return State.REMOVED
    if flag_at(record, "isDeleted"):
        return State.REMOVED if flag_at(record, "isDeletedByModerator") else State.DELETED
    approved = as_object(record).get("isApproved")
    return State.HELD if approved is False else State.VISIBLE


def _is_frame(body: Json) -> bool:
    return isinstance(at(body, "response", "posts"), list) and isinstance(at(body, "response", "thread"), dict)


def _frame(response: Object) -> Page:
    told = _told(as_object(response.get("thread")))
    comments = tuple(_comment(one, told.native_id) for one in as_list(response.get("posts")))
    left = max((told.declared or 0) - len(comments), 0)
    return Page((told,), comments, (_posts_ask(told.native_id, told.declared or 0, left),) if left else ())


def _refused(answer: Answer, body: Json) -> Page:
    code = count_at(body, "code")
    words = text_at(body, "response") or f"HTTP {answer.status}"
    why = _REFUSALS.get(code or 0, words)
    thread = answer.context.get("thread") or dict(parse_qsl(urlsplit(answer.url).query)).get("thread", "")
    reason = f"Disqus refuses: {why}" + ("" if why == words else f" ({words})")
    return Page((RawThread(native_id=thread, reason=reason[:EXCERPT]),) if thread else ())


def _article(answer: Answer) -> Page:
    """Find the forum and the thread's name in an article page, as Disqus' own script does."""
    if not answer.ok:
        return Page()
    text = answer.text()
    forum = _SHORTNAME.search(text)
    if forum is None:
        raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "the page shows no Disqus comments")
    found = {name: re.search(_SETTING.format(name=name), text) for name in ("identifier", "url")}
    identifier, link = ("" if (one := found[name]) is None else one[2] for name in ("identifier", "url"))
    thread = f"ident:{identifier}" if identifier else f"link:{link or answer.url.partition('#')[0]}"
    return Page((), (), (_details(thread, forum[1] or forum[2], answer.url),))
