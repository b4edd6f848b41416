"""A frames bundle at work: one forward pass gives a text's vector and the score of every frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from discourse.errors import BundleError
from discourse.models.bundle import Bundle
from discourse.models.encoder import Encoder, Sequences, batches, mean_pool, unit
from discourse.models.heads import Heads, load_heads
from discourse.models.tuned import TunedTop, load_top
from discourse.progress import Advance


@dataclass(frozen=True, slots=True)
class FrameReading:
    """What one pass gives: unit vectors of the untuned encoder (rows × width), log-odds (rows × frames)."""

    vectors: NDArray[np.float32]
    scores: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FramesModel:
    """Frame scores, from heads on the untuned vectors or from a tuned top that shares the lower layers."""

    encoder: Encoder
    scorer: Heads | TunedTop
    levels: tuple[str, ...]
    max_length: int

    def read(self, texts: Sequence[str], advance: Advance | None = None) -> FrameReading:
        """Read texts once, each up to `max_length` tokens.

        Args:
            texts: any texts, best distinct ones.
            advance: called with the number of texts done.
        """
        sequences = text_sequences(self.encoder, texts, self.max_length)
        vectors = np.zeros((len(texts), self.encoder.width), np.float32)
        scores = np.zeros((len(texts), len(self.levels)))
        split = self.scorer.first(self.encoder) if isinstance(self.scorer, TunedTop) else self.encoder.depth
        with torch.inference_mode():
            for batch in batches(sequences):
                hidden = self.encoder.embed(batch)
                for state in self.encoder.run_layers(hidden, batch.mask, 0, split):
                    hidden = state
                if isinstance(self.scorer, TunedTop):
                    scores[batch.rows] = self.scorer.logits(hidden, batch.mask).numpy()
                for state in self.encoder.run_layers(hidden, batch.mask, split, self.encoder.depth):
                    hidden = state
                vectors[batch.rows] = mean_pool(hidden, batch.mask).numpy()
                if advance is not None:
                    advance(len(batch.rows))
        vectors = half(unit(vectors))
        if isinstance(self.scorer, Heads):
            scores = self.scorer.scores(vectors)
        return FrameReading(vectors, scores)


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
        scorer, _ = load_top(weights, encoder, int(manifest.settings["layers"]), len(manifest.labels))
    return FramesModel(encoder, scorer, manifest.labels, manifest.max_length)


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
    nothing = Heads((), np.zeros((0, encoder.width), np.float32), np.zeros(0, np.float32))
    return FramesModel(encoder, nothing, (), max_length).read(texts, advance).vectors


def text_sequences(encoder: Encoder, texts: Sequence[str], max_length: int) -> Sequences:
    """Return model inputs for single texts."""
    rows = [encoder.sequence(text.ids[: max_length - 2]) for text in encoder.tokenise(texts)]
    return Sequences([ids for ids, _ in rows], [segments for _, segments in rows])


def half(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round to the float16 precision in which vectors are kept, so that kept and fresh ones are equal."""
    return vectors.astype(np.float16).astype(np.float32)
