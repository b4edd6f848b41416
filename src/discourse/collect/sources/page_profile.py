"""The comments of a page by a user's profile."""

from __future__ import annotations

import re
from dataclasses import replace

from selectolax.lexbor import LexborHTMLParser, LexborNode

from discourse.collect.moments import UNKNOWN, Moment
from discourse.collect.sources.page_items import Item, attribute, items_of, number_of, take_apart
from discourse.collect.sources.page_markup import PageFacts, fingerprint, inner, time_in
from discourse.collect.sources.page_words import counted, written_time
from discourse.collect.sources.platform import RawComment
from discourse.collect.sources.profiles import Profile, split


def by_profile(page: LexborHTMLParser, profile: Profile, facts: PageFacts) -> list[RawComment]:
    """Return the comments that a profile's selectors find; takes the page apart."""
    roots = page.css(profile.container) if profile.container else [page.root]
    wanted = {node.mem_id for root in roots if root is not None for node in root.css(profile.comment)}
    items = items_of(page, lambda node: node.mem_id in wanted)
    read: dict[int, RawComment] = {}
    take_apart(items, lambda item: read.__setitem__(id(item), _comment(item, profile, facts)))
    known: dict[int, str | None] = {}
    found: list[RawComment] = []
    for item in items:
        comment = read[id(item)]
        parent = comment.parent or (known.get(id(item.above)) if item.above is not None else None)
        native_id = comment.native_id or fingerprint(comment, parent)
        known[id(item)] = native_id
        found.append(replace(comment, native_id=native_id, parent=None if parent == native_id else parent))
    return found


def told_by(node: LexborNode | None, rule: str | None) -> str | None:
    """Return what a rule finds under an element: an attribute, or the text."""
    if node is None or not rule:
        return None
    selector, name = split(rule)
    found = node.css_first(selector) if selector else node
    if found is None:
        return None
    value = attribute(found, name) if name else found.text(separator=" ")
    return " ".join((value or "").split()) or None


def declared_by(page: LexborHTMLParser, rule: str) -> int | None:
    """Return the number that the profile's `declared` finds."""
    words = told_by(page.root, rule) or ""
    digits = re.search(r"\d[\d.,' ]{0,12}", words)
    return counted(words) if counted(words) is not None else int(re.sub(r"\D", "", digits[0])) if digits else None


def _comment(item: Item, profile: Profile, facts: PageFacts) -> RawComment:
    node = item.node
    score = re.search(r"[-+]?\d{1,9}", told_by(node, profile.score) or "")
    native_id, parent = told_by(node, profile.id), told_by(node, profile.parent)
    if profile.id is None:
        native_id = number_of(node.id)
    elif parent is not None and native_id is not None:
        # `comment-5` and `#comment-5` or `5` are one comment.
        parent = parent.rpartition("#")[2]
        prefix = native_id.removesuffix(number_of(native_id) or "")
        parent = prefix + parent if parent.isdecimal() and prefix else parent
    text = node.css_first(profile.text) if profile.text else node
    return RawComment(
        native_id=native_id,
        thread=None,
        parent=None if parent in {"0", native_id} else parent,
        author=told_by(node, profile.author),
        created=_time(node, profile, facts),
        text=inner(text) if text is not None else None,
        score=float(score[0]) if score is not None else None,
    )


def _time(node: LexborNode, profile: Profile, facts: PageFacts) -> Moment:
    if profile.time is None:
        return UNKNOWN
    selector, name = split(profile.time)
    if name:
        return written_time(told_by(node, profile.time) or "", facts.language, facts.seen, profile.time_format)
    return time_in(node.css_first(selector), facts, profile.time_format)
