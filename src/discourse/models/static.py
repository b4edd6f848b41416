"""The static tier: one vector a word piece, no transformer at work, thousands of comments a second a core.

Word pieces are run once, alone, through the tuned encoder; principal components and SIF weights follow (model2vec:
Tulkens & van Dongen 2024; Arora, Liang & Ma 2017). A text's vector is the weighted mean. Heads give what the encoder
would: a ridge regression of its log-odds on the vectors of comment, parent and title side by side and on random Fourier
features of them (Rahimi & Recht 2007), and on top a linear one on the comment's word pieces and their pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer
from torch.nn.functional import embedding_bag

from discourse.errors import BundleError
from discourse.models.frame_inputs import FrameInput

FILE = "static.safetensors"
PAIRS = 2**16
LETTERS_A_TOKEN = 16  # more than a word piece has on average even in long words: what lies beyond is never looked at
BATCH = 4_096
PART, LENGTH = np.float32(0.7), np.float32(0.2)  # how much maxima and context, and the length, count beside the mean

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class StaticTable:
    """Static vectors alone: `vectors_of` has those of the word pieces, weighted; texts are read up to `max_length`."""

    tokenizer: Tokenizer
    vectors_of: Matrix
    max_length: int

    @property
    def width(self) -> int:
        """The length of its vectors."""
        return self.vectors_of.shape[1]

    def vectors(self, texts: Sequence[str]) -> Matrix:
        """Return unit vectors of texts alone, texts × width, of float16 precision; zero for a text without words."""
        mean = np.concatenate(
            [
                _bag(self.vectors_of, tokenised(self.tokenizer, texts[start : start + BATCH], self.max_length), "mean")
                for start in range(0, len(texts), BATCH)
            ]
            or [np.zeros((0, self.width), np.float32)]
        )
        return _unit(mean).astype(np.float16).astype(np.float32)


@dataclass(frozen=True)
class StaticTier:
    """Static vectors with heads. Not slotted: what is derived from the weights is kept.

    vectors_of: word pieces × width, weighted. directions, phases: of the Fourier features, inputs × D and D.
    linear: what comes before the last sum, (inputs + D) × levels; bias: levels. rarity: of word pieces and hashed
    pairs; pieces: (word pieces + `PAIRS`) × levels.
    """

    tokenizer: Tokenizer
    levels: tuple[str, ...]
    context: tuple[str, ...]
    max_length: int
    vectors_of: Matrix
    directions: Matrix
    phases: Matrix
    linear: Matrix
    bias: Matrix
    rarity: Matrix
    pieces: Matrix

    @property
    def width(self) -> int:
        """The length of its vectors."""
        return self.vectors_of.shape[1]

    def vectors(self, texts: Sequence[str]) -> Matrix:
        """Return unit vectors of texts alone, see `StaticTable.vectors`."""
        return StaticTable(self.tokenizer, self.vectors_of, self.max_length).vectors(texts)

    def scores(self, inputs: Sequence[FrameInput]) -> NDArray[np.float64]:
        """Return log-odds as the encoder would give them, rows × levels; parts that are not read are ignored."""
        found = [np.zeros((0, len(self.levels)))]
        for start in range(0, len(inputs), BATCH):
            some = [row.as_read(self.context) for row in inputs[start : start + BATCH]]
            text = tokenised(self.tokenizer, [row.text for row in some], self.max_length)
            dense = self._dense(text, some)
            waves = fourier(dense, self.directions, self.phases)
            inner = len(dense[0])
            score = dense @ self.linear[:inner] + waves @ self.linear[inner:] + self.bias
            found.append((score + self._piece_scores(text)).astype(np.float64))
        return np.concatenate(found)

    def _dense(self, text: Tokens, inputs: Sequence[FrameInput]) -> Matrix:
        return dense_features(self.tokenizer, self.vectors_of, text, inputs, self.context)

    def _piece_scores(self, text: Tokens) -> Matrix:
        total: Matrix = _bag(self._weighted_pieces, with_pairs(text, len(self.vectors_of)), "sum")
        length: Matrix = np.sqrt(np.maximum(total[:, -1:], np.float32(1e-9))).astype(np.float32)
        return total[:, :-1] / length

    @cached_property
    def _weighted_pieces(self) -> Matrix:
        rarity = self.rarity[:, None]
        return np.hstack([self.pieces * rarity, rarity**2]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Word pieces of many texts, one after the other: ids int64, and where each text starts, int64 (texts,)."""

    ids: NDArray[np.int64]
    starts: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Word pieces in each text."""
        return np.diff(np.append(self.starts, len(self.ids)))


def tokenised(tokenizer: Tokenizer, texts: Sequence[str], max_length: int) -> Tokens:
    """Split texts into word pieces, each up to `max_length`, as the encoder's tokenizer does."""
    letters = LETTERS_A_TOKEN * max_length
    encoded = tokenizer.encode_batch_fast([text[:letters] for text in texts], add_special_tokens=False)
    rows = [row.ids[:max_length] for row in encoded]
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    ids = np.fromiter(chain.from_iterable(rows), np.int64, int(lengths.sum()))
    return Tokens(ids, np.cumsum(lengths) - lengths)


