"""Raw records become one comment table: clean text, stable ids, the reply tree, pseudonyms, languages, duplicates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from discourse.config import Config
from discourse.engine import LOCAL, Engine
from discourse.errors import InputError
from discourse.normalize.authors import pseudonyms
from discourse.normalize.batch_work import Describe, Sift
from discourse.normalize.batches import BATCH, Batches, Shelf, first_records, part_by_thread, scratch, thread_sizes
from discourse.normalize.comments import Describer
from discourse.normalize.duplicates import Duplicates
from discourse.normalize.identity import id_keys, platform_of
from discourse.normalize.language import Counts
from discourse.normalize.language_models import LanguageModels
from discourse.normalize.ledger import bare_threads, count_reasons, quarantine_rows
from discourse.normalize.summary import Summary
from discourse.normalize.text import clean_text
from discourse.normalize.threads import thread_rows
from discourse.normalize.whole import NAMED_BY, Whole, gather
from discourse.progress import Advance, bar
from discourse.tables import (
    ATTRIBUTES,
    COMMENTS,
    QUARANTINE,
    RAW_ATTRIBUTES,
    RAW_COMMENTS,
    RAW_THREADS,
    THREADS,
)
from discourse.workspace import Outcome, Workspace

__all__ = ["READS", "WRITES", "clean_text", "run"]

READS = (RAW_THREADS, RAW_COMMENTS, RAW_ATTRIBUTES)
WRITES = (THREADS, COMMENTS, QUARANTINE, ATTRIBUTES)


def run(workspace: Workspace, config: Config, engine: Engine = LOCAL, batch: int = BATCH) -> Outcome:
    """Turn the collected records into threads, comments, quarantine and attributes; every record becomes one row.

    Whole threads pass by in batches three times: cleaned, described, and written with their duplicates. Between the
    passes they wait in files; in memory are one batch, and 64-bit keys and counts of all comments.

    Args:
        workspace: whose raw tables are read.
        config: candidates for languages, and the author key.
        engine: where batches are cleaned and described.
        batch: comments of a batch; the tables are the same whatever it is.

    Raises:
        InputError: no comment is left.
        UsageError: a language of `[normalize] languages` is unknown.
        WorkspaceError: a table is damaged, or the disk is full.
    """
    models = LanguageModels(config.normalize.languages)
    key = workspace.author_key(config.normalize.author_key)
    sizes = thread_sizes(workspace)
    threads = _raw_threads(workspace, sizes, key)
    records = int(sizes["records"].sum())
    with scratch(workspace) as folder, bar("normalizing", 3 * records) as advance:
        batches = part_by_thread(workspace, threads.join(sizes, on="thread_id", maintain_order="left"), folder, batch)
        cleaned, whole, quarantine = _clean(workspace, batches, models, engine, advance)
        describer = Describer(
            threads.with_row_index("thread_order").select(
                "thread_id", "thread_order", "article_author", "collected_at"
            ),
            models.codes,
            key,
            _first_seen(workspace),
            whole,
        )
        shelf = Shelf(folder / "described", in_memory=cleaned.in_memory)
        duplicates = Duplicates(None if cleaned.in_memory else folder / "duplicates")
        _describe(cleaned, shelf, describer, duplicates, engine, advance)
        firsts = duplicates.firsts()
        summary = Summary(records, quarantine)
        provenance = {table.name: workspace.digest(table) for table in READS} | {
            "config": config.fingerprint("normalize")
        }
        workspace.write_parts(COMMENTS, _finish(shelf, firsts, summary, advance), provenance)
        workspace.write(THREADS, thread_rows(threads, summary), provenance)
        workspace.write(QUARANTINE, quarantine, provenance)
        workspace.write_parts(ATTRIBUTES, _attributes(workspace, batch), provenance)
    return summary.outcome(threads.height)


def _raw_threads(workspace: Workspace, sizes: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """Read the raw threads in their order, those that only comments speak of last, authors as pseudonyms."""
    told = workspace.read(RAW_THREADS)
    untold = sizes.join(told, on="thread_id", how="anti")["thread_id"]
    threads = pl.concat([told, bare_threads(first_records(workspace, untold))]) if len(untold) else told
    author = pseudonyms(threads["article_author"], threads.select(platform_of()).to_series(), key)
    return threads.with_columns(author.alias("article_author"))


def _clean(
    workspace: Workspace, batches: Batches, models: LanguageModels, engine: Engine, advance: Advance
) -> tuple[Shelf, Whole, pl.DataFrame]:
    """Clean all records; return the comments put aside, what they show together, and the quarantine."""
    shelf = Shelf(batches.shelf.folder.with_name("cleaned"), in_memory=batches.number <= 1)
    gathering, aside = gather(len(models.codes)), list[pl.DataFrame]()
    for number, (kept, bad) in enumerate(engine.map(Sift(models), batches, advance)):
        aside.append(bad)
        if len(kept):
            gathering.add(kept)
            shelf.put(number, kept)
    quarantine = quarantine_rows(pl.concat(aside)) if aside else QUARANTINE.empty()
    if not shelf.numbers:
        raise InputError(_nothing_left(workspace, quarantine))
    whole = gathering.finish(shelf.look(number, NAMED_BY) for number in shelf.numbers)
    return shelf, whole, quarantine


def _describe(
    cleaned: Shelf, shelf: Shelf, describer: Describer, duplicates: Duplicates, engine: Engine, advance: Advance
) -> None:
    """Describe the cleaned comments, put them on `shelf`, and give their texts' fingerprints to `duplicates`."""
    numbers = cleaned.numbers
    described = engine.map(Describe(describer), (cleaned.take(number) for number in numbers), advance)
    for number, (comments, long, shingles) in zip(numbers, described, strict=True):
        duplicates.take(len(comments), long, shingles)
        shelf.put(number, comments)


