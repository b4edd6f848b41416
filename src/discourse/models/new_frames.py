"""Frames of somebody's own: a codebook and a few labelled comments become a recipe, with no recipe to write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from discourse.codebook import load_codebook
from discourse.errors import UsageError, did_you_mean
from discourse.models.decisions import ThresholdsSection
from discourse.models.recipe import DataFile, HeadsSection, Recipe

DEFINITION = 0.3
"""How much the definition counts beside few labels; what other values give is in docs/new-frames.md."""
THRESHOLDS = ThresholdsSection(aim="prevalence")
"""As many tags as labels: with few yes the threshold of the best F1 tags nearly everything."""
READ_BY = "labelled by whoever trained this bundle"


def recipe_for_labels(
    codebook: str, files: Sequence[Path], name: str, levels: Sequence[str] = (), seed: int = 0
) -> Recipe:
    """Return the recipe for frames from a codebook and labelled files: frozen heads that lean on the definitions.

    Args:
        codebook: a TOML file, or the name of a shipped one.
        files: .csv, .jsonl or .parquet with `text` and one 0/1 column for each frame; `source`, `thread`, `title`,
            `parent` and `weight` are used where they are. Without `source`, each file is one.
        name: what the bundle is to be called; made fit for a bundle's name.
        levels: frames to learn; by default all of the codebook.
        seed: of the folds.

    Raises:
        InputError, UsageError: the codebook cannot be used, or has no such frame.
    """
    book = load_codebook(codebook)
    for level in levels:
        if level not in book.names:
            raise UsageError(f'codebook {book.name} has no frame "{level}"{did_you_mean(level, book.names)}')
    many = len(files) > 1 and len({file.stem for file in files}) == len(files)
    return Recipe(
        name=re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:64] or "frames",
        kind="frames",
        method="heads",
        codebook=codebook,
        levels=tuple(levels),
        languages=(book.language,),
        seed=seed,
        licence="as the labelled comments allow",
        provenance=tuple(f"{file.name}, {READ_BY}" for file in files),
        data=tuple(DataFile(file=str(file), source=file.stem if many else "labelled") for file in files),
        heads=HeadsSection(definition=DEFINITION),
        thresholds=THRESHOLDS,
    )
