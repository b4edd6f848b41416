"""Reddit: the OAuth API with the user's own keys, its saved answers, and the feed where there are no keys."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from discourse.collect.answers import EXCERPT, Answer, Ask, Json, UnreadableAnswerError
from discourse.collect.jsonvalues import Object, as_list, as_object, at, count_at, flag_at, name_at, number_at, text_at
from discourse.collect.moments import moment
from discourse.collect.sources.platform import Login, Page, RawComment, RawThread
from discourse.collect.sources.reddit_rss import is_feed, read_feed
from discourse.tables import Reason, ReplyKind, Role, State

API = "https://oauth.reddit.com"
LOT = 100
KEYS = ("REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET")
_THREAD = re.compile(
    r"/(?:(?:r|u|user)/[^/]+/)?(?:comments|gallery)/([a-z0-9]{1,12})(?:/[^/]*(?:/[a-z0-9]*)?)?/?(?:\.rss|\.json)?"
)
_SHAPE = re.compile(rb'"kind"\s*:\s*"(?:Listing|t1|t3|more)"|"things"\s*:|"jquery"\s*:')
_MARKS = {
    "[deleted]": State.DELETED,
    "[deleted by user]": State.DELETED,
    "[removed]": State.REMOVED,
    "[removed by reddit]": State.REMOVED,
    "[ removed by reddit ]": State.REMOVED,
    "[removed by moderator]": State.REMOVED,
    "[ removed by moderator ]": State.REMOVED,
}
_REFUSALS = {
    "private": "the community is private",
    "banned": "the community is banned",
    "quarantined": "the community is quarantined",
    "gold_only": "the community is for paying members",
}


def _has_keys() -> bool:
    return all(os.environ.get(name, "").strip() for name in KEYS)


@dataclass(frozen=True, slots=True)
class Reddit:
    """Reddit.

    Attributes:
        keys: whether the environment has keys: `start` then asks the API, else the feed.
    """

    name: str = "reddit"
    title: str = "Reddit"
    needs: tuple[str, ...] = KEYS
    reads: str = (
        "https://www.reddit.com/r/NAME/comments/ID/ (with keys the whole tree; without, or with .rss at the end, the "
        "feed); saved answers of /comments/ID, /api/morechildren, /api/info, and feeds; dumps of Pushshift and "
        "Arctic Shift"
    )
    loses: str = (
        "texts of deleted and removed comments; who removed them; without keys all but the newest comments and every "
        "reply's parent"
    )
    keys: bool = field(default_factory=_has_keys)

    def start(self, url: str) -> tuple[Ask, ...]:
        """Ask the API for the thread, or for its feed if there are no keys; oauth.reddit.com always means the API."""
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            return ()
        if parts.scheme not in {"http", "https"}:
            return ()
        if host == "redd.it":
            found = re.fullmatch(r"/([a-z0-9]{1,12})/?", parts.path)
        elif host == "reddit.com" or host.endswith(".reddit.com"):
            found = _THREAD.fullmatch(parts.path)
        else:
            return ()
        if not found:
            return ()
        thread = found.group(1)
        feed = parts.path.endswith(".rss")
        if feed or not (self.keys or host == "oauth.reddit.com"):
            address = f"https://www.reddit.com/comments/{thread}/.rss?limit=100"
            return (Ask(address, f"t3_{thread}", accept="application/atom+xml"),)
        return (_page(thread),)

    def claims(self, answer: Answer) -> bool:
        """Know a feed, refusals and JSON of Reddit's hosts, and things and listings by their kinds."""
        if is_feed(answer.body):
            return True
        try:
            host = urlsplit(answer.url).hostname or ""
        except ValueError:
            return False
        start = answer.body[:100].lstrip(b"\xef\xbb\xbf \r\n\t")
        if host == "reddit.com" or host.endswith(".reddit.com"):
            return not answer.ok or start.startswith((b"{", b"["))
        if not start.startswith((b"{", b"[")) or not _SHAPE.search(answer.body):
            return False
        try:
            return bool(_things(answer.json()))
        except UnreadableAnswerError:
            return False

    def read(self, answer: Answer) -> Page:
        """Read a thread, the rest of one, single things, a feed, or a refusal."""
        if answer.ok and is_feed(answer.body):
            return read_feed(answer)
        thread = answer.context.get("thread") or _thread_of(answer.url)
        if not answer.ok:
            return _refusal(answer, thread)
        body = answer.json()
        if "access_token" in as_object(body):
            return Page()
        things = _things(body)
        if not things:
            if "error" in as_object(body):
                return _refusal(answer, thread)
            if as_list(at(body, "json", "errors")):
                why = json.dumps(at(body, "json", "errors"), ensure_ascii=False)[:EXCERPT]
                raise UnreadableAnswerError(Reason.MALFORMED, answer.excerpt(), f"Reddit refuses the rest: {why}")
            if not _is_empty(body):
                raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "no thread of Reddit")
        walk = _Walk(thread, raw="raw_json=1" in answer.url)
        walk.go(things)
        asks = [*walk.asks(), *walk.unseen(answer.context.get("children", ""))]
        return Page(tuple(walk.threads.values()), tuple(walk.comments), tuple(asks))

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """Fetch an application's token with the user's keys (OAuth 2, client credentials)."""
        user, password = (environment.get(name, "").strip() for name in KEYS)
        if not user or not password:
            return None
        token = Ask(
            "https://www.reddit.com/api/v1/access_token",
            method="POST",
            body="grant_type=client_credentials",
            media="application/x-www-form-urlencoded",
        )
        return Login(token, user, password, header="authorization", value="Bearer {access_token}")


