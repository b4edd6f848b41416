"""Read every collected file into the three raw tables: from `WS/raw` alone, and as often as one likes."""

from __future__ import annotations

import polars as pl

from discourse.collect.completeness import in_words, state_of
from discourse.collect.copying import check_copies
from discourse.collect.live import read_live
from discourse.collect.manifest import manifest_path, read_manifest
from discourse.collect.rawfile import read_file
from discourse.collect.sources import Parsed, recognise
from discourse.collect.sources.platforms import platforms
from discourse.config import CollectConfig
from discourse.errors import InputError
from discourse.tables import RAW_ATTRIBUTES, RAW_COMMENTS, RAW_THREADS
from discourse.workspace import Outcome, Workspace, file_sha256


def read_collected(workspace: Workspace, config: CollectConfig) -> Outcome:
    """Parse all files of the manifest with the options noted there and write the raw tables.

    Args:
        workspace: whose `raw` folder is read.
        config: the profile for pages, and whether the text of deleted comments is kept.

    Raises:
        InputError: nothing was collected, or a file holds nothing that can be used.
        UsageError: an option does not fit a file.
        WorkspaceError: a collected file is missing or changed, or the tables cannot be written.
    """
    manifest = read_manifest(workspace)
    if not manifest.sources:
        raise InputError(
            f"{workspace.root}: nothing was collected yet; run: discourse collect FILE -o {workspace.root}"
        )
    check_copies(workspace, manifest)
    family = platforms(config.profile)
    parsed: list[Parsed] = []
    for entry in manifest.sources:
        if entry.address is not None:
            parsed.append(read_live(workspace, entry, family, config))
            continue
        raw = read_file(workspace.raw / entry.name)
        parsed.append(recognise(raw, entry.options, family).parse(raw, entry.options, entry.collected_at))
    threads = _merge(pl.concat([one.threads for one in parsed]))
    comments = pl.concat([one.comments for one in parsed])
    provenance = {"inputs": file_sha256(manifest_path(workspace))}
    workspace.write(RAW_THREADS, threads, provenance)
    workspace.write(RAW_COMMENTS, comments, provenance)
    workspace.write(RAW_ATTRIBUTES, pl.concat([one.attributes for one in parsed]), provenance)
    counts = {
        "files": len(parsed),
        "records": comments.height,
        "threads": threads.height,
        "unusable": comments["reason"].count(),
    }
    return Outcome(counts, (*(one.note for one in parsed), *in_words(state_of(threads, comments))))


def _merge(threads: pl.DataFrame) -> pl.DataFrame:
    """Make one row of a thread that several files tell of: of each column the first that is known."""
    if not threads["thread_id"].is_duplicated().any():
        return threads
    summed = ("unreachable", "capped")
    known = [name for name in threads.columns if name not in {"thread_id", "source", *summed}]
    merged = threads.group_by("thread_id", maintain_order=True).agg(
        *(pl.col(name).drop_nulls().first() for name in known),
        *(pl.col(name).sum() for name in summed),
        pl.col("source").unique(maintain_order=True).str.join(", "),
    )
    return merged.select(threads.columns)
