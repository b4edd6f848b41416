"""The population `similar` as a run gives it: rows beside those of these comments, and what they warn of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from discourse.aggregate import run
from discourse.config import Config, parse_config
from discourse.models.bundle import Bundle
from discourse.tables import COMMENTS, ESTIMATES, FRAMES, LABELS, STANCES
from discourse.workspace import Workspace

Make = Callable[..., Any]
CELLS = {(1, 1): 80, (1, 0): 20, (0, 1): 20, (0, 0): 380}
LEVELS = ("about", "favor", "against", "neutral")


def _config(bundle: Bundle, **other: Any) -> Config:
    values = {"bundles": {"frames": str(bundle.folder)}, "aggregate": {"population": "similar"}}
    return parse_config({**values, **other})


def _rows(rows: Make, level: str) -> list[dict[str, Any]]:
    return [row for source in "stuvwx" for row in rows(level, CELLS, source)]


@pytest.fixture
def bundle(make_bundle: Make, heldout_rows: Make) -> Bundle:
    """Return a bundle with sensitivity 0.8 and false-positive rate 0.05 in six like sources."""
    return make_bundle(["fear"], _rows(heldout_rows, "fear"))


@pytest.fixture
def threads(workspace: Workspace, bundle: Bundle, comments_table: Make, frames_table: Make) -> Callable[..., None]:
    """Return a function that writes comments of some threads; every fifth is tagged, more in some threads."""

    def write(number: int, count: int, **columns: Any) -> None:
        comments = comments_table(number, threads=count, authors=[f"a{i}" for i in range(number // 2)], **columns)
        rng = np.random.default_rng(3)
        tilt = rng.normal(0.2, 0.05, count)
        thread = comments["thread_id"].str.slice(6).cast(pl.Int64).to_numpy() % count
        workspace.write(COMMENTS, comments)
        workspace.write(FRAMES, frames_table(bundle, comments, list(rng.random(number) < tilt[thread])))

    return write


def _similar(workspace: Workspace) -> pl.DataFrame:
    found = workspace.read(ESTIMATES)
    assert found["estimate_id"].is_unique().all()
    return found.filter(pl.col("population") == "similar")


def test_rows_for_threads_like_these_stand_beside_those_of_these_comments(
    workspace: Workspace, bundle: Bundle, threads: Make
) -> None:
    """Opted in, a frame has one row more, wider than the one of these comments; else there is none."""
    threads(600, 12)
    run(workspace, _config(bundle, aggregate={"population": "collected"}))
    assert _similar(workspace).is_empty()
    before = workspace.read(ESTIMATES)
    run(workspace, _config(bundle))
    assert workspace.read(ESTIMATES).filter(pl.col("population") == "collected").equals(before)
    row = _similar(workspace).row(0, named=True)
    here = before.filter((pl.col("unit") == "all") & (pl.col("method") == "heldout_correction")).row(0, named=True)
    assert (row["level"], row["unit"], row["mark"]) == ("frame:fear", "all", "not_validated")
    assert row["estimate"] == pytest.approx(here["estimate"])
    assert row["low"] < row["estimate"] < row["high"]
    assert row["denominator"].endswith("as a sample of threads like these 12")
    assert "12 threads are taken for a random sample" in row["assumptions"]


@pytest.mark.parametrize("count", [1, 7])
def test_below_eight_threads_there_is_no_number_and_the_sentence_counts_them(
    workspace: Workspace, bundle: Bundle, threads: Make, count: int
) -> None:
    """No share, no interval, and a sentence that says how many threads there are and how many it takes."""
    threads(140, count)
    run(workspace, _config(bundle))
    row = _similar(workspace).row(0, named=True)
    assert row["mark"] == "not_estimable"
    assert (row["estimate"], row["low"], row["high"]) == (None, None, None)
    assert f"there are {count} threads" in row["assumptions"]
    assert "8 are needed" in row["assumptions"]


def test_no_comments_at_all_are_no_threads(workspace: Workspace, bundle: Bundle, comments_table: Make) -> None:
    """An empty workspace has a row that says so."""
    workspace.write(COMMENTS, comments_table(0))
    run(workspace, _config(bundle))
    assert "there are 0 threads" in _similar(workspace).row(0, named=True)["assumptions"]


def test_few_unequal_threads_are_warned_of(workspace: Workspace, bundle: Bundle, threads: Make) -> None:
    """Nine threads of which one holds most comments: a mark, and a sentence that says what they are worth."""
    names = [f"file:t{i if i < 9 else 0}" for i in range(300)]
    threads(300, 9, thread_id=names)
    run(workspace, _config(bundle))
    row = _similar(workspace).row(0, named=True)
    assert row["mark"] == "low_sample"
    assert "worth about 1.1 of equal size" in row["assumptions"]
    assert row["low"] < row["estimate"] < row["high"]


def test_labels_of_known_inclusion_give_a_row_more(workspace: Workspace, bundle: Bundle, threads: Make) -> None:
    """Every third comment labelled: a share from labels, beside the one by error rates."""
    threads(600, 12)
    drawn = workspace.read(COMMENTS)["comment_id"].to_list()[::7]
    values = ["yes" if i % 3 == 0 else "no" for i in range(len(drawn))]
    workspace.write(LABELS, _labels(drawn, values))
    run(workspace, _config(bundle))
    found = _similar(workspace).filter(pl.col("method") == "prediction_powered").row(0, named=True)
    assert found["n_labelled"] == len(drawn)
    assert found["mark"] is None
    assert found["low"] < 1 / 3 < found["high"]


def test_sides_are_shares_of_those_about_the_target(
    workspace: Workspace, bundle: Bundle, make_bundle: Make, heldout_rows: Make, comments_table: Make
) -> None:
    """A side's row says what it is a share of, and its point is that of these comments."""
    rows = [row for level in LEVELS for row in _rows(heldout_rows, level)]
    reader = make_bundle(["favor", "against", "neutral"], rows, kind="stance", levels=LEVELS)
    comments = comments_table(400, threads=10)
    workspace.write(COMMENTS, comments)
    about, favor = [i % 5 < 2 for i in range(400)], [i % 5 == 0 for i in range(400)]
    side = [0.9 if one else 0.05 if here else None for one, here in zip(favor, about, strict=True)]
    tags = pl.DataFrame(
        {
            "comment_id": comments["comment_id"],
            "target": ["the lamps"] * 400,
            "p_favor": side,
            "p_against": [None if p is None else 0.92 - p for p in side],
            "p_neutral": [None if p is None else 0.04 for p in side],
            "p_off_target": [0.04 if here else 0.95 for here in about],
            "stance": ["favor" if p == 0.9 else "off_target" if p is None else "against" for p in side],
            "tier": ["encoder"] * 400,
            "path": ["cascade"] * 400,
            "bundle": [reader.id] * 400,
        }
    )
    workspace.write(STANCES, STANCES.conform(tags))
    bundles = {"frames": str(bundle.folder), "stance": str(reader.folder)}
    run(workspace, _config(bundle, bundles=bundles, stance={"targets": ["the lamps"]}))
    found = _similar(workspace).filter(pl.col("level") == "stance:the lamps:favor").row(0, named=True)
    here = workspace.read(ESTIMATES).filter(
        (pl.col("level") == "stance:the lamps:favor")
        & (pl.col("population") == "collected")
        & (pl.col("method") == "heldout_correction")
        & (pl.col("unit") == "all")
        & (pl.col("variant") == "main")
        & pl.col("group_by").is_null()
    )
    assert found["denominator"].startswith("those about the target among 400 eligible")
    assert found["estimate"] == pytest.approx(here.row(0, named=True)["estimate"])
    assert found["low"] < found["estimate"] < found["high"]


def _labels(comments: list[str], values: list[str]) -> pl.DataFrame:
    size = len(comments)
    columns: dict[str, Any] = {
        "comment_id": comments,
        "kind": ["frame"] * size,
        "level": ["fear"] * size,
        "value": values,
        "hard": [False] * size,
        "annotator": ["ann"] * size,
        "design": ["uniform"] * size,
        "inclusion": [1 / 7] * size,
        "round": [1] * size,
    }
    return LABELS.conform(pl.DataFrame(columns))