def _page(thread: str, comment: str = "", expects: int = 0) -> Ask:
    """Return the request for a thread, or for what is below one of its comments."""
    focus = f"_/{comment}" if comment else ""
    url = f"{API}/comments/{thread}/{focus}?{urlencode({'raw_json': 1, 'limit': 500, 'sort': 'old'})}"
    return Ask(url, f"t3_{thread}", login="reddit", expects=expects, context=(("thread", f"t3_{thread}"),))


def _more(thread: str, children: list[str], expects: int) -> Ask:
    """Return the request for comments that were left out, at most `LOT` of them."""
    form = {
        "api_type": "json",
        "link_id": thread,
        "children": ",".join(children),
        "limit_children": "false",
        "sort": "old",
    }
    return Ask(
        f"{API}/api/morechildren?raw_json=1",
        thread,
        method="POST",
        body=urlencode(form),
        media="application/x-www-form-urlencoded",
        login="reddit",
        expects=expects,
        context=(("children", ",".join(children)), ("thread", thread)),
    )


def _thread_of(url: str) -> str:
    try:
        found = _THREAD.fullmatch(urlsplit(url).path)
    except ValueError:
        return ""
    return f"t3_{found.group(1)}" if found else ""


def _refusal(answer: Answer, thread: str) -> Page:
    try:
        body = answer.json()
    except UnreadableAnswerError:
        body = None
    said = text_at(body, "reason")
    why = _REFUSALS.get(said or "") or ("Reddit has no such thread" if answer.status in {404, 410} else said)
    # A refusal of a part says nothing of the thread.
    whole = "children" not in answer.context and "/_/" not in answer.url
    return Page((RawThread(native_id=thread, reason=why),)) if thread and why and whole else Page()


def _is_empty(body: Json) -> bool:
    listings = as_list(body) or [body]
    return all(at(one, "kind") == "Listing" for one in listings) or isinstance(at(body, "json", "data", "things"), list)


def _things(body: Json) -> list[Json]:
    """Return the things in an answer, out of their listings."""
    more = at(body, "json", "data", "things") or at(body, "data", "things")
    if isinstance(more, list):
        return more
    found: list[Json] = []
    for one in as_list(body) or [body]:
        kind = as_object(one).get("kind")
        if kind == "Listing":
            found += as_list(at(one, "data", "children"))
        elif kind in {"t1", "t3", "more"} and isinstance(as_object(one).get("data"), dict):
            found.append(one)
    return found


