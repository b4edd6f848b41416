"""Reading without padding: the numbers of the plain modules, whatever is read beside a text."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from discourse.models.adapters import adapt
from discourse.models.encoder import Encoder, load_encoder, mean_pool, padded, unit
from discourse.models.frame_inputs import FrameInput, frame_sequences
from discourse.models.packed import TILE, Sequences, embedded, int8_step, packed, packed_layer, pooled, through
from discourse.models.tuned import Shape, new_top, packed_top

SAID = "who asked for these lamps on our street and why does nobody say what they cost 🦆 [SEP] naïve"
WORDS = SAID.split()


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The default encoder."""
    return load_encoder()


@pytest.fixture(scope="module")
def sequences(encoder: Encoder) -> Sequences:
    """Rows of many lengths, several of some, with and without a parent."""
    generator = np.random.default_rng(0)
    rows = [
        FrameInput(" ".join(generator.choice(WORDS, size)), "", "Because." if size % 3 else "")
        for size in [*generator.integers(0, 60, 40), 7, 7, 7, 150]
    ]
    return frame_sequences(encoder, rows, 128)


def read(encoder: Encoder, sequences: Sequences, tokens: int = 2_048) -> np.ndarray:
    """Return mean states of the last layer, rows × width."""
    found = np.zeros((len(sequences.ids), encoder.width), np.float32)
    with torch.inference_mode():
        for batch in packed(sequences, tokens):
            hidden = through(encoder.layers, embedded(encoder.model.embeddings, batch), batch)
            found[batch.rows] = pooled(hidden, batch).numpy()
    return found


def test_states_are_those_of_the_plain_modules(encoder: Encoder, sequences: Sequences) -> None:
    batch = padded(sequences, np.arange(len(sequences.ids)))
    with torch.inference_mode():
        *_, hidden = encoder.run_layers(encoder.embed(batch), batch.mask, 0, encoder.depth)
        plain = mean_pool(hidden, batch.mask).numpy()
    assert np.abs(read(encoder, sequences) - plain).max() < 1e-5


@pytest.mark.parametrize("tokens", [1, 200, 10 * TILE])
def test_a_row_is_read_alike_to_the_last_bit_whatever_lies_beside_it(
    encoder: Encoder, sequences: Sequences, tokens: int
) -> None:
    assert np.array_equal(read(encoder, sequences, tokens), read(encoder, sequences))


def test_a_row_is_read_alike_to_the_last_bit_by_one_thread_and_by_two(encoder: Encoder, sequences: Sequences) -> None:
    before = torch.get_num_threads()
    found: list[np.ndarray] = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(read(encoder, sequences))
    torch.set_num_threads(before)
    assert np.array_equal(*found)


def test_every_token_is_read_once_and_no_batch_is_too_large(sequences: Sequences) -> None:
    batches = list(packed(sequences, 200))
    assert sorted(np.concatenate([batch.rows for batch in batches])) == list(range(len(sequences.ids)))
    assert sum(len(batch.ids) for batch in batches) == sequences.lengths.sum()
    assert all(len(batch.ids) <= 200 or len(batch.rows) == 1 for batch in batches)
    assert list(packed(Sequences([], []))) == []


def test_adapters_are_read_as_they_were_learned(encoder: Encoder, sequences: Sequences) -> None:
    top = new_top(encoder, Shape(1), 2)
    adapt(top.layers, 4)
    torch.manual_seed(0)
    for name, parameter in top.layers.named_parameters():
        if name.endswith(".up"):
            torch.nn.init.normal_(parameter, std=0.02)
    top.train(mode=False)
    some = next(packed(sequences))
    batch = padded(sequences, some.rows)
    with torch.inference_mode():
        plain = top.logits(encoder.embed(batch), batch.mask)
        ours = packed_top(top).logits(embedded(encoder.model.embeddings, some), some)
        without = packed_layer(encoder.model.encoder.layer[-1])
    assert (ours - plain).abs().max() < 1e-4
    assert not torch.allclose(
        without(embedded(encoder.model.embeddings, some), some.alike),
        through(packed_top(top).layers, embedded(encoder.model.embeddings, some), some),
        atol=1e-4,
    )


def test_int8_gives_about_the_same_and_alike_to_the_last_bit_whatever_lies_beside(
    encoder: Encoder, sequences: Sequences
) -> None:
    small = replace(encoder, precision="int8")
    found, single = read(small, sequences), read(encoder, sequences)
    assert np.array_equal(found, read(small, sequences, 200))
    assert np.abs(unit(found) - unit(single)).max() > 1e-4
    assert ((unit(found) * unit(single)).sum(1) > 0.96).all()
    step = int8_step(torch.tensor([[3.0, -1.0], [0.0, 0.0]]), torch.tensor([0.5, 2.0]))
    assert torch.allclose(
        step(torch.tensor([[0.0, 0.0], [2.0, 1.0]])), torch.tensor([[0.5, 2.0], [5.5, 2.0]]), atol=0.1
    )


def test_int8_is_named_and_loaded_again_as_such(encoder: Encoder) -> None:
    small = replace(encoder, precision="int8")
    assert small.id == f"{encoder.id}+int8"
    assert small.read_by == "cpu int8"
    again = pickle.loads(pickle.dumps(small))  # noqa: S301 - made a moment ago
    assert (again.precision, again.id) == ("int8", small.id)