def _finish(shelf: Shelf, firsts: Counts, summary: Summary, advance: Advance) -> Iterator[pl.DataFrame]:
    """Yield the rows of the comments table, in order, and count them."""
    needed = pl.DataFrame({"first": np.unique(firsts[firsts >= 0])})
    names = list[pl.DataFrame]()
    begin = 0
    for number in shelf.numbers:
        ids = shelf.look(number, ["comment_id"])
        own = ids.select(
            pl.int_range(begin, begin + pl.len()).alias("first"), pl.col("comment_id").alias("duplicate_of")
        )
        names.append(own.join(needed, on="first", how="semi"))
        begin += len(ids)
    named = pl.concat(names)
    begin = 0
    for number in shelf.numbers:
        comments = shelf.take(number)
        first = pl.Series("first", firsts[begin : begin + len(comments)])
        begin += len(comments)
        comments = comments.with_columns(first).join(named, on="first", how="left", maintain_order="left")
        summary.add(comments)
        advance(len(comments))
        yield comments.select(COMMENTS.columns.keys())


def _attributes(workspace: Workspace, batch: int) -> Iterator[pl.DataFrame]:
    """Yield the user's own columns of the records that became comments, in the order of the raw table."""
    if workspace.scan(RAW_ATTRIBUTES).limit(1).collect().is_empty():
        return
    named = workspace.scan(COMMENTS).select(pl.col("raw").struct.unnest(), "comment_id")
    for rows in workspace.batches(RAW_ATTRIBUTES, 4 * batch):
        # They stand in the order of records, so that few comments are looked at for each piece.
        near = pl.col("file").is_in(rows["file"].unique().implode()) & pl.col("offset").is_between(
            rows["offset"].min(), rows["offset"].max()
        )
        found = rows.join(named.filter(near).collect(), on=["file", "offset"], maintain_order="left")
        yield found.select(pl.lit("comment").alias("unit"), pl.col("comment_id").alias("id"), "name", "value")


def _first_seen(workspace: Workspace) -> pl.DataFrame:
    """Return when an earlier run saw each comment first: `key` of its id and `earlier`."""
    before = workspace.scan(COMMENTS).select("comment_id", pl.col("first_seen").alias("earlier")).collect()
    return before.select(id_keys(before["comment_id"]), "earlier").unique("key", keep="first")


def _nothing_left(workspace: Workspace, quarantine: pl.DataFrame) -> str:
    raw = workspace.scan(RAW_COMMENTS)
    files = raw.select(pl.col("file").unique().sort()).collect()["file"].to_list()
    records = raw.select(pl.len()).collect().item()
    if not files:
        return "no comments: nothing was collected; check [input] sources"
    name = files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
    return (
        f"{name}: no comments after clean-up: {records:,} records, {len(quarantine):,} quarantined "
        f"({count_reasons(quarantine)}); check --map text=COLUMN"
    )
