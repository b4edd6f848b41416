"""A saved page of a ForumMagnum post: the post, and the comments that the browser had drawn when it was saved."""

from __future__ import annotations

import re
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from discourse.collect.answers import EXCERPT, Answer, Ask
from discourse.collect.moments import UNKNOWN, Moment, moment
from discourse.collect.sources.platform import Page, RawComment, RawThread
from discourse.tables import Reason, State

_BODY = re.compile(r"\b(?:CommentBody-root|ContentStyles-commentBody|commentBody)\b")
_SCORE = re.compile(r"\b(?:OverallVoteAxis\w*|CommentsVote\w*|Vote\w*)-(?:voteScore|score)\b|\bvoteScore\b")
_COUNTS = ".PostsBottomBar-commentCount, .LWCommentCount-comments, [class*=PostsPage][class*=commentCount]"
_ARTICLE = ("#postContent", ".PostsPage-postContent", "#postBody")
_NUMBER = re.compile(r"-?\d+")


@dataclass(slots=True)
class _Found:
    """One comment, filled while its markup is walked."""

    native_id: str
    parent: str | None
    author: str | None = None
    created: Moment = UNKNOWN
    text: str | None = None
    score: float | None = None
    deleted: bool = False


def is_forum_page(answer: Answer) -> bool:
    """Tell a page of a post by the class names and ids that ForumMagnum gives its parts."""
    body = answer.body
    if body.lstrip()[:1] != b"<" or b"PostsPage" not in body:
        return False
    return b'id="postContent"' in body or b'id="postBody"' in body or b"comments-node" in body


def page_address(tree: LexborHTMLParser) -> str:
    """Return the post's own address as the page gives it; empty if it does not."""
    for selector, name in (('meta[property="og:url"]', "content"), ('link[rel="canonical"]', "href")):
        node = tree.css_first(selector)
        if node is not None and (url := node.attributes.get(name)):
            return url
    return ""


def read_forum_page(tree: LexborHTMLParser, forum: str, post: str) -> Page:
    """Read a page.

    Args:
        tree: the page.
        forum: scheme and host.
        post: id of the post.

    Returns:
        The post as a thread, with the reason why comments are missing if the page holds fewer than it declares.
    """
    found = _comments(tree)
    declared = _declared(tree)
    missing = max(0, (declared or 0) - len(found))
    why = None
    if missing:
        held = "holds only the post" if not found else f"holds {len(found):,} of them"
        why = f"the page was saved before the forum had drawn all comments and {held}; collect its address instead"
    thread = RawThread(
        native_id=post,
        title=_words(tree, "h1.PostsPageTitle-root, h1[class*=PostsPageTitle], h1[class*=PostsPageHeader], title"),
        site=forum.partition("://")[2] or None,
        url=f"{forum}/posts/{post}",
        author=_words(tree, "[class*=PostsAuthors-authorName], [class*=PostsAuthors] a"),
        article=next((node.inner_html for one in _ARTICLE if (node := tree.css_first(one)) is not None), None),
        published=_published(tree),
        declared=declared,
        reason=why,
    )
    page = f"{forum}/posts/{post}?commentId="
    return Page(
        (thread,),
        tuple(_comment(one, post, page) for one in found),
        (Ask("", post, expects=missing),) if missing else (),
    )


def _comments(tree: LexborHTMLParser) -> list[_Found]:
    """Walk the page once; what belongs to a comment is what no comment inside it holds."""
    found: list[_Found] = []
    waiting: list[tuple[LexborNode, _Found | None]] = [(tree.body, None)] if tree.body is not None else []
    while waiting:
        node, owner = waiting.pop()
        names = node.attributes.get("class") or ""
        native_id = node.attributes.get("id")
        if native_id and "comments-node" in names.split():
            owner = _Found(native_id, owner.native_id if owner else None)
            found.append(owner)
        elif owner is not None and _take(node, names, owner):
            continue
        waiting += [(child, owner) for child in node.iter()][::-1]
    return found


def _take(node: LexborNode, names: str, owner: _Found) -> bool:
    """Take what an element tells of its comment; return whether nothing more is in it."""
    if _BODY.search(names):
        owner.text = owner.text or node.inner_html
        return True
    if "DeletedMetadata" in names:
        owner.deleted = True
    if node.tag == "time" and owner.created is UNKNOWN:
        owner.created = moment(node.attributes.get("datetime"))
    if node.tag == "a" and "/users/" in (node.attributes.get("href") or "") and owner.author is None:
        owner.author = node.text(strip=True) or None
    if owner.score is None and _SCORE.search(names):
        number = _NUMBER.fullmatch(node.text(strip=True).replace("\u2212", "-")[:12])
        owner.score = float(number.group()) if number else None
    return False


def _comment(one: _Found, post: str, page: str) -> RawComment:
    lost = one.text is None and not one.deleted
    return RawComment(
        native_id=one.native_id,
        thread=post,
        parent=one.parent,
        author=one.author,
        created=one.created,
        text=None if one.deleted else one.text,
        score=one.score,
        state=State.DELETED if one.deleted else State.VISIBLE,
        url=f"{page}{one.native_id}",
        reason=Reason.MALFORMED if lost else None,
        excerpt=f"comment {one.native_id}, folded to one line"[:EXCERPT] if lost else None,
    )


def _declared(tree: LexborHTMLParser) -> int | None:
    counts = [_NUMBER.match(node.text(strip=True).replace(",", "")[:12]) for node in tree.css(_COUNTS)[:9]]
    return max((int(count.group()) for count in counts if count and not count.group().startswith("-")), default=None)


def _published(tree: LexborHTMLParser) -> Moment:
    """Return the first time that stands outside the comments: that of the post."""
    node = tree.css_first("[class*=PostsPageDate] time, [class*=PostsPage] time, time")
    return moment(node.attributes.get("datetime")) if node is not None else UNKNOWN


def _words(tree: LexborHTMLParser, selectors: str) -> str | None:
    for selector in selectors.split(", "):
        node = tree.css_first(selector)
        if node is not None and (text := node.text(strip=True)):
            return text
    return None
