"""The static tier: vectors and scores from word pieces alone."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tests.models.cascade_bundle import INPUTS, TEXTS, static_tier_of
from tests.models.tiny_bundle import tiny_bundle

from discourse.errors import BundleError
from discourse.models.encoder import Encoder, load_encoder
from discourse.models.frame_inputs import FrameInput
from discourse.models.frames import FramesModel, embed, load_frames
from discourse.models.static import StaticTier, load_static, load_table, save_static, save_table
from discourse.models.static_training import fit_table, piece_states


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The default encoder."""
    return load_encoder()


@pytest.fixture(scope="module")
def model(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> FramesModel:
    """A bundle that reads title and parent."""
    bundle = tiny_bundle(tmp_path_factory.mktemp("static") / "bundle", context=("title", "parent"))
    return load_frames(bundle, encoder)


@pytest.fixture(scope="module")
def tier(model: FramesModel) -> StaticTier:
    """Its static tier."""
    return static_tier_of(model, INPUTS)


def test_it_learns_what_the_encoder_says(model: FramesModel, tier: StaticTier) -> None:
    told, found = model.read(INPUTS).scores, tier.scores(INPUTS)
    for k in range(told.shape[1]):
        assert np.corrcoef(told[:, k], found[:, k])[0, 1] > 0.8
    assert np.array_equal(found, static_tier_of(model, INPUTS).scores(INPUTS))


def test_it_reads_title_and_parent_and_nothing_that_it_was_not_made_for(tier: StaticTier) -> None:
    whole = tier.scores([FrameInput("They film us.", "Lamps", "Why?")])
    bare = tier.scores([FrameInput("They film us.")])
    assert np.abs(whole - bare).max() > 1e-3
    blind = replace(
        tier,
        context=(),
        directions=tier.directions[: 2 * tier.width + 1],
        linear=np.delete(tier.linear, slice(2 * tier.width + 1, len(tier.directions)), axis=0),
    )
    assert np.array_equal(
        blind.scores([FrameInput("They film us.", "Lamps", "Why?")]), blind.scores([FrameInput("They film us.")])
    )


def test_rows_are_scored_alike_alone_and_together(tier: StaticTier) -> None:
    alone = np.vstack([tier.scores([row]) for row in INPUTS[:7]])
    assert np.abs(tier.scores(INPUTS)[:7] - alone).max() < 1e-4
    assert np.abs(tier.vectors(TEXTS)[:3] - tier.vectors(TEXTS[:3])).max() < 1e-3


def test_silly_texts_get_finite_scores_and_long_ones_take_no_longer(tier: StaticTier) -> None:
    texts = ["", " ", "🦆", "a", "word " * 100_000, "x" * 1_000_000, "[CLS] [MASK]", "\x00\u202e"]
    started = time.perf_counter()
    assert np.isfinite(tier.scores([FrameInput(text, text[:50], text[:50]) for text in texts])).all()
    vectors = tier.vectors(texts)
    assert time.perf_counter() - started < 10
    assert np.isfinite(vectors).all()
    lengths = np.linalg.norm(vectors.astype(float), axis=1)
    assert lengths[0] == 0
    assert abs(lengths[3] - 1) < 1e-2
    assert tier.scores([]).shape == (0, len(tier.levels))
    assert tier.vectors([]).shape == (0, tier.width)


def test_it_survives_the_disk_and_is_small(tier: StaticTier, tmp_path: Path) -> None:
    path = tmp_path / "static.safetensors"
    save_static(tier, path)
    assert path.stat().st_size < 16_000_000
    kept = load_static(path, tier.tokenizer, tier.levels, tier.context, tier.max_length)
    assert np.abs(kept.scores(INPUTS) - tier.scores(INPUTS)).max() < 0.05
    assert np.array_equal(kept.vectors(TEXTS), tier.vectors(TEXTS))
    with pytest.raises(BundleError, match="does not fit"):
        load_static(path, tier.tokenizer, (*tier.levels, "another"), tier.context, tier.max_length)
    with pytest.raises(BundleError, match="does not fit"):
        load_static(path, tier.tokenizer, tier.levels, (), tier.max_length)
    path.write_bytes(path.read_bytes()[:5_000])
    with pytest.raises(BundleError, match="is not the static tier"):
        load_static(path, tier.tokenizer, tier.levels, tier.context, tier.max_length)
    save_file({"vectors_of": np.zeros((3, 2), np.float16)}, path)
    with pytest.raises(BundleError, match="is not the static tier"):
        load_static(path, tier.tokenizer, tier.levels, tier.context, tier.max_length)


def test_vectors_of_the_gate_survive_the_disk_and_need_their_tokenizer(encoder: Encoder, tmp_path: Path) -> None:
    pieces = encoder.model.embeddings.word_embeddings.weight.detach().numpy()
    table = fit_table(encoder, TEXTS, 64, pieces)
    near = table.vectors(["cameras on lamps", "a camera on a lamp", "pies for Sunday"])
    assert near[0] @ near[1] > near[0] @ near[2]
    path = tmp_path / "gate.safetensors"
    save_table(table, path)
    assert np.array_equal(load_table(path, encoder.tokenizer, 64).vectors(TEXTS), table.vectors(TEXTS))
    save_file({"vectors_of": np.zeros((3, 2), np.float16)}, path)
    with pytest.raises(BundleError, match="another tokenizer"):
        load_table(path, encoder.tokenizer, 64)
    path.write_bytes(b"no")
    with pytest.raises(BundleError, match="no static vectors"):
        load_table(path, encoder.tokenizer, 64)


def test_a_word_piece_is_what_the_encoder_makes_of_it_alone(encoder: Encoder, model: FramesModel) -> None:
    states = piece_states(model, first_ones=2_100)
    piece = encoder.tokenizer.token_to_id("the")
    assert piece < len(states)
    theirs = embed(encoder, ["the"])[0]
    assert float(states[piece] @ theirs / np.linalg.norm(states[piece])) > 0.999
