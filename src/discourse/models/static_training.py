"""Distil the static tier from a tuned encoder: its word pieces, and its scores on labelled and unlabelled comments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from discourse.models.encoder import Encoder, mean_pool
from discourse.models.frame_inputs import FrameInput
from discourse.models.frames import FramesModel
from discourse.models.static import (
    PAIRS,
    StaticTable,
    StaticTier,
    Tokens,
    dense_features,
    fourier,
    tokenised,
    with_pairs,
)
from discourse.models.tuned import TunedTop
from discourse.progress import Advance

WIDTH = 192
WAVES = 1_536
BANDWIDTH = 0.7
PENALTY = 0.3
PIECE_PENALTY = 3.0
PIECE_STEPS = 12
SIF = 1e-3
ZIPF_TOKENS = 100_000  # how many word pieces of other texts the frequencies by rank stand for

Matrix = NDArray[np.float32]


def fit_static(
    model: FramesModel,
    inputs: Sequence[FrameInput],
    scores: NDArray[np.float64],
    importance: NDArray[np.float64],
    pieces: Matrix,
    seed: int = 0,
) -> StaticTier:
    """Fit heads that give what the encoder gives; deterministic under its seed.

    Args:
        model: the tuned encoder.
        inputs: labelled and unlabelled comments.
        scores: the encoder's log-odds on them, rows × frames.
        importance: how much each counts.
        pieces: from `piece_states`; they are reduced to `WIDTH` here.
        seed: of the Fourier features.
    """
    tokenizer = model.encoder.tokenizer
    read = [row.as_read(model.context) for row in inputs]
    text = tokenised(tokenizer, [row.text for row in read], model.max_length)
    table = _weighted(_principal(pieces), text)
    dense = dense_features(tokenizer, table, text, read, model.context)
    generator = np.random.default_rng(seed)
    directions = generator.normal(0, np.sqrt(2 * BANDWIDTH), (dense.shape[1], WAVES)).astype(np.float16)
    phases = generator.uniform(0, 2 * np.pi, WAVES).astype(np.float16)
    directions, phases = directions.astype(np.float32), phases.astype(np.float32)
    x = np.hstack([dense, fourier(dense, directions, phases)])
    linear, bias = _ridge(x, scores.astype(np.float32), importance.astype(np.float32))
    rest = scores - (x @ linear + bias)
    rarity, weights = _piece_weights(text, rest.astype(np.float32), importance.astype(np.float32), len(table))
    return StaticTier(
        tokenizer,
        model.levels,
        model.context,
        model.max_length,
        table,
        directions,
        phases,
        linear,
        bias,
        rarity,
        weights,
    )


def fit_table(encoder: Encoder, texts: Sequence[str], max_length: int, pieces: Matrix) -> StaticTable:
    """Return static vectors of an encoder.

    Args:
        encoder: gives the tokenizer.
        texts: how often word pieces occur in them decides how little they count.
        max_length: word pieces of a text that are read.
        pieces: from `piece_states`.
    """
    text = tokenised(encoder.tokenizer, texts, max_length)
    return StaticTable(encoder.tokenizer, _weighted(_principal(pieces), text), max_length)


def piece_states(model: FramesModel, advance: Advance | None = None, first_ones: int | None = None) -> Matrix:
    """Run each word piece of the vocabulary alone through the tuned encoder.

    Args:
        model: the tuned encoder.
        advance: called with the number of word pieces done.
        first_ones: only so many; all by default.

    Returns:
        Mean-pooled states of ``[CLS] piece [SEP]``, word pieces × encoder width.
    """
    encoder = model.encoder
    size = first_ones or encoder.tokenizer.get_vocab_size()
    (first, *_, last), _ = encoder.sequence(np.zeros(0, np.int32))
    found = np.zeros((size, encoder.width), np.float32)
    with torch.inference_mode():
        for start in range(0, size, 1_024):
            piece = torch.arange(start, min(size, start + 1_024))
            ids = torch.stack([torch.full_like(piece, int(first)), piece, torch.full_like(piece, int(last))], 1)
            found[start : start + len(piece)] = _states(encoder, model, ids).numpy()
            if advance is not None:
                advance(len(piece))
    return found


def _states(encoder: Encoder, model: FramesModel, ids: torch.Tensor) -> torch.Tensor:
    mask = torch.ones_like(ids, dtype=torch.bool)
    top = model.scorer if isinstance(model.scorer, TunedTop) else None
    embeddings = top.embeddings if top is not None and top.reads_tokens else encoder.model.embeddings
    hidden = embeddings(input_ids=ids, token_type_ids=torch.zeros_like(ids))
    split = encoder.depth if top is None else top.first(encoder)
    for state in encoder.run_layers(hidden, mask, 0, split):
        hidden = state
    for layer in () if top is None else top.layers:
        hidden = layer(hidden, None)
    return mean_pool(hidden, mask)


def _principal(pieces: Matrix) -> Matrix:
    """Return the first principal components of the word pieces' states, scaled to a mean length of 1."""
    centred = pieces - pieces.mean(0)
    _, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    reduced = centred @ vectors[:, ::-1][:, : min(WIDTH, pieces.shape[1])].astype(np.float32)
    return reduced / np.linalg.norm(reduced, axis=1).mean()


