"""Comment servers beside an article: its page gives title and text."""

from __future__ import annotations

from datetime import UTC, datetime

from discourse.collect.answers import Answer
from discourse.collect.harvest import Collected, harvest
from discourse.collect.sources.platform import Page, RawComment, RawThread
from discourse.collect.sources.with_article import WithArticle

AT = datetime(2025, 3, 1, tzinfo=UTC)
TEXT = (
    "The council wants lamp posts with cameras. Nobody has asked the street. The vote is in May, after the fair. " * 5
)
PAGE = (
    "<html><head><title>Lamp posts</title></head><body><article><h1>Lamp posts</h1>"
    f"<p>{TEXT}</p></article></body></html>"
)


class Server:
    """A comment server that knows the address of the article and nothing else of it."""

    name, title, needs, reads, loses = "made-up", "Made up", (), "-", "-"

    def start(self, url: str) -> tuple[()]:
        del url
        return ()

    def claims(self, answer: Answer) -> bool:
        return answer.url.endswith("/api")

    def read(self, answer: Answer) -> Page:
        del answer
        thread = RawThread(native_id="t", url="https://news.h.test/lamps")
        return Page((thread,), (RawComment(native_id="1", thread="t", text="<p>No lamps.</p>"),))

    def login(self, environment: object) -> None:
        del environment


def answer(url: str, body: str, media: str, **context: str) -> Answer:
    """Return an answer."""
    return Answer(url, 200, {"content-type": media}, body.encode(), AT, f"GET {url}", context)


def test_the_page_is_asked_for_once_and_read_for_its_article() -> None:
    """A thread that names a page leads to that page, whose title and text become the thread's."""
    server = WithArticle(Server())
    listing = answer("https://c.h.test/api", "{}", "application/json")
    (ask,) = server.read(listing).next
    assert (ask.url, ask.page) == ("https://news.h.test/lamps", True)
    page = answer(ask.url, PAGE, "text/html", **dict(ask.context))
    assert server.claims(page)
    parsed = harvest(server, [listing, page], Collected("file", AT, "x", {}))
    thread = parsed.threads.row(0, named=True)
    assert thread["title"] == "Lamp posts"
    assert "Nobody has asked the street" in thread["article"]
    assert parsed.comments.height == 1


def test_a_refused_page_takes_nothing_away() -> None:
    """An article that cannot be had leaves the comments as they are."""
    server = WithArticle(Server())
    listing = answer("https://c.h.test/api", "{}", "application/json")
    gone = Answer("https://news.h.test/lamps", 404, {}, b"gone", AT, "GET x", {"article_of": "t"})
    parsed = harvest(server, [listing, gone], Collected("file", AT, "x", {}))
    assert parsed.threads.row(0, named=True)["article"] is None
    assert parsed.comments["text"].to_list() == ["<p>No lamps.</p>"]
