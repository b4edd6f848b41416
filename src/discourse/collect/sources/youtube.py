"""YouTube: comments of videos through the Data API v3, with the user's own key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from discourse.collect.answers import EXCERPT, Answer, Ask, Json, UnreadableAnswerError
from discourse.collect.jsonvalues import Object, as_list, as_object, at, count_at, name_at, number_at, objects, text_at
from discourse.collect.moments import moment
from discourse.collect.sources.platform import Login, Page, RawComment, RawThread
from discourse.tables import Reason, ReplyKind, Role, State

_API = "https://www.googleapis.com/youtube/v3"
_KEY = "YOUTUBE_API_KEY"
_HOSTS = {"www.googleapis.com", "youtube.googleapis.com", "content-youtube.googleapis.com"}
_WATCH = {"youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "www.youtube-nocookie.com"}
_VIDEO = re.compile(r"[\w-]{6,20}")
_KIND = re.compile(rb'"kind"\s*:\s*"youtube#(?:comment|commentThread|commentThreadList|commentList|videoList)')
_REFUSED = re.compile(rb'"domain"\s*:\s*"youtube\.')
# A reply to a reply starts with the name of the one it answers; the API files it under the top comment.
_NAMED = re.compile(r"^(?:\s|\u200b|\u00a0|<[^>]*>)*@")
_STATES = {"heldForReview": State.HELD, "likelySpam": State.HELD, "rejected": State.REMOVED}
_REFUSALS = {
    "commentsDisabled": "comments are disabled for this video",
    "videoNotFound": "there is no such video, or it is private",
    "commentThreadNotFound": "there is no such comment",
    "parentCommentNotFound": "the comment that was answered is gone",
    "quotaExceeded": "the day's quota of the key is used up; go on tomorrow",
    "dailyLimitExceeded": "the day's quota of the key is used up; go on tomorrow",
    "rateLimitExceeded": "the key was used too often in a short time; go on later",
    "keyInvalid": f"the key in {_KEY} is not valid",
    "badRequest": f"YouTube does not accept the request; check the key in {_KEY}",
    "accessNotConfigured": f"the key in {_KEY} is not allowed to use the YouTube Data API",
    "forbidden": "YouTube does not allow this key to read the comments",
}


@dataclass(frozen=True, slots=True)
class YouTube:
    """The YouTube Data API: threads of a video page by page, and the replies that are not delivered with them."""

    name: str = "youtube"
    title: str = "YouTube"
    needs: tuple[str, ...] = (_KEY,)
    reads: str = (
        "https://www.youtube.com/watch?v=ID, youtu.be/ID, /shorts/ID, /live/ID; saved answers of commentThreads, "
        "comments and videos of the Data API v3"
    )
    loses: str = (
        "deleted and removed comments; to which reply a reply answers (known only by '@name' in its text); held "
        "comments, unless the key belongs to the channel"
    )

    def start(self, url: str) -> tuple[Ask, ...]:
        """Ask for the video, which declares the total, and for the first page of its comment threads."""
        video = _video(url)
        if video is None:
            return ()
        about = _ask("videos", video, part="snippet,statistics", id=video)
        return (about, _ask("commentThreads", video, 0, **_threads_query(video)))

    def claims(self, answer: Answer) -> bool:
        """Know the API's addresses, its kinds, and its refusals."""
        try:
            parts = urlsplit(answer.url)
        except ValueError:
            return False
        if parts.hostname in _HOSTS and "/youtube/v3/" in parts.path:
            return True
        if answer.url and parts.hostname not in _WATCH:
            return False
        if not answer.body[:200].lstrip(b"\xef\xbb\xbf \r\n\t").startswith((b"{", b"[")):
            return False
        return bool(_KIND.search(answer.body[:20_000]) or _REFUSED.search(answer.body[:4_000]))

    def read(self, answer: Answer) -> Page:
        """Read a page of threads, a page of replies, the video, or a refusal."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(answer.url).query).items()}
        video = answer.context.get("video") or query.get("videoId") or ""
        try:
            body = answer.json()
        except UnreadableAnswerError:
            if answer.ok:
                raise
            return Page()
        if "error" in as_object(body):
            return _refusal(body, video)
        if not answer.ok:
            return Page()
        found: list[Json] = list(body) if isinstance(body, list) else [body]
        pages = [_response(as_object(one), answer, query, video) for one in found]
        if not any(as_object(one).get("kind") for one in found):
            raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "no answer of the YouTube Data API")
        return Page(
            tuple(thread for page in pages for thread in page.threads),
            tuple(comment for page in pages for comment in page.comments),
            tuple(ask for page in pages for ask in page.next),
        )

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """Send the key as the parameter ``key``."""
        key = environment.get(_KEY, "").strip()
        return Login(query="key", value=key) if key else None


def _video(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"}:
        return None
    query = parse_qs(parts.query)
    steps = [step for step in parts.path.split("/") if step]
    found = ""
    if parts.hostname == "youtu.be" and steps:
        found = steps[0]
    elif parts.hostname in _WATCH:
        found = query.get("v", [""])[0] if steps == ["watch"] else ""
        if len(steps) > 1 and steps[0] in {"shorts", "live", "embed", "v"}:
            found = steps[1]
    elif parts.hostname in _HOSTS and parts.path.endswith("/commentThreads"):
        found = query.get("videoId", [""])[0]
    return found if _VIDEO.fullmatch(found) else None


def _threads_query(video: str) -> dict[str, str]:
    return {
        "part": "snippet,replies",
        "videoId": video,
        "maxResults": "100",
        "order": "time",
        "textFormat": "plainText",
    }


def _ask(method: str, video: str, expects: int = 0, **query: str) -> Ask:
    context = (("video", video),) if video else ()
    return Ask(f"{_API}/{method}?{urlencode(query)}", video, login="youtube", expects=expects, context=context)


def _replies(parent: str, video: str, expects: int) -> Ask:
    return _ask(
        "comments", video, expects=expects, part="snippet", parentId=parent, maxResults="100", textFormat="plainText"
    )


def _refusal(body: Json, video: str) -> Page:
    reason = text_at(body, "error", "errors", 0, "reason") or text_at(body, "error", "status") or "refused"
    said = _REFUSALS.get(reason) or text_at(body, "error", "message") or reason
    return Page((RawThread(native_id=video, reason=said[:EXCERPT]),)) if video else Page()


def _response(body: Object, answer: Answer, query: Mapping[str, str], video: str) -> Page:
    kind = text_at(body, "kind") or ""
    markup = "plain" if query.get("textFormat") == "plainText" else "html"
    items = as_list(body.get("items"))
    if kind == "youtube#videoListResponse":
        return _videos(items, video)
    if kind == "youtube#commentThread":
        items = [body]
    elif kind == "youtube#comment":
        return Page(comments=(_comment(body, video, None, markup, owner=None),))
    threads: dict[str, RawThread] = {}
    comments: list[RawComment] = []
    asks: list[Ask] = []
    for item in items:
        if as_object(item).get("kind") == "youtube#comment" or "topLevelComment" not in as_object(at(item, "snippet")):
            comments.append(_comment(item, video, None, markup, owner=None))
            continue
        name = name_at(item, "snippet", "videoId") or video
        if name and name not in threads:
            threads[name] = RawThread(
                native_id=name, site="www.youtube.com", url=f"https://www.youtube.com/watch?v={name}"
            )
        comments += _thread(as_object(item), name, markup, asks)
    token = text_at(body, "nextPageToken")
    if token:
        name = video or next(iter(threads), "")
        asks.append(_next_page(answer.url, token, name, comments, replies=kind == "youtube#commentListResponse"))
    if not threads and video:
        threads[video] = RawThread(native_id=video)
    return Page(tuple(threads.values()), tuple(comments), tuple(asks))


def _next_page(url: str, token: str, video: str, comments: list[RawComment], *, replies: bool) -> Ask:
    """Return the request for the page after this one, on which there is at least one comment."""
    asked = {name: value for name, value in parse_qsl(urlsplit(url).query) if name not in {"key", "pageToken"}}
    if not asked:
        parent = next((one.parent for one in comments if one.parent), None)
        if replies and parent is None:
            return Ask("", video, expects=1)
        asked = dict(parse_qsl(urlsplit(_replies(parent, video, 0).url).query)) if replies and parent else {}
        asked = asked or _threads_query(video)
    method = "comments" if replies else "commentThreads"
    if not replies and not video and "videoId" not in asked:
        return Ask("", video, expects=1)
    return _ask(method, video, expects=1, **(asked | {"pageToken": token}))


def _videos(items: list[Json], video: str) -> Page:
    if not items and video:
        return Page((RawThread(native_id=video, reason=_REFUSALS["videoNotFound"]),))
    return Page(
        tuple(
            RawThread(
                native_id=name,
                title=text_at(item, "snippet", "title"),
                site="www.youtube.com",
                community=text_at(item, "snippet", "channelTitle"),
                url=f"https://www.youtube.com/watch?v={name}",
                author=text_at(item, "snippet", "channelTitle"),
                article=text_at(item, "snippet", "description"),
                published=moment(at(item, "snippet", "publishedAt")),
                declared=count_at(item, "statistics", "commentCount"),
            )
            for item in objects(items)
            if (name := name_at(item, "id")) is not None
        )
    )


def _thread(item: Object, video: str, markup: str, asks: list[Ask]) -> Iterator[RawComment]:
    owner = name_at(item, "snippet", "channelId")
    top = _comment(at(item, "snippet", "topLevelComment"), video, None, markup, owner=owner)
    yield top
    inline = as_list(at(item, "replies", "comments"))
    for one in inline:
        yield _comment(one, video, top.native_id, markup, owner=owner)
    total = count_at(item, "snippet", "totalReplyCount") or 0
    if total > len(inline) and top.native_id is not None:
        asks.append(_replies(top.native_id, video, total - len(inline)))


def _comment(record: Json, video: str, above: str | None, markup: str, *, owner: str | None) -> RawComment:
    native_id = name_at(record, "id")
    snippet = as_object(at(record, "snippet"))
    video = name_at(snippet, "videoId") or video
    if native_id is None or not snippet:
        excerpt = json.dumps(record, ensure_ascii=False)[:EXCERPT]
        return RawComment(native_id=native_id, thread=video or None, reason=Reason.WRONG_TYPE, excerpt=excerpt)
    parent = name_at(snippet, "parentId") or above or (native_id.partition(".")[0] if "." in native_id else None)
    original, shown = text_at(snippet, "textOriginal"), text_at(snippet, "textDisplay")
    text = original if original is not None else shown
    state = _STATES.get(text_at(snippet, "moderationStatus") or "", State.VISIBLE)
    named = parent is not None and text is not None and _NAMED.match(text) is not None
    channel = name_at(snippet, "authorChannelId", "value") or name_at(snippet, "authorChannelId")
    owner = name_at(snippet, "channelId") or owner
    return RawComment(
        native_id=native_id,
        thread=video or None,
        parent=parent,
        kind=ReplyKind.FLATTENED if named else None,
        author=text_at(snippet, "authorDisplayName"),
        role=Role.AUTHOR if channel is not None and channel == owner else Role.UNKNOWN,
        created=moment(snippet.get("publishedAt")),
        text=None if state is State.REMOVED else text,
        markup="plain" if original is not None else markup,
        score=number_at(snippet, "likeCount"),
        state=state,
        url=f"https://www.youtube.com/watch?v={video}&lc={native_id}" if video else None,
    )
