"""Stance to a named target: a gate on kept vectors, then an encoder that reads target, parent and comment together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from discourse.errors import BundleError
from discourse.models.bundle import Bundle, Calibration
from discourse.models.encoder import Encoder
from discourse.models.packed import Sequences, embedded, packed, through
from discourse.models.text_vectors import TextReader, gate_reader
from discourse.models.tuned import PackedTop, TunedTop, load_top, packed_top, save_top, shape
from discourse.progress import Advance

CLASSES = ("favor", "against", "neutral", "off_target")
TARGET_TOKENS = 16
PARENT_TOKENS = 32
GATE_FEATURES = ("comment_similarity", "parent_similarity", "comment_overlap", "parent_overlap", "has_parent")
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read for one decision: the target, the comment, and the comment it answers (empty if none)."""

    target: str
    text: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Gate:
    """A logistic regression on `GATE_FEATURES`: is the comment about the target at all?"""

    weights: NDArray[np.float32]
    bias: float

    def scores(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log-odds of being about the target, one a row of `features` (rows × `GATE_FEATURES`)."""
        return features @ self.weights.astype(np.float64) + self.bias


@dataclass(frozen=True)
class StanceModel:
    """The encoder, its top tuned for stance with a classifier over `CLASSES`, the gate, and who reads for the gate.

    Not slotted: the top is made ready once.
    """

    encoder: Encoder
    top: TunedTop
    gate: Gate
    max_length: int
    gate_reader: TextReader

    def log_probabilities(self, readings: Sequence[Reading], advance: Advance | None = None) -> NDArray[np.float64]:
        """Return log-probabilities of `CLASSES`, rows × 4, not calibrated."""
        found = np.zeros((len(readings), len(CLASSES)))
        sequences = stance_sequences(self.encoder, readings, self.max_length)
        with torch.inference_mode():
            for batch in packed(sequences, device=self.encoder.device):
                below = self.encoder.layers[: self.top.first(self.encoder)]
                hidden = through(below, embedded(self.encoder.embeddings, batch), batch)
                found[batch.rows] = self._ready.logits(hidden, batch).log_softmax(1).cpu().numpy()
                if advance is not None:
                    advance(len(batch.rows))
        return found

    @cached_property
    def _ready(self) -> PackedTop:
        return packed_top(self.top, self.encoder.precision, self.encoder.device)


def stance_sequences(encoder: Encoder, readings: Sequence[Reading], max_length: int) -> Sequences:
    """Tokenise each distinct text once and join ``target [SEP] parent [SEP] comment``, the comment as segment 1."""
    texts = list(dict.fromkeys(text for r in readings for text in (r.target, r.parent, r.text)))
    tokens = dict(zip(texts, encoder.tokenise(texts), strict=True))
    ids: list[NDArray[np.int32]] = []
    segments: list[NDArray[np.int32]] = []
    for reading in readings:
        target = tokens[reading.target].ids[:TARGET_TOKENS]
        parent = tokens[reading.parent].ids[:PARENT_TOKENS]
        context = [target, parent] if len(parent) else [target]
        room = max_length - sum(len(part) + 1 for part in context) - 2
        row, segment = encoder.sequence(*context, tokens[reading.text].ids[:room])
        ids.append(row)
        segments.append(segment)
    return Sequences(ids, segments)


def gate_features(
    readings: Sequence[Reading],
    target: NDArray[np.float32],
    text: NDArray[np.float32],
    parent: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Return rows × `GATE_FEATURES`: cosine similarity and shared words of the target with comment and parent.

    Args:
        readings: what is decided on.
        target: unit vectors of the readings' targets, rows × width.
        text: unit vectors of the comments.
        parent: unit vectors of the parents; rows without a parent are ignored.
    """
    answered = np.array([bool(reading.parent) for reading in readings], dtype=float)
    words = {target: frozenset(_WORD.findall(target.lower())) for target in {r.target for r in readings}}
    overlap = np.array([[_overlap(words[r.target], part) for part in (r.text, r.parent)] for r in readings])
    overlap = overlap.reshape(-1, 2)
    return np.column_stack(
        [(target * text).sum(1), (target * parent).sum(1) * answered, overlap[:, 0], overlap[:, 1], answered]
    )


def decide(
    gate: NDArray[np.float64], log_p: NDArray[np.float64], calibration: dict[str, Calibration]
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.int64]]:
    """Combine gate and classifier.

    Args:
        gate: log-odds of being about the target, one a row.
        log_p: log-probabilities of `CLASSES`, rows × 4; rows that the gate stops are not looked at.
        calibration: of the bundle.

    Returns:
        Which rows pass the gate; calibrated probabilities, rows × 4; the number of the likeliest class, which is
        off_target where the gate stops.
    """
    passed = 1 / (1 + np.exp(-gate)) >= calibration["gate"].threshold
    scaled = log_p * calibration["classes"].slope
    p = np.exp(scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True))
    return passed, p, np.where(passed, p.argmax(1), CLASSES.index("off_target"))


def save_stance(top: TunedTop, gate: Gate, path: Path) -> None:
    """Write top and gate as safetensors."""
    save_top(top, path, {"gate.weights": torch.from_numpy(gate.weights), "gate.bias": torch.tensor([gate.bias])})


def load_stance(bundle: Bundle, encoder: Encoder) -> StanceModel:
    """Load a stance bundle onto its encoder.

    Raises:
        BundleError: the encoder is another one, or the weights do not fit.
    """
    manifest, path = bundle.manifest, bundle.folder / "weights.safetensors"
    if encoder.sha256 != manifest.encoder_sha256:
        raise BundleError(f"{manifest.name}: was trained on another {manifest.encoder}; train it again with this one")
    top, others = load_top(path, encoder, shape(manifest), len(CLASSES))
    if set(others) != {"gate.weights", "gate.bias"}:
        raise BundleError(f"{path}: has no gate; fetch the bundle again")
    gate = Gate(others["gate.weights"].numpy(), float(others["gate.bias"][0]))
    return StanceModel(encoder, top, gate, manifest.max_length, gate_reader(bundle, encoder))


def _overlap(words: frozenset[str], text: str) -> float:
    """Return the share of a target's words that a text has."""
    lower = text.lower()
    # Most texts hold none of them, which is told without cutting the text into words.
    if not any(word in lower for word in words):
        return 0.0
    return len(words & set(_WORD.findall(lower))) / len(words)
