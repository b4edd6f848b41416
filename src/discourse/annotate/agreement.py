"""How far annotators agree: Krippendorff's alpha with a bootstrap interval, who differs from whom, and on what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from discourse.errors import InputError
from discourse.models.krippendorff import Alpha, alpha_interval, units
from discourse.tables import COMMENTS, LABELS, VOTES, by_people
from discourse.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Agreement:
    """One level: alpha, on how many comments with two labels or more, annotators, and what they differ on.

    confusion: how often one annotator said `a_said` where another said `b_said`. disputed: comment_ids. between: whose
    labels these are: `people`, `coder and people` (an external coder beside what most people say), or its `runs`.
    """

    kind: str
    level: str
    annotators: list[str]
    comments: int
    alpha: Alpha
    agreed: float
    confusion: list[dict[str, str | int]]
    disputed: list[dict[str, object]]
    between: str = "people"


def agreement(workspace: Workspace, seed: int = 0) -> list[Agreement]:
    """Return the agreement on every level that two people labelled, then that of external coders.

    A coder's labels are set beside what most people say, and its runs beside one another.

    Raises:
        InputError: no comment has labels by two annotators.
    """
    every = workspace.read(LABELS).filter(pl.col("value").is_not_null())
    if every.is_empty():
        raise InputError(
            f"{workspace.root}: holds no labels; import some with: discourse annotate import {workspace.root} FILE"
        )
    labels = every.unique(["comment_id", "kind", "level", "annotator"], keep="first", maintain_order=True)
    written = workspace.scan(COMMENTS).select("comment_id", "author").collect()
    # A comment of an unknown author is one of its own.
    authors = written.select("comment_id", author=pl.coalesce("author", "comment_id"))
    rng = np.random.default_rng([seed, 7])
    found: list[Agreement] = []
    for between, rows in (
        ("people", labels.filter(by_people())),
        ("coder and people", _beside_people(labels)),
        ("runs", _runs(workspace)),
    ):
        joined = rows.join(authors, on="comment_id", how="left", maintain_order="left")
        found += [
            _level(str(key[0]), str(key[1]), part, rng, between)
            for key, part in joined.sort("kind", "level").group_by("kind", "level", maintain_order=True)
            if part["comment_id"].is_duplicated().any()
        ]
    if not found:
        people = labels["annotator"].n_unique()
        raise InputError(
            f"{workspace.root}: no comment was labelled by two annotators ({people} in all); give the same sheet to "
            "another person and import it with --annotator NAME"
        )
    return found


def _beside_people(labels: pl.DataFrame) -> pl.DataFrame:
    """Return the labels of external coders, and those that most people gave to the same comments; ties are left out."""
    about = ["comment_id", "kind", "level"]
    coders = labels.filter(~by_people()).select(*about, "value", "annotator")
    votes = labels.filter(by_people()).group_by(*about, "value").len()
    most = votes.filter(pl.col("len") == pl.col("len").max().over(about)).filter(~pl.struct(about).is_duplicated())
    people = most.select(*about, "value", annotator=pl.lit("people"))
    shared = coders.join(people, on=about, how="semi", maintain_order="left")
    return pl.concat([shared, people.join(shared, on=about, how="semi", maintain_order="left")]).sort(
        *about, "annotator"
    )


def _runs(workspace: Workspace) -> pl.DataFrame:
    """Return the answers of external coders, each run as an annotator; those for tags and for labels once."""
    key = ["comment_id", "kind", "level", "coder", "run"]
    votes = workspace.read(VOTES).filter(pl.col("value").is_not_null()).unique(key, keep="first", maintain_order=True)
    name = pl.format("{} run {}", "coder", pl.col("run") + 1)
    return votes.select("comment_id", "kind", "level", "value", annotator=name).sort(pl.all())


def _level(kind: str, level: str, labels: pl.DataFrame, rng: np.random.Generator, between: str) -> Agreement:
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
        between,
    )
