"""By what comments were read, as the parts of a workspace tell."""

from __future__ import annotations

import json
from collections import Counter

import polars as pl

from discourse.errors import WorkspaceError
from discourse.tables import EMBEDDINGS, SCORES
from discourse.workspace import Workspace

DEVICE = "device"


def read_by(workspace: Workspace) -> dict[str, int]:
    """Count the rows of scores and embeddings that an encoder gave, by device and precision.

    Returns:
        Such as ``{"rows read by cpu fp32": 1200}``; parts of an earlier version do not tell and are left out.

    Raises:
        WorkspaceError: a part is damaged.
    """
    found = Counter[str]()
    for table in (SCORES, EMBEDDINGS):
        for part in workspace.parts(table):
            try:
                about = json.loads(pl.read_parquet_metadata(part).get("discourse", "{}"))
                rows = pl.scan_parquet(part).select(pl.len()).collect().item()
            except (pl.exceptions.PolarsError, OSError, ValueError) as e:
                raise WorkspaceError(f"{part}: is damaged; delete it and run again") from e
            if DEVICE in about:
                found[f"rows read by {about[DEVICE]}"] += rows
    return dict(found)
