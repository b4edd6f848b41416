"""Reddit's feed of a thread: the newest comments, without what they answer; all that is to be had without keys."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from selectolax.lexbor import LexborHTMLParser

from discourse.collect.answers import EXCERPT, Answer, UnreadableAnswerError
from discourse.collect.moments import moment
from discourse.collect.sources.platform import Page, RawComment, RawThread
from discourse.tables import Reason, ReplyKind, Role, State

_ATOM = "{http://www.w3.org/2005/Atom}"
_THREAD = re.compile(r"/comments/([a-z0-9]+)")
_GONE = {"[deleted]": State.DELETED, "[removed]": State.REMOVED}
_ONLY = "Reddit's feed holds only the newest comments, without what they answer; with keys all can be had"


def is_feed(body: bytes) -> bool:
    """Tell whether bytes are an Atom feed of Reddit's."""
    start = body[:3000]
    return b"<feed" in start and (b"reddit.com/" in start or b"redditstatic.com" in start)


def read_feed(answer: Answer) -> Page:
    """Read a feed.

    Raises:
        UnreadableAnswerError: it is no feed.
    """
    root = answer.xml()
    if root.tag != f"{_ATOM}feed":
        raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "no Atom feed")
    threads: dict[str, RawThread] = {}
    comments: list[RawComment] = []
    posters: dict[str, str | None] = {}
    community = _attribute(root.find(f"{_ATOM}category"), "term")
    for entry in root.iterfind(f"{_ATOM}entry"):
        name = _text(entry, "id") or ""
        url = _attribute(entry.find(f"{_ATOM}link"), "href")
        found = _THREAD.search(url or "")
        thread = name if name.startswith("t3_") else f"t3_{found.group(1)}" if found else None
        comment = _entry(entry, name, thread, url)
        if thread is not None and name == thread:
            posters[thread] = comment.author
            threads[thread] = RawThread(
                native_id=thread,
                title=_text(entry, "title"),
                site="www.reddit.com",
                community=_attribute(entry.find(f"{_ATOM}category"), "term") or community,
                url=url,
                author=comment.author,
                article=comment.text,
                published=comment.created,
                reason=_ONLY,
            )
            if comment.text is None and comment.state is State.VISIBLE:
                continue
        elif thread is not None and thread not in threads:
            threads[thread] = RawThread(native_id=thread, site="www.reddit.com", community=community, reason=_ONLY)
        comments.append(comment)
    return Page(tuple(threads.values()), tuple(comments))


def _entry(entry: Element, name: str, thread: str | None, url: str | None) -> RawComment:
    if not name.startswith(("t1_", "t3_")):
        excerpt = " ".join("".join(entry.itertext()).split())[:EXCERPT]
        return RawComment(native_id=name or None, thread=thread, reason=Reason.WRONG_TYPE, excerpt=excerpt)
    opening = name.startswith("t3_")
    author = (_text(entry, "author", "name") or "").removeprefix("/u/").strip()
    text, state = _words(_text(entry, "content"), opening=opening)
    return RawComment(
        native_id=name,
        thread=thread,
        kind=ReplyKind.OPENING if opening else ReplyKind.FLATTENED,
        author=author if author and author != "[deleted]" else None,
        role=Role.AUTHOR if opening else Role.BOT if author == "AutoModerator" else Role.UNKNOWN,
        created=moment(_text(entry, "published") or _text(entry, "updated")),
        text=text,
        state=state,
        url=url,
    )


def _words(content: str | None, *, opening: bool) -> tuple[str | None, State]:
    """Return the HTML that the person wrote, out of what Reddit wraps around it."""
    if content is None:
        return None, State.VISIBLE if opening else State.DELETED
    body = LexborHTMLParser(content).css_first("div.md")
    if body is None:
        return (None if opening else content), State.VISIBLE
    state = _GONE.get(body.text(strip=True), State.VISIBLE)
    return (body.inner_html or "").strip() or None if state is State.VISIBLE else None, state


def _text(entry: Element, *path: str) -> str | None:
    found = entry.findtext("/".join(f"{_ATOM}{step}" for step in path))
    return found.strip() or None if found is not None else None


def _attribute(element: Element | None, name: str) -> str | None:
    return (element.get(name) or None) if element is not None else None
