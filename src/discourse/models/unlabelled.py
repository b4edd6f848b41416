"""Comments without labels, for distilling the static tier and for finding where it may answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from discourse.config import Section
from discourse.errors import InputError
from discourse.models.bundle import text_hash

COLUMNS = ("text", "title", "parent", "text_hash", "source", "thread")


class UnlabelledFile(Section):
    """Parquet files of comments without labels, one row each with a column `text`.

    `files`: a path or a pattern. `source`: what the labelled files call it, by default each file's name without its
    suffix. `thread`: the column that names the thread; without it each row is its own. The comment answered is taken
    from a column `parent`, else found by `parent_id` and `comment_id`; `title` may be a column.
    """

    files: str
    source: str | None = None
    thread: str | None = "thread_id"


def read_unlabelled(files: Sequence[UnlabelledFile], clean: Callable[[pl.Series], pl.Series]) -> pl.DataFrame:
    """Read and clean comments without labels, each distinct text of a source once.

    Returns:
        `COLUMNS`, in the order of the files.

    Raises:
        InputError: there is no such file, it is no Parquet file, or it lacks a column.
    """
    parts = [pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String))]
    for given in files:
        found = sorted(Path(given.files).parent.glob(Path(given.files).name))
        if not found:
            raise InputError(f"{given.files}: there is no such file of unlabelled comments")
        parts += [_read(file, given, clean) for file in found]
    return pl.concat(parts).unique(["source", "text_hash"], keep="first", maintain_order=True)


def _read(path: Path, given: UnlabelledFile, clean: Callable[[pl.Series], pl.Series]) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as e:
        raise InputError(f"{path}: cannot be read as Parquet") from e
    missing = [name for name in ("text", given.thread) if name is not None and name not in frame.columns]
    if missing:
        raise InputError(f'{path}: has no column "{missing[0]}"; columns: {frame.columns}')
    if "parent" not in frame.columns and {"parent_id", "comment_id"} <= set(frame.columns):
        texts = frame.select(parent_id="comment_id", parent="text").unique("parent_id", keep="first")
        frame = frame.join(texts, on="parent_id", how="left", maintain_order="left")
    source = given.source or path.stem
    row = pl.lit(f"{source}:") + pl.int_range(pl.len()).cast(pl.String)
    parts = [
        (pl.col(name).cast(pl.String).fill_null("") if name in frame.columns else pl.lit("")).alias(name)
        for name in ("text", "title", "parent")
    ]
    frame = frame.select(
        *parts, (pl.col(given.thread).cast(pl.String).fill_null(row) if given.thread else row).alias("thread")
    )
    cleaned = [clean(frame[name]).fill_null("").alias(name) for name in ("text", "title", "parent")]
    frame = frame.with_columns(cleaned).filter(pl.col("text").str.len_chars() > 0)
    hashes = pl.Series("text_hash", [text_hash(text) for text in frame["text"]], dtype=pl.String)
    return frame.with_columns(hashes, source=pl.lit(source)).select(COLUMNS)
