"""Comments in the markup that blogs and newspapers share: `li.comment`, `#comment-12`, `data-comment-id`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from selectolax.lexbor import LexborHTMLParser, LexborNode

from discourse.collect.answers import EXCERPT
from discourse.collect.moments import UNKNOWN, Moment
from discourse.collect.sources.page_items import Item, attribute, items_of, number_of, outermost, take_apart, tokens
from discourse.collect.sources.page_words import counted, written_time
from discourse.collect.sources.platform import RawComment
from discourse.tables import Reason, Role, State

_ID = re.compile(
    r"(?:(?:li-|div-|dt-)?(?:comment|commento|kommentar|cmt|post-comment|com|c)[-_]?|wpd-comm-)(\d+)(?:_\d+)?",
    re.IGNORECASE,
)
_CLASSES = {
    "comment", "comment-item", "comment_item", "commentitem", "single-comment", "comment-single", "comment-entry",
    "user-comment", "comments-item", "comments__item", "comment-list__item",
    "commentlist-item", "h-cite", "u-comment", "media-comment", "c-comment",
}  # fmt: skip
_PINGS = {"pingback", "trackback", "webmention", "trackbacks", "pingbacks"}
_TAGS = {"li", "div", "article", "dt", "section", "tr", "blockquote", "table", "details", "p"}
_NAMED = ("data-comment-id", "data-commentid", "data-comment_id", "data-cid")
_NOT_HERE = re.compile(r"recent-?_?comments|latest-comments|sidebar|widget|comment-?form|respond|related|top-comments")
_BODY = (
    '[itemprop="text"], [itemprop="commentText"]',
    ".wp-block-comment-content, .comment-content, .comment__content, .comment_content, .commentcontent",
    ".comment-text, .comment_text, .commenttext, .comment__text, .comment-message, .comment__message, .comment-copy",
    ".e-content, .p-summary, .format_text, .comment-entry-content, .entry-content, .comment-description",
    '[id^="comment-body-"], [id^="commenttext-"], .comment__body, .comment_body, .commentbody, .comment-body-text',
    '[class*="comment-text"], [class*="comment-content"], [class*="comment__text"], [class*="comment-message"]',
    ".comment-entry .entry, .comment-inner .text, .comment-bodytext, .content, .text, .body, .message",
)
_FRAMES = ".comment-body, .comment-container, .comment-inner, .comment-wrap, .comment-block"
# What stands in a comment's frame and is not its text.
_FURNITURE = (
    "script, style, form, noscript, template, img.avatar, .avatar, .vcard, .comment-author, .comment-meta, .reply, "
    ".commentmetadata, .comment-metadata, .says, .comment-reply-link, .edit-link, .comment-edit-link, cite.fn, header, "
    "footer, .comment-awaiting-moderation, .comment-actions, .comment-footer, .comment-header, .comment-info, time, "
    ".comment-date, .comment-time, .comment_time, .comment_author, .author, .meta, .metadata, .date, .comment-tools, "
    ".comment-options, .comment-links, .reply-link, .permalink, button, .votes, .comment-votes, .sharedaddy, .likes, "
    ".comment-respond, .comment-head, .comment-number, .comment-avatar, .screen-reader-text, .comment-author-name"
)
_AUTHOR = (
    '[itemprop="author"] [itemprop="name"], [itemprop="creator"] [itemprop="name"]',
    ".fn, .wp-block-comment-author-name, .comment-author-name, .comment__author-name, .comment-author-link",
    ".comment_author, .comment-author, .comment__author, .comment-author-title, .p-author, .p-name, .commenter",
    '.author-name, .author, .username, .user-name, .comment-name, .commenter-name, [rel="author"], .comment-user',
    '[itemprop="author"], [itemprop="creator"], [class*="author"], [class*="username"], cite',
)
_TIME = (
    "time[datetime]",
    '[itemprop="dateCreated"], [itemprop="datePublished"], [itemprop="commentTime"]',
    "abbr.published[title], abbr.timeago[title], .dt-published, [data-timestamp], [data-time], [data-created]",
    ".wp-block-comment-date, .comment-date, .comment-time, .comment_time, .comment_date, .comment__date, time",
    ".comment-metadata a, .commentmetadata a, .comment-meta a, .comment-permalink, .comment__time",
    '.comment-metadata, .commentmetadata, .comment-meta, .date, .time, .timestamp, .published, [class*="date"]',
    '[class*="time"], .submitted, .meta, .info, small',
)
_WHEN = ("datetime", "content", "title", "data-timestamp", "data-time", "data-created")
_SCORE = ("[itemprop=upvoteCount]", ".vote-count, .comment-score, .comment-votes, .likes-count, .comment-karma, .score")
_SAYS = re.compile(
    r"\s*(?:\b(?:says?|said|wrote|writes|sagt|sagte|schreibt|meint|dit|a dit|a écrit|dice|dijo|ha detto|zegt|schreef"
    r"|disse|napisał|säger|sier|siger|пишет|говорит|のコメント)\b[\s.\u2026]*)?[:：,]?\s*$",
    re.IGNORECASE,
)
_LEADING = re.compile(r"^\s*(?:says|said|wrote|sagt|schreibt|dit|dice)\s*:?\s*(?:<br\s*/?>\s*)*", re.IGNORECASE)
_REPLY_TO = (".in-reply-to a, .comment-in-reply-to a, .reply-to a, .comment-parent a, .parent-link, .u-in-reply-to",)
_PARENTS = ("data-parent", "data-parent-id", "data-parent-comment-id", "data-comment-parent", "data-parentid")
_HEADINGS = (
    '[itemprop="commentCount"], .comments-title, .comments-heading, .comment-title, .comments-header, '
    ".comment-reply-count, #comments-title, h1#comments, h2#comments, h3#comments, h4#comments, h5#comments, "
    "#comments-number, .comments_intro, "
    "#comments h2, #comments h3, #comments h4, .comments h2, .comments h3, #comments > p, .comments-area h2, "
    ".comments-area h3, .comment-count, .comments-count, .comment-number, .comments-link, .comments-number, "
    '[class*="thread-info"]'
)


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What is known of a page beside its markup.

    Attributes:
        url: its address, empty if unknown.
        language: as in ``<html lang>``.
        seen: when it was received.
    """

    url: str
    language: str
    seen: datetime


