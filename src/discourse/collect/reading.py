"""Read every collected file into the three raw tables: from `WS/raw` alone, and as often as one likes."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from discourse.checksums import file_sha256
from discourse.collect.completeness import completeness, in_words
from discourse.collect.copying import check_copies
from discourse.collect.forgotten import without_forgotten
from discourse.collect.live import read_live
from discourse.collect.manifest import Manifest, manifest_path, read_manifest
from discourse.collect.rawfile import read_file
from discourse.collect.sources import Parsed, recognise
from discourse.collect.sources.platforms import platforms
from discourse.collect.sources.reddit_dump import RedditDump, is_dump
from discourse.config import CollectConfig
from discourse.errors import InputError
from discourse.progress import bar
from discourse.tables import RAW_ATTRIBUTES, RAW_COMMENTS, RAW_THREADS
from discourse.workspace import Outcome, Workspace

_PART = 100_000


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
    dumps: list[RedditDump] = []
    for entry in manifest.sources:
        if entry.address is not None:
            parsed.append(read_live(workspace, entry, family, config))
            continue
        if is_dump(workspace.raw / entry.name, entry.options):
            dumps.append(RedditDump(workspace.raw / entry.name, entry.options.thread, entry.collected_at))
            continue
        raw = read_file(workspace.raw / entry.name)
        parsed.append(recognise(raw, entry.options, family).parse(raw, entry.options, entry.collected_at))
    if not dumps:
        _refuse_silence(manifest, parsed)
    provenance = {"inputs": file_sha256(manifest_path(workspace))}
    kept = (without_forgotten(workspace, rows) for rows in _comments(parsed, dumps))
    records = workspace.write_parts(RAW_COMMENTS, kept, provenance)
    threads = _merge(pl.concat([*(one.threads for one in parsed), *(dump.threads() for dump in dumps)]))
    workspace.write(RAW_THREADS, threads, provenance)
    attributes = [RAW_ATTRIBUTES.empty(), *(one.attributes for one in parsed)]
    workspace.write(RAW_ATTRIBUTES, pl.concat(attributes), provenance)
    statement = completeness(workspace)
    counts = {
        "files": len(parsed) + len(dumps),
        "records": records,
        "threads": threads.height,
        "unusable": int(statement["quarantined"].sum()),
    }
    notes = (*(one.note for one in parsed), *(dump.note for dump in dumps))
    return Outcome(counts, (*notes, *in_words(statement)))


def _refuse_silence(manifest: Manifest, parsed: list[Parsed]) -> None:
    """Raise InputError where all sources are addresses, and not one of them answered with anything."""
    heard = any(one.comments.height or _tells(one.threads) for one in parsed)
    first = manifest.sources[0]
    if heard or any(entry.address is None for entry in manifest.sources):
        return
    reasons = [reason for one in parsed for reason in one.threads["reason"].drop_nulls()]
    why = reasons[0] if reasons else "it answers with no thread; check the address"
    raise InputError(f"{(first.address or '')[:200]}: nothing was collected: {why}")


def _tells(threads: pl.DataFrame) -> bool:
    return bool(threads.select(pl.any_horizontal(pl.col("title", "declared", "article").is_not_null()).any()).item())


def _comments(parsed: list[Parsed], dumps: list[RedditDump]) -> Iterator[pl.DataFrame]:
    """Yield the rows of all files in parts: those of few comments in one, those of dumps as they are read."""
    if parsed:
        yield from pl.concat([one.comments for one in parsed]).iter_slices(_PART)
    waiting: list[pl.DataFrame] = []
    for dump in dumps:
        with bar(f"reading {dump.path.name}", dump.path.stat().st_size) as advance:
            for rows in dump.comments(advance):
                waiting.append(rows)
                if sum(one.height for one in waiting) >= _PART:
                    yield pl.concat(waiting)
                    waiting = []
    if waiting:
        yield pl.concat(waiting)


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
