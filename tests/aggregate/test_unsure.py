"""Abstention is reported beside shares and never enters them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from discourse.aggregate import run
from discourse.config import parse_config
from discourse.tables import COMMENTS, ESTIMATES, FRAMES
from discourse.workspace import Workspace

Make = Callable[..., Any]


def test_what_the_model_is_unsure_of_is_counted_and_changes_no_share(
    workspace: Workspace, make_bundle: Make, heldout_rows: Make, comments_table: Make, frames_table: Make
) -> None:
    cells = {(1, 1): 80, (1, 0): 20, (0, 1): 20, (0, 0): 380}
    bundle = make_bundle(["fear"], [row for source in "stuvwx" for row in heldout_rows("fear", cells, source)])
    comments = comments_table(400, threads=4)
    tags = frames_table(bundle, comments, [i % 5 == 0 for i in range(400)])
    # Half of all comments, tagged or not.
    unsure = pl.int_range(pl.len()) % 2 == 0
    hesitant = tags.with_columns(
        decision=pl.when(unsure).then(pl.lit("unsure")).otherwise("decision"),
        reason=pl.when(unsure).then(pl.lit("model")).otherwise("reason"),
    )
    found: list[pl.DataFrame] = []
    for table in (tags, hesitant):
        workspace.write(COMMENTS, comments)
        workspace.write(FRAMES, FRAMES.conform(table))
        run(workspace, parse_config({"bundles": {"frames": str(bundle.folder)}}))
        found.append(workspace.read(ESTIMATES))
    decided, doubted = found
    assert decided["n_unsure"].max() == 0
    share = doubted.filter(level="frame:fear", unit="all", method="heldout_correction", variant="main")
    assert share["n_unsure"].to_list() == [200]
    assert doubted.drop("n_unsure").equals(decided.drop("n_unsure"))
