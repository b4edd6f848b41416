"""Discourse forums: `/t/ID.json` holds 20 posts and the ids of all; the others come from `/t/ID/posts.json` in lots."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from selectolax.lexbor import LexborHTMLParser

from discourse.collect.answers import EXCERPT, Answer, Ask, Json, UnreadableAnswerError
from discourse.collect.jsonvalues import Object, as_list, as_object, at, count_at, flag_at, name_at, objects, text_at
from discourse.collect.moments import moment
from discourse.collect.sources.platform import Login, Page, RawComment, RawThread
from discourse.tables import Reason, ReplyKind, Role, State

# Discourse answers no more than this many posts at once (`TopicView.chunk_size`).
LOT = 20
_TOPIC = re.compile(
    r"(?P<folder>(?:/[^/]+)*?)/t/(?:[^/]*[^/\d][^/]*/)?(?P<id>\d+)(?:/(?:\d+|posts|last))?(?:\.json)?/?"
)
_SMALL_ACTION = "3"
_LIKE = "2"
_REFUSALS = {
    401: "the forum shows this topic to members only",
    403: "the forum does not show this topic to everybody",
    404: "the forum has no such topic, or shows it to members only",
    410: "the topic was deleted",
}


@dataclass(frozen=True, slots=True)
class _Topic:
    """What is known of an answer's topic: its forum (empty in a file), its number, and the user id of its starter."""

    forum: str
    number: str
    starter: str

    @property
    def thread(self) -> str:
        """The thread's id."""
        home = self.forum.partition("://")[2]
        return f"{home}/{self.number}" if home else self.number

    def ask(self, lot: tuple[str, ...] = ()) -> Ask:
        """Return the request for the topic, or for a lot of its posts."""
        context = tuple(sorted({"discourse": "topic", "forum": self.forum, "topic": self.number,
                                "starter": self.starter}.items()))  # fmt: skip
        url = f"{self.forum}/t/{self.number}.json"
        if lot:
            url = f"{self.forum}/t/{self.number}/posts.json?{urlencode([('post_ids[]', one) for one in lot])}"
        return Ask(url, self.thread, expects=len(lot), context=context)


@dataclass(frozen=True, slots=True)
class DiscourseForum:
    """Topics of any Discourse forum that shows them to everybody."""

    name: str = "discourse"
    title: str = "Discourse"
    needs: tuple[str, ...] = ()
    reads: str = "https://forum.example.org/t/some-topic/123; saved answers of /t/ID.json and /t/ID/posts.json"
    loses: str = "text of deleted and hidden posts; whispers; topics for members only; votes in polls"

    def start(self, url: str) -> tuple[Ask, ...]:
        """Ask for the topic; its number is the last one in the address, or the one before the number of a post."""
        topic = _topic_of(url)
        return (topic.ask(),) if topic else ()

    def claims(self, answer: Answer) -> bool:
        """Know our own requests, and answers with a stream of posts or a list of topics."""
        if "discourse" in answer.context:
            return True
        if not any(mark in answer.body for mark in (b'"post_stream"', b'"topic_list"')):
            return False
        try:
            body = answer.json()
        except UnreadableAnswerError:
            # Cut short, but what is left says whose it was.
            return answer.body.lstrip().startswith(b"{") and b'"post_number"' in answer.body
        return isinstance(at(body, "post_stream"), dict) or isinstance(at(body, "topic_list", "topics"), list)

    def read(self, answer: Answer) -> Page:
        """Read a topic or a lot of its posts; a refusal says why there are none."""
        if not answer.ok:
            topic = _topic(answer, None)
            why = _REFUSALS.get(answer.status)
            return Page((RawThread(native_id=topic.thread, reason=why),)) if why and topic.number else Page()
        body = answer.json()
        if "topic_list" in as_object(body):
            raise UnreadableAnswerError(
                Reason.NOT_A_COMMENT, answer.excerpt(), "a list of topics without their posts; collect each topic"
            )
        posts = at(body, "post_stream", "posts")
        if not isinstance(posts, list):
            raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "no topic of a Discourse forum")
        topic = _topic(answer, body)
        comments = tuple(_comment(post, topic) for post in posts)
        return Page((_thread(as_object(body), topic, posts),), comments, _missing(body, topic, posts))

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """Need no keys."""
        del environment
        return None


def _topic_of(url: str) -> _Topic | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    found = _TOPIC.fullmatch(parts.path)
    if parts.scheme not in {"http", "https"} or not parts.netloc or not found:
        return None
    return _Topic(f"{parts.scheme}://{parts.netloc}{found['folder']}", found["id"], "")


