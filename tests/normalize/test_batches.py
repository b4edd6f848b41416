"""Threads that pass by in batches give what all of them at once give."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from discourse.config import parse_config
from discourse.errors import WorkspaceError
from discourse.normalize import WRITES, run
from discourse.normalize.batches import part_by_thread, thread_sizes
from discourse.tables import COMMENTS, RAW_ATTRIBUTES, RAW_COMMENTS, RAW_THREADS
from discourse.workspace import Workspace

from .records import record, thread

CONFIG = parse_config({"normalize": {"languages": ["en", "ru"]}})
STICKY = "I am a bot and this answer was written by a machine, please read the rules"
WORDS = ["the", "camera", "on", "our", "street", "nobody", "asked", "us", "да", "знали", "**bold**", "http://a.b/c"]


def some_text(draw: random.Random, before: list[str]) -> str | None:
    """Return nothing, the machine's text, an earlier text or a quote of it, or new words."""
    kind = draw.random()
    if kind < 0.1:
        return draw.choice([None, "", "\u200b"])
    if kind < 0.25:
        return STICKY
    if kind < 0.5 and before:
        return draw.choice(["{}", "{} more", "> {}\n\nno"]).format(draw.choice(before))
    return " ".join(draw.choices(WORDS, k=draw.randint(1, 20)))


def some_records(seed: int) -> list[dict[str, Any]]:
    """Return records of several threads in no order, with ids that several threads share, lost parents and loops."""
    draw = random.Random(seed)
    threads = ["forum:a", "forum:b", "forum:c", "forum:d", "forum:e", "other:a", "plain"][: draw.randint(1, 7)]
    found: list[dict[str, Any]] = []
    texts: list[str] = []
    for offset in range(draw.randint(1, 40)):
        text = some_text(draw, texts)
        texts += [text] if text else []
        name = draw.choice([None, str(draw.randint(0, 9)), f"a/{draw.randint(0, 3)}", f"n{offset}"])
        found.append(
            record(
                offset,
                text,
                thread_id=draw.choice(threads),
                native_id=name,
                native_parent=draw.choice([None, str(draw.randint(0, 9)), f"n{draw.randint(0, 50)}"]),
                reply_kind=draw.choice([None] * 6 + ["opening", "reply"]),
                author=draw.choice([None, "Ann", "Bob"]),
                created_at=draw.choice([None, datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=draw.randint(0, 9))]),
                markup=draw.choice(["plain", "markdown"]),
            )
        )
    return found


def tables(folder: Path, records: list[dict[str, Any]], batch: int) -> dict[str, pl.DataFrame]:
    """Normalize records in batches of a size, twice so that the second run knows a first, and return the tables."""
    workspace = Workspace(folder)
    folder.mkdir(exist_ok=True)
    (folder / "author.key").write_text("k" * 32)
    workspace.write(RAW_COMMENTS, RAW_COMMENTS.conform(pl.DataFrame(records, infer_schema_length=None)))
    attributes = [{"file": one["file"], "offset": one["offset"], "name": "n", "value": "v"} for one in records[::3]]
    workspace.write(RAW_ATTRIBUTES, RAW_ATTRIBUTES.conform(pl.DataFrame(attributes)))
    for day in (1, 2):
        known = [thread(name, collected_at=datetime(2024, 5, day, tzinfo=UTC)) for name in ("forum:b", "forum:a")]
        workspace.write(RAW_THREADS, RAW_THREADS.conform(pl.DataFrame(known, infer_schema_length=None)))
        run(workspace, CONFIG, batch=batch)
    return {table.name: workspace.read(table) for table in WRITES}


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), batch=st.integers(8, 25))
def test_the_size_of_batches_changes_no_table(tmp_path_factory: pytest.TempPathFactory, seed: int, batch: int) -> None:
    """Ids, trees, roles, languages, duplicates, quarantine and attributes are the same, row by row."""
    records = [*some_records(seed), record(900, "one comment at least", thread_id="forum:a", native_id="last")]
    folder = tmp_path_factory.mktemp("both")
    whole, parts = tables(folder / "whole", records, 10_000), tables(folder / "parts", records, batch)
    for name, expected in whole.items():
        assert_frame_equal(parts[name], expected)
    assert not list((folder / "parts").glob(".partial-*"))


def test_comments_are_written_in_as_many_parts_as_batches(tmp_path: Path) -> None:
    """A batch holds whole threads, in their order, and a thread longer than a batch stays whole."""
    records = [record(place, f"comment {place}", thread_id=f"forum:{place % 3}") for place in range(12)]
    tables(tmp_path / "ws", records, 5)
    workspace = Workspace(tmp_path / "ws")
    parts = [pl.read_parquet(part)["thread_id"].unique().to_list() for part in workspace.parts(COMMENTS)]
    assert sum(len(threads) for threads in parts) == 3
    assert len(parts) == 2
    threads = thread_sizes(workspace).sort("thread_id")
    batches = part_by_thread(workspace, threads, tmp_path / "scratch", 5)
    assert [len(rows) for rows in batches] == [8, 4]


def test_a_damaged_raw_table_is_named(tmp_path: Path) -> None:
    """A raw table that is cut short is one clear sentence."""
    workspace = Workspace(tmp_path / "ws")
    tables(tmp_path / "ws", [record(0, "one", thread_id="forum:a")], 5)
    part = workspace.parts(RAW_COMMENTS)[0]
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(WorkspaceError, match="is damaged"):
        run(workspace, CONFIG)
