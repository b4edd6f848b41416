"""What is done with a shard of frame inputs by each tier, wherever it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import polars as pl

from discourse.models.bundle import Bundle
from discourse.models.calibration import probability
from discourse.models.cascade import CutOffs, says_yes
from discourse.models.encoder import Encoder
from discourse.models.frame_inputs import FrameInput
from discourse.models.frames import FramesModel, load_frames
from discourse.models.static import StaticTier
from discourse.models.text_vectors import static_tier
from discourse.progress import Advance
from discourse.tables import SCORES, Tier
from discourse.tag.read_by import DEVICE
from discourse.tag.scores import score_rows
from discourse.tag.vectors import keep_vectors
from discourse.workspace import Workspace

PARTS = ("text", "title", "parent")


@dataclass(frozen=True, slots=True)
class FrameWork:
    """Scores inputs by the encoder; keeps scores, and vectors where reading gives them.

    Pickled, it is workspace, bundle and encoder by name, and loads the model where it arrives.
    """

    on_gpu: ClassVar[bool] = True

    workspace: Workspace
    bundle: Bundle
    model: FramesModel

    def __call__(self, shard: pl.DataFrame, advance: Advance) -> None:
        """Score rows of `input_key` and `PARTS`."""
        model, calibration = self.model, self.bundle.calibration()
        read = model.read([FrameInput(*parts) for parts in shard.select(PARTS).iter_rows()], advance)
        if read.vectors is not None:
            keep_vectors(self.workspace, model.encoder, shard["text"].to_list(), read.vectors)
        above = [
            probability(read.scores[:, k], calibration[level]) >= calibration[level].threshold
            for k, level in enumerate(model.levels)
        ]
        rows = score_rows(
            shard,
            read.scores,
            np.column_stack(above),
            model.levels,
            self.bundle,
            Tier.ENCODER,
            lambda parts: model.read([FrameInput(part) for part in parts]).scores,
        )
        self.workspace.append(SCORES, rows, {"bundle": self.bundle.id, DEVICE: model.encoder.read_by})

    def __reduce__(self) -> tuple[Callable[..., FrameWork], tuple[Workspace, Bundle, Encoder]]:
        """Return how it is made again."""
        return load_frame_work, (*_placed(self.workspace, self.bundle), self.model.encoder)


@dataclass(frozen=True, slots=True)
class StaticWork:
    """Scores inputs by the static tier; `cut` tells what is a yes, whose evidence is kept."""

    workspace: Workspace
    bundle: Bundle
    encoder: Encoder
    tier: StaticTier
    cut: Mapping[str, CutOffs]

    def __call__(self, shard: pl.DataFrame, advance: Advance) -> None:
        """Score rows of `input_key` and `PARTS`."""
        tier = self.tier
        scores = tier.scores([FrameInput(*parts) for parts in shard.select(PARTS).iter_rows()])
        yes = says_yes(scores, [self.cut[level] for level in tier.levels])
        rows = score_rows(
            shard,
            scores,
            yes,
            tier.levels,
            self.bundle,
            Tier.STATIC,
            lambda parts: tier.scores([FrameInput(part) for part in parts]),
        )
        self.workspace.append(SCORES, rows, {"bundle": self.bundle.id})
        advance(shard.height)

    def __reduce__(self) -> tuple[Callable[..., StaticWork], tuple[Workspace, Bundle, Encoder, Mapping[str, CutOffs]]]:
        """Return how it is made again."""
        return load_static_work, (*_placed(self.workspace, self.bundle), self.encoder, self.cut)


def load_frame_work(workspace: Workspace, bundle: Bundle, encoder: Encoder) -> FrameWork:
    """Load a frames bundle for the encoder tier's work.

    Raises:
        BundleError: the encoder is another one, or the weights do not fit.
    """
    return FrameWork(workspace, bundle, load_frames(bundle, encoder))


def load_static_work(workspace: Workspace, bundle: Bundle, encoder: Encoder, cut: Mapping[str, CutOffs]) -> StaticWork:
    """Load a frames bundle for the static tier's work.

    Raises:
        BundleError: it has no static tier, or a damaged one.
    """
    return StaticWork(workspace, bundle, encoder, static_tier(bundle, encoder), cut)


def _placed(workspace: Workspace, bundle: Bundle) -> tuple[Workspace, Bundle]:
    """Return both as they are found from any working folder."""
    return Workspace(workspace.root.absolute()), replace(bundle, folder=bundle.folder.absolute())
