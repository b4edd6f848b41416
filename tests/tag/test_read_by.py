"""What read the comments is kept beside what was read."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from discourse.errors import WorkspaceError
from discourse.tables import SCORES
from discourse.tag.read_by import DEVICE, read_by
from discourse.workspace import Workspace


def scores(*keys: str) -> pl.DataFrame:
    """Return rows of the scores table."""
    return SCORES.conform(
        pl.DataFrame(
            {"input_key": keys, "bundle": "b@1", "level": "fear", "score": 0.5, "tier": "encoder"},
            schema_overrides={"score": pl.Float64},
        ).with_columns(evidence_start=pl.lit(None, pl.Int64), evidence_end=pl.lit(None, pl.Int64))
    )


def test_rows_are_counted_by_device_and_those_of_no_device_are_left_out(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.append(SCORES, scores("a", "b"), {DEVICE: "cpu fp32"})
    workspace.append(SCORES, scores("c"), {DEVICE: "cuda fp16"})
    workspace.append(SCORES, scores("d"))
    assert read_by(workspace) == {"rows read by cpu fp32": 2, "rows read by cuda fp16": 1}


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.append(SCORES, scores("a"), {DEVICE: "cpu fp32"})
    (part,) = workspace.parts(SCORES)
    part.write_bytes(b"PAR1")
    with pytest.raises(WorkspaceError, match=r"part-\w+\.parquet: is damaged"):
        read_by(workspace)
