"""What is done with a shard of stance readings, wherever it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.models.bundle import Bundle
from discourse.models.encoder import Encoder
from discourse.models.stance import CLASSES, Reading, StanceModel, load_stance
from discourse.progress import Advance
from discourse.tables import SCORES, Tier
from discourse.tag.evidence import carrying, strongest
from discourse.tag.read_by import DEVICE
from discourse.workspace import Workspace

SHARD_SCHEMA = pl.Schema({"input_key": pl.String(), "target": pl.String(), "text": pl.String(), "parent": pl.String()})


@dataclass(frozen=True, slots=True)
class StanceWork:
    """Scores readings and keeps the scores.

    Pickled, it is workspace, bundle and encoder by name, and loads the model where it arrives.
    """

    on_gpu: ClassVar[bool] = True

    workspace: Workspace
    bundle: Bundle
    model: StanceModel

    def __call__(self, shard: pl.DataFrame, advance: Advance) -> None:
        """Score rows of `SHARD_SCHEMA`."""
        readings = [Reading(*row) for row in shard.select("target", "text", "parent").iter_rows()]
        found = self.model.log_probabilities(readings, advance)
        rows = _scores(shard["input_key"].to_list(), found, _evidence(self.model, readings, found), self.bundle)
        self.workspace.append(SCORES, rows, {"bundle": self.bundle.id, DEVICE: self.model.encoder.read_by})

    def __reduce__(self) -> tuple[Callable[..., StanceWork], tuple[Workspace, Bundle, Encoder]]:
        """Return how it is made again, from any working folder."""
        bundle = replace(self.bundle, folder=self.bundle.folder.absolute())
        return load_stance_work, (Workspace(self.workspace.root.absolute()), bundle, self.model.encoder)


def load_stance_work(workspace: Workspace, bundle: Bundle, encoder: Encoder) -> StanceWork:
    """Load a stance bundle for its work.

    Raises:
        BundleError: the encoder is another one, or the weights do not fit.
    """
    return StanceWork(workspace, bundle, load_stance(bundle, encoder))


def _evidence(model: StanceModel, readings: list[Reading], log_p: NDArray[np.float64]) -> list[tuple[int, int] | None]:
    """Return the sentence that carries the side of each reading that takes one."""
    found: list[tuple[int, int] | None] = [None] * len(readings)
    by_target: dict[str, list[int]] = {}
    for row in np.flatnonzero(log_p.argmax(1) < CLASSES.index("neutral")):
        by_target.setdefault(readings[row].target, []).append(int(row))
    for target, rows in by_target.items():

        def score(parts: list[str], target: str = target) -> NDArray[np.float64]:
            # Sentences are read without the parent: what matters is where in the comment the side shows.
            return model.log_probabilities([Reading(target, part) for part in parts])

        sides = carrying([readings[row].text for row in rows], "en", score)
        for row, (spans, values) in zip(rows, sides, strict=True):
            found[row] = strongest(spans, values, int(log_p[row].argmax()))
    return found


def _scores(
    keys: list[str], log_p: NDArray[np.float64], spans: list[tuple[int, int] | None], bundle: Bundle
) -> pl.DataFrame:
    starts = [span[0] if span else None for span in spans]
    ends = [span[1] if span else None for span in spans]
    return pl.concat(
        [
            pl.DataFrame(
                {
                    "input_key": keys,
                    "bundle": bundle.id,
                    "level": level,
                    "score": log_p[:, k],
                    "evidence_start": starts,
                    "evidence_end": ends,
                    "tier": Tier.ENCODER.value,
                },
                schema=SCORES.schema,
            )
            for k, level in enumerate(CLASSES)
        ]
    )
