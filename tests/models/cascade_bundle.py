"""A small frames bundle with a static tier, made in a second: its word pieces are the encoder's input vectors."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from tests.models.tiny_bundle import tiny_bundle

from discourse.models.bundle import Bundle, seal
from discourse.models.cascade import FILE, Cascade, CutOffs
from discourse.models.encoder import Encoder
from discourse.models.frame_inputs import FrameInput
from discourse.models.frames import FramesModel, load_frames
from discourse.models.static import FILE as WEIGHTS
from discourse.models.static import StaticTier, save_static
from discourse.models.static_training import fit_static

TEXTS = [
    f"{start} {end}"
    for start in ("They film", "Nobody hides", "My aunt bakes", "Schools forget", "Who pays for", "Late again:")
    for end in ("every lamp.", "the old files", "a pie on Sunday", "our trams, and badly", "whatever you say", "maths")
]
INPUTS = [FrameInput(text, "Lamps", "Why?") for text in TEXTS]


def static_tier_of(model: FramesModel, inputs: list[FrameInput]) -> StaticTier:
    """Distil a model on some comments."""
    pieces = model.encoder.model.embeddings.word_embeddings.weight.detach().numpy()
    return fit_static(model, inputs, model.read(inputs).scores, np.ones(len(inputs)), pieces)


def cut(low: float | None, high: float | None = None) -> CutOffs:
    """Return cut-offs as if they had been found."""
    return CutOffs(low=low, high=high, lost=0.0, turned=0.0, yes_threads=40, no_threads=90, yes_cap=None, no_cap=None)


def cascade_bundle(
    folder: Path, encoder: Encoder, low: float | None = 0.0, high: float | None = None, **changes: Any
) -> Bundle:
    """Write a bundle whose static tier answers no below `low` and yes from `high` on, for every frame."""
    plain = tiny_bundle(folder.with_name(folder.name + "-plain"), **changes)
    shutil.copytree(plain.folder, folder)
    save_static(static_tier_of(load_frames(plain, encoder), INPUTS), folder / WEIGHTS)
    labels = plain.manifest.labels
    told = Cascade(
        lost=0.05,
        turned=0.002,
        comments=900,
        threads=90,
        answered=0.5,
        levels=dict.fromkeys(labels, cut(low, high)),
        alone=dict.fromkeys(labels, cut(low, high)),
        calibration=plain.calibration(),
    )
    (folder / FILE).write_text(json.dumps(told.model_dump()), encoding="utf-8")
    (folder / "bundle.toml").unlink()
    kept = plain.manifest.model_dump(exclude={"format", "files"})
    return seal(folder, kept)
