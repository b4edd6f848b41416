"""Workspaces side by side: planted differences, one reader for both, authors, and threads at two times."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from discourse.aggregate import run as aggregate
from discourse.aggregate.across import read_part, together
from discourse.config import parse_config
from discourse.errors import UsageError, WorkspaceError
from discourse.models.bundle import Bundle, load_bundle
from discourse.receipt import StageRecord
from discourse.tables import CHANGES, COMMENTS, ESTIMATES, FRAMES, LABELS, STANCES, THREADS
from discourse.workspace import Workspace, create_workspace, now
from discourse.workspace_comparison import compare, same_threads
from discourse.writing import write_text

Make = Callable[..., Any]
CELLS = {(1, 1): 80, (1, 0): 20, (0, 1): 20, (0, 0): 380}


@pytest.fixture
def bundle(make_bundle: Make, heldout_rows: Make) -> Bundle:
    """Return a bundle with sensitivity 0.8 and false-positive rate 0.05 in six like sources."""
    return make_bundle(["fear"], [row for source in "stuvwx" for row in heldout_rows("fear", CELLS, source)])


@pytest.fixture
def finished(bundle: Bundle, comments_table: Make, frames_table: Make, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes a workspace as a run leaves it."""

    def make(name: str, tagged: np.ndarray, **changes: Any) -> Path:
        size = len(tagged)
        own = {"text": [f"{name} comment number {i}" for i in range(size)], "author": [f"u{i}" for i in range(size)]}
        comments = comments_table(size, **{**own, **changes.get("columns", {})})
        workspace = create_workspace(tmp_path / name)
        workspace.write(COMMENTS, comments)
        names = comments["thread_id"].unique(maintain_order=True).to_list()
        zero = ("collected", "deleted", "removed", "held", "unreachable", "capped", "quarantined")
        threads = {"thread_id": names, "platform": ["file"] * len(names), "source": ["f"] * len(names)}
        times = {"collected_at": [changes.get("collected_at")] * len(names)}
        schema = {"collected_at": pl.Datetime("us", "UTC")}
        counts = {each: [0] * len(names) for each in zero}
        workspace.write(THREADS, THREADS.conform(pl.DataFrame({**threads, **times, **counts}, schema_overrides=schema)))
        read_by = changes.get("bundle", bundle)
        workspace.write(FRAMES, frames_table(read_by, comments, [bool(one) for one in tagged]))
        if "labels" in changes:
            workspace.write(LABELS, changes["labels"](comments))
        if "stances" in changes:
            workspace.write(STANCES, changes["stances"](comments))
        bundles = {"frames": str(read_by.folder), **changes.get("bundles", {})}
        config = parse_config({"bundles": bundles, **changes.get("config", {})})
        aggregate(workspace, config)
        write_text(workspace.root / "author.key", changes.get("key", f"key of {name} " * 3))
        tables = {f"table {table.name}": workspace.digest(table) for table in (COMMENTS, FRAMES)}
        receipt = workspace.receipt()
        receipt.config = config.model_dump(mode="json")
        receipt.stages["tag"] = StageRecord(
            inputs={"codebook c": changes.get("codebook", "1")}, outputs={}, finished_at=now()
        )
        receipt.stages["aggregate"] = StageRecord(
            inputs=tables, outputs={"estimates": workspace.digest(ESTIMATES)}, finished_at=now()
        )
        workspace.save_receipt(receipt)
        return workspace.root

    return make


def _tags(rng: np.random.Generator, size: int, share: float) -> np.ndarray:
    truth = rng.permutation(size) < share * size
    return np.where(truth, rng.random(size) < 0.8, rng.random(size) < 0.05)


def _row(found: pl.DataFrame, **what: Any) -> dict[str, Any]:
    rows = found.filter(**{"variant": "main", **what})
    assert rows.height == 1, rows
    return rows.row(0, named=True)