def with_pairs(tokens: Tokens, vocabulary: int) -> Tokens:
    """Return each text's word pieces followed by its hashed pairs of neighbours, numbered from `vocabulary` on."""
    lengths = tokens.lengths
    row = np.repeat(np.arange(len(lengths)), lengths)
    same = row[1:] == row[:-1]
    pairs = (tokens.ids[:-1] * 1_000_003 + tokens.ids[1:] * 7_919)[same] % PAIRS + vocabulary
    order = np.argsort(np.concatenate([row, row[:-1][same]]), kind="stable")
    both = lengths + np.maximum(lengths - 1, 0)
    return Tokens(np.concatenate([tokens.ids, pairs])[order], np.cumsum(both) - both)


def dense_features(
    tokenizer: Tokenizer, table: Matrix, text: Tokens, inputs: Sequence[FrameInput], context: Sequence[str]
) -> Matrix:
    """Return the vectors of the comment (mean and maximum over its pieces), title and parent side by side.

    After them come the comment's length and, for each part of the context, whether it is there.
    """
    strongest = PART * _unit(_bag(table, text, "max"))
    parts: list[Matrix] = [_unit(_bag(table, text, "mean")), strongest]
    length = np.log1p(text.lengths, dtype=np.float32) * LENGTH
    parts.append(length[:, None])
    for name in context:
        told = [getattr(row, name) for row in inputs]
        distinct = {words: i for i, words in enumerate(dict.fromkeys(told))}
        vectors = _unit(_bag(table, tokenised(tokenizer, list(distinct), 64), "mean"))
        place = np.fromiter(map(distinct.__getitem__, told), np.int64, len(told))
        there = np.fromiter((0.5 if words else 0.0 for words in told), np.float32, len(told))
        parts += [PART * vectors[place], there[:, None]]
    return np.hstack(parts)


def fourier(dense: Matrix, directions: Matrix, phases: Matrix) -> Matrix:
    """Return cos(x · directions + phases), scaled so that their products approximate a Gaussian kernel."""
    waves = dense @ directions
    waves += phases
    np.cos(waves, out=waves)
    waves *= np.float32(np.sqrt(2 / len(phases)))
    return waves


def save_static(tier: StaticTier, path: Path) -> None:
    """Write the tier as safetensors in half precision."""
    names = ("vectors_of", "directions", "phases", "linear", "bias", "rarity", "pieces")
    save_file({name: np.ascontiguousarray(getattr(tier, name).astype(np.float16)) for name in names}, str(path))


def load_static(
    path: Path, tokenizer: Tokenizer, levels: tuple[str, ...], context: tuple[str, ...], max_length: int
) -> StaticTier:
    """Read a static tier and check its shapes.

    Raises:
        BundleError: the file is no safetensors file or does not fit the bundle.
    """
    try:
        found = {name: value.astype(np.float32) for name, value in load_file(str(path)).items()}
        tier = StaticTier(tokenizer, levels, context, max_length, **found)
        inputs = 2 * tier.width + 1 + len(context) * (tier.width + 1)
        vocabulary, waves, outputs = tokenizer.get_vocab_size(), len(tier.phases), len(levels)
        shapes = {
            "vectors_of": (vocabulary, tier.width),
            "directions": (inputs, waves),
            "phases": (waves,),
            "linear": (inputs + waves, outputs),
            "bias": (outputs,),
            "rarity": (vocabulary + PAIRS,),
            "pieces": (vocabulary + PAIRS, outputs),
        }
    except (SafetensorError, OSError, TypeError, ValueError, IndexError) as e:
        raise BundleError(f"{path}: is not the static tier of a bundle; fetch the bundle again") from e
    wrong = [name for name, shape in shapes.items() if getattr(tier, name).shape != shape]
    if wrong:
        raise BundleError(f"{path}: {wrong[0]} does not fit the bundle; fetch the bundle again")
    return tier


def save_table(table: StaticTable | StaticTier, path: Path) -> None:
    """Write static vectors as safetensors in half precision."""
    save_file({"vectors_of": np.ascontiguousarray(table.vectors_of.astype(np.float16))}, str(path))


def load_table(path: Path, tokenizer: Tokenizer, max_length: int) -> StaticTable:
    """Read static vectors.

    Raises:
        BundleError: the file is no safetensors file or has not a vector for each word piece.
    """
    try:
        found = load_file(str(path))["vectors_of"].astype(np.float32)
    except (SafetensorError, OSError, KeyError, ValueError) as e:
        raise BundleError(f"{path}: has no static vectors; fetch the bundle again") from e
    if found.ndim != 2 or len(found) != tokenizer.get_vocab_size():
        raise BundleError(f"{path}: was made for another tokenizer; fetch the bundle again")
    return StaticTable(tokenizer, found, max_length)


def _bag(table: Matrix, tokens: Tokens, mode: str) -> Matrix:
    if not len(tokens.starts):
        return np.zeros((0, table.shape[1]), np.float32)
    with torch.inference_mode():
        return embedding_bag(
            torch.from_numpy(tokens.ids), torch.from_numpy(table), torch.from_numpy(tokens.starts), mode=mode
        ).numpy()


def _unit(vectors: Matrix) -> Matrix:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True).astype(np.float32)
    return vectors / np.maximum(lengths, np.float32(1e-12))
