"""Any article page: schema.org JSON-LD and microdata, the markup that blogs share, or a user's profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from discourse.collect.answers import Answer, Ask
from discourse.collect.sources.page_reading import page_address, read_page, same_address
from discourse.collect.sources.platform import Login, Page, RawThread
from discourse.collect.sources.profiles import Profile
from discourse.collect.sources.wordpress import WordPress, api_of, post_of, read_site_page

_FEEDS = (b"<feed", b"<rss", b"<rdf:RDF")


@dataclass(frozen=True, slots=True)
class ArticlePage:
    """Pages that show their comments; of a WordPress site, its interface is asked too.

    Attributes:
        profile: a user's own rules for a site.
    """

    profile: Profile | None = None
    name: str = "web"
    title: str = "Article page"
    needs: tuple[str, ...] = ()
    reads: str = "any page whose HTML holds its comments; saved pages; `--profile FILE` for a site's own markup"
    loses: str = "comments that a script loads later; held and deleted comments; scores, where the page hides them"

    def start(self, url: str) -> tuple[Ask, ...]:
        """Ask for the page."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return ()
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return ()
        return (Ask(url.partition("#")[0], accept="text/html", page=True, context=(("web", "page"),)),)

    def claims(self, answer: Answer) -> bool:
        """Know any HTML and any feed, after all other platforms have declined."""
        if "web" in answer.context or "wordpress" in answer.context:
            return True
        head = answer.body[:2_000].lstrip().lower()
        if answer.media in {"text/html", "application/xhtml+xml"} and not head.startswith((b"{", b"[")):
            return True
        marks = (b"<!doctype html", b"<html", b"<head", b"<body")
        return any(mark in head for mark in marks) or _is_feed(answer)

    def read(self, answer: Answer) -> Page:
        """Read a page; what a WordPress site answers besides is read as WordPress."""
        if "wordpress" in answer.context:
            return WordPress().read(answer)
        page = answer.html()
        address = page_address(answer, page)
        thread = answer.context.get("thread") or _thread(address, answer)
        if not answer.ok:
            return Page((RawThread(native_id=thread, reason=f"the page cannot be had (HTTP {answer.status})"),))
        if _is_feed(answer):
            return _feed(answer)
        if self.profile is None and answer.url and api_of(answer, page):
            return read_site_page(answer)
        return read_page(answer, self.profile, thread=thread, kind=(("web", "page"),))

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """Need no keys."""
        del environment
        return None


def _thread(address: str, answer: Answer) -> str:
    parts = urlsplit(same_address(address))
    post = post_of(answer)
    if post:
        return f"{parts.netloc}/{post}" if parts.netloc else post
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.netloc}{parts.path.rstrip('/')}{query}" or "page"


def _is_feed(answer: Answer) -> bool:
    head = answer.body[:2_000]
    return any(mark in head for mark in _FEEDS) and b"<html" not in head[:200].lower()


def _feed(answer: Answer) -> Page:
    """Read a feed of articles, which holds no comments, as the threads that it names."""
    root = answer.xml()
    threads: dict[str, RawThread] = {}
    for entry in root.iter():
        if str(entry.tag).rpartition("}")[2] not in {"entry", "item"}:
            continue
        told = {str(one.tag).rpartition("}")[2]: one for one in entry}
        link = told.get("link")
        url = ((link.text or "").strip() or link.get("href") or "") if link is not None else ""
        title = (told["title"].text or "").strip() if "title" in told else ""
        thread = _thread(url, replace(answer, body=b"", headers={})) if url else title
        if thread:
            why = "a feed of articles, without comments"
            threads[thread] = RawThread(native_id=thread, title=title or None, url=url or None, reason=why)
    return Page(tuple(threads.values()) or (RawThread(native_id="feed", reason="an empty feed"),))
