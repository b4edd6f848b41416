"""From a file to a report, through the command line."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from discourse.tables import TABLES
from discourse.workspace import Workspace

Command = Callable[..., Any]  # the fixture `discourse`: arguments to exit code, stdout and stderr
TIMES = {"collected_at", "first_seen", "last_seen"}
STAGES = ["collect", "normalize", "tag", "annotate", "aggregate", "report"]


def test_the_seed_thread_is_read_as_a_careful_reader_would(shared: Path, tmp_path: Path, discourse: Command) -> None:
    """Of 24 decisions at least 22 are right, and at least 3 of the 4 yes."""
    file = shared / "threads" / "seed" / "000_a7bd2c93768cd70c.txt"
    ws = Workspace(tmp_path / "ws")
    said = discourse("run", file, "--article-lines", "1-28", "-o", ws.root, "--json")
    assert (said.code, said.json["comments"], said.json["quarantined"]) == (0, 10, 2)
    quarantine = ws.read(TABLES["quarantine"])
    assert set(quarantine["location"]) == {"line 29", "line 30"}
    assert set(quarantine["reason"]) == {"furniture"}
    assert ws.read(TABLES["threads"])["article"][0].startswith("Defense Secretary")
    yes = {
        (31, "fear_of_surveillance"),
        (35, "culture_war_framing"),
        (35, "classification_speculation"),
        (39, "classification_speculation"),
    }
    lines = ws.read(TABLES["comments"]).select("comment_id", line=pl.col("raw").struct.field("offset") + 1)
    tags = ws.read(TABLES["frames"]).join(lines, on="comment_id")
    tags = tags.filter(~pl.col("line").is_in([32, 34]), pl.col("path") != "text_only")
    assert tags.height == 24
    right = [(row["line"], row["frame"]) in yes for row in tags.iter_rows(named=True) if row["above_threshold"]]
    wrong = right.count(False) + len(yes) - right.count(True)
    assert 24 - wrong >= 22
    assert right.count(True) >= 3


def test_a_run_is_skipped_where_nothing_changed(thread: Path, tmp_path: Path, discourse: Command) -> None:
    ws = tmp_path / "ws"
    first = discourse("run", thread, "-o", ws, "--json")
    assert first.code == 0
    assert set(first.json) == {"workspace", "threads", "comments", "quarantined", "report", "findings", "stages"}
    assert [stage["name"] for stage in first.json["stages"]] == STAGES
    assert {stage["status"] for stage in first.json["stages"]} == {"run"}
    assert {"sentence", "estimate_ids", "mark"} == set(first.json["findings"][0])
    page = (ws / "report.html").read_text(encoding="utf-8")
    assert "&lt;img src=x" in page
    assert "<img" not in page
    again = discourse("run", thread, "-o", ws, "--json")
    assert {stage["status"] for stage in again.json["stages"]} == {"skip"}
    assert again.json["findings"] == first.json["findings"]
    plan = discourse("run", thread, "-o", ws, "--quotes", "short", "--dry-run")
    assert [line.split()[0] for line in plan.out.splitlines()] == ["SKIP"] * 5 + ["RUN"]
    (ws / "frames" / "part-00000.parquet").unlink()
    plan = discourse("run", thread, "-o", ws, "--dry-run")
    assert [line.split()[0] for line in plan.out.splitlines()] == ["SKIP"] * 2 + ["RUN", "SKIP", "RUN", "RUN"]
    status = discourse("status", ws, "--json").json
    assert set(status) == {"workspace", "comments", "quarantined", "labels", "stages", "threads"}
    assert status["threads"][0]["deleted"] == 1


def test_the_demo_shows_shares_with_labels_and_counts_without(tmp_path: Path, discourse: Command) -> None:
    said = discourse("demo", "-o", tmp_path / "ws", "--json")
    assert said.code == 0
    ws = Workspace(tmp_path / "ws")
    estimates = ws.read(TABLES["estimates"]).filter(measure="share", unit="all")
    assert {"census", "heldout_correction"} <= set(estimates["method"])
    assert estimates.filter(method="census", level="frame:fear_of_surveillance")["estimate"][0] > 0.1
    assert ws.read(TABLES["comments"])["duplicate_of"].drop_nulls().len() >= 2
    assert ws.read(TABLES["topic_info"]).height >= 2
    assert "labels" in said.json["findings"][0]["sentence"]


@pytest.mark.parametrize("stage", ["normalize", "tag"])
def test_a_killed_run_goes_on_to_the_same_tables(stage: str, thread: Path, tmp_path: Path, discourse: Command) -> None:
    kill_and_compare(stage, thread, tmp_path, discourse)


@pytest.mark.soak
@pytest.mark.parametrize("stage", STAGES)
def test_a_run_killed_in_any_stage_goes_on_to_the_same_tables(
    stage: str, thread: Path, tmp_path: Path, discourse: Command
) -> None:
    kill_and_compare(stage, thread, tmp_path, discourse)


def kill_and_compare(stage: str, thread: Path, tmp_path: Path, discourse: Command) -> None:
    """Kill a real process as a stage begins, run again, and compare with a run that nobody disturbed."""
    key = tmp_path / "author.key"
    key.write_text("a secret of at least sixteen bytes", encoding="ascii")
    arguments = ["run", str(thread), "--author-key", str(key), "-o"]
    code = "from discourse.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments, str(tmp_path / "killed")], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith(f"{stage}:"):
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    for root in ("killed", "whole"):
        assert discourse(*arguments, tmp_path / root).code == 0
    for table in TABLES.values():
        one, other = (Workspace(tmp_path / root).read(table).drop(TIMES, strict=False) for root in ("killed", "whole"))
        assert_frame_equal(one, other, check_row_order=False, abs_tol=1e-4)
    assert not list((tmp_path / "killed").rglob(".partial-*"))


def test_any_table_can_be_tagged(tmp_path: Path, discourse: Command) -> None:
    file = tmp_path / "a.csv"
    file.write_text(
        'key,body\n=a1,"They track every step I take, it is frightening."\nb2,Nice pie.\n', encoding="utf-8"
    )
    said = discourse("tag", file, "--text-column", "body", "--id-column", "key", "-o", tmp_path / "out.csv", "--json")
    assert (said.code, said.json["rows"]) == (0, 2)
    tags = pl.read_csv(tmp_path / "out.csv")
    assert tags.height == 6
    assert set(tags["comment_id"]) == {"'=a1", "b2"}
    assert discourse("tag", file, "--text-column", "text", "-o", tmp_path / "o.csv").code == 2
    wide = discourse("tag", file, "--text-column", "body", "--wide", "-o", tmp_path / "wide.parquet")
    assert wide.code == 0
    found = pl.read_parquet(tmp_path / "wide.parquet")
    assert found.columns[:2] == ["key", "body"]
    assert "fear_of_surveillance_probability" in found.columns


def test_a_table_gets_stances_too(tmp_path: Path, discourse: Command) -> None:
    file = tmp_path / "a.jsonl"
    rows = [
        {"text": "The toll bridge is a wonderful idea and I support it.", "parent": ""},
        {"text": "Exactly, tear it down!", "parent": "The toll bridge must go."},
    ]
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    out = tmp_path / "out.parquet"
    said = discourse("tag", file, "--text-column", "text", "--target", "the toll bridge", "-o", out)
    assert said.code == 0, said.err
    stances = pl.read_parquet(tmp_path / "out.stance.parquet")
    assert stances.height == 2
    assert set(stances["comment_id"]) == {"1", "2"}


@pytest.mark.parametrize(
    "command",
    [
        "",
        "run",
        "demo",
        "collect",
        "normalize",
        "tag",
        "aggregate",
        "report",
        "status",
        "doctor",
        "codebook check",
        "bundle train",
        "bundle show",
        "bundle list",
        "bundle verify",
        "bundle export",
    ],
)
def test_help_teaches(command: str, discourse: Command) -> None:
    said = discourse(*command.split(), "--help")
    assert said.code == 0
    assert not command or "Example" in said.out
    assert "discourse" in said.out


def test_doctor_and_lists(discourse: Command) -> None:
    assert discourse("doctor", "--json").json["ok"] is True
    names = {bundle["name"] for bundle in discourse("bundle", "list", "--json").json["bundles"]}
    assert names == {"frames-minilm", "frames-minilm-context", "stance-minilm"}
    assert "verified" in discourse("bundle", "show", "frames-minilm").out
    assert discourse("codebook", "check", "surveillance-culture-secrecy").code == 0


def test_help_imports_nothing_heavy() -> None:
    """What makes --help slow is imports, so they are what is tested."""
    code = (
        "import sys\nfrom discourse.cli.app import app\n"
        "heavy = {'torch', 'polars', 'pydantic', 'transformers', 'numpy', 'rich.console'} & set(sys.modules)\n"
        "print(sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
