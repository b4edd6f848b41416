"""Vectors of texts, kept in the workspace so that nothing is encoded twice, and read back as far as they are needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.engine import LOCAL, Engine
from discourse.errors import WorkspaceError
from discourse.models.encoder import Encoder
from discourse.models.input_key import input_key
from discourse.models.text_vectors import TextReader, read_texts
from discourse.progress import Advance, bar
from discourse.tables import EMBEDDINGS
from discourse.tag.input_numbers import cut_shards, halves, number_keys
from discourse.tag.read_by import DEVICE
from discourse.tag.readable import SHARD
from discourse.tag.vector_places import NOWHERE, VectorPlaces
from discourse.workspace import Workspace

VECTORS_AT_ONCE = 10_000  # comments whose vectors are in memory together


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
        read_by = {DEVICE: encoder.read_by} if isinstance(encoder, Encoder) else {}
        workspace.append(EMBEDDINGS, fresh, {"encoder": encoder.id, **read_by})


@dataclass(frozen=True, slots=True)
class VectorWork:
    """Reads texts alone and keeps their vectors."""

    workspace: Workspace
    reader: TextReader
    max_length: int

    @property
    def on_gpu(self) -> bool:
        """Whether a GPU reads faster; the static tier only looks up."""
        return isinstance(self.reader, Encoder)

    def __call__(self, shard: pl.DataFrame, advance: Advance) -> None:
        """Read the column `text`."""
        texts = shard["text"].to_list()
        keep_vectors(self.workspace, self.reader, texts, read_texts(self.reader, texts, self.max_length, advance))


@dataclass(slots=True)
class Vectors:
    """The vectors of one reader in a workspace; in memory is only where each one stands.

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
    _places: VectorPlaces = field(default_factory=VectorPlaces)
    _parts: list[Path] = field(default_factory=list[Path])

    def keep(self, texts: Iterable[pl.Series]) -> None:
        """Compute and keep the vectors of all these texts that are not kept yet, each distinct one once.

        Args:
            texts: in batches, gone through twice.
        """
        inputs = number_keys([self._keys(each) for each in texts])
        self._look()
        missing = self._places.find(inputs.keys) == NOWHERE
        if not missing.any():
            return
        shard = np.where(missing, (np.cumsum(missing) - 1) // SHARD, -1)
        work = VectorWork(Workspace(self.workspace.root.absolute()), self.reader, self.max_length)
        with bar("vectors", int(missing.sum())) as advance:
            rows = (each.alias("text").to_frame() for each in texts)
            self.engine.each(work, cut_shards(rows, inputs, shard), advance)

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the unit vectors of texts alone, texts × width; what is not kept yet is computed and kept.

        Raises:
            WorkspaceError: the table is damaged, or vectors are missing that were just written.
        """
        every = pl.Series("text", texts, dtype=pl.String)
        if not len(every):
            return np.zeros((0, self.reader.width), np.float32)
        distinct = every.unique(maintain_order=True)
        keys = halves(self._keys(distinct))
        self._look()
        place = self._places.find(keys)
        if (place == NOWHERE).any():
            self.keep([distinct])
            self._look()
            place = self._places.find(keys)
        if (place == NOWHERE).any():
            raise WorkspaceError(
                f"{self.workspace.folder(EMBEDDINGS)}: vectors that were just written are missing; run again, and let "
                "nothing else write there"
            )
        table = self._read(place)
        numbered = pl.DataFrame({"text": distinct}).with_row_index("number")
        return table[every.to_frame().join(numbered, on="text", maintain_order="left")["number"].to_numpy()]

    def _keys(self, texts: pl.Series) -> pl.Series:
        reader = self.reader.id
        keys = [input_key(text, reader) for text in texts]
        return pl.Series("input_key", keys, dtype=pl.String)

    def _look(self) -> None:
        """Note where the vectors of parts stand that were not there before."""
        known = set(self._parts)
        for path in self.workspace.parts(EMBEDDINGS):
            if path not in known:
                rows = self._of_part(path, ["input_key", "encoder"])
                own = (rows["encoder"] == self.reader.id).to_numpy()
                self._places.add(halves(rows["input_key"]), own, len(self._parts))
                self._parts.append(path)

    def _read(self, place: NDArray[np.int64]) -> NDArray[np.float32]:
        """Read the vectors that stand at these places, one part at a time."""
        table = np.empty((len(place), self.reader.width), np.float32)
        part, row = VectorPlaces.parted(place)
        order = np.argsort(part, kind="stable")
        starts = np.flatnonzero(np.append(True, part[order][1:] != part[order][:-1]))
        for at in np.split(order, starts[1:]):
            vectors = self._of_part(self._parts[int(part[at[0]])], ["vector"])["vector"]
            some = vectors.gather(row[at]).list.to_array(self.reader.width).to_numpy()
            table[at] = some.astype(np.float32)
        return table

    def _of_part(self, path: Path, columns: list[str]) -> pl.DataFrame:
        try:
            return pl.read_parquet(path, columns=columns)
        except (pl.exceptions.PolarsError, OSError) as e:
            said = (str(e).strip().splitlines() or [""])[0][:160]
            raise WorkspaceError(f"{path}: is damaged ({said}); delete this file and run again") from e


def vectors_of(
    workspace: Workspace, encoder: TextReader, texts: Sequence[str], max_length: int, engine: Engine = LOCAL
) -> NDArray[np.float32]:
    """Return the unit vectors of texts alone, texts × width, see `Vectors`."""
    return Vectors(workspace, encoder, max_length, engine).of(texts)
