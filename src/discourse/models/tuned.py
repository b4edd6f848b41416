"""The top layers of an encoder, tuned for one task: frozen lower layers are run once and kept while training."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from discourse.errors import BundleError
from discourse.models.encoder import Encoder, Sequences, attention_mask, batches, mean_pool
from discourse.progress import Advance

Loss = Callable[[Tensor, NDArray[np.int64]], Tensor]
# Pooled states are of norm about 7; a classifier that starts small learns faster on them scaled up.
POOLED_SCALE = 3.0


@dataclass(frozen=True, slots=True)
class TuningSettings:
    """How the top layers are tuned: AdamW with linear warm-up and decay."""

    layers: int = 2
    epochs: int = 3
    batch: int = 32
    rate: float = 2e-4
    classifier_rate: float = 2e-3
    warmup: float = 0.1


@dataclass(frozen=True, slots=True)
class TunedTop:
    """Tuned copies of an encoder's top layers, and a linear classifier on their mean-pooled states."""

    layers: Any
    classifier: nn.Linear

    def first(self, encoder: Encoder) -> int:
        """Return the number of the lowest tuned layer."""
        return encoder.depth - len(self.layers)

    def logits(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Run layers and classifier on the states below them, rows × tokens × width; returns rows × outputs."""
        attention = attention_mask(mask)
        for layer in self.layers:
            hidden = layer(hidden, attention)
        return self.classifier(mean_pool(hidden, mask) * POOLED_SCALE)


@dataclass(frozen=True, slots=True)
class States:
    """Hidden states below the tuned layers: float16, tokens × width for each row."""

    rows: list[NDArray[np.float16]]

    def take(self, rows: NDArray[np.int64]) -> States:
        """Return the given rows."""
        return States([self.rows[row] for row in rows])


def new_top(encoder: Encoder, layers: int, outputs: int) -> TunedTop:
    """Return an untrained top whose layers are copies of the encoder's."""
    return TunedTop(
        copy.deepcopy(encoder.model.encoder.layer[encoder.depth - layers :]), nn.Linear(encoder.width, outputs)
    )


def lower_states(encoder: Encoder, sequences: Sequences, layers: int, advance: Advance) -> States:
    """Run all but the top `layers` layers once and keep what they give."""
    kept: list[NDArray[np.float16]] = [np.zeros((0, 0), np.float16)] * len(sequences.ids)
    with torch.inference_mode():
        for batch in batches(sequences):
            hidden = encoder.embed(batch)
            for state in encoder.run_layers(hidden, batch.mask, 0, encoder.depth - layers):
                hidden = state
            for i, row in enumerate(batch.rows):
                kept[row] = hidden[i, : len(sequences.ids[row])].half().numpy()
            advance(len(batch.rows))
    return States(kept)


def tune(
    encoder: Encoder, states: States, outputs: int, loss: Loss, settings: TuningSettings, seed: int, advance: Advance
) -> TunedTop:
    """Tune the top layers and the classifier.

    Args:
        encoder: gives the starting weights; it is not changed.
        states: from `lower_states`, one a row.
        outputs: how many numbers the classifier gives.
        loss: from logits (rows × outputs) and row numbers to one number.
        settings: epochs, rates and batch size.
        seed: of order, dropout and the classifier's start.
        advance: called with the number of rows done.
    """
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    top = new_top(encoder, settings.layers, outputs)
    lengths = np.array([len(row) for row in states.rows])
    groups = [
        {"params": top.layers.parameters(), "lr": settings.rate},
        {"params": top.classifier.parameters(), "lr": settings.classifier_rate},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
    order = [rows for _ in range(settings.epochs) for rows in _batch_order(lengths, settings.batch, generator)]
    warm = max(1, int(settings.warmup * len(order)))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / warm, max(0.0, (len(order) - step) / max(1, len(order) - warm)))
    )
    top.layers.train()
    for rows in order:
        value = loss(top.logits(*_padded(states, rows)), rows)
        optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(top.layers.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        advance(len(rows))
    top.layers.eval()
    return top


def score_states(top: TunedTop, states: States) -> NDArray[np.float64]:
    """Return logits for kept states, rows × outputs."""
    lengths = np.array([len(row) for row in states.rows])
    order = np.argsort(lengths, kind="stable")
    found = np.zeros((len(order), top.classifier.out_features))
    with torch.inference_mode():
        for start in range(0, len(order), 64):
            rows = order[start : start + 64]
            found[rows] = top.logits(*_padded(states, rows)).numpy()
    return found


def save_top(top: TunedTop, path: Path, others: dict[str, Tensor] | None = None) -> None:
    """Write layers and classifier as safetensors, the layers in half precision; the frozen rest is not stored again."""
    weights: dict[str, Tensor] = {f"tuned.{name}": value.half() for name, value in top.layers.state_dict().items()}
    weights |= {f"classifier.{name}": value.contiguous() for name, value in top.classifier.state_dict().items()}
    save_file({**weights, **(others or {})}, str(path))


def load_top(path: Path, encoder: Encoder, layers: int, outputs: int) -> tuple[TunedTop, dict[str, Tensor]]:
    """Read a tuned top onto an encoder, and the other tensors of the file.

    Raises:
        BundleError: the file is no safetensors file or does not fit the encoder.
    """
    top = new_top(encoder, layers, outputs)
    parts = {"tuned.": top.layers, "classifier.": top.classifier}
    try:
        found = load_file(str(path))
        for prefix, part in parts.items():
            part.load_state_dict({k.removeprefix(prefix): v.float() for k, v in found.items() if k.startswith(prefix)})
    except (SafetensorError, OSError, KeyError, RuntimeError) as e:
        raise BundleError(f"{path}: does not fit the encoder {encoder.name}; fetch the bundle again") from e
    top.layers.eval()
    return top, {name: value for name, value in found.items() if not name.startswith(tuple(parts))}


def _batch_order(lengths: NDArray[np.int64], size: int, generator: np.random.Generator) -> list[NDArray[np.int64]]:
    """Shuffle rows, then batch those of like length within stretches of 32 batches, to save padding."""
    shuffled = generator.permutation(len(lengths))
    found: list[NDArray[np.int64]] = []
    for start in range(0, len(shuffled), size * 32):
        stretch = shuffled[start : start + size * 32]
        stretch = stretch[np.argsort(lengths[stretch], kind="stable")]
        groups = [stretch[i : i + size] for i in range(0, len(stretch), size)]
        found += [groups[i] for i in generator.permutation(len(groups))]
    return found


def _padded(states: States, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    longest = max(len(states.rows[row]) for row in rows)
    hidden = torch.zeros(len(rows), longest, states.rows[rows[0]].shape[1])
    mask = torch.zeros(len(rows), longest, dtype=torch.bool)
    for i, row in enumerate(rows):
        length = len(states.rows[row])
        hidden[i, :length] = torch.from_numpy(states.rows[row].astype(np.float32))
        mask[i, :length] = True
    return hidden, mask
