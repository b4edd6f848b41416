"""The training loop: AdamW with warm-up and decay, early stopping, and a checkpoint after every epoch."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from discourse.errors import BundleError
from discourse.models.encoder import Encoder
from discourse.models.tuned import Inputs, Shape, TunedTop, forward, new_top
from discourse.progress import Advance

Loss = Callable[[Tensor, NDArray[np.int64]], Tensor]
Watch = Callable[[TunedTop], float]
Variants = Callable[[int], Inputs]


@dataclass(frozen=True, slots=True)
class TuningSettings:
    """How layers are tuned: AdamW with linear warm-up and decay; it stops `patience` epochs after the best one."""

    shape: Shape
    epochs: int = 3
    batch: int = 32
    rate: float = 2e-4
    classifier_rate: float = 2e-3
    warmup: float = 0.1
    patience: int = 2


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of the training log: mean loss of its batches, and what the development part says (null: no part)."""

    epoch: int
    loss: float
    development: float | None


@dataclass(frozen=True, slots=True)
class Tuned:
    """The top of the best epoch, and the log of all."""

    top: TunedTop
    log: list[Epoch]


def tune(
    encoder: Encoder,
    lengths: NDArray[np.int64],
    inputs: Variants,
    outputs: int,
    loss: Loss,
    settings: TuningSettings,
    seed: int,
    advance: Advance,
    watch: Watch | None = None,
    checkpoint: Path | None = None,
) -> Tuned:
    """Tune a part of the encoder and a classifier.

    Args:
        encoder: gives the starting weights; it is not changed.
        lengths: tokens of each row, by which batches are made.
        inputs: from the number of an epoch to what is read in it, the same rows each time.
        outputs: how many numbers the classifier gives.
        loss: from logits (rows × outputs) and row numbers to one number.
        settings: what is tuned, epochs, rates and batch size.
        seed: of order, dropout and the classifier's start.
        advance: called with the number of rows done.
        watch: measures the development part after each epoch, higher is better; the best epoch's weights are kept.
        checkpoint: a file that is written after each epoch; if it exists, training goes on from it.

    Raises:
        BundleError: the checkpoint is damaged or of another training.
    """
    torch.manual_seed(seed)
    top = new_top(encoder, settings.shape, outputs)
    optimiser, rates = _optimiser(top, settings), (settings.rate, settings.classifier_rate)
    order = _epochs(lengths, settings, seed)
    steps = sum(map(len, order))
    warm = max(1, int(settings.warmup * steps))
    log: list[Epoch] = []
    best = {name: value.clone() for name, value in top.weights().items()}
    if checkpoint is not None and checkpoint.exists():
        best, log = _resume(checkpoint, top, optimiser)
        advance(len(log) * len(lengths))
    step = sum(len(batches) for batches in order[: len(log)])
    for number in range(len(log), settings.epochs):
        if stopped(log, settings.patience):
            break
        read, losses = inputs(number), 0.0
        top.train()
        for chosen in order[number]:
            share = min((step + 1) / warm, max(0.0, (steps - step) / max(1, steps - warm)))
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * share
            value = loss(forward(top, read, chosen), chosen)
            optimiser.zero_grad()
            value.backward()
            torch.nn.utils.clip_grad_norm_([p for part in top.parts().values() for p in part.parameters()], 1.0)
            optimiser.step()
            losses += float(value.detach()) * len(chosen)
            step += 1
            advance(len(chosen))
        top.train(mode=False)
        found = watch(top) if watch is not None else None
        if found is None or found >= max((each.development or 0.0 for each in log), default=0.0):
            best = {name: value.detach().clone() for name, value in top.weights().items()}
        log.append(Epoch(number + 1, losses / len(lengths), found))
        if checkpoint is not None:
            _keep(checkpoint, top, best, optimiser, log)
    top.load(best)
    top.train(mode=False)
    return Tuned(top, log)


def stopped(log: list[Epoch], patience: int) -> bool:
    """Return whether the last `patience` epochs were no better on the development part than one before them."""
    values = [each.development for each in log if each.development is not None]
    if len(values) <= patience:
        return False
    return max(values[-patience:]) < max(values[:-patience])


def _optimiser(top: TunedTop, settings: TuningSettings) -> torch.optim.AdamW:
    tuned = [p for name, part in top.parts().items() if name != "classifier." for p in part.parameters()]
    wanted = [
        {"params": [p for p in tuned if p.requires_grad], "lr": settings.rate},
        {"params": list(top.classifier.parameters()), "lr": settings.classifier_rate},
    ]
    return torch.optim.AdamW(wanted, weight_decay=0.01)


def _epochs(lengths: NDArray[np.int64], settings: TuningSettings, seed: int) -> list[list[NDArray[np.int64]]]:
    generator = np.random.default_rng(seed)
    return [_batch_order(lengths, settings.batch, generator) for _ in range(settings.epochs)]


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


def _keep(
    path: Path, top: TunedTop, best: dict[str, Tensor], optimiser: torch.optim.Optimizer, log: list[Epoch]
) -> None:
    """Write a checkpoint atomically, as safetensors: weights now and of the best epoch, moments, random state."""
    tensors = {f"now.{name}": value.contiguous() for name, value in top.weights().items()}
    tensors |= {f"best.{name}": value.contiguous() for name, value in best.items()}
    for number, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"moments.{number}.{name}": value.clone() for name, value in moments.items()}
    tensors["random"] = torch.get_rng_state()
    partial = path.with_name(path.name + ".partial")
    save_file(tensors, str(partial), metadata={"log": json.dumps([asdict(each) for each in log])})
    partial.replace(path)


def _resume(path: Path, top: TunedTop, optimiser: torch.optim.Optimizer) -> tuple[dict[str, Tensor], list[Epoch]]:
    try:
        with safe_open(str(path), "pt") as file:
            log = [Epoch(**each) for each in json.loads(file.metadata()["log"])]
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no dict
        top.load({name.removeprefix("now."): v for name, v in tensors.items() if name.startswith("now.")})
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith("moments."):
                _, number, kind = name.split(".")
                moments.setdefault(int(number), {})[kind] = value
        optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
        torch.set_rng_state(tensors["random"])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as e:
        raise BundleError(f"{path}: is no checkpoint of this training; remove it to start again") from e
    return {name.removeprefix("best."): v for name, v in tensors.items() if name.startswith("best.")}, log
