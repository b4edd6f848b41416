"""From a recipe and a few labelled rows to a bundle that loads, with figures from held-out sources only."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from discourse.errors import BundleError, InputError
from discourse.models.bundle import HELDOUT_SCHEMA, Bundle, load_bundle, text_hash
from discourse.models.encoder import load_encoder
from discourse.models.frame_inputs import FrameInput
from discourse.models.frames import load_frames
from discourse.models.training import train_bundle

CODEBOOK = """
name = "animals"
version = 1
unit = "one comment"
[[frames]]
name = "cats"
title = "Cats"
definition = "the comment is about cats"
yes = ["names a cat"]
no = ["names none"]
"""
RECIPE = """
name = "animals"
kind = "frames"
method = "heads"
codebook = "CODEBOOK"
licence = "CC0-1.0"
provenance = ["written for this test"]
max_length = 32
[heads]
penalty = 10.0
"""
PLACES = ["the mill", "our lane", "the quay", "her shop", "the chapel"]
FORMS = [
    (1, "A cat sleeps by {}"),
    (1, "Kittens were born at {}"),
    (1, "That tabby cat near {} purrs"),
    (0, "The rent at {} doubled"),
    (0, "Buses stop at {} hourly"),
    (0, "They repaved the road by {}"),
]


def write(folder: Path, **data: list[dict[str, object]]) -> Path:
    """Write codebook, recipe and one JSONL file a source; a source called `ours` is for training only."""
    (folder / "codebook.toml").write_text(CODEBOOK, encoding="utf-8")
    recipe = RECIPE.replace("CODEBOOK", (folder / "codebook.toml").as_posix())
    for source, rows in data.items():
        (folder / f"{source}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        only = str(source == "ours").lower()
        recipe += f'[[data]]\nfile = "{source}.jsonl"\nsource = "{source}"\ntraining_only = {only}\n'
    (folder / "recipe.toml").write_text(recipe, encoding="utf-8")
    return folder / "recipe.toml"


def rows(greeting: str) -> list[dict[str, object]]:
    return [{"text": f"{greeting} {form.format(place)}.", "cats": yes} for yes, form in FORMS for place in PLACES]


def same(texts: pl.Series) -> pl.Series:
    """Clean nothing."""
    return texts


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle of 60 rows of two sources, and one row for training only."""
    folder = tmp_path_factory.mktemp("training")
    ours = [{"text": "Whiskers, paws and a long tail.", "cats": 1}]
    recipe = write(folder, north=rows("Well."), south=rows("Listen!"), ours=ours)
    return train_bundle(recipe, folder / "bundle", same)


def test_a_few_rows_make_a_bundle_that_reads(trained: Bundle) -> None:
    bundle = load_bundle(trained.folder, "frames")
    model = load_frames(bundle, load_encoder())
    scores = model.read([FrameInput("My cat likes the garden."), FrameInput("The tram is late again.")]).scores[:, 0]
    assert scores[0] > scores[1]
    assert bundle.metrics()["by_label"]["cats"]["n"] == 60
    # Unknown, so that no error rate is estimated from them.
    assert bundle.heldout()["weight"].null_count() == bundle.heldout().height
    assert bundle.metrics()["by_source"]["cats"]["north"]["average_precision"] > 0.9
    assert "animals" in (bundle.folder / "CARD.md").read_text(encoding="utf-8")


def test_held_out_rows_are_those_of_the_sources_and_no_others(trained: Bundle) -> None:
    heldout = trained.heldout()
    assert heldout.schema == HELDOUT_SCHEMA
    assert heldout["path"].value_counts().sort("path").rows() == [("exact", 60), ("text_only", 60)]
    exact = heldout.filter(path="exact")
    assert exact["source"].value_counts().sort("source").rows() == [("north", 30), ("south", 30)]
    ours = text_hash("Whiskers, paws and a long tail.")
    assert ours not in heldout["text_hash"].to_list()
    assert trained.trained_on() == {*heldout["text_hash"], ours}
    assert "Whiskers" not in "".join(file.read_text("utf-8", "replace") for file in trained.folder.iterdir())


def test_the_same_recipe_gives_the_same_bundle_and_writes_over_none(trained: Bundle) -> None:
    folder = trained.folder.parent
    again = train_bundle(folder / "recipe.toml", folder / "again", same)
    assert again.sha256 == trained.sha256
    with pytest.raises(BundleError, match="never written over"):
        train_bundle(folder / "recipe.toml", folder / "again", same)


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        ({"n": rows("A.")[:15], "s": rows("B.")[:15]}, BundleError, '"cats" has only one class'),
        ({"n": [{"text": "x", "dogs": 1}]}, InputError, 'lacks the column "cats"'),
        ({"n": [{"text": "x", "cats": 2}]}, InputError, "a label is 0 or 1"),
    ],
    ids=["one class", "no column", "no label"],
)
def test_what_cannot_be_trained_leaves_nothing(
    data: dict[str, list[dict[str, object]]], error: type[Exception], said: str, tmp_path: Path
) -> None:
    recipe = write(tmp_path, **data)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(error, match=said):
        train_bundle(recipe, tmp_path / "bundle", same)
    assert sorted(tmp_path.iterdir()) == before
