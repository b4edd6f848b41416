"""Disqus exports: all threads of a forum with their posts, or WXR with Disqus' names, as it is imported."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from discourse.collect.answers import EXCERPT, Answer
from discourse.collect.moments import moment
from discourse.collect.sources.platform import Page, RawComment, RawThread
from discourse.collect.sources.wordpress_wxr import name_of, told
from discourse.collect.sources.wordpress_wxr import read_export as read_wxr
from discourse.tables import Reason, State


def is_export(answer: Answer) -> bool:
    """Tell whether an answer is an export of Disqus, or WXR that is meant for it."""
    head = answer.body[:4_000]
    if answer.body.lstrip()[:1] != b"<":
        return False
    return b"<disqus" in head or (b"<rss" in head and b"http://www.disqus.com/" in head)


def read_export(answer: Answer) -> Page:
    """Return every thread that has posts, and the posts: deleted and spam without text.

    Raises:
        UnreadableAnswerError: it is no XML.
    """
    if b"<disqus" not in answer.body[:4_000]:
        return read_wxr(answer)
    root = answer.xml()
    posts = [_comment(one) for one in root if name_of(one) == "post"]
    used = {one.thread for one in posts}
    threads = [_thread(one) for one in root if name_of(one) == "thread" and _id(one) in used]
    if not posts:
        return Page((RawThread(native_id="export", reason="the export holds no posts"),))
    return Page(tuple(threads), tuple(posts))


def _thread(record: Element) -> RawThread:
    person = _child(record, "author")
    closed = told(record, "isClosed") == "true"
    return RawThread(
        native_id=_id(record) or "",
        title=told(record, "title"),
        site=told(record, "forum"),
        url=told(record, "link"),
        author=told(person, "name") if person is not None else None,
        article=told(record, "message"),
        published=moment(told(record, "createdAt")),
        reason="comments are closed" if closed else None,
    )


def _comment(record: Element) -> RawComment:
    native_id, thread, above = _id(record), _child(record, "thread"), _child(record, "parent")
    named = _id(thread) if thread is not None else None
    if native_id is None or named is None:
        excerpt = " ".join("".join(record.itertext()).split())[:EXCERPT]
        return RawComment(native_id=native_id, thread=named, reason=Reason.WRONG_TYPE, excerpt=excerpt)
    state = State.VISIBLE
    if told(record, "isSpam") == "true":
        state = State.REMOVED
    elif told(record, "isDeleted") == "true":
        state = State.DELETED
    elif told(record, "isApproved") == "false":
        state = State.HELD
    gone = state in {State.DELETED, State.REMOVED}
    person = _child(record, "author")
    author = (told(person, "name") or told(person, "username")) if person is not None else None
    return RawComment(
        native_id=native_id,
        thread=named,
        parent=_id(above) if above is not None else None,
        author=None if gone else author,
        created=moment(told(record, "createdAt")),
        text=None if gone else told(record, "message"),
        state=state,
    )


def _child(record: Element, name: str) -> Element | None:
    return next((one for one in record if name_of(one) == name), None)


def _id(record: Element) -> str | None:
    found = next((value for key, value in record.attrib.items() if key.rpartition("}")[2] == "id"), None)
    return (found or "").strip() or None
