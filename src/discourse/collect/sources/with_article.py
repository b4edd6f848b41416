"""Comment servers that stand beside an article: the article's page is asked for, too, and read for title and text."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from discourse.collect.answers import Answer, Ask
from discourse.collect.article import article_ask, article_of
from discourse.collect.sources.platform import Login, Page, Platform, RawThread

_HTML = {"text/html", "application/xhtml+xml"}


class WithArticle:
    """A platform that does not deliver the article, and its page.

    Args:
        platform: whose threads name the page in their `url`.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    @property
    def name(self) -> str:
        """See `Platform`."""
        return self._platform.name

    @property
    def title(self) -> str:
        """See `Platform`."""
        return self._platform.title

    @property
    def needs(self) -> tuple[str, ...]:
        """See `Platform`."""
        return self._platform.needs

    @property
    def reads(self) -> str:
        """See `Platform`."""
        return self._platform.reads

    @property
    def loses(self) -> str:
        """See `Platform`."""
        return self._platform.loses

    def start(self, url: str) -> tuple[Ask, ...]:
        """See `Platform`."""
        return self._platform.start(url)

    def claims(self, answer: Answer) -> bool:
        """Know the article's page by its context, and all that the platform knows."""
        return set(answer.context) == {"article_of"} or self._platform.claims(answer)

    def read(self, answer: Answer) -> Page:
        """Read an answer of the platform, or the article's page.

        Raises:
            UnreadableAnswerError: see `Platform`.
        """
        if set(answer.context) == {"article_of"}:
            usable = answer.ok and answer.media in _HTML
            return Page((article_of(answer, answer.context["article_of"]),) if usable else ())
        page = self._platform.read(answer)
        if answer.ok and answer.media in _HTML:
            told = (article_of(answer, thread.native_id) for thread in page.threads if thread.article is None)
            return Page((*page.threads, *told), page.comments, page.next)
        asks = (article_ask(thread.url or "", thread.native_id) for thread in page.threads if _beside(thread, answer))
        return Page(page.threads, page.comments, (*page.next, *asks))

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """See `Platform`."""
        return self._platform.login(environment)


def _beside(thread: RawThread, answer: Answer) -> bool:
    """Tell whether a thread names a page that is not the server's own answer."""
    if thread.article is not None or not thread.url or not answer.url:
        return False
    page, server = urlsplit(thread.url), urlsplit(answer.url)
    return page.scheme in {"http", "https"} and (page.netloc, page.path) != (server.netloc, server.path)
