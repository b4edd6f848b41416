"""From a recipe to a bundle: out-of-fold scores first, then the weights that ship, then the folder, sealed."""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from discourse.models import cascade, cascade_cost
from discourse.models.bundle import CODEBOOK_FILE, HELDOUT_SCHEMA, Bundle, Calibration, load_bundle, seal
from discourse.models.card import write_card
from discourse.models.cascade import Cascade
from discourse.models.encoder import Encoder, load_encoder
from discourse.models.fit import card_lines
from discourse.models.fit_files import load_fit
from discourse.models.new_folder import check_new, new_folder
from discourse.models.recipe import Clean, Recipe, load_recipe


@dataclass(frozen=True, slots=True)
class Trained:
    """What training found: everything in a bundle but its weights file, which lies in the folder already."""

    labels: tuple[str, ...]
    calibration: dict[str, Calibration]
    metrics: dict[str, Any]
    heldout: pl.DataFrame
    trained_on: list[str]
    settings: dict[str, Any]
    log: pl.DataFrame


def train_bundle(recipe: Path | Recipe, output: Path, clean: Clean) -> Bundle:
    """Train the bundle that a recipe describes and write it to a new folder, atomically.

    Beside the folder lies a hidden one with checkpoints while training runs; a killed run goes on from there.

    Args:
        recipe: a TOML file, or what it holds, see `recipe.Recipe`.
        output: the folder to make; it must not exist.
        clean: the clean-up that comments get before they are tagged, so that both read the same.

    Raises:
        BundleError: `output` exists, or a label has one class only.
        InputError, UsageError: the recipe or its data cannot be used.
    """
    recipe = load_recipe(recipe) if isinstance(recipe, Path) else recipe
    check_new(output)
    encoder = load_encoder(recipe.encoder)
    checkpoints = output.parent / f".training-{output.name}-{_key(recipe, encoder)}"
    try:
        with new_folder(output) as folder:
            checkpoints.mkdir(exist_ok=True)
            trained = _train(recipe, encoder, clean, folder, checkpoints)
            _write(recipe, encoder, trained, folder)
    finally:
        # Where nothing was finished, nothing is kept.
        with suppress(OSError):
            checkpoints.rmdir()
    shutil.rmtree(checkpoints, ignore_errors=True)
    return load_bundle(output)


def _key(recipe: Recipe, encoder: Encoder) -> str:
    """Return what tells one training from another: recipe, files and encoder; its checkpoints are kept under it."""
    digest = hashlib.sha256(f"{recipe.model_dump_json()} {encoder.sha256}".encode())
    for data in recipe.data:
        for file in (data.file, data.weights):
            if file is not None and Path(file).is_file():
                digest.update(Path(file).read_bytes())
    return digest.hexdigest()[:12]


def _train(recipe: Recipe, encoder: Encoder, clean: Clean, folder: Path, checkpoints: Path) -> Trained:
    if recipe.kind == "frames":
        from discourse.models.frames_training import train_frames

        return train_frames(recipe, encoder, clean, folder, checkpoints)
    from discourse.models.stance_bundle import train_stance

    return train_stance(recipe, encoder, clean, folder, checkpoints)


def _sections(folder: Path, metrics: dict[str, Any]) -> list[str]:
    """Return what parts of the training that wrote files of their own have to say on the card."""
    fit = load_fit(folder)
    found = [] if fit is None else ["\n".join(card_lines(fit))]
    if "cascade" in metrics:
        told = Cascade.model_validate_json((folder / cascade.FILE).read_bytes())
        found.append("\n".join(cascade_cost.card_lines(told, metrics["cascade"])))
    return found


def _write(recipe: Recipe, encoder: Encoder, trained: Trained, folder: Path) -> None:
    calibration = {level: value.model_dump() for level, value in trained.calibration.items()}
    (folder / "calibration.json").write_text(json.dumps(calibration, indent=1), encoding="utf-8")
    (folder / "metrics.json").write_text(json.dumps(trained.metrics, indent=1), encoding="utf-8")
    heldout = trained.heldout.select(pl.col(name).cast(dtype) for name, dtype in HELDOUT_SCHEMA.items())
    heldout.write_parquet(folder / "heldout.parquet", compression="zstd")
    (folder / "trained_on.txt").write_text("\n".join(sorted(set(trained.trained_on))) + "\n", encoding="ascii")
    trained.log.with_columns(pl.col(pl.Float64).round(6)).write_csv(folder / "training_log.csv")
    (folder / "CARD.md").write_text(
        write_card(recipe, trained.metrics, _sections(folder, trained.metrics)), encoding="utf-8"
    )
    codebook = {"codebook": "", "codebook_sha256": ""}
    if recipe.codebook:
        from discourse.codebook import load_codebook

        found = load_codebook(recipe.codebook)
        codebook = {"codebook": found.name, "codebook_sha256": found.sha256}
        (folder / CODEBOOK_FILE).write_text(found.model_dump_json(), encoding="utf-8")
    seal(
        folder,
        {
            "name": recipe.name,
            "kind": recipe.kind,
            "labels": trained.labels,
            **codebook,
            "encoder": recipe.encoder,
            "encoder_sha256": encoder.sha256,
            "method": recipe.method,
            "languages": recipe.languages,
            "max_length": recipe.max_length,
            "context": recipe.context,
            "licence": recipe.licence,
            "provenance": recipe.provenance,
            "settings": trained.settings,
        },
    )
    for leftover in folder.glob(".*"):
        shutil.rmtree(leftover, ignore_errors=True)
