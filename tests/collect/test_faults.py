"""A server that drops, delays, truncates, repeats and reorders: the table is the clean one, or says what it lacks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from tests.servers.clocks import Clock
from tests.servers.paged import SIZE, Paged, fill
from tests.servers.replay import FAULTS, Fault, replaying

from discourse.collect.archive import read_archive
from discourse.collect.crawl import CrawlOutcome, crawl
from discourse.collect.harvest import Collected, harvest
from discourse.collect.manners import Patience
from discourse.config import CollectConfig

PATIENT = Patience(attempts=4, connect=2, read=0.25, total=2)
RUNS = 4
# Faults that are seen at once, so that asking again mends them; the others give what looks like an answer.
SEEN: tuple[Fault, ...] = ("drop", "delay", "truncate", "cut", "busy", "full", "reorder")
MOMENT = {"file", "location", "first_seen", "last_seen", "offset"}


def once(path: Path, url: str) -> CrawlOutcome:
    """Collect, or go on; waits take no time, and there is no rate on loopback."""
    clock = Clock()
    config = CollectConfig(allow_private=True)
    return crawl(path, url, Paged(), config, environment={}, clock=clock, sleep=clock.sleep, patience=PATIENT)


def tables(path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Comments without the moments of collection, and threads."""
    contents = read_archive(path)
    how = Collected(path.name, datetime.now(UTC), "t", contents.unanswered, contents.rounds[-1].began)
    parsed = harvest(Paged(), contents.answers, how)
    comments = parsed.comments.filter(pl.col("reason").is_null())
    return comments.drop(MOMENT & set(comments.columns)).sort("native_id"), parsed.threads


def check(folder: Path, seed: int, pages: int, kinds: tuple[Fault, ...], share: float = 0.3) -> bool:
    """Collect with faults, going on a few times as a user would; whether the result is the clean one.

    What is collected must be part of the clean table, and what is not must be stated.
    """
    path = folder / f"{seed}.warc.gz"
    with replaying() as server:
        clean_path = folder / f"clean-{seed}.warc.gz"
        url = fill(server, pages)
        assert once(clean_path, url).finished
    with replaying(seed=seed, share=share, kinds=kinds) as server:
        url = fill(server, pages)
        outcome = once(path, url)
        for _ in range(RUNS):
            if outcome.finished:
                break
            outcome = once(path, url)
        harmless = not server.made
    clean, _ = tables(clean_path)
    found, threads = tables(path)
    assert clean.height == pages * SIZE
    assert found.join(clean, on=found.columns, how="anti", nulls_equal=True).is_empty()
    if found.equals(clean):
        return True
    assert not harmless
    # Something is missing: the thread's row must say so.
    if threads["declared"][0] is None:
        assert outcome.unanswered
        assert threads["reason"][0]
    else:
        assert threads["declared"][0] > found.height
    return False


@pytest.mark.parametrize("seed", range(20))
def test_faults_lose_nothing_in_silence(tmp_path: Path, seed: int) -> None:
    """With faults of all kinds the table is part of the clean one, and what it lacks is stated."""
    check(tmp_path, seed, 12, FAULTS)


@pytest.mark.parametrize("seed", range(100, 105))
def test_faults_that_show_lose_nothing(tmp_path: Path, seed: int) -> None:
    """Where no answer stands in for another, going on brings the whole table."""
    assert check(tmp_path, seed, 12, SEEN)


def test_a_hundred_pages_with_faults_are_collected(tmp_path: Path) -> None:
    """A long thread comes whole through a tenth of faults."""
    assert check(tmp_path, 7, 100, SEEN, share=0.1)


@pytest.mark.soak
def test_two_hundred_runs_lose_nothing_in_silence(tmp_path: Path) -> None:
    """Of 200 runs with faults each equals the clean one or says what is missing; most are whole."""
    whole = sum(check(tmp_path, seed, 12, FAULTS) for seed in range(1_000, 1_200))
    print(f"{whole} of 200 runs whole, the others with their loss stated")
    assert 20 < whole < 200
