"""What was collected, in small: four threads with replies, repeated texts, two languages, and records of no use."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from discourse.tables import RAW_ATTRIBUTES, RAW_COMMENTS, RAW_THREADS
from discourse.workspace import Workspace

SAID = (
    "The council reads our mail through the lamp posts of Ferry Street",
    "Lamps are lamps, and somebody has to pay for the light that they give",
    "Ils veulent nous diviser encore une fois, les lampadaires ne sont qu'un prétexte",
    "They want us divided again, that is what all of this has been about",
)


def collected(root: Path, rows: int) -> Workspace:
    """Write raw tables of so many records into a workspace, and return it."""
    workspace = Workspace(root)
    records = [
        {
            "file": "raw/comments.csv",
            "offset": i,
            "location": f"line {i + 2}",
            "thread_id": f"forum:{i % 4}",
            "platform": "forum",
            "native_id": f"n{i}",
            "native_parent": f"n{i - 4}" if i % 3 else None,
            "author": f"neighbour {i % 5}",
            "role": "unknown",
            "created_precision": "unknown",
            "text": "" if i % 17 == 5 else f"{SAID[i % 4]}, says number {i - i % 11} of us." + " Really." * (i % 5),
            "markup": "plain",
            "state": "visible",
        }
        for i in range(rows)
    ]
    threads = [
        {
            "thread_id": f"forum:{i}",
            "platform": "forum",
            "title": "The lamp posts of Ferry Street",
            "unreachable": 0,
            "capped": 0,
            "source": "raw/comments.csv",
        }
        for i in range(min(rows, 4))
    ]
    attributes = [{"file": "raw/comments.csv", "offset": i, "name": "ward", "value": str(i % 3)} for i in range(rows)]
    workspace.write(RAW_COMMENTS, RAW_COMMENTS.conform(pl.DataFrame(records, infer_schema_length=None)))
    workspace.write(RAW_THREADS, RAW_THREADS.conform(pl.DataFrame(threads, infer_schema_length=None)))
    workspace.write(RAW_ATTRIBUTES, RAW_ATTRIBUTES.conform(pl.DataFrame(attributes)))
    (root / "author.key").write_text("5eed" * 16)
    return workspace