def _weighted(table: Matrix, text: Tokens) -> Matrix:
    """Weigh word pieces by a / (a + p): p from these texts, and from Zipf's law by rank for what they lack."""
    zipf = 1 / np.arange(2, len(table) + 2)
    counts = np.bincount(text.ids, minlength=len(table)) + ZIPF_TOKENS * zipf / zipf.sum()
    share = counts / counts.sum()
    return (table * (SIF / (SIF + share))[:, None]).astype(np.float16).astype(np.float32)


def _ridge(x: Matrix, y: Matrix, importance: Matrix) -> tuple[Matrix, Matrix]:
    share = importance / importance.sum()
    middle, level = share @ x, share @ y
    root = np.sqrt(importance / importance.mean())[:, None]
    centred = (x - middle) * root
    wanted = (y - level) * root
    if len(x) < x.shape[1]:
        # The same solution from the smaller system.
        linear = centred.T @ _solved(centred @ centred.T, wanted)
    else:
        linear = _solved(centred.T @ centred, centred.T @ wanted)
    return linear, level - middle @ linear


def _solved(gram: Matrix, wanted: Matrix) -> Matrix:
    penalised = gram.astype(np.float64)
    penalised[np.diag_indices_from(penalised)] += PENALTY
    return np.linalg.solve(penalised, wanted.astype(np.float64)).astype(np.float32)


def _piece_weights(text: Tokens, rest: Matrix, importance: Matrix, vocabulary: int) -> tuple[Matrix, Matrix]:
    """Fit what the vectors leave over on word pieces and pairs by their rarity; ridge by conjugate gradients."""
    size = vocabulary + PAIRS
    both = with_pairs(text, vocabulary)
    rows, ends = len(both.starts), np.append(both.starts, len(both.ids))
    seen = sparse.csr_matrix((np.ones(len(both.ids), np.float32), both.ids, ends), (rows, size))
    seen.sum_duplicates()
    rarity = np.log1p(rows / (1 + np.bincount(seen.indices, minlength=size))).astype(np.float32)
    # As at work: each occurrence counts its rarity, over the root of the sum of squared rarities.
    norm = np.sqrt(np.maximum(seen @ rarity**2, 1e-9))
    root = np.sqrt(importance / importance.mean())
    x = sparse.csr_matrix(sparse.diags(root / norm) @ seen @ sparse.diags(rarity))
    transposed = sparse.csr_matrix(x.T)
    residual = np.asarray(transposed @ (rest * root[:, None]))
    found, step = np.zeros_like(residual), residual.copy()
    power = np.square(residual).sum(0)
    for _ in range(PIECE_STEPS):
        moved = transposed @ (x @ step) + PIECE_PENALTY * step
        length = power / np.maximum((step * moved).sum(0), 1e-12)
        found += length * step
        residual -= length * moved
        fresh = np.square(residual).sum(0)
        step = residual + (fresh / np.maximum(power, 1e-12)) * step
        power = fresh
    return rarity, found
