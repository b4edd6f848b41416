"""Isso's Atom feed of a thread: its newest comments (RFC 4287, with the replies of RFC 4685)."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from discourse.collect.answers import EXCERPT, Answer
from discourse.collect.moments import moment
from discourse.collect.sources.platform import Page, RawComment, RawThread
from discourse.tables import Reason, State

_ATOM = "{http://www.w3.org/2005/Atom}"
_THREADING = "{http://purl.org/syndication/thread/1.0}"
_FEED = re.compile(rb"<id>tag:[^<>]{0,300}:/isso/thread")
_THREAD = re.compile(r"tag:(?P<host>[^,]*),\d+:/isso/thread(?P<uri>.*)")
_COMMENT = re.compile(r"tag:[^,]*,\d+:/isso/\d+/(?P<id>\d+)")


def is_feed(answer: Answer) -> bool:
    """Tell whether an answer is the feed of a thread, by the id that Isso gives it."""
    return _FEED.search(answer.body[:4_000]) is not None


def read_feed(answer: Answer, thread: str) -> Page:
    """Read the comments of a feed; it does not tell how many there are besides.

    Args:
        answer: which is a feed.
        thread: the thread's id; if empty, the site and the thread's name in the feed make one.

    Raises:
        UnreadableAnswerError: it is no XML or declares entities.
    """
    feed = answer.xml()
    named = _THREAD.fullmatch((feed.findtext(f"{_ATOM}id") or "").strip())
    thread = thread or (f"{named['host']}{named['uri']}" if named is not None else "unnamed")
    told = RawThread(
        native_id=thread,
        site=named["host"] or None if named is not None else None,
        title=(feed.findtext(f"{_ATOM}title") or "").removeprefix("Comments for ").strip() or None,
        reason="only a feed of the newest comments was read",
    )
    return Page((told,), tuple(_comment(entry, thread) for entry in feed.iter(f"{_ATOM}entry")))


def _comment(entry: Element, thread: str) -> RawComment:
    found = _COMMENT.fullmatch((entry.findtext(f"{_ATOM}id") or "").strip())
    text = entry.findtext(f"{_ATOM}content") or None
    if found is None:
        excerpt = " ".join("".join(entry.itertext()).split())[:EXCERPT]
        return RawComment(native_id=None, thread=thread, reason=Reason.MALFORMED, excerpt=excerpt)
    above = entry.find(f"{_THREADING}in-reply-to")
    parent = _COMMENT.fullmatch(above.get("ref", "")) if above is not None else None
    link = entry.find(f"{_ATOM}link")
    author = (entry.findtext(f"{_ATOM}author/{_ATOM}name") or "").strip() or None
    return RawComment(
        native_id=found["id"],
        thread=thread,
        parent=parent["id"] if parent is not None else None,
        author=author,
        # Of an edited comment it is the time of the change.
        created=moment(entry.findtext(f"{_ATOM}updated")),
        text=text,
        state=State.VISIBLE if text or author else State.DELETED,
        url=link.get("href") if link is not None else None,
    )
