"""`discourse` with the models' answers drawn by chance, to time everything else, which is the real code.

Language identification, the encoder, the frames bundle's layers, its static tier and the stance layers do not run. What
they would say is drawn from a hash of the text, so that it is the same whatever the batch.

    python -P benchmarks/without_models.py run comments.parquet -o WS

-P keeps this folder out of the modules' path: numba, which UMAP needs, looks for the package coverage, and would find
the benchmark of that name.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse import cli
from discourse.models import frames, stance, text_vectors
from discourse.models.frame_inputs import FrameInput
from discourse.models.text_vectors import TextReader
from discourse.normalize.language_models import LanguageModels
from discourse.progress import Advance
from discourse.tag import vectors

YES = 0.04  # of the comments, for each frame
SIDED = 0.3
SUBJECTS, NOISE = 40, 4_096


def _hashes(texts: Sequence[str]) -> NDArray[np.uint64]:
    return pl.Series(texts, dtype=pl.String).hash(7).to_numpy()


def _uniform(hashes: NDArray[np.uint64], column: int) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):
        mixed = (hashes ^ np.uint64(column + 1)) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(11)).astype(np.float64) / 2.0**53


def _vectors(texts: Sequence[str], width: int) -> NDArray[np.float32]:
    """Draw unit vectors around a few centres, so that topics have something to find."""
    rng = np.random.default_rng(0)
    centres, noise = rng.normal(size=(SUBJECTS, width)), rng.normal(size=(NOISE, width))
    hashes = _hashes(texts)
    subject = (SUBJECTS * _uniform(hashes, 0) ** 2).astype(int)
    found = (centres[subject] + 0.8 * noise[(NOISE * _uniform(hashes, 1)).astype(int)]).astype(np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found.astype(np.float16).astype(np.float32)


def _read(
    model: frames.FramesModel, inputs: Sequence[FrameInput], advance: Advance | None = None
) -> frames.FrameReading:
    hashes = _hashes([row.text for row in inputs])
    drawn = np.column_stack([_uniform(hashes, 10 + k) for k in range(len(model.levels))])
    # Log-odds far on the side of the answer, a few of them in doubt.
    scores = np.where(drawn < YES, 4.0, np.where(drawn > 0.98, 0.3, -5.0)) + drawn
    if advance is not None:
        advance(len(inputs))
    vectors_too = not model.context
    return frames.FrameReading(
        _vectors([row.text for row in inputs], model.encoder.width) if vectors_too else None, scores
    )


def _embed(
    reader: TextReader, texts: Sequence[str], max_length: int = 256, advance: Advance | None = None
) -> NDArray[np.float32]:
    del max_length
    if advance is not None:
        advance(len(texts))
    return _vectors(texts, reader.width)


def _sides(
    model: stance.StanceModel, readings: Sequence[stance.Reading], advance: Advance | None = None
) -> NDArray[np.float64]:
    del model
    hashes = _hashes([reading.text for reading in readings])
    drawn = np.column_stack([_uniform(hashes, 20 + k) + 0.01 for k in range(len(stance.CLASSES))])
    drawn[:, -1] += np.where(_uniform(hashes, 30) > SIDED, 3.0, 0.0)
    if advance is not None:
        advance(len(readings))
    return np.log(drawn / drawn.sum(1, keepdims=True))


def _passes(gate: stance.Gate, features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Let one comment in twenty through, by what its features hash to."""
    del gate
    rows = np.ascontiguousarray(features.astype(np.float32)).view(np.uint32).astype(np.uint64)
    with np.errstate(over="ignore"):
        hashes = (rows * np.arange(1, 2 * rows.shape[1], 2, dtype=np.uint64)).sum(1)
    return np.where(_uniform(hashes, 40) < 0.05, 5.0, -5.0)


def _first_language(models: LanguageModels, texts: pl.Series) -> NDArray[np.float64]:
    found = np.full((len(texts), len(models.codes)), 0.001)
    found[:, 0] = 1 - 0.001 * (len(models.codes) - 1)
    return found


def main() -> None:
    """Put the drawn answers in the models' place, and run the command line."""
    frames.FramesModel.read = _read
    text_vectors.read_texts = vectors.read_texts = _embed
    stance.StanceModel.log_probabilities = _sides
    stance.Gate.scores = _passes
    LanguageModels.confidences = _first_language
    cli.main()


if __name__ == "__main__":
    main()
