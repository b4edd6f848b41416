"""What reads comments is chosen from what a machine has; half precision is for GPUs alone."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from torch import nn

from discourse.models.bundle import Bundle, load_bundle
from discourse.models.device import CPU, Device, device_for, device_here
from discourse.models.encoder import load_encoder, load_reader
from discourse.models.frame_inputs import FrameInput
from discourse.models.frames import embed, load_frames
from discourse.models.stance import Reading, load_stance


@pytest.mark.parametrize(
    ("capability", "device", "words"),
    [
        (None, CPU, "cpu fp32"),
        ((6, 1), Device("cuda", half=False), "cuda fp32"),
        ((7, 0), Device("cuda", half=True), "cuda fp16"),
        ((12, 0), Device("cuda", half=True), "cuda fp16"),
    ],
)
def test_a_gpu_reads_in_half_precision_where_that_is_faster(
    capability: tuple[int, int] | None, device: Device, words: str
) -> None:
    assert device_for(capability) == device
    assert str(device) == words


def test_without_a_gpu_the_processor_reads_by_the_modules_themselves() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    layer = nn.Linear(2, 2)
    assert device_here() == CPU
    assert CPU.placed(layer) is layer


def test_a_module_that_is_placed_elsewhere_leaves_the_first_as_it_was() -> None:
    layer = nn.Linear(2, 2)
    placed = Device("cpu", half=True).placed(layer)
    assert placed.weight.dtype == torch.float16
    assert layer.weight.dtype == torch.float32


def test_half_precision_gives_nearly_the_numbers_of_single_precision(frames_bundle: Bundle) -> None:
    """The way of a GPU, on a processor: weights, states and attention are halved, means and answers are not."""
    texts = [
        "The council reads our mail.",
        "Lamps are lamps, and somebody has to pay for the light.",
        "They lie! " * 40,
    ]
    target = [Reading("the council", text) for text in texts]
    stance = load_bundle("stance-minilm", "stance")
    single, halved = load_encoder(), load_encoder(device=Device("cpu", half=True))
    assert halved.layers[0].seen.LayerNorm.weight.dtype == torch.float16
    vectors = embed(single, texts)
    assert np.abs(vectors - embed(halved, texts)).max() < 2e-3
    inputs = [FrameInput(text) for text in texts]
    scores = [load_frames(frames_bundle, one).read(inputs).scores for one in (single, halved)]
    assert np.abs(scores[0] - scores[1]).max() < 0.05
    sides = [load_stance(stance, one).log_probabilities(target) for one in (single, halved)]
    assert np.abs(sides[0] - sides[1]).max() < 0.05


def test_an_encoder_that_travels_reads_by_what_is_there_where_it_arrives() -> None:
    there = pickle.loads(pickle.dumps(load_encoder(device=Device("cpu", half=True))))  # noqa: S301 - our own
    assert there.device == device_here()
    assert load_reader(precision="int8").device == CPU
