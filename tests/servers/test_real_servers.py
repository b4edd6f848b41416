"""Threads of real servers are collected whole, live, and come out as the servers know them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import polars as pl
import pytest
from selectolax.lexbor import LexborHTMLParser
from tests.servers.isso import Isso as IssoServer
from tests.servers.truth import Known
from tests.servers.wordpress import WordPress as WordPressServer
from tests.servers.xtd import Xtd as XtdServer

from discourse.collect.answers import Answer
from discourse.collect.archive import read_archive
from discourse.collect.crawl import CrawlOutcome, crawl
from discourse.collect.harvest import Collected, harvest
from discourse.collect.sources.comments_xtd import CommentsXtd
from discourse.collect.sources.isso import Isso
from discourse.collect.sources.platform import Platform
from discourse.collect.sources.wordpress import WordPress
from discourse.config import CollectConfig
from discourse.tables import COMMENTS, State
from discourse.workspace import Workspace

CONFIG = CollectConfig(allow_private=True, rate=1_000)


Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a collection gives: the thread's row, its comments by id, and what the last round did."""

    thread: Row
    comments: Mapping[str, Row]
    outcome: CrawlOutcome


def collected(folder: Path, url: str, platform: Platform) -> Seen:
    """Collect an address from a server on this machine, for the first time or again, and put the answers together."""
    path = folder / "raw" / "thread.warc.gz"
    outcome = crawl(path, url, platform, CONFIG, environment={})
    kept = read_archive(path)
    how = Collected(path.name, datetime.now(UTC), url, kept.unanswered, kept.rounds[-1].began)
    parsed = harvest(platform, kept.answers, how)
    (thread,) = parsed.threads.rows(named=True)
    rows = parsed.comments.filter(pl.col("reason").is_null()).rows(named=True)
    return Seen(thread, {row["native_id"]: row for row in rows}, outcome)


def compare(seen: Seen, known: list[Known]) -> None:
    """Hold what was collected against what the server was given: every comment, its place, its state, and the count."""
    assert seen.outcome.finished
    listed = {one.native_id: one for one in known if one.listed}
    assert set(seen.comments) == set(listed)
    for native_id, row in seen.comments.items():
        truth = listed[native_id]
        assert (row["native_parent"], row["state"], row["author"]) == (truth.parent, truth.state, truth.author)
        if truth.text is None:
            assert row["text"] is None
        else:
            assert plain(row["text"], row["markup"]) == plain(truth.text, "markdown")
        assert row["created_at"] is not None
    assert (seen.thread["declared"], seen.thread["unreachable"], seen.thread["capped"]) == (len(listed), 0, 0)


def plain(text: str, markup: str) -> str:
    """Return the words of a text without its markup."""
    words = LexborHTMLParser(text).text() if markup == "html" else text
    return " ".join(words.replace("*", "").split())


def visible(known: list[Known]) -> int:
    """Count the comments that any reader sees."""
    return sum(one.listed and one.state is State.VISIBLE for one in known)


def test_isso(isso_server: IssoServer, tmp_path: Path) -> None:
    """Isso gives all that it counts, deleted comments with replies too, and nothing of what is held."""
    assert isso_server.count() == visible(isso_server.known) == 42
    seen = collected(tmp_path, isso_server.thread, Isso())
    compare(seen, isso_server.known)
    assert sum(row["state"] == State.DELETED for row in seen.comments.values()) == 1


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
    assert (counts["moderated"], counts["spam"]) == (1, 1)
    assert counts["trash"] >= 1


@pytest.mark.parametrize("start", ["page", "short", "interface"])
def test_wordpress(wordpress_server: WordPressServer, tmp_path: Path, start: str) -> None:
    """WordPress gives all approved comments in pages of 100, from a post's page, its short address or the interface."""
    site, post = wordpress_server.address, wordpress_server.post
    url = {
        "page": f"wordpress+{wordpress_server.page}",
        "short": f"{site}/?p={post}",
        "interface": f"{site}/wp-json/wp/v2/comments?post={post}",
    }[start]
    seen = collected(tmp_path, url, WordPress())
    compare(seen, wordpress_server.known)
    assert seen.thread["thread_id"].endswith(f"/{post}")