@dataclass(slots=True)
class _Walk:
    """What was found on the way through the things of one answer.

    Attributes:
        thread: native id of the thread that was asked for, empty if not known.
        raw: whether the answer was asked for without escapes.
    """

    thread: str
    raw: bool
    threads: dict[str, RawThread] = field(default_factory=dict[str, RawThread])
    comments: list[RawComment] = field(default_factory=list[RawComment])
    stubs: list[tuple[Object, str, str | None]] = field(default_factory=list[tuple[Object, str, str | None]])

    def go(self, things: list[Json]) -> None:
        waiting: list[tuple[Json, str | None]] = [(thing, None) for thing in reversed(things)]
        while waiting:
            thing, above = waiting.pop()
            kind, data = at(thing, "kind"), as_object(at(thing, "data"))
            if kind == "t3" and name_at(data, "id") is not None:
                self._post(data)
            elif kind == "more":
                self.stubs.append((data, self.thread, name_at(data, "parent_id") or above))
            elif kind == "t1" and name_at(data, "id") is not None:
                comment = self._comment(data, above)
                self.comments.append(comment)
                below = reversed(as_list(at(data, "replies", "data", "children")))
                waiting += [(one, comment.native_id) for one in below]
            elif kind not in {"t2", "t4", "t5", "t6", "LiveUpdate"}:
                excerpt = json.dumps(thing, ensure_ascii=False)[:EXCERPT]
                self.comments.append(
                    RawComment(native_id=None, thread=self.thread or None, reason=Reason.WRONG_TYPE, excerpt=excerpt)
                )

    def asks(self) -> Iterator[Ask]:
        """Yield the requests for what the stubs stand for."""
        for data, named, above in self.stubs:
            children = [name for one in as_list(data.get("children")) if (name := name_at(one)) is not None]
            count = max(count_at(data, "count") or 0, len(children), 1)
            thread = named or self.thread or next(iter(self.threads), "")
            if not thread:
                yield Ask("", expects=count, context=(("stub", name_at(data, "name") or above or ""),))
            elif children:
                for start in range(0, len(children), LOT):
                    lot = children[start : start + LOT]
                    last = start + LOT >= len(children)
                    yield _more(thread, lot, count - start if last else len(lot))
            elif above is not None and above.startswith("t1_"):
                yield _page(thread[3:], above[3:], count)
            else:
                yield Ask("", thread, expects=count, context=(("stub", above or ""),))

    def unseen(self, asked: str) -> Iterator[Ask]:
        """Tell how many of the comments that were asked for did not come, nor a stub for them."""
        came = {one.native_id for one in self.comments}
        later = {name_at(one) for data, _, _ in self.stubs for one in as_list(data.get("children"))}
        lost = [name for name in asked.split(",") if name and f"t1_{name}" not in came and name not in later]
        if lost:
            yield Ask("", self.thread, expects=len(lost), context=(("children", ",".join(lost)),))

    def _post(self, data: Object) -> None:
        name = f"t3_{name_at(data, 'id')}"
        text = self._text(data, "selftext")
        state = _MARKS.get((text or "").strip().lower(), State.VISIBLE)
        category = text_at(data, "removed_by_category")
        if state is State.VISIBLE and category is not None:
            state = State.DELETED if category in {"deleted", "author"} else State.REMOVED
        author = _author(data)
        link = text_at(data, "permalink")
        article = text if state is State.VISIBLE else None
        url = f"https://www.reddit.com{link}" if link and link.startswith("/") else f"https://redd.it/{name[3:]}"
        created = moment(data.get("created_utc"))
        self.thread = self.thread or name
        self.threads[name] = RawThread(
            native_id=name,
            title=self._text(data, "title"),
            site="www.reddit.com",
            community=text_at(data, "subreddit"),
            url=url,
            author=author,
            article=article,
            published=created,
            declared=count_at(data, "num_comments"),
        )
        if article is not None or state is not State.VISIBLE:
            score = None if flag_at(data, "hide_score") else number_at(data, "score")
            self.comments.append(
                RawComment(
                    native_id=name,
                    thread=name,
                    kind=ReplyKind.OPENING,
                    author=author,
                    role=Role.AUTHOR,
                    created=created,
                    text=article,
                    markup="markdown",
                    score=score,
                    state=state,
                    url=url,
                )
            )

    def _comment(self, data: Object, above: str | None) -> RawComment:
        native_id = f"t1_{name_at(data, 'id')}"
        thread = name_at(data, "link_id") or self.thread or None
        self.thread = self.thread or thread or ""
        parent = name_at(data, "parent_id") or above
        text = self._text(data, "body")
        state = _MARKS.get((text or "").strip().lower(), State.VISIBLE)
        if state is State.VISIBLE and text is None:
            state = State.DELETED if text_at(data, "collapsed_reason_code") == "DELETED" else State.REMOVED
        link = text_at(data, "permalink")
        return RawComment(
            native_id=native_id,
            thread=thread,
            parent=None if parent == thread else parent,
            author=_author(data),
            role=self._role(data, thread),
            created=moment(data.get("created_utc")),
            text=text if state is State.VISIBLE else None,
            markup="markdown",
            score=None if flag_at(data, "score_hidden") else number_at(data, "score"),
            state=state,
            url=f"https://www.reddit.com{link}" if link and link.startswith("/") else None,
        )

    def _role(self, data: Object, thread: str | None) -> Role:
        author = _author(data)
        told = self.threads.get(thread or "")
        if author == "AutoModerator":
            return Role.BOT
        if text_at(data, "distinguished") in {"moderator", "admin"}:
            return Role.STAFF
        if flag_at(data, "is_submitter") or (author is not None and told is not None and told.author == author):
            return Role.AUTHOR
        return Role.UNKNOWN

    def _text(self, data: Object, name: str) -> str | None:
        """Return a text without the escapes that Reddit makes unless ``raw_json=1`` was asked for."""
        text = text_at(data, name)
        if text is None or self.raw:
            return text
        html = text_at(data, "body_html") or text_at(data, "selftext_html")
        if html is not None and html.lstrip().startswith("<"):
            return text
        return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _author(data: Object) -> str | None:
    author = text_at(data, "author")
    return None if author in {None, "[deleted]", "[removed]"} else author
