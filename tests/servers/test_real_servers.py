"""Threads of real servers are collected whole, live, and come out as the servers know them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from tests.servers.isso import Isso as IssoServer
from tests.servers.truth import Known
from tests.servers.wordpress import WordPress as WordPressServer
from tests.servers.xtd import Xtd as XtdServer

from discourse.collect.answers import Answer
from discourse.collect.archive import read_archive
from discourse.collect.crawl import CrawlOutcome, crawl
from discourse.collect.sources.comments_xtd import CommentsXtd
from discourse.collect.sources.isso import Isso
from discourse.collect.sources.platform import Platform, RawComment
from discourse.config import CollectConfig
from discourse.tables import State

CONFIG = CollectConfig(allow_private=True, rate=1_000)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the answers of the last round of a collection hold, with the declared total and how many are missing."""

    outcome: CrawlOutcome
    comments: Mapping[str, RawComment]
    declared: int | None
    missing: int


def collected(folder: Path, url: str, platform: Platform) -> Seen:
    """Collect an address from a server on this machine."""
    path = folder / "raw" / "thread.warc.gz"
    outcome = crawl(path, url, platform, CONFIG, environment={})
    pages = [platform.read(answer) for answer in read_archive(path).round]
    told = [thread.declared for page in pages for thread in page.threads if thread.declared is not None]
    return Seen(
        outcome,
        {str(one.native_id): one for page in pages for one in page.comments if one.reason is None},
        max(told, default=None),
        sum(ask.expects for page in pages for ask in page.next if not ask.url),
    )


def compare(seen: Seen, known: list[Known]) -> None:
    """Hold what was collected against what the server was given."""
    assert seen.outcome.finished
    listed = {one.native_id: one for one in known if one.listed}
    assert set(seen.comments) == set(listed)
    for native_id, one in seen.comments.items():
        truth = listed[native_id]
        assert (one.parent, one.state, one.author) == (truth.parent, truth.state, truth.author)
        assert (one.text is None) == (truth.text is None)
        assert one.created.at is not None
    assert (seen.declared, seen.missing) == (len(seen.comments), 0)


def visible(known: list[Known]) -> int:
    """Count the comments that any reader sees."""
    return sum(one.listed and one.state is State.VISIBLE for one in known)


def test_isso(isso_server: IssoServer, tmp_path: Path) -> None:
    """Isso gives all that it counts, deleted comments with replies too, and nothing of what is held."""
    assert isso_server.count() == visible(isso_server.known) == 42
    seen = collected(tmp_path, isso_server.thread, Isso())
    compare(seen, isso_server.known)
    deleted = sum(one.state is State.DELETED for one in seen.comments.values())
    assert (len(seen.comments), deleted) == (43, 1)


def test_isso_in_pages(isso_server: IssoServer) -> None:
    """Where a server gives only some of each list, the whole thread is had by its own `after` and `parent`."""
    platform = Isso()
    waiting, found, asked = list(platform.start(isso_server.thread)), set[str | None](), 0
    while waiting:
        ask = waiting.pop()
        assert ask.url
        body = httpx2.get(f"{ask.url}&limit=7&nested_limit=2").content
        page = platform.read(Answer(ask.url, 200, {}, body, datetime.now(UTC), ask.key, dict(ask.context)))
        found |= {one.native_id for one in page.comments}
        waiting += page.next
        asked += 1
    assert found == {one.native_id for one in isso_server.known if one.listed}
    assert 5 < asked < 15


@pytest.mark.parametrize("start", ["list", "page"])
def test_xtd(xtd_server: XtdServer, tmp_path: Path, start: str) -> None:
    """A Django site gives its whole list, also where only an article's page is known, without what it withholds."""
    assert xtd_server.count() == sum(one.listed for one in xtd_server.known) >= 14
    url = xtd_server.thread if start == "list" else f"xtd+{xtd_server.page}"
    compare(collected(tmp_path, url, CommentsXtd()), xtd_server.known)


def test_wordpress_counts_what_was_written(wordpress_server: WordPressServer) -> None:
    """WordPress counts approved comments and the pingback; trash, spam and held ones apart."""
    counts = wordpress_server.counts()
    assert counts["approved"] == visible(wordpress_server.known) + 1 == 128
    assert (counts["moderated"], counts["spam"], counts["trash"]) == (1, 1, 1)


def test_isso_again(isso_server: IssoServer, tmp_path: Path) -> None:
    """A second round finds an edit, a new comment and a deletion."""
    first = collected(tmp_path, isso_server.thread, Isso())
    native_id = isso_server.write("This one will be deleted.", "Kai")
    answer = isso_server.write("The reply to it.", "Lea", native_id)
    isso_server.approve(native_id, answer)
    second = collected(tmp_path, isso_server.thread, Isso())
    assert set(second.comments) - set(first.comments) == {native_id, answer}
    isso_server.edit(answer, "The reply, changed.")
    isso_server.delete(native_id)
    third = collected(tmp_path, isso_server.thread, Isso())
    assert third.comments[native_id].text is None
    assert "changed" in str(third.comments[answer].text)
    # Isso deletes for good what has no replies left.
    isso_server.delete(answer)
    assert set(collected(tmp_path, isso_server.thread, Isso()).comments) == set(first.comments)


def test_xtd_again(xtd_server: XtdServer, tmp_path: Path) -> None:
    """A second round finds an edit, a new comment and a removal."""
    first = collected(tmp_path, xtd_server.thread, CommentsXtd())
    native_id = xtd_server.write("A late comment.", "Kai")
    xtd_server.edit(native_id, "A late comment, changed.")
    second = collected(tmp_path, xtd_server.thread, CommentsXtd())
    assert set(second.comments) - set(first.comments) == {native_id}
    assert second.comments[native_id].text == "A late comment, changed."
    xtd_server.remove(native_id)
    third = collected(tmp_path, xtd_server.thread, CommentsXtd())
    assert (third.comments[native_id].state, third.comments[native_id].text) == (State.REMOVED, None)
    xtd_server.known.append(Known(native_id, None, "Kai", None, State.REMOVED))
