"""Shares in threads like these stand beside those of the comments at hand, with what they assume and warn of."""

from __future__ import annotations

import html
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from discourse.config import Config
from discourse.report import run
from discourse.report.index import index
from discourse.tables import ESTIMATES, Measure, Table
from discourse.workspace import Workspace

CRIME = "frame:fear_of_crime"
SAID = "The 9 threads are taken for a random sample of threads like these."
WARNED = f"{SAID} The threads are so unequal in size that they are worth about 1.1 of equal size."


def _with_similar(
    story: Workspace, estimate: Callable[..., Any], table_of: Callable[..., Any], folder: Path
) -> Workspace:
    workspace = Workspace(Path(shutil.copytree(story.root, folder / "ws")))
    row = estimate(CRIME, "share", 0.2, low=0.05, high=0.52, mark="low_sample", assumptions=WARNED)
    similar = {
        **row,
        "population": "similar",
        "method": "prediction_powered",
        "estimate_id": "a" * 16,
        "n_labelled": 90,
    }
    workspace.write(ESTIMATES, pl.concat([workspace.read(ESTIMATES), table_of(ESTIMATES, [similar])]))
    return workspace


def test_main_numbers_stay_those_of_these_comments(
    story: Workspace, estimate: Callable[..., Any], table_of: Callable[[Table, Any], Any], tmp_path: Path
) -> None:
    """The row of the other population is found apart, its assumptions with the rest."""
    workspace = _with_similar(story, estimate, table_of, tmp_path)
    found = index(workspace.read(ESTIMATES))
    main = found.share(CRIME)
    assert main is not None
    assert main.population == "collected"
    assert "a" * 16 in [row.estimate_id for row in found.variants(CRIME, Measure.SHARE) if row.population == "similar"]
    assert WARNED in found.assumptions()["prediction_powered"]


def test_the_warning_of_few_unequal_threads_is_on_the_page(
    story: Workspace,
    config: Config,
    estimate: Callable[..., Any],
    table_of: Callable[[Table, Any], Any],
    tmp_path: Path,
) -> None:
    """Whoever reads the share in threads like these can read what it is worth."""
    workspace = _with_similar(story, estimate, table_of, tmp_path)
    run(workspace, config, tmp_path / "report.html")
    page = html.unescape((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert WARNED in page
    assert f'data-estimate="{"a" * 16}"' in page
