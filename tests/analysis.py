"""A whole analysis for tests that disturb one: its input, a run that nobody disturbed, and what must be equal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from discourse import export, pipeline
from discourse.config import load_config
from discourse.models.bundle import shipped_bundles
from discourse.tables import TABLES
from discourse.workspace import Workspace
from discourse.workspace_status import status

TIMES = {"collected_at", "first_seen", "last_seen", "labelled_at", "published_at"}
COMPARED = (
    *("threads", "comments", "quarantine", "frames", "stance", "topics", "topic_info", "labels", "estimates"),
    *("attributes", "raw_comments"),
)
OPENINGS = ("Honestly,", "As a baker I say", "My aunt thinks", "Last winter", "Funny how", "On the quay they say")
ABOUT = ("the night ferry", "the new ticket gate", "the harbour lamps", "the fish market", "that bicycle lane")
CLAIMS = (
    "is late whenever it rains",
    "films every face that walks past",
    "costs more than it is worth",
    "was better under the old council",
)
# What differs between two runs without meaning anything: digests, moments and durations.
PASSING = re.compile(r"\b[0-9a-f]{64}\b|\d{4}-\d\d-\d\dT[\d:.]+Z?|&#34;seconds&#34;: [\d.]+")


@dataclass(frozen=True, slots=True)
class Analysis:
    """A configuration file, and the workspace of a run of it that nobody disturbed."""

    config: Path
    whole: Workspace


def make_analysis(folder: Path) -> Analysis:
    """A thread of 120 comments that differ, with labels, a stance target and a broken line."""
    lacking = {"frames-minilm", "stance-minilm"} - set(shipped_bundles())
    if lacking:
        pytest.skip(f"bundles not shipped yet: {', '.join(sorted(lacking))}")
    rows = [
        {"id": f"c{place}", "thread_id": "quay", "author": f"p{place % 17}", "text": f"{start} {what} {claim}."}
        for place, (start, what, claim) in enumerate((a, b, c) for a in OPENINGS for b in ABOUT for c in CLAIMS)
    ]
    table = pl.DataFrame(rows).with_columns(
        parent_id=pl.when(pl.int_range(pl.len()) % 3 == 2).then(pl.col("id").shift(1))
    )
    (folder / "quay.jsonl").write_text(table.write_ndjson() + '{"id": "cut in ha', encoding="utf-8")
    labels = table.select("id", fear_of_surveillance=pl.col("text").str.contains("films").cast(pl.Int8))
    labels.write_csv(folder / "labels.csv")
    (folder / "author.key").write_text("a secret of at least sixteen bytes", encoding="ascii")
    (folder / "discourse.toml").write_text(
        "[input]\nsources = ['quay.jsonl']\n[normalize]\nauthor_key = 'author.key'\nlanguages = ['en', 'de']\n"
        "[stance]\ntargets = ['the night ferry']\n[labels]\nfiles = ['labels.csv']\n",
        encoding="utf-8",
    )
    whole = Workspace(folder / "whole")
    pipeline.run(load_config(folder / "discourse.toml"), whole.root)
    return Analysis(folder / "discourse.toml", whole)


def report_of(root: Path) -> str:
    """Return the report without digests, moments and durations."""
    return PASSING.sub("", (root / "report.html").read_text(encoding="utf-8"))


def assert_equal_results(analysis: Analysis, root: Path, folder: Path) -> None:
    """Compare all tables row by row, the report, and the exports, which are written to `folder`."""
    one, other = Workspace(root), analysis.whole
    for name in COMPARED:
        found, expected = (each.read(TABLES[name]).drop(TIMES, strict=False) for each in (one, other))
        assert_frame_equal(found, expected, check_row_order=False, abs_tol=1e-4, rel_tol=0)
    assert report_of(root) == report_of(other.root)
    config = load_config(analysis.config)
    results = [export.run(each, config, folder / name) for name, each in (("one", one), ("other", other))]
    assert results[0].files == results[1].files
    for name in results[0].files:
        if name.endswith(".parquet"):
            found, expected = (pl.read_parquet(each.folder / name).drop(TIMES, strict=False) for each in results)
            assert_frame_equal(found, expected, check_row_order=False, abs_tol=1e-4, rel_tol=0)
    graphs = [(each.folder / "replies.graphml").read_text(encoding="utf-8") for each in results]
    assert PASSING.sub("", graphs[0]) == PASSING.sub("", graphs[1])


def assert_goes_on(analysis: Analysis, root: Path, folder: Path) -> None:
    """Run again, and compare what there is with the undisturbed run."""
    result = pipeline.run(load_config(analysis.config), root)
    assert result.report is not None
    assert_equal_results(analysis, root, folder)
    assert not list(root.rglob(".partial-*"))
    assert {stage.status for stage in status(root).stages} == {"skip"}