def test_a_planted_difference_between_workspaces_is_found(finished: Make, tmp_path: Path) -> None:
    """A difference of 20 points is found between two workspaces, none between two alike, and all is signed."""
    rng = np.random.default_rng(1)
    roots = [finished(name, _tags(rng, 800, share)) for name, share in (("a", 0.3), ("b", 0.1), ("c", 0.1))]
    found = compare(roots, tmp_path / "page.html")
    assert found.workspace == tmp_path / "page.compare"
    between = found.differences.filter(family="workspaces", level="frame:fear")
    first = _row(between, unit="a/all", contrast="b/all", measure="difference")
    assert first["low"] < 0.2 < first["high"]
    assert first["p_holm"] < 0.01
    ratio = _row(between, unit="a/all", contrast="b/all", measure="ratio")
    assert ratio["low"] < 3 < ratio["high"]
    alike = _row(between, unit="b/all", contrast="c/all", measure="difference")
    assert alike["low"] < 0 < alike["high"]
    assert alike["p_holm"] > 0.05
    workspace = Workspace(found.workspace)
    table = workspace.read(ESTIMATES)
    ESTIMATES.conform(table)
    levels = table.filter(pl.col("contrast").is_null())
    own = Workspace(roots[0]).read(ESTIMATES).filter(unit="all", level="frame:fear", variant="main", measure="share")
    beside = levels.filter(unit="a/all", level="frame:fear", measure="share")
    assert beside["estimate"].to_list() == own["estimate"].to_list()
    record = workspace.receipt().stages["compare"]
    assert record.inputs["b table estimates"] == Workspace(roots[1]).digest(ESTIMATES)
    assert set(workspace.receipt().sources) == {"workspace a", "workspace b", "workspace c"}


def test_the_same_comparison_gives_the_same_table(finished: Make, tmp_path: Path) -> None:
    """Comparing again into the same place gives the same rows."""
    rng = np.random.default_rng(2)
    roots = [finished(name, _tags(rng, 100, 0.2)) for name in ("a", "b")]
    first = Workspace(compare(roots, tmp_path / "page.html").workspace).read(ESTIMATES)
    second = Workspace(compare(roots, tmp_path / "page.html").workspace).read(ESTIMATES)
    assert first.equals(second)


def test_differences_from_labels_are_independent_between_workspaces(finished: Make, tmp_path: Path) -> None:
    """Two workspaces labelled whole give a difference without width; labels go before tags."""

    def labels(comments: pl.DataFrame) -> pl.DataFrame:
        size = comments.height
        columns: dict[str, Any] = {
            "comment_id": comments["comment_id"],
            "kind": ["frame"] * size,
            "level": ["fear"] * size,
            "value": ["yes" if i % 5 == 0 else "no" for i in range(size)],
            "hard": [False] * size,
            "annotator": ["ann"] * size,
            "design": ["census"] * size,
            "inclusion": [1.0] * size,
            "round": [0] * size,
        }
        return LABELS.conform(pl.DataFrame(columns))

    roots = [finished(name, np.zeros(size, bool), labels=labels) for name, size in (("a", 50), ("b", 51))]
    row = _row(
        compare(roots, tmp_path / "page.html").differences.filter(family="workspaces"),
        level="frame:fear",
        measure="difference",
    )
    assert row["method"] == "census"
    assert row["estimate"] == row["low"] == row["high"] == pytest.approx(10 / 50 - 11 / 51)


def test_what_another_bundle_or_codebook_read_is_left_out_and_said(finished: Make, tmp_path: Path) -> None:
    """A workspace tagged by another codebook has no rows for frames; where none is left there is one error."""
    roots = [
        finished(name, np.arange(60) % 3 == 0, codebook=book) for name, book in (("a", "1"), ("b", "1"), ("c", "2"))
    ]
    found = compare(roots, tmp_path / "page.html")
    assert any(note.startswith("frames: c left out") for note in found.notes)
    frames = Workspace(found.workspace).read(ESTIMATES).filter(pl.col("level").str.starts_with("frame:"))
    assert not frames["unit"].str.starts_with("c/").any()
    assert frames["unit"].str.starts_with("a/").any()
    with pytest.raises(WorkspaceError, match="nothing can be compared: frames: a, c left out"):
        compare([roots[0], roots[2]], tmp_path / "other.html")


