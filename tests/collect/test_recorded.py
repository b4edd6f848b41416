"""Answers of real servers, as recorded with status and headers, served again and collected from."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.servers.clocks import Clock
from tests.servers.replay import Served, replaying, whole_world

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
