"""WordPress' feeds of comments, RSS or Atom: the last ten of a post or of a site."""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from selectolax.lexbor import LexborHTMLParser

from discourse.collect.answers import EXCERPT, Answer
from discourse.collect.moments import moment
from discourse.collect.sources.platform import Page, RawComment, RawThread
from discourse.collect.sources.wordpress_wxr import name_of, told
from discourse.tables import Reason

_COMMENT = re.compile(r"#comment-(\d+)$")
_SHAPE = re.compile(rb"<(?:guid|id|link)[^<]{0,500}#comment-\d+")
_TITLE = re.compile(
    r"^(?:Comments on|Kommentare zu|Commentaires sur|Comentarios en|Commenti a|Reacties op)\s*:?\s*(.+)$"
)
_ANSWERS = re.compile(
    r"^\s*<p>[^<]{1,80}<a href=\"[^\"]{1,500}#comment-(\d+)\"[^>]{0,100}>[^<]{0,200}</a>[^<]{0,40}</p>\s*"
)


def is_comment_feed(answer: Answer) -> bool:
    """Tell whether an answer is a feed whose entries are comments of WordPress; an empty one names its generator."""
    head = answer.body[:3_000]
    if b"<rss" not in head and b"<feed" not in head:
        return False
    if b"export/1." in head:
        return False
    empty = b"<item" not in answer.body and b"<entry" not in answer.body
    return _SHAPE.search(answer.body) is not None or (
        empty and b"wordpress.org" in head and "wordpress" in answer.context
    )


def read_comment_feed(answer: Answer) -> Page:
    """Return the comments of a feed, with the parents that their first line names.

    Raises:
        UnreadableAnswerError: it is no XML.
    """
    root = answer.xml()
    channel = next((one for one in root if name_of(one) == "channel"), root)
    titled = _TITLE.match(" ".join((told(channel, "title") or "").split()))
    threads: dict[str, RawThread] = {}
    comments: list[RawComment] = []
    for item in channel:
        if name_of(item) not in {"item", "entry"}:
            continue
        link = _link(item)
        found = _COMMENT.search(link) or _COMMENT.search(told(item, "guid") or told(item, "id") or "")
        if found is None:
            excerpt = " ".join("".join(item.itertext()).split())[:EXCERPT]
            comments.append(RawComment(native_id=None, thread=None, reason=Reason.WRONG_TYPE, excerpt=excerpt))
            continue
        address = re.sub(r"comment-page-\d+/?$", "", link.partition("#")[0])
        thread = _thread(address, told(item, "guid") or told(item, "id") or "")
        title = titled[1] if titled is not None else None
        why = "a feed holds the newest comments only"
        threads[thread] = RawThread(
            native_id=thread, title=title, url=address, site=urlsplit(address).netloc, reason=why
        )
        comments.append(_comment(item, found[1], thread, link))
    return Page(tuple(threads.values()), tuple(comments))


def _comment(item: Element, native_id: str, thread: str, link: str) -> RawComment:
    html = told(item, "encoded") or told(item, "content") or told(item, "description")
    answers = _ANSWERS.match(html or "")
    if html is not None and answers is not None:
        html = html[answers.end() :]
    person = next((one for one in item if name_of(one) == "author"), None)
    author = told(item, "creator") or (told(person, "name") if person is not None else None)
    named = next((one.get("ref") or "" for one in item if name_of(one) == "in-reply-to"), "")
    above = _COMMENT.search(named)
    kept = html if html and (LexborHTMLParser(html).text(strip=True) or "<img" in html) else None
    return RawComment(
        native_id=native_id,
        thread=thread,
        parent=answers[1] if answers is not None else above[1] if above is not None else None,
        author=author,
        created=moment(told(item, "pubDate") or told(item, "published") or told(item, "updated")),
        text=kept,
        url=link or None,
    )


def _link(item: Element) -> str:
    for one in item:
        if name_of(one) == "link":
            return (one.text or "").strip() or one.get("href") or ""
    return ""


def _thread(address: str, guid: str) -> str:
    parts = urlsplit(address)
    post = re.search(r"[?&](?:p|page_id)=(\d+)", f"{address} {guid}")
    return f"{parts.netloc}/{post[1]}" if post is not None else f"{parts.netloc}{parts.path}".rstrip("/")
