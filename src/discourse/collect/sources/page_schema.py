"""Comments that a page tells machines in schema.org's words (Comment, UserComments): JSON-LD and microdata."""

from __future__ import annotations

import json
from typing import cast

from selectolax.lexbor import LexborHTMLParser, LexborNode

from discourse.collect.answers import MAX_DEPTH, Json
from discourse.collect.jsonvalues import Object, as_list, as_object, at, count_at, number_at, text_at
from discourse.collect.moments import moment
from discourse.collect.nesting import deepest
from discourse.collect.sources.page_items import items_of, number_of, outermost
from discourse.collect.sources.page_markup import PageFacts, fingerprint, read_items
from discourse.collect.sources.platform import RawComment
from discourse.tables import State

_COMMENT = {"Comment", "UserComments", "Answer", "CorrectionComment"}
_TEXTS = ("text", "commentText", "articleBody", "description")
_TIMES = ("dateCreated", "datePublished", "commentTime", "uploadDate")
_HOLDS = {"comment", "comments", "suggestedAnswer", "acceptedAnswer"}


def json_ld(page: LexborHTMLParser, facts: PageFacts) -> list[RawComment]:
    """Return the comments in the JSON-LD blocks of a page, parents by nesting or by ``parentItem``."""
    del facts
    found: dict[str, RawComment] = {}
    for block in _blocks(page):
        # What waits: a value, the comment it lies in, and whether it lies in a list of comments.
        waiting: list[tuple[Json, str | None, bool]] = [(block, None, False)]
        while waiting:
            value, above, held = waiting.pop()
            if isinstance(value, list):
                waiting += [(one, above, held) for one in reversed(value)]
                continue
            if not isinstance(value, dict):
                continue
            inside = above
            if _types(value) & _COMMENT or (held and any(text_at(value, name) for name in _TEXTS)):
                comment = _comment(value, above)
                if comment is not None:
                    inside = comment.native_id
                    found.setdefault(str(inside), comment)
            waiting += [
                (one, inside, key in _HOLDS) for key, one in reversed(value.items()) if isinstance(one, dict | list)
                and key not in {"parentItem", "author", "creator"}
            ]  # fmt: skip
    return list(found.values())


def declared_ld(page: LexborHTMLParser) -> int | None:
    """Return how many comments the article's JSON-LD names (``commentCount``, or its CommentAction counter)."""
    waiting: list[Json] = list(_blocks(page))
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict) and not _types(value) & _COMMENT:
            number = count_at(value, "commentCount")
            if number is not None:
                return number
            for one in as_list(value.get("interactionStatistic")) or [value.get("interactionStatistic")]:
                kind = at(one, "interactionType")
                name = kind if isinstance(kind, str) else text_at(kind, "@type") or ""
                if name.endswith("CommentAction") and count_at(one, "userInteractionCount") is not None:
                    return count_at(one, "userInteractionCount")
            waiting += [one for one in value.values() if isinstance(one, dict | list)]
    return None


def microdata(page: LexborHTMLParser, facts: PageFacts) -> list[RawComment]:
    """Return the comments in a page's microdata, parents by nesting; takes the page apart."""
    items = items_of(page, _is_scope)
    names = {id(item): number_of(item.node.id) or _itemid(item.node) for item in items}
    return read_items(outermost(items, names), names, facts)


def _is_scope(node: LexborNode) -> bool:
    attributes = node.attributes
    if "itemscope" not in attributes:
        return False
    kinds = (attributes.get("itemtype") or "").split()
    return any(kind.rpartition("/")[2] in {"Comment", "UserComments"} for kind in kinds) or (
        not kinds and attributes.get("itemprop") in {"comment", "comments"}
    )


def _itemid(node: LexborNode) -> str | None:
    named = node.attributes.get("itemid") or node.attributes.get("data-comment-id")
    return named.strip()[:200] or None if named else None


def _blocks(page: LexborHTMLParser) -> list[Json]:
    blocks: list[Json] = []
    for script in page.css('script[type="application/ld+json"]'):
        text = script.text().strip().removeprefix("<!--").removesuffix("-->").strip().rstrip(";")
        text = text.removeprefix("//<![CDATA[").removesuffix("//]]>").strip()
        if deepest(text) > MAX_DEPTH:
            continue
        try:
            blocks.append(cast("Json", json.loads(text, strict=False)))
        except (ValueError, RecursionError):
            continue
    return blocks


def _types(value: Json) -> set[str]:
    kinds = at(value, "@type")
    names = kinds if isinstance(kinds, list) else [kinds]
    return {name.rpartition("/")[2].rpartition(":")[2] for name in names if isinstance(name, str)}


def _comment(record: Object, above: str | None) -> RawComment | None:
    gone = (text_at(record, "creativeWorkStatus") or "").lower() in {"deleted", "removed"}
    text = next((found for name in _TEXTS if (found := text_at(record, name)) is not None), None)
    url = text_at(record, "url") or text_at(record, "@id")
    if text is None and not gone and url is None:
        return None
    person = next((one for one in (record.get("author"), record.get("creator")) if one), None)
    person = as_list(person)[0] if as_list(person) else person
    author = person if isinstance(person, str) else text_at(person, "name")
    likes = number_at(record, "upvoteCount")
    for one in as_list(record.get("interactionStatistic")) or [record.get("interactionStatistic")]:
        kind = at(one, "interactionType")
        if likes is None and str(text_at(kind, "@type") or kind).endswith("LikeAction"):
            likes = number_at(one, "userInteractionCount")
    minus = number_at(record, "downvoteCount")
    named = as_object(record.get("parentItem"))
    reference = text_at(named, "@id") or text_at(named, "url")
    parent = above or (_name(reference) if reference and not _types(named) - _COMMENT else None)
    comment = RawComment(
        native_id=_name(url) if url else None,
        thread=None,
        parent=parent,
        author=author or None,
        created=moment(next((record[name] for name in _TIMES if record.get(name)), None)),
        text=None if gone else text,
        markup="auto",
        score=None if likes is None else likes - (minus or 0),
        state=State.DELETED if gone else State.VISIBLE,
        url=url if url and url.startswith(("http:", "https:")) else None,
    )
    if comment.native_id is not None:
        return comment
    return RawComment(
        native_id=fingerprint(comment, parent), thread=None, parent=parent, author=comment.author, text=comment.text,
        created=comment.created, markup="auto", score=comment.score, state=comment.state,
    )  # fmt: skip


def _name(reference: str) -> str:
    """Return the number at the end of a comment's address (as the markup's ids have it), else the address."""
    fragment = reference.rpartition("#")[2] if "#" in reference else reference.rstrip("/").rpartition("/")[2]
    return number_of(fragment) or reference[:300]
