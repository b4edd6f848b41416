"""Vectors of texts, kept in the workspace so that nothing is encoded twice, and read back as far as they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.engine import LOCAL, Engine
from discourse.models.input_key import input_key
from discourse.models.text_vectors import TextReader, read_texts
from discourse.progress import Advance, bar
from discourse.tables import EMBEDDINGS
from discourse.tag.readable import SHARD
from discourse.workspace import Workspace


def keep_vectors(workspace: Workspace, encoder: TextReader, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
    """Add one shard of vectors (texts × width) to the embeddings table; the same shard once more replaces itself."""
    shard = pl.DataFrame(
        {
            "input_key": [input_key(text, encoder.id) for text in texts],
            "encoder": encoder.id,
            "vector": pl.Series(vectors.astype(np.float16)).arr.to_list(),
        }
    )
    fresh = shard.unique("input_key", keep="first", maintain_order=True)
    if fresh.height:
        workspace.append(EMBEDDINGS, fresh, {"encoder": encoder.id})


@dataclass(frozen=True, slots=True)
class VectorWork:
    """Reads texts alone and keeps their vectors."""

    workspace: Workspace
    reader: TextReader
    max_length: int

    def __call__(self, shard: pl.DataFrame, advance: Advance) -> None:
        """Read the column `text`."""
        texts = shard["text"].to_list()
        keep_vectors(self.workspace, self.reader, texts, read_texts(self.reader, texts, self.max_length, advance))


@dataclass(slots=True)
class Vectors:
    """The vectors of one reader in a workspace; in memory is only where each one stands: 24 bytes a text.

    Attributes:
        workspace: keeps the vectors under the reader's `id`.
        reader: what reads the texts, see `text_vectors.text_reader`.
        max_length: word pieces that an encoder reads.
        engine: where missing vectors are computed.
    """

    workspace: Workspace
    reader: TextReader
    max_length: int
    engine: Engine = LOCAL
    _parts: list[Path] = field(default_factory=list[Path])
    _places: pl.DataFrame = field(default_factory=lambda: _places(pl.Series([], dtype=pl.String), 0))

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the unit vectors of texts alone, texts × width; what is not kept yet is computed and kept."""
        if not texts:
            return np.zeros((0, self.reader.width), np.float32)
        every = pl.DataFrame({"text": texts}, schema={"text": pl.String})
        distinct = every.unique(maintain_order=True).with_row_index("place")
        keys = _keyed([input_key(text, self.reader.id) for text in distinct["text"]])
        self._look()
        missing = distinct.select("text").filter(
            keys.join(self._places, on=["high", "low"], how="left", maintain_order="left")["part"].is_null()
        )
        if missing.height:
            self._compute(missing)
            self._look()
        stands = keys.join(self._places, on=["high", "low"], how="left", maintain_order="left")
        table = self._read(stands)
        return table[every.join(distinct, on="text", maintain_order="left")["place"].to_numpy()]

    def _compute(self, missing: pl.DataFrame) -> None:
        shards = (missing.slice(start, SHARD) for start in range(0, missing.height, SHARD))
        work = VectorWork(Workspace(self.workspace.root.absolute()), self.reader, self.max_length)
        with bar("vectors", missing.height) as advance:
            self.engine.each(work, shards, advance)

    def _look(self) -> None:
        """Note where the vectors of parts stand that were not there before."""
        known = set(self._parts)
        found = [self._places]
        for path in self.workspace.parts(EMBEDDINGS):
            if path not in known:
                keys = pl.scan_parquet(path).select("input_key", pl.col("encoder") == self.reader.id).collect()
                places = _places(keys["input_key"], len(self._parts)).filter(keys["encoder"])
                self._parts.append(path)
                found.append(places)
        if len(found) > 1:
            # A text may stand in two shards that were cut differently.
            self._places = pl.concat(found).unique(["high", "low"], keep="first", maintain_order=True)

    def _read(self, stands: pl.DataFrame) -> NDArray[np.float32]:
        """Read the vectors that stand in `part` at `row`, one part at a time."""
        table = np.empty((stands.height, self.reader.width), np.float32)
        wanted = stands.select("part", "row").with_row_index("at").sort("part", "at")
        for (number,), rows in wanted.group_by("part", maintain_order=True):
            vectors = pl.read_parquet(self._parts[int(str(number))], columns=["vector"])["vector"]
            some = vectors.gather(rows["row"]).list.to_array(self.reader.width).to_numpy()
            table[rows["at"].to_numpy()] = some.astype(np.float32)
        return table


def vectors_of(
    workspace: Workspace, encoder: TextReader, texts: Sequence[str], max_length: int, engine: Engine = LOCAL
) -> NDArray[np.float32]:
    """Return the unit vectors of texts alone, texts × width, see `Vectors`."""
    return Vectors(workspace, encoder, max_length, engine).of(texts)


def _places(keys: pl.Series, part: int) -> pl.DataFrame:
    """Return the keys of one part in 128 bits, with `part` and `row`."""
    return _keyed(keys).with_columns(part=pl.lit(part, dtype=pl.UInt32), row=pl.int_range(pl.len(), dtype=pl.UInt32))


def _keyed(keys: pl.Series | list[str]) -> pl.DataFrame:
    """Return 128 bits of each key, `high` and `low`, which take a fifth of the room of its letters."""
    named = pl.DataFrame({"key": keys}, schema={"key": pl.String})
    return named.select(pl.col("key").hash(1).alias("high"), pl.col("key").hash(2).alias("low"))
