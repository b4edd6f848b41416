"""Rows of the scores table: what a tier says of some inputs, with the sentence that carries each yes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.models.bundle import Bundle
from discourse.tables import SCORES, Tier
from discourse.tag.evidence import carrying, strongest

Reader = Callable[[list[str]], NDArray[np.float64]]


def score_rows(
    shard: pl.DataFrame,
    scores: NDArray[np.float64],
    yes: NDArray[np.bool_],
    levels: Sequence[str],
    bundle: Bundle,
    tier: Tier,
    read: Reader,
) -> pl.DataFrame:
    """Return rows of the scores table.

    Sentences are read without title and parent: what matters is where in the comment the frame shows.

    Args:
        shard: `input_key` and `text`.
        scores: log-odds, rows × levels.
        yes: which of them are a yes, so that their evidence is looked for.
        levels: names of the columns of `scores`.
        bundle: that is read with.
        tier: that answers.
        read: from sentences to their log-odds, sentences × levels.
    """
    texts = shard["text"].to_list()
    starts: list[list[int | None]] = [[None] * len(texts) for _ in levels]
    ends: list[list[int | None]] = [[None] * len(texts) for _ in levels]
    rows = np.flatnonzero(yes.any(1))
    found = carrying([texts[row] for row in rows], bundle.manifest.languages[0], read)
    for row, (spans, values) in zip(rows, found, strict=True):
        for k in np.flatnonzero(yes[row]):
            starts[k][row], ends[k][row] = strongest(spans, values, int(k))
    return pl.concat(
        [
            pl.DataFrame(
                {
                    "input_key": shard["input_key"],
                    "bundle": bundle.id,
                    "level": level,
                    "score": scores[:, k],
                    "evidence_start": starts[k],
                    "evidence_end": ends[k],
                    "tier": tier.value,
                },
                schema=SCORES.schema,
            )
            for k, level in enumerate(levels)
        ]
    )
