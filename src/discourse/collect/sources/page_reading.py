"""One page read by every rule: which found what, and which is taken."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias
from urllib.parse import urljoin, urlsplit, urlunsplit

from selectolax.lexbor import LexborHTMLParser

from discourse.collect.answers import Answer, Ask
from discourse.collect.article import article_of
from discourse.collect.sources.page_items import attribute
from discourse.collect.sources.page_markup import PageFacts, common_markup, declared_in, trackbacks
from discourse.collect.sources.page_profile import by_profile, declared_by, told_by
from discourse.collect.sources.page_schema import declared_ld, json_ld, microdata
from discourse.collect.sources.platform import Page, RawComment
from discourse.collect.sources.profiles import Profile

Rule: TypeAlias = Callable[[LexborHTMLParser, PageFacts], list[RawComment]]

RULES: tuple[tuple[str, Rule], ...] = (
    ("JSON-LD", json_ld),
    ("microdata", microdata),
    ("common markup", common_markup),
)
_PAGED = re.compile(r"/comment-page-\d{1,6}/?$")
_PAGE_QUERY = re.compile(r"(?:^|&)(?:cpage|comments?[-_]?page|commentspage|comment_page)=\d{1,6}(?=&|$)")
_NAV = (
    '.comment-navigation a, .comments-pagination a, .comments-nav a, .comment-nav a, [id^="comment-nav"] a, '
    '[id^="comment_nav"] a, .wp-block-comments-pagination a, .comments a[rel="next"], #comments a[rel="next"], '
    ".older-comments a, a.older-comments, .paginate-com a, .commentnav a, .comment-pagination a, .comments-pager a"
)


@dataclass(frozen=True, slots=True)
class Tried:
    """What one rule found in a page."""

    rule: str
    comments: tuple[RawComment, ...]

    @property
    def real(self) -> list[RawComment]:
        """The comments without pingbacks."""
        return [one for one in self.comments if one.reason is None]


def tried(answer: Answer, profile: Profile | None) -> list[Tried]:
    """Return what each rule finds in a page, in their order; a user's profile comes first."""
    page = answer.html()
    html = page.css_first("html")
    facts = PageFacts(
        page_address(answer, page), (attribute(html, "lang") if html is not None else None) or "", answer.at
    )
    found: list[Tried] = []
    if profile is not None:
        found.append(Tried("profile", tuple(by_profile(answer.html(), profile, facts))))
    # Rules take pages apart, so each gets its own.
    found += [Tried(name, tuple(rule(answer.html(), facts))) for name, rule in RULES]
    return found


def chosen(found: list[Tried]) -> Tried | None:
    """Return the rule to take: a profile that finds anything, else who finds the most; None if none finds any."""
    useful = [one for one in found if one.real]
    for one in useful:
        if one.rule == "profile":
            return one
    return max(useful, key=_worth, default=None)


def read_page(answer: Answer, profile: Profile | None, *, thread: str, kind: tuple[tuple[str, str], ...]) -> Page:
    """Return the thread of a page, its comments, and the asks for its further pages of comments.

    Args:
        answer: a page.
        profile: of the user.
        thread: the thread's id.
        kind: the context of the platform's requests for pages.
    """
    page = answer.html()
    found = tried(answer, profile)
    # A page may hold pingbacks only.
    best = chosen(found) or max(found, key=lambda one: len(one.comments))
    comments = best.comments
    pings = trackbacks(page)
    declared = declared_by(page, profile.declared) if profile is not None and profile.declared else None
    if declared is None:
        declared = declared_in(page)
    if declared is None:
        declared = declared_ld(page)
    told = article_of(answer, thread)
    real = sum(one.reason is None for one in comments)
    if not comments and not declared:
        told = replace(
            told,
            reason="no comments were found in the page; `discourse collect --explain` shows which rules were tried",
        )
    told = replace(told, declared=declared)
    links = next_pages(answer, page, profile)
    missing = max((declared or 0) - real - sum(one.reason is not None for one in comments), 0)
    asks = [
        Ask(link, thread, accept="text/html", page=True, expects=missing if i == 0 else 0,
            context=tuple(sorted({**dict(kind), "walk": "1", "thread": thread}.items())))
        for i, link in enumerate(links)
    ]  # fmt: skip
    return Page((told,), tuple(replace(one, thread=thread) for one in (*comments, *pings)), tuple(asks))


def next_pages(answer: Answer, page: LexborHTMLParser, profile: Profile | None) -> list[str]:
    """Return the addresses of further pages of comments of the same article on the same host."""
    address = answer.url or page_address(answer, page)
    if not address:
        return []
    links: list[str] = []
    if profile is not None and profile.next:
        rule = profile.next if "@" in profile.next else f"{profile.next}@href"
        links += [told_by(page.root, rule) or ""]
    anywhere = {attribute(node, "href") or "" for node in page.css("a[href], link[rel=next]")}
    links += sorted(link for link in anywhere if _is_comment_page(_whole(address, link)))
    inside = [attribute(node, "href") or "" for node in page.css(_NAV)]
    found: list[str] = []
    own = _whole(address, "")
    own_query = urlsplit(same_address(address)).query
    for link in [*links, *inside]:
        whole = _whole(address, link) if link else ""
        if not whole or "replytocom" in whole or whole in {*found, own}:
            continue
        same = _base(whole) == _base(address) and urlsplit(same_address(whole)).query == own_query
        by_user = profile is not None and link == links[0] and urlsplit(whole).netloc == urlsplit(address).netloc
        if same or by_user or (link in inside and _base(whole) == _base(address)):
            found.append(whole)
    return found


def page_address(answer: Answer, page: LexborHTMLParser) -> str:
    """Return the address of a page: its answer's, else what it says of itself; empty if neither tells."""
    if answer.url:
        return answer.url.partition("#")[0]
    for selector, name in (('link[rel="canonical"]', "href"), ('meta[property="og:url"]', "content")):
        node = page.css_first(selector)
        value = (attribute(node, name) if node is not None else None) or ""
        if value.startswith(("http://", "https://")):
            try:
                return urlunsplit(urlsplit(value)._replace(fragment=""))
            except ValueError:
                continue
    return ""


def same_address(url: str) -> str:
    """Return a page's address without fragment and without the number of its page of comments."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    path = _PAGED.sub("/", parts.path)
    return urlunsplit(parts._replace(path=path, query=_PAGE_QUERY.sub("", parts.query).strip("&"), fragment=""))


def _worth(one: Tried) -> tuple[int, int, int, int]:
    real = one.real
    named = sum(not (c.native_id or "x").startswith("x") for c in real)
    return (len(real), named, sum(c.parent is not None for c in real), sum(c.created.at is not None for c in real))


def _is_comment_page(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return _PAGED.search(parts.path) is not None or _PAGE_QUERY.search(parts.query) is not None


def _whole(address: str, link: str) -> str:
    try:
        parts = urlsplit(urljoin(address, link))
        return urlunsplit(parts._replace(fragment="")) if parts.scheme in {"http", "https"} and parts.hostname else ""
    except ValueError:
        return ""


def _base(url: str) -> str:
    parts = urlsplit(same_address(url))
    return f"{parts.netloc}{parts.path}".rstrip("/")
