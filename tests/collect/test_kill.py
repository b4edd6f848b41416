"""A collection that is killed goes on: the result is the clean one, and nothing on disk is asked for again."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.collect.test_faults import once, tables
from tests.servers.paged import fill
from tests.servers.replay import Replay, Served, replaying

from discourse.collect.archive import read_archive

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import sys
from pathlib import Path
from discourse.collect.crawl import crawl
from discourse.config import CollectConfig
from tests.servers.paged import Paged
print(crawl(Path(sys.argv[1]), sys.argv[2], Paged(), CollectConfig(allow_private=True), environment={}).note)
"""


def start(path: Path, url: str) -> subprocess.Popen[bytes]:
    """Start a collection in a process of its own."""
    return subprocess.Popen([sys.executable, "-c", RUN, str(path), url], cwd=ROOT, stdout=subprocess.PIPE)


def targets(path: Path, base: str) -> set[str]:
    """The path and query of each request that is answered on disk."""
    if not path.exists():
        return set()
    return {answer.key.removeprefix(f"GET {base}") for answer in read_archive(path).answers}


def kill_at(replay: Replay, path: Path, url: str, asked: int, delay: float) -> None:
    """Kill a collection with SIGKILL a moment after so many more requests, or let it end."""
    before, archived = len(replay.log), targets(path, replay.url)
    process = start(path, url)
    until = time.monotonic() + 60
    while process.poll() is None and len(replay.log) < before + asked and time.monotonic() < until:
        time.sleep(0.0005)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    assert not archived & set(replay.targets[before:])


def check(folder: Path, seed: int, pages: int, kills: int) -> None:
    """Kill a collection at random moments and let it end; compare with a clean one."""
    draw = random.Random(seed)
    path, clean = folder / "killed.warc.gz", folder / "clean.warc.gz"
    with replaying() as replay:
        url = fill(replay, pages)
        assert once(clean, url).finished
        del replay.log[:]
        for _ in range(kills):
            kill_at(replay, path, url, draw.randint(1, pages * 2 // (3 * kills)), draw.random() * 0.004)
        archived = targets(path, replay.url)
        del replay.log[:]
        assert 0 < len(archived) < pages
        again = once(path, url)
        assert again.finished
        assert sorted(archived | set(replay.targets)) == sorted(f"/t?page={one}" for one in range(1, pages + 1))
        assert not archived & set(replay.targets)
    found, threads = tables(path)
    expected, _ = tables(clean)
    assert found.equals(expected)
    assert (threads["declared"][0], threads["unreachable"][0]) == (found.height, 0)
    keys = [answer.key for answer in read_archive(path).answers]
    assert len(keys) == len(set(keys)) == pages


def test_a_killed_collection_goes_on(tmp_path: Path) -> None:
    """100 pages, killed four times at random moments."""
    check(tmp_path, 3, 100, 4)


def test_ctrl_c_ends_a_real_process_cleanly(tmp_path: Path) -> None:
    """SIGINT, while a server lets us wait, ends without a traceback and says what to type."""
    path = tmp_path / "ws" / "raw" / "t.warc.gz"
    with replaying() as replay:
        url = fill(replay, 20)
        replay.put("/t?page=5", Served(b"", 429, {"Retry-After": "600"}))
        process = start(path, url)
        until = time.monotonic() + 60
        while len(replay.log) < 5 and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert out.decode().startswith("stopped by Ctrl-C after 5 requests, 40 comments; to go on, type: discourse collect")
    assert len(read_archive(path).answers) == 4


@pytest.mark.soak
def test_fifty_kills_of_a_thousand_pages_lose_nothing(tmp_path: Path) -> None:
    """1,000 pages, killed fifty times at random moments."""
    check(tmp_path, 4, 1_000, 50)
