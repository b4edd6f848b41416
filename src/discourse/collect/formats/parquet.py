"""Parquet, which may be damaged or made to harm."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager

import polars as pl

from discourse.collect.cells import flatten
from discourse.collect.rawfile import RawFile
from discourse.errors import InputError

MAGIC = b"PAR1"
# A run of one repeated value packs billions of rows into a few bytes.
MAX_ROWS = 50_000_000


def read_parquet(raw: RawFile) -> pl.DataFrame:
    """Read a Parquet file; dtypes are kept and objects become columns with dotted names.

    Raises:
        InputError: the file is damaged, cut short, or has too many rows.
    """
    damaged = f"{raw.name}: is a damaged or cut Parquet file; save it again"
    if raw.damage is not None or not raw.data.endswith(MAGIC):
        raise InputError(damaged)
    try:
        with _without_panic_reports():
            height = pl.scan_parquet(io.BytesIO(raw.data)).select(pl.len()).collect().item()
            if height > MAX_ROWS:
                raise InputError(f"{raw.name}: has more than {MAX_ROWS:,} rows; split it")
            return flatten(pl.read_parquet(io.BytesIO(raw.data)))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, MemoryError) as e:
        raise InputError(damaged) from e


@contextmanager
def _without_panic_reports() -> Generator[None]:
    """Keep from the user the Rust stack traces that polars prints by itself before it raises."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:
        # There is no standard error to write to.
        yield
        return
    silence = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silence, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(silence)