def test_what_another_bundle_read_is_left_out_and_said(
    finished: Make, bundle: Bundle, make_bundle: Make, heldout_rows: Make, tmp_path: Path
) -> None:
    """Workspaces tagged by two bundles of the same labels have nothing to compare."""
    one = finished("a", np.arange(60) % 3 == 0)
    first = load_bundle(str(bundle.folder.rename(tmp_path / "first")), "frames")
    receipt = Workspace(one).receipt()
    receipt.config["bundles"] = {"frames": str(first.folder)}
    Workspace(one).save_receipt(receipt)
    second = make_bundle(["fear"], heldout_rows("fear", {(1, 1): 70, (1, 0): 30, (0, 1): 20, (0, 0): 380}))
    two = finished("b", np.arange(60) % 3 == 0, bundle=second)
    with pytest.raises(WorkspaceError, match="nothing can be compared: frames: a, b left out"):
        compare([one, two], tmp_path / "page.html")


def test_stances_are_compared_for_the_targets_that_workspaces_share(
    finished: Make, make_bundle: Make, heldout_rows: Make, tmp_path: Path
) -> None:
    """Stances to a target of two workspaces are compared, those to a target of one are not, and that is said."""
    levels = ("about", "favor", "against", "neutral")
    rows = [row for source in "stuvwx" for level in levels for row in heldout_rows(level, CELLS, source)]
    reader = make_bundle(["favor", "against", "neutral"], rows, kind="stance", levels=levels)

    def tagged(comments: pl.DataFrame, favor: int) -> pl.DataFrame:
        size = comments.height
        columns: dict[str, Any] = {
            "comment_id": comments["comment_id"],
            "target": ["dam"] * size,
            "p_favor": [0.9 if i < favor else 0.1 for i in range(size)],
            "p_against": [0.1 if i < favor else 0.9 for i in range(size)],
            "p_neutral": [0.05] * size,
            "p_off_target": [0.05 if i < size // 2 else 0.95 for i in range(size)],
            "stance": ["favor" if i < favor else "against" if i < size // 2 else "off_target" for i in range(size)],
            "tier": ["encoder"] * size,
            "path": ["cascade"] * size,
            "bundle": [reader.id] * size,
        }
        return STANCES.conform(pl.DataFrame(columns))

    bundles = {"stance": str(reader.folder)}
    roots = [
        finished(
            name,
            np.arange(600) % 3 == 0,
            stances=lambda comments, favor=favor: tagged(comments, favor),
            bundles=bundles,
            config={"stance": {"targets": targets}},
        )
        for name, favor, targets in (("a", 200, ["dam"]), ("b", 60, ["dam", "road"]))
    ]
    found = compare(roots, tmp_path / "page.html")
    assert 'stances to "road": only b has them' in found.notes
    row = _row(found.differences.filter(family="workspaces"), level="stance:dam:favor", measure="difference")
    assert row["low"] > 0
    assert row["p_holm"] < 0.05
    assert row["denominator"].startswith("those about the target among 600 comments of a/all")
    assert not found.differences["level"].str.starts_with("stance:road").any()


def test_authors_are_matched_only_by_a_shared_key(finished: Make, tmp_path: Path) -> None:
    """With one key an author of both workspaces counts once among the rest; with two keys a note says that none can."""
    columns = {"text": ["zebra crossing ahead"] * 40}
    apart = [finished(name, np.arange(40) % 2 == 0, columns=columns) for name in ("a", "b")]
    assert any("authors cannot be matched" in note for note in compare(apart, tmp_path / "1.html").notes)
    shared = [finished(name, np.arange(40) % 2 == 0, columns=columns, key="k" * 32) for name in ("c", "d")]
    found = compare(shared, tmp_path / "2.html")
    assert not any("authors cannot be matched" in note for note in found.notes)
    parts = [read_part(name, Workspace(root)) for name, root in zip("cd", shared, strict=True)]
    assert len(np.unique(together(parts, ["en"], matched=True).author)) == 40
    assert len(np.unique(together(parts, ["en"], matched=False).author)) == 80


def test_a_thread_at_two_times_shows_what_came_and_what_went(finished: Make, tmp_path: Path) -> None:
    """New, disappeared, edited and kept comments are counted, whichever workspace is named first."""
    early, late = (datetime(2024, 5, day, tzinfo=UTC) for day in (1, 9))
    before = finished(
        "before", np.arange(40) % 2 == 0, collected_at=early, columns={"text": [f"words {i}" for i in range(40)]}
    )
    after = finished(
        "after",
        np.arange(50) % 2 == 0,
        collected_at=late,
        columns={
            "text": [None if i < 3 else f"words {i}" + (" indeed" if i == 7 else "") for i in range(50)],
            "state": ["deleted"] * 3 + ["visible"] * 47,
        },
    )
    for roots in ([before, after], [after, before]):
        found = compare(roots, tmp_path / "page.html")
        counts = same_threads(found)
        assert set(counts["unit"]) == {"after/thread:file:t0"}
        assert set(counts["contrast"]) == {"before/thread:file:t0"}
        assert dict(counts.select("level", "estimate").iter_rows()) == {
            "comments:new": 10,
            "comments:disappeared": 3,
            "comments:edited": 1,
            "comments:kept": 37,
        }
        changes = Workspace(found.workspace).read(CHANGES)
        gone = changes.filter(change="disappeared")
        assert gone["comment_id"].to_list() == ["file:0", "file:1", "file:2"]
        assert gone["text"].null_count() == 3
        assert changes.filter(change="edited")["text"].to_list() == ["words 7 indeed"]
        assert any("comments are in more than one workspace" in note for note in found.notes)
        shares = found.differences.filter(family="same_thread", measure="difference", variant="main")
        assert shares["unit"].to_list() == ["after/thread:file:t0"]


def test_workspaces_of_one_folder_name_get_their_parents_name(finished: Make, tmp_path: Path) -> None:
    """Two workspaces that are called alike are told apart by the folders that they lie in."""
    roots = [finished(name, np.arange(40) % 2 == 0) for name in ("x/ws", "y/ws")]
    assert list(compare(roots, tmp_path / "page.html").names) == ["x.ws", "y.ws"]


def test_what_cannot_be_compared_is_one_sentence(finished: Make, tmp_path: Path) -> None:
    """One workspace, eleven, the same twice, one without estimates, a stale one, a folder of something else."""
    one, two = (finished(name, np.arange(40) % 2 == 0) for name in ("a", "b"))
    page = tmp_path / "page.html"
    with pytest.raises(UsageError, match="give from 2 to 10"):
        compare([one], page)
    with pytest.raises(UsageError, match="give from 2 to 10"):
        compare([one] * 11, page)
    with pytest.raises(UsageError, match="the same workspace"):
        compare([one, two, tmp_path / "b" / ".." / "a"], page)
    with pytest.raises(UsageError, match="is a folder"):
        compare([one, two], tmp_path)
    (tmp_path / "mine.compare").mkdir()
    (tmp_path / "mine.compare" / "thesis.txt").write_text("x")
    with pytest.raises(WorkspaceError, match="other things in it"):
        compare([one, two], tmp_path / "mine.html")
    Workspace(two).write(COMMENTS, Workspace(two).read(COMMENTS).head(3))
    with pytest.raises(WorkspaceError, match="comments changed since the estimates were made"):
        compare([one, two], page)
    receipt = Workspace(two).receipt()
    del receipt.stages["aggregate"]
    Workspace(two).save_receipt(receipt)
    with pytest.raises(WorkspaceError, match="no finished estimates"):
        compare([one, two], page)
    receipt.schema_version = 1
    Workspace(two).save_receipt(receipt)
    with pytest.raises(WorkspaceError, match="table version 1"):
        compare([one, two], page)
    assert not page.with_suffix(".compare").exists()


@pytest.mark.parametrize("tagged", [False, True])
@pytest.mark.parametrize("size", [1, 4])
def test_tiny_workspaces_give_finite_numbers(tagged: bool, size: int, finished: Make, tmp_path: Path) -> None:
    """One comment, no yes, all yes: every number is finite and every small comparison marked."""
    roots = [finished(name, np.full(size, tagged), columns={"author": [None] * size}) for name in ("a", "b")]
    found = compare(roots, tmp_path / "page.html").differences
    for name in ("estimate", "low", "high", "p", "p_holm"):
        assert found[name].drop_nulls().is_finite().all()
    assert set(found.filter(family="workspaces", measure="difference")["mark"]) <= {"low_sample", "not_estimable"}
