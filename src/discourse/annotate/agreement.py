"""How far annotators agree: Krippendorff's alpha with a bootstrap interval, who differs from whom, and on what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from discourse.errors import InputError
from discourse.models.krippendorff import Alpha, alpha_interval, units
from discourse.tables import COMMENTS, LABELS
from discourse.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Agreement:
    """One level: alpha, on how many comments with two labels or more, annotators, and what they differ on.

    confusion: how often one annotator said `a_said` where another said `b_said`. disputed: comment_ids.
    """

    kind: str
    level: str
    annotators: list[str]
    comments: int
    alpha: Alpha
    agreed: float
    confusion: list[dict[str, str | int]]
    disputed: list[dict[str, object]]


def agreement(workspace: Workspace, seed: int = 0) -> list[Agreement]:
    """Return the agreement on every level that two annotators labelled.

    Raises:
        InputError: no comment has labels by two annotators.
    """
    labels = workspace.read(LABELS).filter(pl.col("value").is_not_null())
    if labels.is_empty():
        raise InputError(
            f"{workspace.root}: holds no labels; import some with: discourse annotate import {workspace.root} FILE"
        )
    labels = labels.unique(["comment_id", "kind", "level", "annotator"], keep="first", maintain_order=True)
    written = workspace.scan(COMMENTS).select("comment_id", "author").collect()
    # A comment of an unknown author is one of its own.
    labels = labels.join(written, on="comment_id", how="left", maintain_order="left").with_columns(
        author=pl.coalesce("author", "comment_id")
    )
    rng = np.random.default_rng([seed, 7])
    found = [
        _level(str(key[0]), str(key[1]), part, rng)
        for key, part in labels.sort("kind", "level").group_by("kind", "level", maintain_order=True)
        if part["comment_id"].is_duplicated().any()
    ]
    if not found:
        people = labels["annotator"].n_unique()
        raise InputError(
            f"{workspace.root}: no comment was labelled by two annotators ({people} in all); give the same sheet to "
            "another person and import it with --annotator NAME"
        )
    return found


def _level(kind: str, level: str, labels: pl.DataFrame, rng: np.random.Generator) -> Agreement:
    twice = labels.filter(pl.col("comment_id").is_duplicated())
    pairs = twice.join(twice, on="comment_id", suffix="_b").filter(pl.col("annotator") < pl.col("annotator_b"))
    cells = pairs.group_by("annotator", "annotator_b", "value", "value_b").len().sort(pl.all())
    names = ("a", "b", "a_said", "b_said", "count")
    disputed = (
        twice.group_by("comment_id")
        .agg(pl.col("value").n_unique().alias("values"), pl.col("annotator", "value").sort_by("annotator"))
        .filter(pl.col("values") > 1)
        .sort("comment_id")
    )
    return Agreement(
        kind,
        level,
        sorted(twice["annotator"].unique()),
        twice["comment_id"].n_unique(),
        alpha_interval(units(twice), rng),
        pairs.filter(pl.col("value") == pl.col("value_b")).height / pairs.height,
        [dict(zip(names, row, strict=True)) for row in cells.iter_rows()],
        [
            {"comment_id": row["comment_id"], "labels": dict(zip(row["annotator"], row["value"], strict=True))}
            for row in disputed.iter_rows(named=True)
        ],
    )
