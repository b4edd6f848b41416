"""A round of samples: which comments were drawn, with what chance, in what order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from discourse.annotate.drawing import chances, draw
from discourse.annotate.readings import Level, eligible_of
from discourse.config import Config
from discourse.errors import InputError, UsageError
from discourse.tables import LABELS, SAMPLES, Design
from discourse.workspace import Workspace

DESIGNS = (Design.UNIFORM, Design.STRATIFIED, Design.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A round that is not written yet.

    rows: of the samples table. ids: comment_ids drawn, in the order in which they are asked about.
    """

    round: int
    rows: pl.DataFrame
    ids: pl.Series

    @property
    def eligible(self) -> int:
        """How many comments could have been drawn."""
        return self.rows["comment_id"].n_unique()


def draw_round(workspace: Workspace, config: Config, levels: Sequence[Level], size: int, design: Design) -> Drawn:
    """Draw a Poisson sample of expected size `size`, independently of earlier rounds.

    Every eligible comment's probability is in its rows, because its chance over all rounds needs them all; rank is null
    for those not drawn. The same round, seed and tags draw the same comments.

    Args:
        workspace: with comments; with tags for the designs that favour some.
        config: codebook, bundles, filter and seed.
        levels: what is labelled; several only where all comments are drawn alike, since each has tags of its own.
        size: expected number of comments.
        design: uniform, stratified or uncertain.

    Raises:
        UsageError: the size is below 1, or the design cannot be drawn.
        InputError: there is no eligible comment, or it has no tags that the design needs.
    """
    if size < 1:
        raise UsageError(f"ask for at least 1 comment, not {size}")
    if design not in DESIGNS:
        raise UsageError(f'--design "{design.value}" cannot be drawn; use {", ".join(each.value for each in DESIGNS)}')
    if len(levels) > 1 and design is not Design.UNIFORM:
        raise UsageError(f"--design {design.value} draws by the tags of one level; name it with --frame or --target")
    eligible = eligible_of(workspace, config, levels[0])
    if eligible.comments.is_empty():
        raise InputError(f"{workspace.root}: holds no eligible comment to label; see discourse status {workspace.root}")
    if design is not Design.UNIFORM and not eligible.is_read:
        raise InputError(
            f'{workspace.root}: has no tags of "{levels[0].name}", which --design {design.value} needs; run discourse '
            f"tag {workspace.root}, or use --design uniform"
        )
    number = next_round(workspace)
    rng = np.random.default_rng([config.seed, 6, number])
    chance = chances(design, eligible.score, eligible.tagged, size)
    order = draw(chance, rng)
    rank = np.full(len(chance), -1)
    rank[order] = np.arange(len(order))
    ids = eligible.comments["comment_id"]
    rows = pl.DataFrame({"comment_id": ids, "probability": chance, "rank": rank}).with_columns(
        pl.lit(number).alias("round"),
        pl.lit(design.value).alias("design"),
        pl.when(pl.col("rank") >= 0).then("rank").alias("rank"),
    )
    named = [rows.with_columns(pl.lit(each.kind).alias("kind"), pl.lit(each.name).alias("level")) for each in levels]
    return Drawn(number, SAMPLES.conform(pl.concat(named)), ids.gather(order))


def next_round(workspace: Workspace) -> int:
    """Return a round that no sample and no label has; 0 is for labels that came without a sample."""
    found = [workspace.scan(table).select(pl.col("round").max()).collect().item() for table in (SAMPLES, LABELS)]
    return 1 + max((int(each) for each in found if each is not None), default=0)
