"""Frames from a codebook alone: how like its definition and examples a comment is, against a neutral background.

Nothing is learned and nothing is judged: the bundle says so in its manifest, its card and wherever it tags.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discourse.codebook import Codebook, Frame, load_codebook
from discourse.models.bundle import CODEBOOK_FILE, HELDOUT_SCHEMA, Bundle, Calibration, load_bundle, seal
from discourse.models.encoder import MINILM, Encoder, load_encoder
from discourse.models.frames import embed
from discourse.models.heads import Heads, save_heads
from discourse.models.new_folder import check_new, new_folder

DEVIATIONS = 3.0
"""A comment is tagged if its likeness is this many standard deviations above that of the background."""
MAX_LENGTH = 256
UNVALIDATED = "made from definitions alone and judged on no labels"


def train_zero_shot(codebook: str | Path, output: Path, encoder_name: str = MINILM) -> Bundle:
    """Make a frames bundle from a codebook alone and write it to a new folder, atomically.

    Args:
        codebook: a TOML file, or the name of a shipped one.
        output: the folder to make; it must not exist. The bundle is named as the folder.
        encoder_name: whose vectors are compared.

    Raises:
        BundleError: `output` exists.
        InputError, UsageError: the codebook cannot be used.
    """
    book = load_codebook(codebook)
    check_new(output)
    encoder = load_encoder(encoder_name)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", output.name).strip("-._")[:64] or "zero-shot"
    with new_folder(output) as folder:
        save_heads(zero_shot_heads(encoder, book.frames), folder / "weights.safetensors")
        _write_evidence(folder, name, book, encoder)
        seal(
            folder,
            {
                "name": name,
                "kind": "frames",
                "labels": book.names,
                "codebook": book.name,
                "codebook_sha256": book.sha256,
                "encoder": encoder_name,
                "encoder_sha256": encoder.sha256,
                "method": "heads",
                "languages": (book.language,),
                "max_length": MAX_LENGTH,
                "licence": "as the codebook allows",
                "provenance": (f"definitions and examples of the codebook {book.name}; no labelled comment",),
                "settings": {"validated": False, "deviations": DEVIATIONS},
            },
        )
    return load_bundle(output, "frames")


def zero_shot_heads(encoder: Encoder, frames: Sequence[Frame]) -> Heads:
    """Return heads whose score is the number of standard deviations above the background, less `DEVIATIONS`.

    The direction of a frame is the sum of its definition's unit vector and of the mean vector of its yes examples.
    No examples are not used: they are of the same matter as the frame, and taking them away leaves the frame's own
    matter out.
    """
    background = embed(encoder, background_comments(), MAX_LENGTH)
    directions = np.stack([_direction(encoder, frame) for frame in frames])
    likeness = background @ directions.T
    mean, spread = likeness.mean(0), np.maximum(likeness.std(0, ddof=1), 1e-6)
    weights = (directions / spread[:, None]).astype(np.float32)
    return Heads(tuple(frame.name for frame in frames), weights, (-mean / spread - DEVIATIONS).astype(np.float32))


def background_comments() -> list[str]:
    """Return neutral comments about everyday matters, written for this project."""
    file = resources.files("discourse") / "data" / "background.txt"
    return file.read_text(encoding="utf-8").splitlines()


def _direction(encoder: Encoder, frame: Frame) -> NDArray[np.float32]:
    definition = embed(encoder, [f"{frame.title}. {frame.definition}"], MAX_LENGTH)[0]
    examples = [example.text for example in frame.examples if example.label]
    direction = definition + embed(encoder, examples, MAX_LENGTH).mean(0) if examples else definition
    return direction / np.linalg.norm(direction)


def _write_evidence(folder: Path, name: str, book: Codebook, encoder: Encoder) -> None:
    plain = Calibration(slope=1, intercept=0, threshold=0.5, unsure_low=0.5, unsure_high=0.5).model_dump()
    (folder / "calibration.json").write_text(json.dumps(dict.fromkeys(book.names, plain), indent=1), encoding="utf-8")
    metrics = {"judged_by": f"nothing: {UNVALIDATED}", "by_label": {}, "by_source": {}}
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1), encoding="utf-8")
    HELDOUT_SCHEMA.to_frame().write_parquet(folder / "heldout.parquet", compression="zstd")
    (folder / "trained_on.txt").write_text("", encoding="ascii")
    (folder / CODEBOOK_FILE).write_text(book.model_dump_json(), encoding="utf-8")
    (folder / "CARD.md").write_text(_card(name, book, encoder), encoding="utf-8")


def _card(name: str, book: Codebook, encoder: Encoder) -> str:
    frames = "\n".join(
        f"- **{frame.name}**: definition, {sum(example.label for example in frame.examples)} yes examples"
        for frame in book.frames
    )
    return f"""# {name}

**Not validated.** A *frames* bundle of `discourse`, {UNVALIDATED}. Nobody knows how often it is wrong.

## What it is made of

The codebook {book.name}, version {book.version}, read by the frozen encoder `{encoder.name}`:

{frames}

A comment's score is its cosine with a frame's definition and yes examples, as standard deviations above that of
{len(background_comments())} neutral comments about everyday matters, written for this project. It is tagged above
{DEVIATIONS:g} of them. The number printed as a probability is that score through a logistic curve: **it is not
calibrated**, 0.9 does not mean nine in ten.

## What it is good for

To find comments worth reading and labelling first: look at those that it ranks highest. Then train a bundle from the
labels, which are what a share can rest on:

    discourse bundle train --codebook CODEBOOK.toml --data LABELLED.csv -o FOLDER

## When not to use it

- For a share: there are no held-out answers, so `discourse` gives counts of tags and no share.
- To compare groups or times: what it misses and what it takes for the frame may differ between them.
- To judge a person by a comment.
- For negations, irony and who says what about whom: it finds comments about the matter, not the stance taken to it.
"""
