"""Tuned layers on toy data: each way of tuning, kills, early stopping."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from discourse.errors import BundleError
from discourse.models.encoder import Encoder, load_encoder
from discourse.models.frame_inputs import FrameInput, frame_sequences
from discourse.models.tuned import Inputs, Shape, TunedTop, inputs_of, load_top, save_top, score_inputs, take
from discourse.models.tuning import Epoch, TuningSettings, stopped, tune


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The default encoder."""
    return load_encoder()


def _quiet(done: int = 1) -> None:
    del done


TEXTS = [f"{word} number {i}" for i in range(16) for word in ("cameras everywhere", "a lovely pie")]
WANTED = torch.tensor([[1.0], [0.0]] * 16)
PARTS = {"layers": Shape(1), "lora": Shape(2, rank=4), "full": Shape(6, embeddings=True)}


def _loss(logits: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, WANTED[rows])


def _read(encoder: Encoder, part: Shape) -> Inputs:
    return inputs_of(encoder, frame_sequences(encoder, [FrameInput(text) for text in TEXTS], 32), part, _quiet)


@pytest.mark.parametrize("method", list(PARTS))
def test_each_way_of_tuning_learns_repeats_and_survives_the_disk(method: str, encoder: Encoder, tmp_path: Path) -> None:
    part = PARTS[method]
    inputs = _read(encoder, part)
    how = TuningSettings(part, epochs=4, batch=8, rate=1e-3 if method == "lora" else 2e-4)
    before = [value.clone() for value in encoder.model.state_dict().values()]
    tops = [tune(encoder, inputs.lengths, lambda _: inputs, 1, _loss, how, 7, _quiet).top for _ in range(2)]
    assert all(torch.equal(a, b) for a, b in zip(before, encoder.model.state_dict().values(), strict=True))
    scores = score_inputs(tops[0], inputs)
    assert ((scores[:, 0] > 0) == (WANTED[:, 0].numpy() > 0)).all()
    assert np.array_equal(scores, score_inputs(tops[1], inputs))
    save_top(tops[0], tmp_path / "weights.safetensors")
    kept, others = load_top(tmp_path / "weights.safetensors", encoder, part, 1)
    assert others == {}
    assert np.abs(score_inputs(kept, inputs) - scores).max() < 0.05
    with pytest.raises(BundleError, match="does not fit"):
        load_top(tmp_path / "weights.safetensors", encoder, Shape(3), 1)


@pytest.mark.parametrize("method", list(PARTS))
def test_a_killed_training_goes_on_from_its_last_epoch_and_ends_the_same(
    method: str, encoder: Encoder, tmp_path: Path
) -> None:
    part = PARTS[method]
    inputs = _read(encoder, part)
    how = TuningSettings(part, epochs=3, batch=8)
    whole = tune(encoder, inputs.lengths, lambda _: inputs, 1, _loss, how, 7, _quiet)

    def dying(epoch: int) -> Inputs:
        if epoch == 2:
            raise KeyboardInterrupt
        return inputs

    file = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        tune(encoder, inputs.lengths, dying, 1, _loss, how, 7, _quiet, checkpoint=file)
    read: list[int] = []

    def counted(epoch: int) -> Inputs:
        read.append(epoch)
        return inputs

    resumed = tune(encoder, inputs.lengths, counted, 1, _loss, how, 7, _quiet, checkpoint=file)
    assert read == [2]
    assert resumed.log == whole.log
    assert np.array_equal(score_inputs(resumed.top, inputs), score_inputs(whole.top, inputs))
    file.write_bytes(b"not a checkpoint")
    with pytest.raises(BundleError, match="remove it"):
        tune(encoder, inputs.lengths, counted, 1, _loss, how, 7, _quiet, checkpoint=file)


def test_it_stops_early_and_keeps_the_best_epoch(encoder: Encoder) -> None:
    inputs = take(_read(encoder, Shape(1)), np.arange(8))
    says = iter([0.2, 0.9, 0.5, 0.6, 0.7])
    seen: list[np.ndarray] = []

    def watch(top: TunedTop) -> float:
        seen.append(score_inputs(top, inputs))
        return next(says)

    how = TuningSettings(Shape(1), epochs=5, batch=4, patience=2)
    tuned = tune(encoder, inputs.lengths, lambda _: inputs, 1, _loss, how, 7, _quiet, watch)
    assert [each.development for each in tuned.log] == [0.2, 0.9, 0.5, 0.6]
    assert np.array_equal(score_inputs(tuned.top, inputs), seen[1])
    assert not stopped([Epoch(1, 0.1, None)] * 5, 2)
