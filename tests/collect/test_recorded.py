"""Answers of real servers, as recorded with status and headers, served again and collected from."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.servers.clocks import Clock
from tests.servers.replay import Served, replaying, whole_world

from discourse.collect.answers import Answer
from discourse.collect.archive import read_archive
from discourse.collect.crawl import crawl
from discourse.collect.harvest import Collected, harvest
from discourse.collect.sources.base import Parsed
from discourse.collect.sources.platforms import platform_of_address, platforms
from discourse.config import CollectConfig
from discourse.workspace import now

# Address and how many comments the recorded answers hold.
THREADS = {
    "isso": ("https://server.h.test/?uri=/carbon/", 11),
    "xtd": ("https://server.h.test/comments/api/flatpages-flatpage/1/", 12),
    "wordpress": ("https://server.h.test/2026/carbon-tax/", 11),
    "waline": ("https://server.h.test/api/comment?path=/carbon/", 10),
    "ghost": ("https://server.h.test/members/api/comments/post/6b04049046c6503857e5649e/", 11),
}
# Lists that were recorded with another limit than the one we ask for, and which hold the whole thread.
ALSO = {
    "waline": ("list", "/api/comment?path=%2Fcarbon%2F&pageSize=100&page=1&sortBy=insertedAt_asc"),
    "ghost": (
        "list",
        "/members/api/comments/post/6b04049046c6503857e5649e/?limit=100&page=1&order=created_at%20asc",
    ),
}
_HOP = {"content-encoding", "transfer-encoding", "content-length", "connection", "keep-alive"}


def recorded(head: Path) -> tuple[str, str, Served]:
    """Return method, target and answer of one recorded exchange."""
    request, status, *lines = head.read_text(encoding="utf-8").splitlines()
    method, _, target = request.partition(" ")
    pairs = (line.partition(":") for line in lines if ":" in line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    kept = {name: value for name, value in headers.items() if name not in _HOP}
    parts = urlsplit(target)
    path = f"{parts.path}{'?' + parts.query if parts.query else ''}"
    return method, path, Served(head.with_suffix(".body").read_bytes(), int(status.split()[0]), kept)


def collected(folder: Path, address: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> Parsed:
    """Serve every recorded answer of a folder and collect an address from it."""
    platform = platform_of_address(address, platforms())
    clock = Clock()
    with replaying() as server:
        for head in sorted(folder.glob("*.head")):
            method, target, given = recorded(head)
            server.put(target, given, method)
        if folder.name in ALSO:
            name, target = ALSO[folder.name]
            server.put(target, recorded(folder / f"{name}.head")[2])
        whole_world(monkeypatch, server)
        config = CollectConfig(allow_private=True, rate=1_000)
        crawl(path, address, platform, config, environment={}, clock=clock, sleep=clock.sleep)
    contents = read_archive(path)
    assert contents.answers
    return harvest(platform, contents.answers, Collected("live", now(), "unnamed", contents.unanswered))


@pytest.mark.parametrize("name", THREADS)
def test_recorded_servers_are_collected(
    name: str, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the recorded answers hold is collected, and what was not recorded is said."""
    address, least = THREADS[name]
    parsed = collected(shared / "payloads" / "servers" / name, address, tmp_path / "a.warc.gz", monkeypatch)
    found = parsed.comments.filter(parsed.comments["reason"].is_null())
    thread = parsed.threads.row(0, named=True)
    assert found.height >= least
    missing = (thread["declared"] or 0) - found.height
    assert missing <= 0 or thread["unreachable"] or thread["reason"]
    assert not found["native_id"].is_duplicated().any()


# Recorded answers of platforms that are elsewhere, and an address whose first request each could answer.
ELSEWHERE = {
    "discourse/perceval_discourse_topic_1148.json": "https://forum.h.test/t/x/1148",
    "hackernews/a2web_hn_item.json": "https://news.ycombinator.com/item?id=1",
    "youtube/comment_threads_by_video_paged_1.json": "https://www.youtube.com/watch?v=F1UP7wRCPH8",
    "bluesky/marshalx_thread_view_post.json": "at://did:plc:abcdefghijklmnopqrstuvwx/app.bsky.feed.post/1",
    "reddit/a2web_thread.rss": "https://www.reddit.com/r/x/comments/1qcwxml/.rss",
    "wordpress/wpkit_comments-v2-view-context-success.json": "https://b.h.test/wp-json/wp/v2/comments?post=4",
    "wordpress_html/anchor.ch.lanka.html": "https://page.h.test/lanka/",
    "wordpress_html/californiaglobe.com.amazon.html": "https://page.h.test/amazon/",
    "wordpress_html/foxyfolksy.com.buttercream.html": "https://page.h.test/buttercream/",
    "wordpress_html/hearya.com.metal.html": "https://page.h.test/metal/",
    "wordpress_html/lemire.me.json.html": "https://page.h.test/json/",
    "wordpress_html/thenervousbreakdown.com.loneliest.html": "https://page.h.test/loneliest/",
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_recorded_answers_are_collected(
    name: str, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer served over HTTP gives the comments that its file gives, and what did not follow is said."""
    body = (shared / "payloads" / name).read_bytes()
    keys = {"YOUTUBE_API_KEY": "k" * 20}
    platform = platform_of_address(ELSEWHERE[name], platforms())
    kind = "text/html" if name.endswith(".html") else "text/xml" if name.endswith(".rss") else "application/json"
    headers = {"content-type": kind}
    clock = Clock()
    with replaying() as server:
        for ask in platform.start(ELSEWHERE[name]):
            direct = platform.read(Answer(ask.url, 200, headers, body, now(), ask.key, dict(ask.context)))
            if not direct.comments:
                continue
            parts = urlsplit(ask.url)
            target = f"{parts.path}{'?' + parts.query if parts.query else ''}"
            server.put(target, Served(body, 200, headers))
            server.put(f"{target}&key={keys['YOUTUBE_API_KEY']}", Served(body, 200, headers))
            least = len({comment.native_id for comment in direct.comments})
            break
        else:
            pytest.fail(f"no request for {ELSEWHERE[name]} has an answer like {name}")
        whole_world(monkeypatch, server)
        config = CollectConfig(allow_private=True, rate=1_000)
        path = tmp_path / "a.warc.gz"
        crawl(path, ELSEWHERE[name], platform, config, environment=keys, clock=clock, sleep=clock.sleep)
    contents = read_archive(path)
    parsed = harvest(platform, contents.answers, Collected("live", now(), "unnamed", contents.unanswered))
    assert parsed.comments.height >= least
    thread = parsed.threads.row(0, named=True)
    assert thread["declared"] is None or thread["declared"] <= parsed.comments.height or thread["reason"]
