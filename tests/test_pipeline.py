"""What runs again after which change, and that a killed run ends with the tables of an undisturbed one."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from discourse import pipeline
from discourse.config import Config, load_config, override
from discourse.errors import WorkspaceError
from discourse.tables import TABLES
from discourse.workspace import Workspace
from discourse.workspace_status import status
from tests.analysis import COMPARED, Analysis, assert_goes_on, make_analysis
from tests.small_disk import filled, small_disk


@pytest.fixture(scope="session")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """A thread of 120 comments that differ, with labels, a stance target and a broken line, run through."""
    return make_analysis(tmp_path_factory.mktemp("analysis"))


def test_the_undisturbed_run_filled_every_table(analysis: Analysis) -> None:
    """What the comparisons below compare is not empty."""
    rows = {name: analysis.whole.read(TABLES[name]).height for name in COMPARED if name != "attributes"}
    assert rows["comments"] == 120
    assert rows["quarantine"] == 1
    assert rows["labels"] == 120
    assert min(rows.values()) > 0, rows


# A file that tells how far the run is, from collect to report.
MOMENTS = (
    *("raw/*.jsonl", "raw_comments/part-*", "comments/part-*"),
    *("embeddings/part-*", "frames/part-*", "topics/part-*"),
    *("labels/part-*", "estimates/part-*", "report.html"),
)
COMMAND = [sys.executable, "-c", "from discourse.cli import main; main()", "run"]


def killed(analysis: Analysis, root: Path, pattern: str | None, delay: float) -> None:
    """Run for real, and kill the process `delay` seconds after its start, or after a file like `pattern` appears."""
    with subprocess.Popen(
        [*COMMAND, str(analysis.config), "-o", str(root)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while pattern and not any(root.glob(pattern)) and process.poll() is None:
            time.sleep(0.002)
        time.sleep(delay)
        process.kill()


@pytest.mark.parametrize("third", range(3), ids=["collect or normalize", "tag", "after tag"])
def test_a_run_killed_at_a_random_moment_goes_on_to_equal_results(
    third: int, analysis: Analysis, tmp_path: Path
) -> None:
    """Three seeded moments; `make soak` takes thirty. Tables, exports and report are those of the clean run."""
    draw = random.Random(20_251 + third)
    killed(analysis, tmp_path / "ws", draw.choice(MOMENTS[3 * third : 3 * third + 3]), draw.uniform(0, 0.2))
    assert_goes_on(analysis, tmp_path / "ws", tmp_path / "exports")


@pytest.fixture(scope="session")
def whole_way(analysis: Analysis, tmp_path_factory: pytest.TempPathFactory) -> float:
    """How many seconds a run takes in a process of its own."""
    began = time.monotonic()
    root = tmp_path_factory.mktemp("timed") / "ws"
    subprocess.run([*COMMAND, str(analysis.config), "-o", str(root)], capture_output=True, check=True)
    return time.monotonic() - began


@pytest.mark.soak
@pytest.mark.parametrize("number", range(30))
def test_a_run_killed_at_any_moment_goes_on_to_equal_results(
    number: int, whole_way: float, analysis: Analysis, tmp_path: Path
) -> None:
    """Thirty seeded moments, one in each thirtieth of the whole way."""
    delay = whole_way * (number + random.Random(number).random()) / 30
    killed(analysis, tmp_path / "ws", None, delay)
    assert_goes_on(analysis, tmp_path / "ws", tmp_path / "exports")


def test_a_disk_that_fills_up_in_each_stage_loses_nothing(analysis: Analysis, tmp_path: Path) -> None:
    """Each stage fails in one sentence that names the file, and goes on when there is room again."""
    with small_disk(tmp_path / "disk") as disk:
        config, root = load_config(analysis.config), disk / "ws"
        for number, stage in enumerate(pipeline.STAGE_NAMES, 1):
            # Room for little more than the receipt, which is written before a stage begins.
            leaving = {"collect": 12_288, "annotate": 8_192}.get(stage, 20_480)
            with (
                filled(disk, leaving),
                pytest.raises(WorkspaceError, match=r"cannot be written \((No space left|the disk is full)") as caught,
            ):
                pipeline.run(config, root, pipeline.STAGE_NAMES[:number])
            assert str(root) in str(caught.value)
            # Of these the rows are so few that the second receipt may be what does not fit.
            assert stage in {"annotate", "aggregate"} or "receipt.json" not in str(caught.value)
            assert not list(root.rglob(".partial-*"))
            pipeline.run(config, root, pipeline.STAGE_NAMES[:number])
        assert_goes_on(analysis, root, tmp_path / "exports")


def turned(part: Path) -> None:
    """Turn one bit in the middle of a file."""
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 0x10
    part.write_bytes(data)


def cut(part: Path) -> None:
    """Take the second half of a file away."""
    part.write_bytes(part.read_bytes()[: part.stat().st_size // 2])


def older(part: Path) -> None:
    """Write the file as an earlier version would have, without its last column."""
    frame = pl.read_parquet(part)
    frame.drop(frame.columns[-1]).write_parquet(part)


def test_damaged_shards_are_computed_again(
    analysis: Analysis, copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A turned bit, a missing half or other columns: what such shards held is computed again, and said."""
    whole = Workspace(copied)
    spoiled = [(whole.parts(TABLES["scores"])[0], turned), (whole.parts(TABLES["scores"])[-1], older)]
    spoiled.append((whole.parts(TABLES["embeddings"])[0], cut))
    for part, spoil in spoiled:
        spoil(part)
    assert next(stage.name for stage in status(copied).stages if stage.status == "run") == "tag"
    assert reran(analysis, copied)[0] == "tag"
    err = capsys.readouterr().err
    assert all(f"{part}: is damaged and was removed" in err for part, _ in spoiled)
    assert_goes_on(analysis, copied, tmp_path / "exports")


@pytest.mark.parametrize("spoil", [turned, cut, older], ids=lambda spoil: spoil.__name__)
@pytest.mark.parametrize("table", ["raw_comments", "comments", "labels", "estimates"])
def test_a_damaged_table_is_made_again_or_told(
    table: str, spoil: Callable[[Path], None], analysis: Analysis, copied: Path
) -> None:
    """A stage that would make it again is planned; who reads it before is told the file and a remedy."""
    part = Workspace(copied).parts(TABLES[table])[0]
    spoil(part)
    plan = pipeline.run(load_config(analysis.config), copied, dry_run=True).stages
    assert [stage.status for stage in plan if stage.name == TABLES[table].stage] == ["run"]
    if spoil is not turned:
        said = rf"{re.escape(str(part))}: (is damaged|has other columns).*; (delete|put)"
        with pytest.raises(WorkspaceError, match=said):
            Workspace(copied).read(TABLES[table])


def reran(analysis: Analysis, root: Path, changes: dict[str, object] | None = None) -> list[str]:
    """Run with some changes and return the stages that ran."""
    result = pipeline.run(override(load_config(analysis.config), changes or {}), root)
    return [stage.name for stage in result.stages if stage.status == "run"]


@pytest.fixture
def copied(analysis: Analysis, tmp_path: Path) -> Path:
    """A copy of the undisturbed workspace."""
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
    table: str, first: str, analysis: Analysis, copied: Path, tmp_path: Path
) -> None:
    """What a stage wrote is known by its hash; the stage gives it back."""
    touched(table)(copied)
    assert reran(analysis, copied)[0] == first
    assert_goes_on(analysis, copied, tmp_path / "exports")


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
