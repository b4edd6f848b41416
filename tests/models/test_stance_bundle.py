"""From labelled targets to a stance bundle, judged on data sets that it did not see."""

from __future__ import annotations

import json

import polars as pl
import pytest

from discourse.models.bundle import Bundle, load_bundle
from discourse.models.encoder import load_encoder
from discourse.models.stance import CLASSES, Reading, load_stance
from discourse.models.training import train_bundle

RECIPE = """
name = "sides"
kind = "stance"
method = "layers"
max_length = 48
licence = "CC0-1.0"
provenance = ["written for this test"]
[tuning]
layers = 1
epochs = 2
[stance]
fold_scored = 100
[[data]]
file = "harbour.jsonl"
source = "harbour"
[[data]]
file = "hill.jsonl"
source = "hill"
neutral_means = "either"
[[data]]
file = "ours.jsonl"
source = "ours"
training_only = true
"""
SAID = {
    "favor": "I am all for {}, build it",
    "against": "{} is a waste, stop it",
    "neutral": "When does {} open?",
    "off_target": "My cat sleeps all day",
}


def rows(places: list[str]) -> list[dict[str, str]]:
    return [
        {"text": f"{said.format(place)} {i}.", "target": place, "stance": stance, "parent": "" if i else "And you?"}
        for place in places
        for stance, said in SAID.items()
        for i in range(3)
    ]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle of two sets of 24 rows, and three rows for training only."""
    folder = tmp_path_factory.mktemp("stance")
    files = {
        "harbour": rows(["the crane", "the quay"]),
        "hill": rows(["the chapel", "the mast"]),
        "ours": rows(["the mill"])[:3],
    }
    for name, found in files.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
    (folder / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    return train_bundle(folder / "recipe.toml", folder / "bundle", lambda texts: texts)


def test_each_set_is_answered_by_a_model_that_did_not_see_it_on_every_path(bundle: Bundle) -> None:
    held = bundle.heldout()
    assert set(held["source"]) == {"harbour", "hill"}, "what is for training only is never part of a figure"
    assert set(held["path"]) == {"exact", "text_only", "no_context"}
    sizes = held.filter(path="exact").group_by("level", "source").len().sort("level", "source").rows()
    assert sizes == [
        *(("about", "harbour", 24), ("about", "hill", 18)),
        *(("against", "harbour", 24), ("against", "hill", 24)),
        *(("favor", "harbour", 24), ("favor", "hill", 24)),
        *(("neutral", "harbour", 24), ("neutral", "hill", 18)),
    ], "where neutral may mean off_target, nothing is said of either"
    log = pl.read_csv(bundle.folder / "training_log.csv")
    assert log["model"].unique().sort().to_list() == ["whole", "without harbour", "without hill"]


def test_the_gate_keeps_what_was_asked_of_held_out_comments_about_their_target(bundle: Bundle) -> None:
    recall = bundle.metrics()["gate_recall"]
    assert set(recall) == {"harbour", "hill"}
    assert (24 * 0.75 * recall["harbour"] + 12 * recall["hill"]) / (24 * 0.75 + 12) >= 0.9
    card = (bundle.folder / "CARD.md").read_text(encoding="utf-8")
    assert "The same without parents" in card
    assert "that the gate lets through" in card


def test_the_bundle_answers(bundle: Bundle) -> None:
    model = load_stance(load_bundle(bundle.folder), load_encoder())
    found = model.log_probabilities([Reading("the crane", "I am all for the crane, build it 7.")])
    assert found.shape == (1, len(CLASSES))
    assert abs(found[0].max()) < 50
