"""Stance: the gate stops what is not about the target, and target, parent and comment fit into one input."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from discourse.errors import BundleError
from discourse.models.bundle import Bundle, Calibration, Manifest
from discourse.models.encoder import Encoder, load_encoder
from discourse.models.stance import (
    CLASSES,
    GATE_FEATURES,
    Gate,
    Reading,
    decide,
    gate_features,
    load_stance,
    save_stance,
    stance_sequences,
)
from discourse.models.tuned import Shape, new_top, save_top

HALF = Calibration(slope=1, intercept=0, threshold=0.5, unsure_low=0.5, unsure_high=0.5)
FAVOR, AGAINST, NEUTRAL, OFF = range(4)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The default encoder."""
    return load_encoder()


def test_the_gate_overrules_the_classifier_and_only_where_it_stops() -> None:
    log_p = np.log(np.array([[0.7, 0.1, 0.1, 0.1], [0.7, 0.1, 0.1, 0.1], [0.1, 0.2, 0.1, 0.6]]))
    passed, p, answer = decide(np.array([0.0, -0.1, 5.0]), log_p, {"gate": HALF, "classes": HALF})
    assert passed.tolist() == [True, False, True]
    assert answer.tolist() == [FAVOR, OFF, OFF]
    assert np.allclose(p, np.exp(log_p))


def test_a_temperature_softens_and_never_changes_the_answer() -> None:
    log_p = np.log(np.random.default_rng(0).dirichlet(np.ones(4), 50))
    gate = np.ones(50)
    _, sharp, before = decide(gate, log_p, {"gate": HALF, "classes": HALF})
    soft_classes = HALF.model_copy(update={"slope": 0.5})
    _, soft, after = decide(gate, log_p, {"gate": HALF, "classes": soft_classes})
    assert (before == after).all()
    assert np.allclose(soft.sum(1), 1)
    assert (soft.max(1) < sharp.max(1)).all()


def test_the_gate_sees_similarity_and_shared_words_of_comment_and_parent() -> None:
    readings = [Reading("the toll bridge", "That BRIDGE is dear", "Bridge?"), Reading("the toll bridge", "Cats")]
    target, text = np.eye(2, dtype=np.float32)[[0, 0]], np.eye(2, dtype=np.float32)
    found = dict(zip(GATE_FEATURES, gate_features(readings, target, text, target).T, strict=True))
    assert found["comment_similarity"].tolist() == [1, 0]
    assert found["parent_similarity"].tolist() == [1, 0]
    assert found["comment_overlap"] == pytest.approx([1 / 3, 0])
    assert found["has_parent"].tolist() == [1, 0]
    nothing = np.zeros((0, 2), np.float32)
    assert gate_features([], nothing, nothing, nothing).shape == (0, len(GATE_FEATURES))


@pytest.mark.parametrize("parent", ["", "What about it?", "word " * 500])
@pytest.mark.parametrize("text", ["", "No.", "long " * 500])
@pytest.mark.parametrize("target", ["cats", "a target of very many words " * 20])
def test_one_input_holds_target_parent_and_comment(target: str, parent: str, text: str, encoder: Encoder) -> None:
    sequences = stance_sequences(encoder, [Reading(target, text, parent)], 96)
    ids, segments = sequences.ids[0], sequences.segments[0]
    end = encoder.tokenizer.token_to_id("[SEP]")
    assert len(ids) == len(segments) <= 96
    assert (ids == end).sum() == (3 if parent else 2)
    own = [t for t in ids[segments == 1] if t != end]
    whole = encoder.tokenise([text])[0].ids.tolist()
    assert own == whole[: len(own)]
    assert len(own) == len(whole) or len(ids) == 96


def test_weights_survive_the_disk_and_another_encoder_is_refused(encoder: Encoder, tmp_path: Path) -> None:
    gate = Gate(np.arange(len(GATE_FEATURES), dtype=np.float32), -1.5)
    save_stance(new_top(encoder, Shape(1), len(CLASSES)), gate, tmp_path / "weights.safetensors")
    bundle = Bundle(tmp_path, _manifest(encoder.sha256), "0" * 64)
    model = load_stance(bundle, encoder)
    assert (model.gate.weights == gate.weights).all()
    assert model.gate.bias == gate.bias
    log_p = model.log_probabilities([Reading("cats", "I like cats."), Reading("cats", "I do not.", "Cats?")])
    assert np.allclose(np.exp(log_p).sum(1), 1, atol=1e-5)
    with pytest.raises(BundleError, match="trained on another"):
        load_stance(replace(bundle, manifest=_manifest("0" * 64)), encoder)
    save_top(new_top(encoder, Shape(1), len(CLASSES)), tmp_path / "weights.safetensors")
    with pytest.raises(BundleError, match="has no gate"):
        load_stance(bundle, encoder)


def _manifest(encoder_sha256: str) -> Manifest:
    return Manifest(
        format=1,
        name="tiny",
        kind="stance",
        labels=CLASSES,
        encoder="all-MiniLM-L6-v2",
        encoder_sha256=encoder_sha256,
        method="layers",
        languages=("en",),
        max_length=64,
        licence="CC0-1.0",
        provenance=(),
        settings={"layers": 1},
        files={},
    )
