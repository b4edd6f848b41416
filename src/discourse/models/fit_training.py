"""The fit check's part of a training: what is kept of the comments that a bundle is judged by."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import polars as pl

from discourse.models.encoder import Encoder
from discourse.models.fit import LEAST_ROWS, FitSummary, summarise
from discourse.models.fit_files import save_fit
from discourse.models.recipe import Recipe
from discourse.models.static import FILE, load_static
from discourse.models.text_vectors import StaticVectors, TextReader, read_texts
from discourse.progress import bar

MOST_ROWS = 6_000


def keep_fit(recipe: Recipe, encoder: Encoder, rows: pl.DataFrame, labels: tuple[str, ...], folder: Path) -> FitSummary:
    """Describe the labelled rows of a recipe and write the description into a bundle's folder.

    Rows that were written for training only are left out: the bundle is not judged by them, so a thread that is like
    them is not known ground. Of more than `MOST_ROWS` rows a seeded part is described.

    Args:
        recipe: names languages and seed.
        encoder: gives vectors of the text alone, untuned, where the static tier does not.
        rows: `text` (cleaned), `source` and `thread`, and where there are any `weight` and `training_only`.
        labels: of the bundle.
        folder: has the static tier if there is one; `fit.json` and `fit.safetensors` are written there.
    """
    judged = rows.filter(~pl.col("training_only")) if "training_only" in rows.columns else rows
    judged = judged.unique("text", keep="first", maintain_order=True)
    if judged.height > MOST_ROWS:
        judged = judged.sample(MOST_ROWS, seed=recipe.seed)
    texts = judged["text"].to_list()
    reader = _reader(recipe, encoder, labels, folder)
    vectors = np.zeros((len(texts), reader.width), np.float32)
    if len(texts) >= LEAST_ROWS:
        with bar("fit check", len(texts)) as advance:
            vectors = read_texts(reader, texts, recipe.max_length, advance)
    summary = summarise(
        vectors,
        texts,
        judged["source"].to_list(),
        judged["thread"].to_list(),
        recipe.languages,
        reader.id,
        judged["weight"].to_list() if "weight" in judged.columns else None,
        recipe.seed,
    )
    save_fit(summary, folder)
    return summary


def _reader(recipe: Recipe, encoder: Encoder, labels: tuple[str, ...], folder: Path) -> TextReader:
    """Return what will give the vectors of texts where the bundle tags, as `text_vectors.text_reader` chooses it."""
    path = folder / FILE
    if not path.is_file() or (recipe.method == "heads" and not recipe.context):
        return encoder
    tier = load_static(path, encoder.tokenizer, labels, recipe.context, recipe.max_length)
    with path.open("rb") as handle:
        return StaticVectors(f"{recipe.name}/static", hashlib.file_digest(handle, "sha256").hexdigest(), tier)
