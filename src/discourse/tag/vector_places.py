"""Where in a table of many parts each key stands, in 24 bytes a key."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

NOWHERE = -1
_ROWS = 32  # bits of a place that number the row; those above number the part
_MOST = 16  # sorted pieces that are searched one after the other


@dataclass(frozen=True, slots=True)
class _Piece:
    """Keys in 128 bits, sorted by their upper half, and their places."""

    high: NDArray[np.uint64]
    low: NDArray[np.uint64]
    place: NDArray[np.int64]


@dataclass(slots=True)
class VectorPlaces:
    """Places of keys, part by part; of a key that stands in several parts one place is known."""

    _pieces: list[_Piece] = field(default_factory=list[_Piece])

    def add(self, keys: pl.DataFrame, own: NDArray[np.bool_], part: int) -> None:
        """Note the keys of a part.

        Args:
            keys: `high` and `low`, see `input_numbers.halves`, in the order of the part's rows.
            own: bool, which rows count.
            part: its number.
        """
        rows = np.flatnonzero(own)
        if not len(rows):
            return
        high, low = (keys[name].to_numpy()[rows] for name in ("high", "low"))
        self._pieces.append(_sorted(high, low, (np.int64(part) << _ROWS) + rows))
        if len(self._pieces) > _MOST:
            # Pieces grow by merging, so that each key is sorted a few times only.
            large, small = self._pieces[0], self._pieces[1:]
            merged = _merged(small)
            self._pieces = [_merged([large, merged])] if len(merged.high) > len(large.high) // 8 else [large, merged]

    def find(self, keys: pl.DataFrame) -> NDArray[np.int64]:
        """Return the place of each key, `NOWHERE` where it is not known."""
        high, low = keys["high"].to_numpy(), keys["low"].to_numpy()
        found = np.full(len(high), NOWHERE, np.int64)
        for piece in self._pieces:
            at = np.minimum(np.searchsorted(piece.high, high), len(piece.high) - 1)
            same = (piece.high[at] == high) & (piece.low[at] == low)
            found[same] = piece.place[at[same]]
        return found

    @staticmethod
    def parted(place: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the part and the row of each place."""
        return place >> _ROWS, place & ((1 << _ROWS) - 1)


def _sorted(high: NDArray[np.uint64], low: NDArray[np.uint64], place: NDArray[np.int64]) -> _Piece:
    order = np.argsort(high, kind="stable")
    return _Piece(high[order], low[order], place[order])


def _merged(pieces: list[_Piece]) -> _Piece:
    return _sorted(
        np.concatenate([piece.high for piece in pieces]),
        np.concatenate([piece.low for piece in pieces]),
        np.concatenate([piece.place for piece in pieces]),
    )
