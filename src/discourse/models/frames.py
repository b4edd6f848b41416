"""A frames bundle at work: one forward pass gives the score of every frame, and a text's vector where it can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from discourse.errors import BundleError
from discourse.models.bundle import Bundle
from discourse.models.encoder import Encoder, unit
from discourse.models.frame_inputs import FrameInput, frame_sequences
from discourse.models.heads import Heads, load_heads
from discourse.models.packed import Sequences, embedded, packed, pooled, through
from discourse.models.tuned import PackedTop, TunedTop, load_top, packed_top, shape
from discourse.progress import Advance


@dataclass(frozen=True, slots=True)
class FrameReading:
    """What one pass gives: log-odds, rows × frames, and unit vectors of the untuned encoder, rows × width.

    There are no vectors (None) where title or parent were read along: they would not be those of the text.
    """

    vectors: NDArray[np.float32] | None
    scores: NDArray[np.float64]


@dataclass(frozen=True)
class FramesModel:
    """Frame scores, from heads on the untuned vectors or from a tuned top that shares the lower layers.

    Not slotted: the top is made ready once.
    """

    encoder: Encoder
    scorer: Heads | TunedTop
    levels: tuple[str, ...]
    max_length: int
    context: tuple[str, ...] = ()

    def read(self, inputs: Sequence[FrameInput], advance: Advance | None = None) -> FrameReading:
        """Read comments once, each up to `max_length` tokens; parts that the bundle does not read are ignored.

        Args:
            inputs: any comments, best distinct ones.
            advance: called with the number of comments done.
        """
        top = self._top
        # Vectors are wanted by heads, and by topics where they are those of the text alone.
        untuned = top is None or (not self.context and not top.reads_tokens)
        vectors, logits = _pass(self.encoder, top, self._sequences(inputs), advance, untuned=untuned)
        scores = self.scorer.scores(vectors) if isinstance(self.scorer, Heads) else logits
        return FrameReading(vectors if untuned and not self.context else None, scores)

    def vectors(self, inputs: Sequence[FrameInput], advance: Advance | None = None) -> NDArray[np.float32]:
        """Return unit vectors of the untuned encoder for comments as they are read, rows × width."""
        return _pass(self.encoder, None, self._sequences(inputs), advance, untuned=True)[0]

    @cached_property
    def _top(self) -> PackedTop | None:
        if not isinstance(self.scorer, TunedTop):
            return None
        return packed_top(self.scorer, self.encoder.precision, self.encoder.device)

    def _sequences(self, inputs: Sequence[FrameInput]) -> Sequences:
        return frame_sequences(self.encoder, [row.as_read(self.context) for row in inputs], self.max_length)


def load_frames(bundle: Bundle, encoder: Encoder) -> FramesModel:
    """Load a frames bundle onto its encoder.

    Raises:
        BundleError: the encoder is another one, or the weights do not fit.
    """
    manifest = bundle.manifest
    if encoder.sha256 != manifest.encoder_sha256:
        raise BundleError(f"{manifest.name}: was trained on another {manifest.encoder}; train it again with this one")
    weights = bundle.folder / "weights.safetensors"
    if manifest.method == "heads":
        scorer: Heads | TunedTop = load_heads(weights, manifest.labels, encoder.width)
    else:
        scorer, _ = load_top(weights, encoder, shape(manifest), len(manifest.labels))
    return FramesModel(encoder, scorer, manifest.labels, manifest.max_length, manifest.context)


def embed(
    encoder: Encoder, texts: Sequence[str], max_length: int = 256, advance: Advance | None = None
) -> NDArray[np.float32]:
    """Return a unit vector for each text: the mean of the last layer's states (Reimers & Gurevych 2019).

    Args:
        encoder: the untuned encoder.
        texts: any texts, best distinct ones; each is read up to `max_length` tokens.
        max_length: tokens, special tokens included.
        advance: called with the number of texts done.

    Returns:
        float32 of float16 precision, texts × encoder width.
    """
    sequences = frame_sequences(encoder, [FrameInput(text) for text in texts], max_length)
    return _pass(encoder, None, sequences, advance, untuned=True)[0]


def half(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round to the float16 precision in which vectors are kept, so that kept and fresh ones are equal."""
    return vectors.astype(np.float16).astype(np.float32)


def _pass(
    encoder: Encoder, top: PackedTop | None, sequences: Sequences, advance: Advance | None, *, untuned: bool
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Run the encoder once; lower layers are shared by the tuned top and, where they are wanted, untuned vectors."""
    rows = len(sequences.ids)
    vectors = np.zeros((rows, encoder.width if untuned else 0), np.float32)
    logits = np.zeros((rows, top.outputs if top is not None else 0))
    split = encoder.depth - len(top.layers) if top is not None else encoder.depth
    with torch.inference_mode():
        for batch in packed(sequences, device=encoder.device):
            if top is not None and top.embeddings is not None:
                logits[batch.rows] = top.logits(embedded(top.embeddings, batch), batch).cpu().numpy()
            if untuned or (top is not None and top.embeddings is None):
                hidden = through(encoder.layers[:split], embedded(encoder.embeddings, batch), batch)
                if top is not None and top.embeddings is None:
                    logits[batch.rows] = top.logits(hidden, batch).cpu().numpy()
                if untuned:
                    hidden = through(encoder.layers[split:], hidden, batch)
                    vectors[batch.rows] = pooled(hidden, batch).cpu().numpy()
            if advance is not None:
                advance(len(batch.rows))
    return half(unit(vectors)), logits