def _topic(answer: Answer, body: Json) -> _Topic:
    context = answer.context
    named = _topic_of(answer.url)
    number = name_at(body, "id") or name_at(body, "post_stream", "posts", 0, "topic_id")
    return _Topic(
        context.get("forum") or (named.forum if named else ""),
        context.get("topic") or number or (named.number if named else ""),
        name_at(body, "user_id") or name_at(body, "details", "created_by", "id") or context.get("starter", ""),
    )


def _thread(body: Object, topic: _Topic, posts: list[Json]) -> RawThread:
    count = count_at(body, "posts_count")
    opening = next((post for post in objects(posts) if name_at(post, "post_number") == "1"), {})
    gone = _state(opening) is not State.VISIBLE
    return RawThread(
        native_id=topic.thread,
        title=text_at(body, "title"),
        site=urlsplit(topic.forum).netloc or None,
        community=name_at(body, "category_id"),
        url=f"{topic.forum}/t/{topic.number}" if topic.forum else None,
        author=text_at(body, "details", "created_by", "username") or text_at(opening, "username"),
        article=None if gone else _blockquoted(text_at(opening, "cooked")),
        published=moment(body.get("created_at")),
        declared=max(count - 1, 0) if count is not None else None,
    )


def _missing(body: Json, topic: _Topic, posts: list[Json]) -> tuple[Ask, ...]:
    """Ask for the posts of the stream that this answer does not hold; only say how many in a file without address."""
    here = {name_at(post, "id") for post in posts}
    stream = [name for n in range(len(as_list(at(body, "post_stream", "stream"))))
              if (name := name_at(body, "post_stream", "stream", n))]  # fmt: skip
    missing = tuple(dict.fromkeys(name for name in stream if name not in here))
    if topic.forum:
        return tuple(topic.ask(missing[n : n + LOT]) for n in range(0, len(missing), LOT))
    count = max(0, min(len(missing), len(stream) - len(here)))
    return (Ask("", topic.thread, expects=count),) if count else ()


def _comment(post: Json, topic: _Topic) -> RawComment:
    native_id, number = name_at(post, "id"), name_at(post, "post_number")
    if not isinstance(post, dict) or native_id is None:
        return RawComment(native_id=None, thread=topic.thread, reason=Reason.WRONG_TYPE, excerpt=str(post)[:EXCERPT])
    text, state = text_at(post, "cooked"), _state(post)
    answered = name_at(post, "reply_to_post_number")
    small = name_at(post, "post_type") == _SMALL_ACTION or (text is None and text_at(post, "action_code") is not None)
    return RawComment(
        native_id=native_id,
        thread=topic.thread,
        parent=None if answered in {None, "1", number} else f"#{answered}",
        alias=f"#{number}" if number else None,
        kind=ReplyKind.OPENING if number == "1" else None,
        author=text_at(post, "username"),
        role=_role(post, topic),
        created=moment(post.get("created_at")),
        text=_blockquoted(text) if state is State.VISIBLE else None,
        score=_likes(post),
        state=state,
        url=f"{topic.forum}/t/{topic.number}/{number}" if topic.forum and number else None,
        reason=Reason.NOT_A_COMMENT if small else None,
        excerpt=(text or text_at(post, "action_code") or "small action")[:EXCERPT] if small else None,
    )


def _state(post: Object) -> State:
    if flag_at(post, "user_deleted"):
        return State.DELETED
    if post.get("deleted_at"):
        by = name_at(post, "deleted_by", "id")
        return State.DELETED if by is not None and by == name_at(post, "user_id") else State.REMOVED
    # Hidden after flags: readers see a line in place of the text until the author mends it or a moderator decides.
    return State.REMOVED if flag_at(post, "hidden") else State.VISIBLE


def _role(post: Object, topic: _Topic) -> Role:
    user = name_at(post, "user_id")
    # The accounts of the software itself have numbers below zero.
    if user and user.startswith("-"):
        return Role.BOT
    if user and user == topic.starter:
        return Role.AUTHOR
    if any(flag_at(post, flag) for flag in ("staff", "moderator", "admin")):
        return Role.STAFF
    return Role.USER if "staff" in post or "moderator" in post else Role.UNKNOWN


def _likes(post: Object) -> float | None:
    if not isinstance(post.get("actions_summary"), list):
        return None
    counts = [count_at(one, "count") for one in objects(post["actions_summary"]) if name_at(one, "id") == _LIKE]
    return float(next((count for count in counts if count is not None), 0))


def _blockquoted(cooked: str | None) -> str | None:
    """Return a post in which quotes are plain blockquotes, without the line that names whom they quote."""
    if cooked is None or "<aside" not in cooked:
        return cooked
    tree = LexborHTMLParser(cooked)
    for aside in tree.css("aside.quote"):
        for title in aside.css("div.title"):
            title.decompose()
        aside.unwrap()
    return tree.body.inner_html if tree.body is not None else cooked
