"""Where vectors of texts alone come from: the untuned encoder while frames are read by it, else the static tier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discourse.models.bundle import Bundle
from discourse.models.encoder import Encoder
from discourse.models.frames import embed
from discourse.models.static import FILE, StaticTable, StaticTier, load_static, load_table
from discourse.progress import Advance

GATE_FILE = "gate.safetensors"


@dataclass(frozen=True, slots=True)
class StaticVectors:
    """The vectors of a bundle's static tier or gate; `name` and `sha256` tell them from others in tables."""

    name: str
    sha256: str
    tier: StaticTier | StaticTable

    @property
    def id(self) -> str:
        """Its name and the start of its hash."""
        return f"{self.name}@{self.sha256[:12]}"

    @property
    def width(self) -> int:
        """The length of its vectors."""
        return self.tier.width


TextReader = Encoder | StaticVectors


def text_reader(bundle: Bundle, encoder: Encoder) -> TextReader:
    """Return what gives the vectors of texts alone in a workspace that a frames bundle tags.

    The untuned encoder, if the bundle is that encoder frozen and reads the text alone, as both then share one pass, or
    if it has no static tier; else the static tier.

    Raises:
        BundleError: the static tier is damaged.
    """
    manifest = bundle.manifest
    if FILE not in manifest.files or (manifest.method == "heads" and not manifest.context):
        return encoder
    return StaticVectors(f"{manifest.name}/static", manifest.files[FILE], static_tier(bundle, encoder))


def gate_reader(bundle: Bundle, encoder: Encoder) -> TextReader:
    """Return what gives the vectors that a stance bundle's gate was fitted on.

    Raises:
        BundleError: its static vectors are damaged.
    """
    manifest = bundle.manifest
    if GATE_FILE not in manifest.files:
        return encoder
    table = load_table(bundle.folder / GATE_FILE, encoder.tokenizer, manifest.max_length)
    return StaticVectors(f"{manifest.name}/gate", manifest.files[GATE_FILE], table)


def static_tier(bundle: Bundle, encoder: Encoder) -> StaticTier:
    """Load the static tier of a frames bundle.

    Raises:
        BundleError: there is none, or it is damaged.
    """
    manifest = bundle.manifest
    return load_static(bundle.folder / FILE, encoder.tokenizer, manifest.labels, manifest.context, manifest.max_length)


def read_texts(
    reader: TextReader, texts: Sequence[str], max_length: int = 256, advance: Advance | None = None
) -> NDArray[np.float32]:
    """Return a unit vector for each text, float32 of float16 precision, texts × width.

    Args:
        reader: from `text_reader`.
        texts: any texts, best distinct ones.
        max_length: word pieces that the encoder reads; the static tier has a length of its own.
        advance: called with the number of texts done.
    """
    if isinstance(reader, Encoder):
        return embed(reader, texts, max_length, advance)
    vectors = reader.tier.vectors(texts)
    if advance is not None:
        advance(len(texts))
    return vectors
