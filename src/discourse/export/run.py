"""Write every table of a workspace for other programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from discourse.config import Config, FilterConfig
from discourse.denominator import outside
from discourse.errors import InputError, UsageError, did_you_mean
from discourse.export.files import flat, write_frame
from discourse.export.graph import write_graph
from discourse.export.methods import methods_text
from discourse.export.privacy import KEPT_BACK, restricted
from discourse.export.wide import wide_tags
from discourse.privacy import without_words
from discourse.progress import bar
from discourse.tables import ATTRIBUTES, COMMENTS, ESTIMATES, FRAMES, LABELS, STANCES, TABLES, TOPICS
from discourse.workspace import Workspace
from discourse.writing import write_text

FORMATS = ("csv", "parquet", "json")

Narrow = Callable[[pl.DataFrame], pl.DataFrame]


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

    Only comments inside `[filter]` are written; the estimates are left out where they are of another filter. What was
    delivered (the raw tables) stays in the workspace: it holds names. Under `[report] quotes` short or none
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
    inside = _inside(workspace, config)
    same = Config.model_validate(workspace.receipt().config).filter == config.filter
    whole = config.report.quotes == "full"
    tables = [table for table in TABLES.values() if table not in KEPT_BACK and workspace.parts(table)]
    tables = [table for table in tables if same or table is not ESTIMATES]
    written: dict[str, int] = {}
    with bar("exporting", len(tables) + 2) as advance:
        for table in tables:
            frame = inside(workspace.read(table))
            if table is ESTIMATES and config.report.quotes == "none":
                frame = without_words(frame)
            out = frame if whole else restricted(table, frame, key, config.compare.groups)
            if out is not None:
                written |= _put(out, folder, table.name, formats, excel=excel)
            advance()
        comments = _leaving(workspace, config, key, inside)
        tags = _tags(workspace, config, key, inside)
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


def _inside(workspace: Workspace, config: Config) -> Narrow:
    """Return what leaves only rows of comments inside `[filter]`, and of threads that have any."""
    if config.filter == FilterConfig():
        return lambda frame: frame
    kept = (
        workspace.scan(COMMENTS)
        .filter(~outside(config.filter, workspace.read(ATTRIBUTES)))
        .select("comment_id", "thread_id")
        .collect()
    )
    comments, threads = kept["comment_id"].implode(), kept["thread_id"].unique().implode()

    def narrow(frame: pl.DataFrame) -> pl.DataFrame:
        if "comment_id" in frame.columns:
            frame = frame.filter(pl.col("comment_id").is_in(comments))
        elif "thread_id" in frame.columns:
            frame = frame.filter(pl.col("thread_id").is_in(threads))
        elif set(ATTRIBUTES.schema) <= set(frame.columns):
            of_thread = pl.col("unit") == "thread"
            frame = frame.filter(
                pl.when(of_thread).then(pl.col("id").is_in(threads)).otherwise(pl.col("id").is_in(comments))
            )
        if "parent_id" in frame.columns:
            reached = pl.col("parent_id").is_in(comments)
            frame = frame.with_columns(parent_id=pl.when(reached).then("parent_id"))
        return frame

    return narrow


def _put(frame: pl.DataFrame, folder: Path, name: str, formats: Sequence[str], *, excel: bool) -> dict[str, int]:
    for suffix in formats:
        write_frame(frame, folder / f"{name}.{suffix}", excel=excel)
    return {f"{name}.{suffix}": frame.height for suffix in formats}


def _leaving(workspace: Workspace, config: Config, key: bytes, inside: Narrow) -> pl.DataFrame:
    frame = inside(workspace.read(COMMENTS))
    if config.report.quotes == "full":
        return flat_nodes(frame)
    kept = restricted(COMMENTS, frame, key, config.compare.groups)
    return flat_nodes(frame.clear() if kept is None else kept)


def flat_nodes(comments: pl.DataFrame) -> pl.DataFrame:
    """Return comments with nested columns and times as text; a graph's text is no formula and stays as it is."""
    texts = [name for name, dtype in comments.schema.items() if dtype == pl.String]
    return flat(comments.drop(texts)).with_columns(comments[name] for name in texts)


def _tags(workspace: Workspace, config: Config, key: bytes, inside: Narrow) -> pl.DataFrame:
    comments = inside(workspace.scan(COMMENTS).select("comment_id", "thread_id").collect())
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
