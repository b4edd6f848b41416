"""A frames bundle from the labels of a workspace, alone or beside the data of a recipe."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import polars as pl

from discourse import normalize
from discourse.aggregate.labels import resolve
from discourse.codebook import load_codebook
from discourse.config import Config
from discourse.errors import InputError
from discourse.models.bundle import Bundle, load_bundle
from discourse.models.recipe import DataFile, Recipe, load_recipe
from discourse.tables import COMMENTS, LABELS, MODEL_ANNOTATOR, THREADS, by_people
from discourse.workspace import Workspace, open_workspace

FOLDS = 5
LEAST = 20  # labelled comments below which nothing is learned that could be judged


def train_from_labels(root: Path, recipe_path: Path | None, output: Path) -> Bundle:
    """Train a frames bundle from the labels in a workspace: of people, or of an external coder where people gave none.

    Without a recipe, heads on the frozen encoder learn the frames that were labelled both yes and no, from comments
    that have a label of all of them. With one, the labels join its data. The labelled comments are scored out of fold,
    in five parts between which no author is shared; the bundle keeps the hashes of their texts, so that labels it was
    trained on correct estimates only through those out-of-fold scores.

    Raises:
        WorkspaceError: there is no workspace.
        InputError: too few comments are labelled, or the recipe's frames are not.
        BundleError: `output` exists, or a frame has one class only.
    """
    from discourse.models.training import train_bundle

    workspace = open_workspace(root)
    config = Config.model_validate(workspace.receipt().config)
    name = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in root.resolve().name).strip("-.")
    given = load_recipe(recipe_path) if recipe_path is not None else None
    labels = resolve(workspace.read(LABELS), config.labels.resolve).filter(pl.col("kind") == "frame")
    levels = _levels(root, config, labels, given)
    rows = _rows(workspace, labels, levels, name)
    if rows.height < LEAST:
        listed = ", ".join(levels)
        raise InputError(
            f"{root}: {rows.height} comments have a label of each of {listed}; label at least {LEAST}: discourse "
            f"annotate sample {root} --frame {levels[0]}"
        )
    who = _labelled_by(workspace, labels.filter(pl.col("level").is_in(list(levels))))
    said = f"{rows.height:,} comments of the workspace {name}, labelled by {who}; its folds share no author but threads"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "labels.parquet"
        rows.write_parquet(file)
        data = DataFile(file=str(file), source=name, thread="thread")
        if given is not None:
            changes = {"data": (*given.data, data), "provenance": (*given.provenance, said)}
            recipe = given.model_copy(update=changes)
        else:
            recipe = _recipe(config, levels, data, said, name)
        return train_bundle(recipe, output, lambda texts: normalize.clean_text(texts, "auto")["text"])


def _labelled_by(workspace: Workspace, labels: pl.DataFrame) -> str:
    """Say who gave the labels that are learned from: people, a language model, or one for some levels each."""
    by_model = labels.filter("by_model")["level"].unique().sort().to_list()
    if not by_model:
        return "people"
    given = workspace.read(LABELS).filter(~by_people(), pl.col("level").is_in(by_model))["annotator"].unique().sort()
    models = ", ".join(name.removeprefix(MODEL_ANNOTATOR) for name in given)
    coder = f"an external language model ({models}), not by people"
    whole = len(by_model) == labels["level"].n_unique()
    return coder if whole else f"people, but {', '.join(by_model)} by {coder}"


def _recipe(config: Config, levels: tuple[str, ...], data: DataFile, said: str, name: str) -> Recipe:
    reader = load_bundle(config.bundles.frames, "frames").manifest
    return Recipe(
        name=f"frames-{name}"[:64],
        kind="frames",
        method="heads",
        encoder=reader.encoder,
        codebook=config.codebook.file,
        levels=levels,
        languages=reader.languages,
        max_length=reader.max_length,
        seed=config.seed,
        licence="as the labelled comments allow",
        provenance=(said,),
        data=(data,),
    )


def _levels(root: Path, config: Config, labels: pl.DataFrame, given: Recipe | None) -> tuple[str, ...]:
    book = load_codebook(given.codebook if given is not None else config.codebook.file)
    both = labels.group_by("level").agg(pl.col("value").n_unique().alias("values")).filter(pl.col("values") > 1)
    learned = tuple(name for name in book.names if name in both["level"].to_list())
    wanted = (given.levels or book.names) if given is not None else learned
    absent = [name for name in wanted if name not in labels["level"].to_list()]
    if not wanted or absent:
        lacks = f'no labels of "{absent[0]}"' if absent else "no frame that was labelled both yes and no"
        raise InputError(f"{root}: has {lacks}; label more: discourse annotate sample {root} --frame NAME")
    return wanted


def _rows(workspace: Workspace, labels: pl.DataFrame, levels: tuple[str, ...], name: str) -> pl.DataFrame:
    """Return labelled comments as `recipe.read_labelled` reads them; `source` is the part that is held out together."""
    chosen = labels.filter(pl.col("level").is_in(list(levels)))
    wide = chosen.with_columns(yes=(pl.col("value") == "yes").cast(pl.Int8)).pivot(
        "level", index="comment_id", values="yes"
    )
    known = chosen.group_by("comment_id").agg(
        weight=pl.when(pl.col("inclusion").is_not_null().all()).then(1 / pl.col("inclusion").min())
    )
    comments = workspace.scan(COMMENTS).select("comment_id", "thread_id", "parent_id", "author", "text").collect()
    parents = comments.select(parent_id="comment_id", parent="text")
    titles = workspace.read(THREADS).select("thread_id", "title")
    rows = (
        wide.drop_nulls()
        .join(comments, on="comment_id", how="inner", maintain_order="left")
        .join(parents, on="parent_id", how="left", maintain_order="left")
        .join(titles, on="thread_id", how="left", maintain_order="left")
        .join(known, on="comment_id", how="left", maintain_order="left")
        .filter(pl.col("text").is_not_null())
        .sort("comment_id")
    )
    who = rows.select(pl.coalesce("author", "comment_id")).to_series()
    parts = [f"{name}-{int(hashlib.sha256(each.encode()).hexdigest()[:8], 16) % FOLDS}" for each in who]
    return rows.select(
        "text",
        pl.col("title").fill_null(""),
        pl.col("parent").fill_null(""),
        pl.col("thread_id").alias("thread"),
        pl.Series("source", parts, dtype=pl.String),
        "weight",
        *levels,
    )