def test_wordpress_with_a_closed_interface(wordpress_server: WordPressServer, tmp_path: Path) -> None:
    """Where the interface is closed, the pages of comments give what a reader sees: no replies to trash."""
    with wordpress_server.closed():
        seen = collected(tmp_path, f"wordpress+{wordpress_server.page}", WordPress())
    listed = {one.native_id: one for one in wordpress_server.known if one.listed}
    shown = {native_id: one for native_id, one in listed.items() if one.parent is None or one.parent in listed}
    assert len(shown) == len(listed) - 1
    assert set(seen.comments) == set(shown)
    for native_id, row in seen.comments.items():
        truth = shown[native_id]
        assert (row["native_parent"], row["author"]) == (truth.parent, truth.author)
        assert plain(row["text"], row["markup"]) == plain(truth.text or "", "markdown")


def test_wordpress_export(wordpress_server: WordPressServer) -> None:
    """The site's own export also has what is held and what is in the trash, and no spam."""
    body = wordpress_server.export()
    parsed = harvest(
        WordPress(), [Answer("", 200, {}, body, datetime.now(UTC))], Collected("a.xml", datetime.now(UTC), "a", {})
    )
    rows = parsed.comments.filter(pl.col("thread_id").str.ends_with(f"/{wordpress_server.post}"))
    found = {row["native_id"]: row for row in rows.filter(pl.col("reason").is_null()).iter_rows(named=True)}
    known = {one.native_id: one for one in wordpress_server.known if one.listed or one.author != "Kim"}
    assert set(found) >= set(known)
    for native_id, truth in known.items():
        row = found[native_id]
        assert (row["native_parent"], row["state"], row["author"]) == (truth.parent, truth.state, truth.author)
    assert rows["reason"].drop_nulls().to_list() == ["not_a_comment"]


def test_wordpress_again(wordpress_server: WordPressServer, tmp_path: Path) -> None:
    """Collected again, a new comment and a changed one are there, and one in the trash has lost its words."""
    url = f"wordpress+{wordpress_server.page}"
    first = collected(tmp_path, url, WordPress())
    native_id = wordpress_server.write("A late comment.", "Kai")
    second = collected(tmp_path, url, WordPress())
    assert set(second.comments) - set(first.comments) == {native_id}
    wordpress_server.edit(native_id, content="A late comment, changed.")
    third = collected(tmp_path, url, WordPress())
    assert plain(third.comments[native_id]["text"], "html") == "A late comment, changed."
    wordpress_server.trash(native_id)
    fourth = collected(tmp_path, url, WordPress())
    assert set(fourth.comments) == set(second.comments)
    assert (fourth.comments[native_id]["state"], fourth.comments[native_id]["text"]) == (State.DELETED, None)
    assert fourth.comments[native_id]["first_seen"] == second.comments[native_id]["first_seen"]
    assert fourth.thread["declared"] == len(first.comments)


