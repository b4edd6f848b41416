"""Vectors of texts, kept in the workspace so that nothing is encoded twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.models.input_key import input_key
from discourse.models.text_vectors import TextReader, read_texts
from discourse.progress import bar
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


def vectors_of(workspace: Workspace, encoder: TextReader, texts: Sequence[str], max_length: int) -> NDArray[np.float32]:
    """Return the unit vectors of texts alone, texts × width; what is not kept yet is computed and kept.

    Args:
        workspace: keeps the vectors under the reader's `id`.
        encoder: what reads the texts, see `text_vectors.text_reader`.
        texts: any texts.
        max_length: word pieces that an encoder reads.
    """
    distinct = list(dict.fromkeys(texts))
    keys = pl.DataFrame({"input_key": [input_key(text, encoder.id) for text in distinct], "text": distinct})
    kept = workspace.scan(EMBEDDINGS).filter(encoder=encoder.id).select("input_key").collect()
    missing = keys.join(kept, on="input_key", how="anti", maintain_order="left")["text"].to_list()
    with bar("vectors", len(missing)) as advance:
        for start in range(0, len(missing), SHARD):
            shard = missing[start : start + SHARD]
            keep_vectors(workspace, encoder, shard, read_texts(encoder, shard, max_length, advance))
    found = keys.join(workspace.read(EMBEDDINGS).filter(encoder=encoder.id), on="input_key", maintain_order="left")
    table = found["vector"].list.to_array(encoder.width).to_numpy().astype(np.float32)
    place = {text: i for i, text in enumerate(found["text"])}
    return table[[place[text] for text in texts]] if len(texts) else np.zeros((0, encoder.width), np.float32)
