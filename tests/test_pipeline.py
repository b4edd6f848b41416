"""What runs again after which change, and that a killed run ends with the tables of an undisturbed one."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from discourse import pipeline
from discourse.config import Config, load_config, override
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
# A file that tells how far the run is, and in which stage that is.
MOMENTS = (
    ("collect", "raw/*.jsonl"),
    ("collect", "raw_comments/part-*"),
    ("normalize", "author.key"),
    ("normalize", "comments/part-*"),
    ("tag", "embeddings/part-*"),
    ("tag", "frames/part-*"),
    ("tag", "topics/part-*"),
    ("annotate", "labels/part-*"),
    ("aggregate", "estimates/part-*"),
    ("report", "report.html"),
)


@dataclass(frozen=True, slots=True)
class Analysis:
    """A configuration file, and the workspace of a run of it that nobody disturbed."""

    config: Path
    whole: Workspace


@pytest.fixture(scope="session")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """A thread of 120 comments that differ, with labels, a stance target and a broken line."""
    lacking = {"frames-minilm", "stance-minilm"} - set(shipped_bundles())
    if lacking:
        pytest.skip(f"bundles not shipped yet: {', '.join(sorted(lacking))}")
    folder = tmp_path_factory.mktemp("analysis")
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


def test_the_undisturbed_run_filled_every_table(analysis: Analysis) -> None:
    """What the comparisons below compare is not empty."""
    rows = {name: analysis.whole.read(TABLES[name]).height for name in COMPARED if name != "attributes"}
    assert rows["comments"] == 120
    assert rows["quarantine"] == 1
    assert rows["labels"] == 120
    assert min(rows.values()) > 0, rows


def killed_at(analysis: Analysis, root: Path, pattern: str, delay: float) -> None:
    """Run for real, kill the process `delay` seconds after a file like `pattern` appears, and see that it died."""
    command = "from discourse.cli import main; main()"
    arguments = ["run", str(analysis.config), "-o", str(root)]
    with subprocess.Popen([sys.executable, "-c", command, *arguments], stderr=subprocess.DEVNULL) as process:
        while not any(root.glob(pattern)) and process.poll() is None:
            time.sleep(0.002)
        time.sleep(delay)
        process.kill()


def assert_goes_on(analysis: Analysis, root: Path) -> None:
    """Run again, and compare every table with the undisturbed run."""
    result = pipeline.run(load_config(analysis.config), root)
    assert result.report is not None
    assert result.report.is_file()
    for name in COMPARED:
        one, other = (found.read(TABLES[name]).drop(TIMES, strict=False) for found in (Workspace(root), analysis.whole))
        assert_frame_equal(one, other, check_row_order=False, abs_tol=1e-4, rel_tol=0)
    assert not list(root.rglob(".partial-*"))
    assert {stage.status for stage in status(root).stages} == {"skip"}


@pytest.mark.parametrize("moment", random.Random(3).sample(MOMENTS[4:9], 2), ids=" ".join)
def test_a_run_killed_midway_goes_on_to_equal_tables(
    moment: tuple[str, str], analysis: Analysis, tmp_path: Path
) -> None:
    """Two moments between the first vectors and the estimates; `make soak` does all."""
    killed_at(analysis, tmp_path / "ws", moment[1], 0.0)
    assert_goes_on(analysis, tmp_path / "ws")


@pytest.mark.soak
@pytest.mark.parametrize("delay", [0.0, 0.05, 0.4])
@pytest.mark.parametrize("moment", MOMENTS, ids=" ".join)
def test_a_run_killed_at_any_moment_goes_on_to_equal_tables(
    moment: tuple[str, str], delay: float, analysis: Analysis, tmp_path: Path
) -> None:
    """Every stage, just as a file of it appears and a little later."""
    killed_at(analysis, tmp_path / "ws", moment[1], delay)
    assert_goes_on(analysis, tmp_path / "ws")


def reran(analysis: Analysis, root: Path, changes: dict[str, object] | None = None) -> list[str]:
    """Run with some changes and return the stages that ran."""
    result = pipeline.run(override(load_config(analysis.config), changes or {}), root)
    return [stage.name for stage in result.stages if stage.status == "run"]


@pytest.fixture
def copied(analysis: Analysis, tmp_path: Path) -> Path:
    """A copy of the undisturbed workspace."""
    import shutil

    return Path(shutil.copytree(analysis.whole.root, tmp_path / "copied"))


def test_nothing_runs_twice(analysis: Analysis, copied: Path) -> None:
    """A second run skips all stages and finds the same."""
    assert reran(analysis, copied) == []


@pytest.mark.parametrize(
    ("changes", "stages"),
    [
        ({"report.quotes": "short"}, ["report"]),
        ({"seed": 5}, ["tag", "aggregate", "report"]),
        ({"filter.languages": ["en"]}, ["tag", "annotate", "aggregate", "report"]),
        ({"input.thread": "pier"}, list(pipeline.STAGE_NAMES)),
    ],
    ids=["quotes", "seed", "filter", "thread"],
)
def test_a_change_runs_what_reads_it(changes: dict[str, object], stages: list[str], analysis: Analysis) -> None:
    """The plan names the stages whose settings or inputs change, and no others; nothing is run by asking."""
    before = analysis.whole.receipt()
    plan = pipeline.run(override(load_config(analysis.config), changes), analysis.whole.root, dry_run=True)
    assert [stage.name for stage in plan.stages if stage.status == "run"] == stages
    assert all(stage.reason for stage in plan.stages)
    assert analysis.whole.receipt() == before


def test_other_labels_run_annotate_and_what_follows(analysis: Analysis, copied: Path, tmp_path: Path) -> None:
    """A changed label file reaches the estimates, and the tags stay."""
    labels = tmp_path / "labels.csv"
    labels.write_text((analysis.config.parent / "labels.csv").read_text(encoding="utf-8").replace(",1", ",0"))
    assert reran(analysis, copied, {"labels.files": [str(labels)]}) == ["annotate", "aggregate", "report"]
    shares = (
        Workspace(copied)
        .read(TABLES["estimates"])
        .filter(unit="all", measure="share", level="frame:fear_of_surveillance", method="census", variant="main")
        .filter(pl.col("group_by").is_null() & pl.col("contrast").is_null())
    )
    assert shares["estimate"].to_list() == [0.0]


def touched(table: str) -> Callable[[Path], None]:
    """Return a change to the first file of a table."""

    def change(root: Path) -> None:
        part = next((root / table).glob("part-*.parquet"))
        pl.read_parquet(part).head(1).write_parquet(part)

    return change


@pytest.mark.parametrize(
    ("table", "first"), [("raw_comments", "collect"), ("comments", "normalize"), ("estimates", "aggregate")]
)
def test_a_table_changed_by_hand_makes_its_stage_run_again(
    table: str, first: str, analysis: Analysis, copied: Path
) -> None:
    """What a stage wrote is known by its hash; the stage gives it back."""
    touched(table)(copied)
    assert reran(analysis, copied)[0] == first
    assert_goes_on(analysis, copied)


def test_a_longer_file_keeps_the_ids_of_old_comments(tmp_path: Path) -> None:
    """Ids are made of content, never of line numbers: new comments may stand anywhere."""
    file = tmp_path / "thread.txt"
    texts = ["The ferry is late again.", "Nobody says why.", "The ferry is late again."]
    file.write_text("\n\n".join(texts), encoding="utf-8")
    config = override(Config(), {"input.sources": [str(file)], "input.mode": "paragraph"})
    stages = ["collect", "normalize"]
    pipeline.run(config, tmp_path / "ws", stages)
    before = Workspace(tmp_path / "ws").read(TABLES["comments"])["comment_id"]
    assert before.n_unique() == 3
    file.write_text("\n\n".join(["A new voice comes first.", *texts, "And one comes last."]), encoding="utf-8")
    result = pipeline.run(config, tmp_path / "ws", stages)
    after = Workspace(tmp_path / "ws").read(TABLES["comments"])["comment_id"]
    assert result.comments == after.n_unique() == 5
    assert set(before) < set(after)


def test_findings_are_those_of_the_comments_at_hand(copied: Path, analysis: Analysis) -> None:
    """A run that stops before aggregate gives no findings: those on disk are of another run."""
    result = pipeline.run(load_config(analysis.config), copied, ["normalize", "tag"])
    assert result.findings == []
    assert pipeline.run(load_config(analysis.config), copied).findings != []
