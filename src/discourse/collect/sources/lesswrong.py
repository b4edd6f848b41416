"""LessWrong, the EA Forum and other ForumMagnum forums: a post and its comments from `/graphql`, and saved pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from discourse.collect.answers import EXCERPT, Answer, Ask, Json, UnreadableAnswerError
from discourse.collect.jsonvalues import Object, count_at, flag_at, name_at, number_at, text_at
from discourse.collect.moments import moment
from discourse.collect.sources.lesswrong_page import is_forum_page, page_address, read_forum_page
from discourse.collect.sources.lesswrong_records import Records, is_forum_answer, records_of
from discourse.collect.sources.lesswrong_requests import ANSWERS, COMMENTS, LOT, Place, place_behind, place_of
from discourse.collect.sources.platform import Login, Page, RawComment, RawThread
from discourse.tables import Reason, Role, State

_REFUSALS = {
    401: "the forum shows this post to members only",
    403: "the forum refuses to show this post to a program",
    404: "the forum has no such post",
    410: "the post was deleted",
    429: "the forum asks to be asked less often",
}


@dataclass(frozen=True, slots=True)
class LessWrong:
    """Posts of LessWrong, the EA Forum, the Alignment Forum and others that run ForumMagnum."""

    name: str = "lesswrong"
    title: str = "LessWrong, EA Forum, Alignment Forum"
    needs: tuple[str, ...] = ()
    reads: str = "https://www.lesswrong.com/posts/ID/slug; saved answers of /graphql; saved pages of posts"
    loses: str = "comments deleted without a trace, rejected or not yet reviewed; dialogues; agreement votes"

    def start(self, url: str) -> tuple[Ask, ...]:
        """Ask for the post and its first comments."""
        place = place_of(url)
        return (place.ask(),) if place else ()

    def claims(self, answer: Answer) -> bool:
        """Know our own requests, GraphQL answers with posts or comments of such a forum, and pages of its posts."""
        return "lesswrong" in answer.context or is_forum_page(answer) or is_forum_answer(answer)

    def read(self, answer: Answer) -> Page:
        """Read a lot of comments, a post, or a saved page; a refusal says why there is nothing."""
        if is_forum_page(answer) and answer.ok:
            tree = answer.html()
            place = place_of(page_address(tree)) or place_of(answer.url)
            if place is None:
                raise UnreadableAnswerError(
                    Reason.NOT_A_COMMENT, answer.excerpt(), "a page that does not name its post"
                )
            return read_forum_page(tree, place.forum, place.post)
        place = place_behind(answer)
        if not answer.ok:
            why = _said(answer) or _REFUSALS.get(answer.status)
            return Page((RawThread(native_id=place.post, reason=why),)) if why and place.post else Page()
        body = answer.json()
        records, why = records_of(body), _error(body)
        if not records.lists and not records.posts and not records.comments and why is None:
            raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "no posts or comments of such a forum")
        starters = {name_at(post, "_id"): name_at(post, "userId") for post in records.posts}
        comments = tuple(_comment(one, place, starters) for one in records.comments)
        return Page(_threads(records, comments, place, why), comments, _next(records, place))

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """Need no keys."""
        del environment
        return None


def _said(answer: Answer) -> str | None:
    try:
        return _error(answer.json())
    except UnreadableAnswerError:
        return None


def _error(body: Json) -> str | None:
    message = text_at(body, "errors", 0, "message")
    return f"the forum answers: {message[:EXCERPT]}" if message else None


def _threads(
    records: Records, comments: tuple[RawComment, ...], place: Place, why: str | None
) -> tuple[RawThread, ...]:
    """Return the posts told, and those known only from their comments or from the request."""
    threads = {thread.native_id: thread for post in records.posts if (thread := _thread(post, place, why))}
    total = records.total if place.view == COMMENTS else None
    for one in (place.post, *(comment.thread for comment in comments)):
        if one and one not in threads:
            threads[one] = RawThread(
                native_id=one, site=urlsplit(place.forum).netloc or None, declared=total, reason=why
            )
    return tuple(threads.values())


def _thread(post: Object, place: Place, why: str | None) -> RawThread | None:
    native_id = name_at(post, "_id")
    if native_id is None:
        return None
    url = text_at(post, "pageUrl") or (f"{place.forum}/posts/{native_id}" if place.forum else None)
    try:
        host = urlsplit(url or "").netloc
    except ValueError:
        url, host = None, ""
    return RawThread(
        native_id=native_id,
        title=text_at(post, "title"),
        site=host or None,
        url=url,
        author=_author(post),
        article=_text(post)[0],
        published=moment(post.get("postedAt")),
        declared=count_at(post, "commentCount"),
        reason=why,
    )


def _next(records: Records, place: Place) -> tuple[Ask, ...]:
    """Ask for the lot that follows, and once for the answers to a question; only count what a file lacks."""
    end = place.offset + len(records.comments)
    left = max(0, records.total - end) if records.total is not None else 0
    if not place.view or not place.post:
        named = {name_at(one, "postId") for one in records.comments} - {None}
        thread = next(iter(named)) if len(named) == 1 else None
        return (Ask("", thread, expects=left),) if left and thread else ()
    asks: list[Ask] = []
    starter = place.starter or next((name_at(post, "userId") or "" for post in records.posts), "")
    more = left > 0 if records.total is not None else len(records.comments) >= LOT
    if more and records.comments:
        asks.append(Place(place.forum, place.post, place.view, end, starter).ask(left))
    if place.view == COMMENTS and any(flag_at(post, "question") for post in records.posts):
        asks.append(Place(place.forum, place.post, ANSWERS, 0, starter).ask())
    return tuple(asks)


def _comment(record: Json, place: Place, starters: Mapping[str | None, str | None]) -> RawComment:
    native_id = name_at(record, "_id")
    thread = name_at(record, "postId") or name_at(record, "post", "_id") or place.post or None
    if not isinstance(record, dict) or native_id is None:
        return RawComment(native_id=None, thread=thread, reason=Reason.WRONG_TYPE, excerpt=str(record)[:EXCERPT])
    state = _state(record)
    text, markup = _text(record)
    parent = name_at(record, "parentCommentId") or name_at(record, "parentComment", "_id")
    user = name_at(record, "userId") or name_at(record, "user", "_id")
    starter = starters.get(thread) or place.starter
    page = f"{place.forum}/posts/{thread}?commentId={native_id}" if place.forum and thread else None
    return RawComment(
        native_id=native_id,
        thread=thread,
        parent=parent if parent != native_id else None,
        author=_author(record),
        role=Role.UNKNOWN if not user or not starter else Role.AUTHOR if user == starter else Role.USER,
        created=moment(record.get("postedAt") or record.get("createdAt")),
        text=text if state is State.VISIBLE else None,
        markup=markup,
        score=number_at(record, "baseScore"),
        state=state,
        url=text_at(record, "pageUrl") or page,
    )


def _state(record: Object) -> State:
    """Tell who took a comment away: whoever is named, else a moderator if there is a reason, else its author."""
    if flag_at(record, "rejected"):
        return State.REMOVED
    if not flag_at(record, "deleted"):
        return State.VISIBLE
    by = name_at(record, "deletedByUserId") or name_at(record, "deletedByUser", "_id")
    if by:
        return State.DELETED if by == name_at(record, "userId") else State.REMOVED
    return State.REMOVED if text_at(record, "deletedReason") else State.DELETED


def _author(record: Object) -> str | None:
    return (
        text_at(record, "user", "displayName")
        or text_at(record, "user", "username")
        or text_at(record, "user", "slug")
        or text_at(record, "author")
    )


def _text(record: Object) -> tuple[str | None, str]:
    """Return the words and how they are marked up: today's `contents`, or the fields of earlier versions."""
    forms = (
        ("html", ("contents", "html")),
        ("html", ("htmlBody",)),
        ("markdown", ("contents", "markdown")),
        ("markdown", ("body",)),
        ("plain", ("contents", "plaintextMainText")),
        ("auto", ("contents",)),
    )
    for markup, path in forms:
        if text := text_at(record, *path):
            return text, markup
    return None, "html"