def common_markup(page: LexborHTMLParser, facts: PageFacts) -> list[RawComment]:
    """Return the comments of a page, parents by nesting, by named parents or by depth; takes the page apart."""
    items = items_of(page, _marked)
    if not items:
        return []
    names = {id(item): _native_id(item.node) for item in items}
    items = outermost(items, names)
    if any(names[id(item)] for item in items):
        # Elements that only look like comments stand beside those that have ids.
        items = _with_ids(items, names)
    return read_items(items, names, facts)


def read_items(items: list[Item], names: Mapping[int, str | None], facts: PageFacts) -> list[RawComment]:
    """Read each comment's own part; one without text and author is a wrapper, and its answers go one level up."""
    read: dict[int, RawComment] = {}
    take_apart(items, lambda item: read.__setitem__(id(item), _comment(item, names.get(id(item)), facts)))
    found: list[RawComment] = []
    known: dict[int, str | None] = {}
    for item in items:
        comment = read[id(item)]
        above = known.get(id(item.above)) if item.above is not None else None
        empty = comment.text is None and comment.state is State.VISIBLE and comment.reason is None
        if empty and (comment.author is None or comment.native_id is None):
            known[id(item)] = above
            continue
        parent = comment.parent or above
        native_id = comment.native_id or fingerprint(comment, parent)
        known[id(item)] = native_id
        found.append(_replaced(comment, native_id, None if parent == native_id else parent))
    return found


def fingerprint(comment: RawComment, parent: str | None) -> str:
    """Return an id for a comment that has none: the same words of the same person at the same time and place."""
    told = "\0".join((comment.author or "", str(comment.created.at or ""), comment.text or "", parent or ""))
    return "x" + hashlib.sha256(told.encode("utf-8", errors="replace")).hexdigest()[:16]