def test_isso_again(isso_server: IssoServer, tmp_path: Path) -> None:
    """Collected again, new comments and changed words are there, and what was deleted since has lost its words."""
    first = collected(tmp_path, isso_server.thread, Isso())
    native_id = isso_server.write("This one will be deleted.", "Kai")
    answer = isso_server.write("The reply to it.", "Lea", native_id)
    isso_server.approve(native_id, answer)
    second = collected(tmp_path, isso_server.thread, Isso())
    assert set(second.comments) - set(first.comments) == {native_id, answer}
    assert second.comments["1"]["first_seen"] == first.comments["1"]["first_seen"]
    assert second.comments["1"]["last_seen"] > first.comments["1"]["last_seen"]
    assert second.comments[answer]["first_seen"] > first.comments["1"]["last_seen"]

    isso_server.edit(answer, "The reply, changed.")
    isso_server.delete(native_id)
    third = collected(tmp_path, isso_server.thread, Isso())
    assert (third.comments[native_id]["state"], third.comments[native_id]["text"]) == (State.DELETED, None)
    assert third.comments[native_id]["first_seen"] == second.comments[native_id]["first_seen"]
    assert "changed" in third.comments[answer]["text"]

    # Without its reply, Isso deletes the rest of it too: now both are gone from the list, and stay as rows.
    isso_server.delete(answer)
    fourth = collected(tmp_path, isso_server.thread, Isso())
    assert set(fourth.comments) == set(third.comments)
    for one in (native_id, answer):
        assert (fourth.comments[one]["state"], fourth.comments[one]["text"]) == (State.DELETED, None)
        assert fourth.comments[one]["last_seen"] == third.comments[one]["last_seen"]
    assert fourth.thread["declared"] == len(first.comments)


def test_xtd_again(xtd_server: XtdServer, tmp_path: Path) -> None:
    """Collected again, a new comment and a changed one are there, and one that was removed since has lost its words."""
    first = collected(tmp_path, xtd_server.thread, CommentsXtd())
    native_id = xtd_server.write("A late comment.", "Kai")
    second = collected(tmp_path, xtd_server.thread, CommentsXtd())
    assert set(second.comments) - set(first.comments) == {native_id}
    xtd_server.edit(native_id, "A late comment, changed.")
    third = collected(tmp_path, xtd_server.thread, CommentsXtd())
    assert third.comments[native_id]["text"] == "A late comment, changed."
    xtd_server.remove(native_id)
    xtd_server.known.append(Known(native_id, None, "Kai", None, State.REMOVED))
    fourth = collected(tmp_path, xtd_server.thread, CommentsXtd())
    compare(fourth, xtd_server.known)
    assert fourth.comments[native_id]["first_seen"] == second.comments[native_id]["first_seen"]
    assert fourth.comments["1"]["first_seen"] == first.comments["1"]["first_seen"]


def discourse(*arguments: str | Path) -> Any:
    """Run a command as a person would, and return what it prints as JSON."""
    program = Path(sys.executable).with_name("discourse")
    done = subprocess.run([program, *map(str, arguments), "--json"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_commands(isso_server: IssoServer, xtd_server: XtdServer, tmp_path: Path) -> None:
    """`discourse collect` on addresses, twice, and `normalize` give the counts, trees and states of the servers."""
    sources = (isso_server.thread, f"xtd+{xtd_server.page}", "-o", tmp_path, "--allow-private")
    late = isso_server.write("A late comment, soon deleted.", "Kai")
    isso_server.approve(late)
    discourse("collect", *sources)
    isso_server.delete(late)
    told = discourse("collect", *sources)["threads"]
    discourse("normalize", tmp_path)

    listed = {server: [one for one in server.known if one.listed] for server in (isso_server, xtd_server)}
    comments = Workspace(tmp_path).read(COMMENTS)
    for server, name, gone in ((isso_server, "isso", 1), (xtd_server, "xtd", 0)):
        (row,) = (one for one in told if one["thread_id"].startswith(f"{name}:"))
        assert row["declared"] == len(listed[server]) == row["collected"] - gone
        assert (row["unreachable"], row["capped"], row["quarantined"]) == (0, 0, 0)
        states = [one.state for one in listed[server]]
        assert row["deleted"] == states.count(State.DELETED) + gone
        assert row["removed"] == states.count(State.REMOVED)
        rows = comments.filter(pl.col("thread_id") == row["thread_id"])
        parents = dict(rows.select("comment_id", "parent_id").rows())
        above = {one.native_id: one.parent for one in listed[server]}
        for native_id, parent in above.items():
            assert parents[f"{name}:{native_id}"] == (None if parent is None else f"{name}:{parent}")
    text = comments.filter(pl.col("comment_id") == f"isso:{late}").select("state", "text").row(0)
    assert text == (State.DELETED, None)
