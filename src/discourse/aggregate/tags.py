"""Which rows of a tags table count: those of the configured bundle, by the way of tagging that the run asked for."""

from __future__ import annotations

import polars as pl

from discourse.config import TaggingConfig
from discourse.errors import WorkspaceError
from discourse.models.reader import TagReader
from discourse.tables import Path, Table
from discourse.workspace import Workspace

_REPEATED = ("frame", "target", "decision", "stance", "tier", "path", "bundle")


def wanted_path(tags: pl.DataFrame, tagging: TaggingConfig) -> str:
    """Return the path that the run asked for, or the commonest one if the table has no rows of it."""
    asked = Path.EXACT if tagging.exact else Path.CASCADE
    if not tagging.context:
        asked = Path.NO_CONTEXT
    # Rows read for the reply tree stand beside the answers that the run asked for, and are never shown instead of them.
    main = tags.filter(pl.col("path") != Path.TEXT_ONLY.value)
    found = main.group_by("path").len().sort("len", "path", descending=[True, False])["path"].to_list()
    return found[0] if found and asked.value not in found else asked.value


def read_tags(workspace: Workspace, table: Table) -> pl.DataFrame:
    """Read a table of tags without its evidence; what repeats in every row, such as the bundle, is a number with names.

    Rows read for the reply tree are left out, see `read_alone`.
    """
    rows = workspace.scan(table).filter(pl.col("path") != Path.TEXT_ONLY.value)
    return _narrow(rows.drop("evidence_start", "evidence_end", "reason")).collect()


def read_alone(workspace: Workspace, table: Table) -> pl.DataFrame:
    """Read the rows that were read by text alone for the reply tree."""
    return workspace.scan(table).filter(pl.col("path") == Path.TEXT_ONLY.value).collect()


def _narrow(rows: pl.LazyFrame) -> pl.LazyFrame:
    repeated = [name for name in rows.collect_schema().names() if name in _REPEATED]
    return rows.with_columns(pl.col(repeated).cast(pl.Categorical))


def of_bundle(tags: pl.DataFrame, bundle: TagReader) -> pl.DataFrame:
    """Return the rows that the bundle wrote.

    Raises:
        WorkspaceError: there are rows, and all are of other bundles.
    """
    kept = tags.filter(pl.col("bundle") == bundle.id)
    if tags.height and not kept.height:
        others = ", ".join(sorted(tags["bundle"].unique()))
        raise WorkspaceError(
            f"tags were made with {others}, the configuration names {bundle.id}; run the tagging again"
        )
    return kept