def declared_in(page: LexborHTMLParser) -> int | None:
    """Return how many comments the page's own heading names."""
    for node in page.css(_HEADINGS):
        if _elsewhere(node):
            continue
        value = attribute(node, "content")
        if value is not None and value.strip().isdecimal():
            return int(value.strip()[:9])
        words = node.text(separator=" ")
        number = counted(words)
        if number is not None:
            return number
        if attribute(node, "itemprop") == "commentCount" and words.strip().isdecimal():
            return int(words.strip()[:9])
    return None


def trackbacks(page: LexborHTMLParser) -> list[RawComment]:
    """Return the links of other sites that stand in lists of their own."""
    lists = (
        '[id*="trackback_list"] > li, .trackbacklist > li, .pinglist > li, .pingbacks > li, .trackbacks > li, '
        "#pings > li"
    )
    return [_ping(node, None) for node in page.css(lists) if not _marked(node)]


def inner(node: LexborNode) -> str | None:
    """Return what stands within an element, as HTML; None if no words and no picture do."""
    if not node.text(strip=True) and node.css_first("img, iframe, video, embed") is None:
        return None
    html = "".join(child.html or "" for child in node.iter(include_text=True))
    return html.strip() or None


def time_in(node: LexborNode | None, facts: PageFacts, pattern: str | None = None) -> Moment:
    """Return the time of an element: its machine-readable attribute, or its words."""
    if node is None:
        return UNKNOWN
    for name in _WHEN:
        value = attribute(node, name)
        if value is not None:
            told = written_time(value, facts.language, facts.seen, pattern)
            if told.at is not None:
                return told
    return written_time(node.text(separator=" "), facts.language, facts.seen, pattern)


def _marked(node: LexborNode) -> bool:
    if node.tag not in _TAGS:
        return False
    classes = tokens(node)
    if classes & _PINGS and (classes & {"comment", "depth-1"} or _ID.fullmatch(node.id or "")):
        return not _elsewhere(node)
    by_id = _ID.fullmatch(node.id or "") is not None and (
        len(node.id or "") > 4 or bool(classes & _CLASSES) or "comment" in " ".join(classes)
    )
    if not (by_id or classes & _CLASSES or any(attribute(node, name) for name in _NAMED)):
        return False
    if {"comment-form", "no-comments", "nocomments", "comment-reply-link"} & classes:
        return False
    return not _elsewhere(node)


def _elsewhere(node: LexborNode) -> bool:
    """Tell whether an element stands in a form, a sidebar or a list of the newest comments of the whole site."""
    above: LexborNode | None = node
    for _ in range(60):
        if above is None or above.tag in {"body", "html"}:
            return False
        if above.tag in {"form", "aside", "nav", "template"}:
            return True
        # A page builder calls its blocks widgets, so that this tells nothing of what holds the comments.
        name = f"{above.id or ''} {attribute(above, 'class') or ''}".lower()
        found = _NOT_HERE.search(name)
        if found is not None and "elementor" not in name and above.css_first(".comment-list, .commentlist") is None:
            return True
        above = above.parent
    return False


def _native_id(node: LexborNode) -> str | None:
    found = _ID.fullmatch(node.id or "")
    if found is not None:
        return found[1]
    return next((value.strip()[:100] for name in _NAMED if (value := attribute(node, name))), None) or _linked(node)


def _linked(node: LexborNode) -> str | None:
    """Return the number of the anchor before an element, or of one at its start, as older themes write it."""
    before = node.prev
    while before is not None and not before.is_element_node:
        before = before.prev
    anchors = [before if before is not None and before.tag == "a" else None]
    inside: LexborNode | None = node
    for _ in range(3):
        inside = next((one for one in inside.iter()), None) if inside is not None else None
        anchors.append(inside if inside is not None and inside.tag == "a" else None)
    for anchor in anchors:
        found = _ID.fullmatch((attribute(anchor, "name") or anchor.id or "") if anchor is not None else "")
        if found is not None:
            return found[1]
    return None


