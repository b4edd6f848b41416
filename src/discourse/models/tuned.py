"""An encoder's layers tuned for one task: wholly, in their top part on kept lower states, or through adapters."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from discourse.config import Precision
from discourse.errors import BundleError
from discourse.models.adapters import adapt, merge
from discourse.models.bert import Embeddings
from discourse.models.bundle import Manifest
from discourse.models.device import CPU, Device
from discourse.models.encoder import Batch, Encoder, attention_mask, mean_pool, padded
from discourse.models.packed import (
    Packed,
    PackedLayer,
    Sequences,
    embedded,
    packed,
    packed_layer,
    pooled,
    through,
)
from discourse.progress import Advance

# Pooled states are of norm about 7; a classifier that starts small learns faster on them scaled up.
POOLED_SCALE = 3.0


@dataclass(frozen=True, slots=True)
class Shape:
    """Which part of an encoder is tuned: its top `layers`, by adapters of `rank`, with its `embeddings`."""

    layers: int
    rank: int | None = None
    embeddings: bool = False


@dataclass(frozen=True, slots=True)
class TunedTop:
    """Tuned copies of an encoder's top layers and perhaps embeddings, and a linear classifier on mean-pooled states."""

    layers: Any
    classifier: nn.Linear
    embeddings: Any = None

    def first(self, encoder: Encoder) -> int:
        """Return the number of the lowest tuned layer."""
        return encoder.depth - len(self.layers)

    @property
    def reads_tokens(self) -> bool:
        """Whether the embeddings are tuned too, so that nothing is shared with the untuned encoder."""
        return self.embeddings is not None

    def embed(self, batch: Batch) -> Tensor:
        """Return the input vectors of a batch by the tuned embeddings, rows × tokens × width."""
        return self.embeddings(input_ids=batch.ids, token_type_ids=batch.segments)

    def logits(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Run layers and classifier on the states below them, rows × tokens × width; returns rows × outputs."""
        attention = attention_mask(mask)
        for layer in self.layers:
            hidden = layer(hidden, attention)
        return self.classifier(mean_pool(hidden, mask) * POOLED_SCALE)

    def parts(self) -> dict[str, Any]:
        """Return its modules by the prefix that their weights have in files."""
        found = {"tuned.": self.layers, "classifier.": self.classifier}
        return found if self.embeddings is None else {**found, "embeddings.": self.embeddings}

    def weights(self) -> dict[str, Tensor]:
        """Return what was tuned, by name; frozen weights under adapters are left out."""
        return {
            f"{prefix}{name}": value
            for prefix, module in self.parts().items()
            for name, value in module.state_dict().items()
            if ".base." not in name and not (prefix == "tuned." and self.adapted and not _of_adapter(name))
        }

    def load(self, weights: dict[str, Tensor]) -> None:
        """Take over weights that `weights` gave.

        Raises:
            RuntimeError, KeyError: they are of another shape, or some are missing.
        """
        for prefix, module in self.parts().items():
            own = {name.removeprefix(prefix): v.float() for name, v in weights.items() if name.startswith(prefix)}
            wanted = {name.removeprefix(prefix) for name in self.weights() if name.startswith(prefix)}
            if own.keys() != wanted:
                raise KeyError(prefix)
            module.load_state_dict(own, strict=False)

    @property
    def adapted(self) -> bool:
        """Whether its layers have adapters."""
        return any(_of_adapter(name) for name in self.layers.state_dict())

    def train(self, mode: bool = True) -> None:
        """Switch dropout on or off."""
        self.layers.train(mode)
        if self.embeddings is not None:
            self.embeddings.train(mode)


@dataclass(frozen=True, slots=True)
class PackedTop:
    """A tuned top as comments are read by it; its embeddings are None where they are the encoder's own."""

    layers: tuple[PackedLayer, ...]
    classifier: nn.Linear
    embeddings: Embeddings | None

    @property
    def reads_tokens(self) -> bool:
        """Whether nothing is shared with the untuned encoder."""
        return self.embeddings is not None

    @property
    def outputs(self) -> int:
        """How many numbers the classifier gives."""
        return self.classifier.out_features

    def logits(self, hidden: Tensor, batch: Packed) -> Tensor:
        """Run layers and classifier on the states below them, tokens × width; returns rows × outputs."""
        return self.classifier(pooled(through(self.layers, hidden, batch), batch) * POOLED_SCALE)


def packed_top(top: TunedTop, precision: Precision = "fp32", device: Device = CPU) -> PackedTop:
    """Make a top ready to read comments; its weights must not change any more."""
    layers = tuple(packed_layer(layer, precision, device) for layer in top.layers)
    # What is pooled is of single precision.
    classifier = replace(device, half=False).placed(top.classifier)
    embeddings = None if top.embeddings is None else device.placed(top.embeddings)
    return PackedTop(layers, classifier, embeddings)


@dataclass(frozen=True, slots=True)
class States:
    """Hidden states below the tuned layers: float16, tokens × width for each row."""

    rows: list[NDArray[np.float16]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens in each row."""
        return np.array([len(row) for row in self.rows], dtype=np.int64)

    def take(self, rows: NDArray[np.int64]) -> States:
        """Return the given rows."""
        return States([self.rows[row] for row in rows])


Inputs = States | Sequences


def take(inputs: Inputs, rows: NDArray[np.int64]) -> Inputs:
    """Return the given rows of kept states or of token sequences."""
    if isinstance(inputs, States):
        return inputs.take(rows)
    return Sequences([inputs.ids[row] for row in rows], [inputs.segments[row] for row in rows])


def inputs_of(encoder: Encoder, sequences: Sequences, tuned: Shape, advance: Advance) -> Inputs:
    """Return what the tuned part reads: the token sequences where embeddings are tuned, else kept lower states."""
    if tuned.embeddings:
        advance(len(sequences.ids))
        return sequences
    return lower_states(encoder, sequences, tuned.layers, advance)


def shape(manifest: Manifest) -> Shape:
    """Return which part of the encoder a bundle has tuned."""
    settings = manifest.settings
    rank = settings.get("rank") if manifest.method == "lora" else None
    return Shape(int(settings["layers"]), rank, manifest.method == "full")


def new_top(encoder: Encoder, tuned: Shape, outputs: int) -> TunedTop:
    """Return an untrained top whose layers are copies of the encoder's."""
    layers = copy.deepcopy(encoder.model.encoder.layer[encoder.depth - tuned.layers :])
    if tuned.rank is not None:
        adapt(layers, tuned.rank)
    embeddings = copy.deepcopy(encoder.model.embeddings) if tuned.embeddings else None
    return TunedTop(layers, nn.Linear(encoder.width, outputs), embeddings)


def lower_states(encoder: Encoder, sequences: Sequences, layers: int, advance: Advance) -> States:
    """Run all but the top `layers` layers once and keep what they give; equal sequences are run once."""
    keys = [ids.tobytes() + segments.tobytes() for ids, segments in zip(sequences.ids, sequences.segments, strict=True)]
    first = {key: row for row, key in reversed(list(enumerate(keys)))}
    chosen = np.array(sorted(first.values()), dtype=np.int64)
    kept: dict[int, NDArray[np.float16]] = {}
    distinct = Sequences([sequences.ids[row] for row in chosen], [sequences.segments[row] for row in chosen])
    with torch.inference_mode():
        for batch in packed(distinct):
            below = encoder.layers[: encoder.depth - layers]
            hidden = through(below, embedded(encoder.model.embeddings, batch), batch).half().numpy()
            for row, start in zip(batch.rows, batch.starts, strict=True):
                kept[int(chosen[row])] = hidden[start : start + len(distinct.ids[row])].copy()
            advance(len(batch.rows))
    advance(len(keys) - len(chosen))
    return States([kept[first[key]] for key in keys])


def forward(top: TunedTop, inputs: Inputs, rows: NDArray[np.int64]) -> Tensor:
    """Return logits of the given rows, rows × outputs."""
    if isinstance(inputs, States):
        return top.logits(*_padded(inputs, rows))
    batch = padded(inputs, rows)
    return top.logits(top.embed(batch), batch.mask)


def score_inputs(top: TunedTop, inputs: Inputs) -> NDArray[np.float64]:
    """Return logits for kept states or token sequences, rows × outputs."""
    order = np.argsort(inputs.lengths, kind="stable")
    found = np.zeros((len(order), top.classifier.out_features))
    with torch.inference_mode():
        for start in range(0, len(order), 64):
            rows = order[start : start + 64]
            found[rows] = forward(top, inputs, rows).numpy()
    return found


def save_top(top: TunedTop, path: Path, others: dict[str, Tensor] | None = None) -> None:
    """Write what was tuned as safetensors, layers in half precision; the frozen rest is not stored again."""
    weights = {
        name: (value if name.startswith("classifier.") else value.half()).contiguous()
        for name, value in top.weights().items()
    }
    save_file({**weights, **(others or {})}, str(path))


def load_top(path: Path, encoder: Encoder, tuned: Shape, outputs: int) -> tuple[TunedTop, dict[str, Tensor]]:
    """Read a tuned top onto an encoder, adapters merged, and the other tensors of the file.

    Raises:
        BundleError: the file is no safetensors file or does not fit the encoder.
    """
    top = new_top(encoder, tuned, outputs)
    try:
        found = load_file(str(path))
        top.load(found)
    except (SafetensorError, OSError, KeyError, RuntimeError) as e:
        raise BundleError(f"{path}: does not fit the encoder {encoder.name}; fetch the bundle again") from e
    merge(top.layers)
    top.train(mode=False)
    return top, {name: value for name, value in found.items() if not name.startswith(tuple(top.parts()))}


def _of_adapter(name: str) -> bool:
    return name.endswith((".down", ".up"))


def _padded(states: States, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    longest = max(len(states.rows[row]) for row in rows)
    hidden = torch.zeros(len(rows), longest, states.rows[rows[0]].shape[1])
    mask = torch.zeros(len(rows), longest, dtype=torch.bool)
    for i, row in enumerate(rows):
        length = len(states.rows[row])
        hidden[i, :length] = torch.from_numpy(states.rows[row].astype(np.float32))
        mask[i, :length] = True
    return hidden, mask
