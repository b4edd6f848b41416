"""What a model is unsure of is printed on a comment where that sets it apart, and counted where it is of most."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from tests.report.test_build import parsed

from discourse.config import Config
from discourse.report import run
from discourse.report.tag_codes import mostly_doubted
from discourse.tables import FRAMES
from discourse.workspace import Workspace


def hesitant(frames: pl.DataFrame, frame: str, *, everywhere: bool) -> pl.DataFrame:
    """Make the model unsure of a frame in all comments, or in one that has another tag and so is printed."""
    tagged = frames.filter((pl.col("frame") != frame) & (pl.col("decision") == "yes"))["comment_id"]
    here = (pl.col("frame") == frame) & (pl.col("decision") == "no")
    if not everywhere:
        here &= pl.col("comment_id") == tagged.sort()[0]
    return frames.with_columns(
        decision=pl.when(here).then(pl.lit("unsure")).otherwise("decision"),
        reason=pl.when(here).then(pl.lit("model")).otherwise("reason"),
    )


@pytest.mark.parametrize("everywhere", [True, False], ids=["of all", "of one"])
def test_a_doubt_about_nearly_every_comment_is_printed_on_none(
    everywhere: bool, story: Workspace, config: Config, tmp_path: Path
) -> None:
    workspace = Workspace(Path(shutil.copytree(story.root, tmp_path / "ws")))
    frames = workspace.read(FRAMES)
    workspace.write(FRAMES, FRAMES.conform(hesitant(frames, "town_against_country", everywhere=everywhere)))
    run(workspace, config, tmp_path / "r.html")
    page = parsed(tmp_path / "r.html")
    tags = [tag.text() for tag in page.css(".comment .tags .tag")]
    assert any(tag.startswith("unsure: Town against") for tag in tags) != everywhere
    assert "unsure: Fear of crime" in tags


def test_languages_that_are_not_read_are_no_doubt_of_the_model() -> None:
    rows = [("a", "unsure", "language"), ("a", "unsure", "language"), ("a", "no", None), ("b", "unsure", "model")]
    frames = pl.DataFrame(rows, schema=["frame", "decision", "reason"], orient="row")
    assert mostly_doubted(frames) == {"b"}
    assert mostly_doubted(frames.clear()) == frozenset()