def _with_ids(items: list[Item], names: Mapping[int, str | None]) -> list[Item]:
    lifted: dict[int, Item | None] = {}
    kept: list[Item] = []
    for item in items:
        if item.above is not None and id(item.above) in lifted:
            item.above = lifted[id(item.above)]
        if names.get(id(item)) is None and not tokens(item.node) & _PINGS:
            lifted[id(item)] = item.above
        else:
            kept.append(item)
    return kept


def _comment(item: Item, native_id: str | None, facts: PageFacts) -> RawComment:
    classes = tokens(item.node)
    if classes & _PINGS:
        return _ping(item.node, native_id)
    state = _state(item, classes)
    link = item.first(_REPLY_TO)
    parent = next((value for name in _PARENTS if (value := attribute(item.node, name))), None)
    parent = parent or (number_of(attribute(link, "href")) if link is not None else None)
    # In this order: what is read for the author takes times and labels away.
    created = _time(item, facts)
    author = _author(item)
    score = item.first(_SCORE)
    points = re.search(r"[-+]?\d{1,9}", score.text()) if score is not None else None
    text = _text(item) if state in {State.VISIBLE, State.HELD} else None
    return RawComment(
        native_id=native_id,
        thread=None,
        parent=None if parent in {None, "", "0"} else parent,
        author=author,
        role=Role.AUTHOR if "bypostauthor" in classes else Role.UNKNOWN,
        created=created,
        text=text,
        score=float(points[0]) if points is not None else None,
        state=state,
        url=f"{facts.url.partition('#')[0]}#{item.node.id}" if facts.url and item.node.id else None,
    )


def _replaced(comment: RawComment, native_id: str, parent: str | None) -> RawComment:
    return RawComment(
        native_id=native_id, thread=None, parent=parent, author=comment.author, role=comment.role, state=comment.state,
        created=comment.created, text=comment.text, score=comment.score, url=comment.url, reason=comment.reason,
        excerpt=comment.excerpt,
    )  # fmt: skip


def _ping(node: LexborNode, native_id: str | None) -> RawComment:
    excerpt = " ".join(node.text(separator=" ").split())[:EXCERPT]
    return RawComment(native_id=native_id, thread=None, reason=Reason.NOT_A_COMMENT, excerpt=excerpt)


def _state(item: Item, classes: set[str]) -> State:
    if item.first((".comment-awaiting-moderation",)) is not None:
        return State.HELD
    if classes & {"removed", "comment-removed", "comment--removed", "moderated"}:
        return State.REMOVED
    return State.DELETED if classes & {"deleted", "comment-deleted", "comment--deleted"} else State.VISIBLE


def _author(item: Item) -> str | None:
    for selector in _AUTHOR:
        found = item.first((selector,))
        if found is None:
            continue
        _remove(found, ".says, time, .screen-reader-text, .comment-meta, .date, .comment-date")
        found = found.css_first("strong, b, cite, .name, .fn") or found
        name = _SAYS.sub("", " ".join((attribute(found, "content") or found.text(separator=" ")).split()))
        if name and len(name) <= 120:  # a longer one is a wrapper, whose class only sounds so
            if found.tag in {"cite", "b", "strong", "span", "a"}:
                found.decompose()
            return name
    return None


def _time(item: Item, facts: PageFacts) -> Moment:
    for selector in _TIME:
        for part in item.parts:
            for node in part.css(selector)[:3]:
                found = time_in(node, facts)
                if found.at is not None:
                    return found
    return UNKNOWN


def _text(item: Item) -> str | None:
    for selector in _BODY:
        found = item.first((selector,))
        if found is not None and (text := _cleaned(found, "script, style, .comment-reply-link, .reply, form")):
            return text
    frames = [item.first((_FRAMES,)), *item.more, item.node]
    for frame in frames:
        if frame is not None and (text := _cleaned(frame, _FURNITURE)):
            return _LEADING.sub("", text) or None
    return None


def _cleaned(node: LexborNode, furniture: str) -> str | None:
    _remove(node, furniture)
    return inner(node)


def _remove(node: LexborNode, selector: str) -> None:
    """Remove what a selector finds within an element, the last first: removing an element frees all within it."""
    for part in reversed(node.css(selector)):
        if part.mem_id != node.mem_id:
            part.decompose()
