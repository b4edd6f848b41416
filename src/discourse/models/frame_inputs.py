"""What is read of a comment to find its frames: its text, and where the bundle wants them the title and the parent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discourse.models.encoder import Encoder
from discourse.models.packed import Sequences

TITLE_TOKENS = 24
PARENT_TOKENS = 48
# More letters than the tokens above ever hold; the rest of a long parent does not change what is read.
TITLE_LETTERS = 200
PARENT_LETTERS = 400


@dataclass(frozen=True, slots=True)
class FrameInput:
    """One comment: its text, the title of its thread and the comment that it answers (empty where there is none)."""

    text: str
    title: str = ""
    parent: str = ""

    def as_read(self, context: Sequence[str]) -> FrameInput:
        """Return what a bundle with this context reads of the comment."""
        return FrameInput(
            self.text,
            self.title[:TITLE_LETTERS] if "title" in context else "",
            self.parent[:PARENT_LETTERS] if "parent" in context else "",
        )


def frame_sequences(encoder: Encoder, inputs: Sequence[FrameInput], max_length: int) -> Sequences:
    """Tokenise each distinct text once and join ``title [SEP] parent [SEP] comment``, absent parts left out.

    Args:
        encoder: gives tokenizer and special tokens.
        inputs: rows; each part was cut to what the bundle reads by `FrameInput.as_read`.
        max_length: tokens of a row, special tokens included; the comment's end is cut.
    """
    texts = list(dict.fromkeys(part for row in inputs for part in (row.text, row.title, row.parent)))
    tokens = dict(zip(texts, encoder.tokenise(texts), strict=True))
    ids: list[NDArray[np.int32]] = []
    segments: list[NDArray[np.int32]] = []
    for row in inputs:
        title, parent = tokens[row.title].ids[:TITLE_TOKENS], tokens[row.parent].ids[:PARENT_TOKENS]
        context = [part for part in (title, parent) if len(part)]
        room = max(1, max_length - sum(len(part) + 1 for part in context) - 2)
        some_ids, some_segments = encoder.sequence(*context, tokens[row.text].ids[:room])
        ids.append(some_ids)
        segments.append(some_segments)
    return Sequences(ids, segments)


def without_some_context(inputs: Sequence[FrameInput], dropout: float, seed: int) -> list[FrameInput]:
    """Drop title and parent, each by its own seeded coin, so that missing context is no clue while training."""
    coins = np.random.default_rng(seed).random((len(inputs), 2)) < dropout
    return [
        FrameInput(row.text, "" if no_title else row.title, "" if no_parent else row.parent)
        for row, (no_title, no_parent) in zip(inputs, coins, strict=True)
    ]
