"""Vectors of texts, kept in the workspace so that nothing is encoded twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    """Add one shard of vectors (texts × width) to the embeddings table; those that are there already are left out."""
    shard = pl.DataFrame(
        {
            "input_key": [input_key(text, encoder.id) for text in texts],
            "encoder": encoder.id,
            "vector": pl.Series(vectors.astype(np.float16)).arr.to_list(),
        }
    )
    kept = workspace.scan(EMBEDDINGS).filter(encoder=encoder.id).select("input_key").collect()
    fresh = shard.join(kept, on="input_key", how="anti", maintain_order="left")
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


def vectors_of(
    workspace: Workspace, encoder: TextReader, texts: Sequence[str], max_length: int, engine: Engine = LOCAL
) -> NDArray[np.float32]:
    """Return the unit vectors of texts alone, texts × width; what is not kept yet is computed and kept.

    Args:
        workspace: keeps the vectors under the reader's `id`.
        encoder: what reads the texts, see `text_vectors.text_reader`.
        texts: any texts.
        max_length: word pieces that an encoder reads.
        engine: where missing vectors are computed.
    """
    distinct = list(dict.fromkeys(texts))
    keys = pl.DataFrame({"input_key": [input_key(text, encoder.id) for text in distinct], "text": distinct})
    kept = workspace.scan(EMBEDDINGS).filter(encoder=encoder.id).select("input_key").collect()
    missing = keys.join(kept, on="input_key", how="anti", maintain_order="left").select("text")
    shards = (missing.slice(start, SHARD) for start in range(0, missing.height, SHARD))
    with bar("vectors", missing.height) as advance:
        engine.each(VectorWork(Workspace(workspace.root.absolute()), encoder, max_length), shards, advance)
    found = keys.join(workspace.read(EMBEDDINGS).filter(encoder=encoder.id), on="input_key", maintain_order="left")
    table = found["vector"].list.to_array(encoder.width).to_numpy().astype(np.float32)
    place = {text: i for i, text in enumerate(found["text"])}
    return table[[place[text] for text in texts]] if len(texts) else np.zeros((0, encoder.width), np.float32)
