"""Columns and texts packed for one HTML file: deflated, in base64, unpacked by the browser without a request.

The browser's own `DecompressionStream("deflate-raw")` and `atob` unpack them (`assets/explorer/blocks.js`).
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

UNKNOWN = -(2**31)


def pack(data: bytes, level: int = 9) -> str:
    """Return bytes as raw deflate (RFC 1951) in base64."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return base64.b64encode(packer.compress(data) + packer.flush()).decode()


def pack_json(value: object) -> str:
    """Return a value as packed JSON in UTF-8."""
    return pack(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))


def pack_columns(columns: Mapping[str, NDArray[np.generic]]) -> tuple[list[tuple[str, str]], str]:
    """Pack number columns of one length one behind the other, little-endian.

    Args:
        columns: arrays of n rows, of the kinds i4, u4, u2 and u1.

    Returns:
        Name and kind of each column in the order of the bytes, widest first so that each column starts where a typed
        array of its kind may, and the packed bytes.
    """
    ordered = sorted(columns.items(), key=lambda column: -column[1].dtype.itemsize)
    order = [(name, values.dtype.str[1:]) for name, values in ordered]
    # The slowest level takes ten times as long on numbers and gains a twelfth.
    return order, pack(b"".join(values.tobytes() for _, values in ordered), level=6)


def small(values: pl.Series) -> NDArray[np.generic]:
    """Return codes from 0 to 255."""
    return values.fill_null(0).to_numpy().astype("u1")


def whole(values: pl.Series) -> NDArray[np.generic]:
    """Return signed whole numbers, `UNKNOWN` for null and what does not fit."""
    fits = values.is_between(UNKNOWN + 1, 2**31 - 1)
    kept = pl.select(pl.when(fits).then(values.fill_null(UNKNOWN)).otherwise(UNKNOWN)).to_series()
    return kept.fill_null(UNKNOWN).to_numpy().astype("<i4")
