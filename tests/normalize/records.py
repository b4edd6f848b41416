"""Raw tables in small, for the tests of normalize."""

from __future__ import annotations

from typing import Any

import polars as pl

from discourse.config import Config, parse_config
from discourse.normalize import run
from discourse.tables import ATTRIBUTES, COMMENTS, QUARANTINE, RAW_ATTRIBUTES, RAW_COMMENTS, RAW_THREADS, THREADS
from discourse.workspace import Outcome, Workspace

CONFIG = parse_config({"normalize": {"languages": ["en", "es", "de"]}})


def record(offset: int, text: str | None, **fields: Any) -> dict[str, Any]:
    """Return one row of raw_comments; what is not given is ordinary."""
    return {
        "file": "raw/comments.csv",
        "offset": offset,
        "location": f"line {offset + 2}",
        "thread_id": "forum:t1",
        "platform": "forum",
        "role": "unknown",
        "created_precision": "unknown",
        "text": text,
        "markup": "plain",
        "state": "visible",
        **fields,
    }


def thread(thread_id: str = "forum:t1", **fields: Any) -> dict[str, Any]:
    """Return one row of raw_threads."""
    return {
        "thread_id": thread_id,
        "platform": "forum",
        "unreachable": 0,
        "capped": 0,
        "source": "raw/comments.csv",
        **fields,
    }


def normalize(
    workspace: Workspace,
    records: list[dict[str, Any]],
    threads: list[dict[str, Any]] | None = None,
    attributes: list[dict[str, Any]] | None = None,
    config: Config = CONFIG,
) -> Outcome:
    """Write raw tables into `workspace` and run the stage."""
    workspace.write(RAW_COMMENTS, RAW_COMMENTS.conform(pl.DataFrame(records, infer_schema_length=None)))
    known = threads if threads is not None else [thread(one) for one in dict.fromkeys(r["thread_id"] for r in records)]
    workspace.write(RAW_THREADS, RAW_THREADS.conform(pl.DataFrame(known, infer_schema_length=None)))
    workspace.write(
        RAW_ATTRIBUTES,
        pl.DataFrame(attributes) if attributes else RAW_ATTRIBUTES.empty(),
    )
    return run(workspace, config)


def rows(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """Return the comments by comment_id."""
    return {row["comment_id"]: row for row in workspace.read(COMMENTS).iter_rows(named=True)}


def by_offset(workspace: Workspace) -> dict[int, dict[str, Any]]:
    """Return the comments by the number of their record."""
    return {row["raw"]["offset"]: row for row in workspace.read(COMMENTS).iter_rows(named=True)}


def quarantine(workspace: Workspace) -> list[dict[str, Any]]:
    """Return the rows of the quarantine table."""
    return workspace.read(QUARANTINE).to_dicts()


def threads_table(workspace: Workspace) -> list[dict[str, Any]]:
    """Return the rows of the threads table."""
    return workspace.read(THREADS).to_dicts()


def attributes_table(workspace: Workspace) -> list[dict[str, Any]]:
    """Return the rows of the attributes table."""
    return workspace.read(ATTRIBUTES).to_dicts()
