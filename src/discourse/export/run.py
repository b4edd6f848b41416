"""Write every table of a workspace for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from discourse.config import Config
from discourse.errors import InputError, UsageError, did_you_mean
from discourse.export.files import flat, write_frame
from discourse.export.graph import write_graph
from discourse.export.methods import methods_text
from discourse.export.privacy import KEPT_BACK, restricted
from discourse.export.wide import wide_tags
from discourse.progress import bar
from discourse.tables import ATTRIBUTES, COMMENTS, ESTIMATES, FRAMES, LABELS, STANCES, TABLES, TOPICS
from discourse.workspace import Workspace, write_text

FORMATS = ("csv", "parquet", "json")


@dataclass(frozen=True, slots=True)
class ExportResult:
    """Where an export lies, under which privacy setting, and its files with their numbers of rows."""

    folder: Path
    quotes: str
    files: dict[str, int]


def run(
    workspace: Workspace, config: Config, folder: Path, formats: Sequence[str] = FORMATS, *, excel: bool = False
) -> ExportResult:
    """Write every table in the given formats, the tags as a wide table, the replies as GraphML and a methods text.

    What was delivered (the raw tables) stays in the workspace: it holds names. Under `[report] quotes` short or none
    no native id, address, exact time or text leaves either, see `privacy.restricted`.

    Args:
        workspace: its tables; those never written are left out.
        config: `[report] quotes`, `[compare] groups` and what the methods text names.
        folder: made if absent; files of the same names are replaced.
        formats: some of csv, parquet, json.
        excel: CSV with a byte order mark.

    Raises:
        InputError: the workspace holds no comments.
        UsageError: a format is unknown.
        WorkspaceError: a table is damaged or the folder cannot be written.
    """
    for name in formats:
        if name not in FORMATS:
            raise UsageError(f'--format "{name}" is unknown{did_you_mean(name, FORMATS)}; use {", ".join(FORMATS)}')
    if not workspace.parts(COMMENTS):
        raise InputError(f"{workspace.root}: holds no comments to export; run discourse normalize {workspace.root}")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file; name a folder with -o")
    key = workspace.author_key(config.normalize.author_key)
    whole = config.report.quotes == "full"
    tables = [table for table in TABLES.values() if table not in KEPT_BACK and workspace.parts(table)]
    written: dict[str, int] = {}
    with bar("exporting", len(tables) + 2) as advance:
        for table in tables:
            frame = workspace.read(table)
            out = frame if whole else restricted(table, frame, key, config.compare.groups)
            if out is not None:
                written |= _put(out, folder, table.name, formats, excel=excel)
            advance()
        comments = _leaving(workspace, config, key)
        tags = _tags(workspace, config, key)
        written |= _put(tags, folder, "tags", formats, excel=excel)
        advance()
        nodes = comments.join(tags.drop("thread_id"), on="comment_id", how="left", maintain_order="left")
        write_graph(_with_attributes(workspace, config, key, nodes), folder / "replies.graphml")
        written["replies.graphml"] = nodes.height
        advance()
    estimates, labels = workspace.read(ESTIMATES), workspace.read(LABELS)
    write_text(folder / "methods.md", methods_text(workspace.receipt(), config, estimates, labels))
    written["methods.md"] = 1
    return ExportResult(folder, config.report.quotes, written)


def _put(frame: pl.DataFrame, folder: Path, name: str, formats: Sequence[str], *, excel: bool) -> dict[str, int]:
    for suffix in formats:
        write_frame(frame, folder / f"{name}.{suffix}", excel=excel)
    return {f"{name}.{suffix}": frame.height for suffix in formats}


def _leaving(workspace: Workspace, config: Config, key: bytes) -> pl.DataFrame:
    frame = workspace.read(COMMENTS)
    if config.report.quotes == "full":
        return flat_nodes(frame)
    kept = restricted(COMMENTS, frame, key, config.compare.groups)
    return flat_nodes(frame.clear() if kept is None else kept)


def flat_nodes(comments: pl.DataFrame) -> pl.DataFrame:
    """Return comments with nested columns and times as text; a graph's text is no formula and stays as it is."""
    texts = [name for name, dtype in comments.schema.items() if dtype == pl.String]
    return flat(comments.drop(texts)).with_columns(comments[name] for name in texts)


def _tags(workspace: Workspace, config: Config, key: bytes) -> pl.DataFrame:
    comments = workspace.scan(COMMENTS).select("comment_id", "thread_id").collect()
    tags = wide_tags(comments, workspace.read(FRAMES), workspace.read(STANCES), workspace.read(TOPICS))
    if config.report.quotes == "full":
        return tags
    kept = restricted(COMMENTS, tags, key, config.compare.groups)
    return tags.clear() if kept is None else kept


def _with_attributes(workspace: Workspace, config: Config, key: bytes, nodes: pl.DataFrame) -> pl.DataFrame:
    """Add the user's own columns of comments."""
    rows: pl.DataFrame | None = workspace.read(ATTRIBUTES).filter(pl.col("unit") == "comment")
    if config.report.quotes != "full":
        rows = restricted(ATTRIBUTES, rows, key, config.compare.groups)
    if rows is None or rows.is_empty():
        return nodes
    wide = rows.pivot("name", index="id", values="value").rename({"id": "comment_id"})
    wide = wide.rename({name: f"attribute:{name}" for name in wide.columns if name != "comment_id"})
    return nodes.join(wide, on="comment_id", how="left", maintain_order="left")
