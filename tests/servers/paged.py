"""A platform made up for the tests of collecting: a thread in numbered pages, each naming the next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.servers.replay import Replay, Served

from discourse.collect.answers import Answer, Ask, UnreadableAnswerError
from discourse.collect.jsonvalues import as_object, count_at, name_at, objects, text_at
from discourse.collect.moments import moment
from discourse.collect.sources.platform import Login, Page, RawComment, RawThread
from discourse.tables import Reason

SIZE = 10


@dataclass(frozen=True, slots=True)
class Paged:
    """`/t?page=1` lists the first comments; `next` is the number of the next page."""

    name: str = "paged"
    title: str = "Paged"
    needs: tuple[str, ...] = ("PAGED_KEY",)
    reads: str = "http://host/t?page=1"
    loses: str = "nothing"
    login_with: Login | None = None
    login_name: str = ""
    page: bool = False

    def start(self, url: str) -> tuple[Ask, ...]:
        """Ask for the page that is named."""
        return (self._ask(url, 0),) if urlsplit(url).scheme in {"http", "https"} else ()

    def _ask(self, url: str, expects: int) -> Ask:
        return Ask(url, "t", expects=expects, context=(("paged", "list"),), login=self.login_name, page=self.page)

    def claims(self, answer: Answer) -> bool:
        """Know our own requests."""
        return "paged" in answer.context

    def read(self, answer: Answer) -> Page:
        """Read one page."""
        if not answer.ok:
            return Page((RawThread(native_id="t", reason="the thread is gone"),) if answer.status == 410 else ())
        body = answer.json()
        if "comments" not in as_object(body):
            raise UnreadableAnswerError(Reason.WRONG_TYPE, answer.excerpt(), "no page of comments")
        comments = tuple(
            RawComment(
                native_id=name_at(one, "id"),
                thread="t",
                parent=name_at(one, "parent"),
                author=text_at(one, "author"),
                created=moment(one.get("created")),
                text=text_at(one, "text"),
                markup="plain",
            )
            for one in objects(as_object(body)["comments"])
        )
        total, following = count_at(body, "total"), count_at(body, "next")
        thread = RawThread(native_id="t", title="A thread", declared=total)
        if following is None:
            return Page((thread,), comments)
        url = f"{answer.url.partition('?')[0]}?page={following}"
        return Page((thread,), comments, (self._ask(url, (total or 0) - SIZE * (following - 1)),))

    def login(self, environment: Mapping[str, str]) -> Login | None:
        """Use the key of the test."""
        return self.login_with if "PAGED_KEY" in environment else None


def page(number: int, pages: int, size: int = SIZE) -> dict[str, object]:
    """Return one page of a thread of `pages` full pages."""
    first = (number - 1) * size + 1
    comments = [
        {
            "id": one,
            "parent": one // 3 or None,
            "author": f"reader {one % 7}",
            "text": f"Comment {one} on the lamps.",
            "created": 1_700_000_000 + one,
        }
        for one in range(first, first + size)
    ]
    return {"total": pages * size, "comments": comments, "next": number + 1 if number < pages else None}


def fill(replay: Replay, pages: int) -> str:
    """Let a server hold a thread of so many pages; returns its address."""
    for number in range(1, pages + 1):
        served = Served(json.dumps(page(number, pages)).encode(), headers={"content-type": "application/json"})
        replay.put(f"/t?page={number}", served)
    return f"{replay.url}/t?page=1"
