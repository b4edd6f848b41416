"""WordPress exports (WXR 1.0 to 1.2): every post with comments is a thread, with held, spam and trashed rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from xml.etree.ElementTree import Element

from discourse.collect.answers import EXCERPT, Answer, UnreadableAnswerError
from discourse.collect.moments import UNKNOWN, moment
from discourse.collect.sources.platform import Page, RawComment, RawThread
from discourse.collect.sources.web_address import site_of
from discourse.tables import Reason, Role, State

_STATES = {"0": State.HELD, "hold": State.HELD, "spam": State.REMOVED, "trash": State.REMOVED,
           "post-trashed": State.REMOVED}  # fmt: skip
_COMMENTS = {"", "comment", "review"}
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_NAMESPACE = b"wordpress.org/export/"
_DISQUS = b"disqus.com"


def is_export(answer: Answer) -> bool:
    """Tell whether an answer is an export: RSS with the names of WXR."""
    head = answer.body[:8_000]
    return b"<rss" in head and _NAMESPACE in head


def read_export(answer: Answer) -> Page:
    """Return a thread for each post with comments.

    Raises:
        UnreadableAnswerError: it is no XML, also without the control characters that old exports hold.
    """
    try:
        root = answer.xml()
    except UnreadableAnswerError:
        root = replace(answer, body=_CONTROL.sub(b"", answer.body)).xml()
    channel = next((one for one in root if name_of(one) == "channel"), root)
    site = told(channel, "base_blog_url") or told(channel, "base_site_url") or told(channel, "link") or ""
    logins = {
        told(one, "author_id") or "": told(one, "author_login")
        for one in channel
        if name_of(one) in {"author", "wp_author"}
    }
    threads: list[RawThread] = []
    comments: list[RawComment] = []
    for item in channel:
        if name_of(item) != "item" or not any(name_of(one) == "comment" for one in item):
            continue
        thread = _thread(item, site)
        threads.append(thread)
        comments += [
            _comment(one, thread, logins.get(told(one, "comment_user_id") or "0"))
            for one in item
            if name_of(one) == "comment"
        ]
    if not threads:
        return Page(
            (RawThread(native_id=site_of(site) or "export", url=site or None, reason="the export holds no comments"),)
        )
    return Page(tuple(threads), tuple(comments))


def name_of(element: Element) -> str:
    """Return an element's name without its namespace, whose version changes."""
    return str(element.tag).rpartition("}")[2]


def told(element: Element, name: str) -> str | None:
    """Return the text of the first child of a name; None if there is none or it is blank."""
    for one in element:
        if name_of(one) == name:
            return (one.text or "").strip() or None
    return None


def _thread(item: Element, site: str) -> RawThread:
    link = told(item, "link") or told(item, "guid")
    identifier = told(item, "post_id") or told(item, "thread_identifier") or link or told(item, "title") or ""
    host = site_of(link or "") or site_of(site)
    article = next((one.text for one in item if name_of(one) == "encoded" and "content" in str(one.tag)), None)
    return RawThread(
        native_id=f"{host}/{identifier}" if host and "://" not in identifier else identifier,
        title=told(item, "title"),
        site=host or None,
        url=link,
        author=told(item, "creator"),
        article=article or None,
        published=moment(_gmt(told(item, "post_date_gmt")) or told(item, "pubDate") or told(item, "post_date")),
        reason="comments are closed" if told(item, "comment_status") == "closed" else None,
    )


def _comment(record: Element, thread: RawThread, login: str | None) -> RawComment:
    native_id, kind = told(record, "comment_id"), told(record, "comment_type") or ""
    excerpt = " ".join(_words(record))[:EXCERPT]
    if native_id is None:
        return RawComment(native_id=None, thread=thread.native_id, reason=Reason.WRONG_TYPE, excerpt=excerpt)
    if kind not in _COMMENTS:
        return RawComment(native_id=native_id, thread=thread.native_id, reason=Reason.NOT_A_COMMENT, excerpt=excerpt)
    state = _STATES.get(told(record, "comment_approved") or "1", State.VISIBLE)
    parent = told(record, "comment_parent")
    gmt = _gmt(told(record, "comment_date_gmt")) or _gmt(told(record, "comment_date"))
    return RawComment(
        native_id=native_id,
        thread=thread.native_id,
        parent=None if parent in {None, "0", native_id} else parent,
        author=told(record, "comment_author"),
        role=Role.AUTHOR if login is not None and login == thread.author else Role.UNKNOWN,
        created=moment(gmt) if gmt is not None else UNKNOWN,
        text=None if state is State.REMOVED else told(record, "comment_content"),
        markup="html",
        state=state,
        url=f"{thread.url}#comment-{native_id}" if thread.url else None,
    )


def _words(record: Element) -> Iterator[str]:
    for one in record:
        if name_of(one) in {"comment_author", "comment_author_url", "comment_content"} and one.text:
            yield " ".join(one.text.split())


def _gmt(value: str | None) -> str | None:
    return None if value is None or value.startswith("0000") else value
