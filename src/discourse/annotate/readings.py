"""What the model says of the eligible comments of one level: the base of samples and of their planning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.codebook import load_codebook
from discourse.config import Config
from discourse.denominator import mark_excluded
from discourse.errors import UsageError, did_you_mean
from discourse.models.reader import reader_of
from discourse.tables import ATTRIBUTES, COMMENTS, FRAMES, STANCES, Path, Stance
from discourse.workspace import Workspace

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Level:
    """What is labelled: a frame of the codebook, or a stance target."""

    kind: Literal["frame", "stance"]
    name: str


@dataclass(frozen=True, slots=True)
class Eligible:
    """Eligible comments (N) in table order, with the model's answers.

    comments: comment_id, thread_id, author. score: float64 (N,), calibrated probability of yes (of a stance: of being
    about the target). tagged: bool (N,). is_read: whether there are any tags.
    """

    comments: pl.DataFrame
    score: Reals
    tagged: NDArray[np.bool_]
    is_read: bool


def level_of(config: Config, frame: str | None, target: str | None) -> Level:
    """Return the level that is asked for.

    Raises:
        UsageError: neither or both are given, or the codebook or configuration does not know the name.
    """
    if (frame is None) == (target is None):
        raise UsageError("say what is labelled: --frame NAME or --target NAME, one of them")
    if frame is not None:
        return Level("frame", load_codebook(config.codebook.file).frame(frame).name)
    name = target or ""
    if name not in config.stance.targets:
        known = config.stance.targets
        listed = ", ".join(f'"{each}"' for each in known) or "none"
        raise UsageError(f'no target "{name}"{did_you_mean(name, known)}; [stance] targets has {listed}')
    return Level("stance", name)


def levels_of(config: Config) -> list[Level]:
    """Return every frame of the codebook, then every configured target."""
    frames = [Level("frame", name) for name in load_codebook(config.codebook.file).names]
    return frames + [Level("stance", name) for name in config.stance.targets]


def eligible_of(workspace: Workspace, config: Config, level: Level) -> Eligible:
    """Read the eligible comments of a level with the tags of the configured bundle, or of the external coder.

    Raises:
        BundleError: the bundle is missing or damaged.
    """
    reader = reader_of(config, "stance" if level.kind == "stance" else "frames")
    marked = mark_excluded(
        workspace.scan(COMMENTS), reader.manifest.languages, config.filter, workspace.read(ATTRIBUTES)
    )
    comments = marked.filter(pl.col("excluded").is_null()).select("comment_id", "thread_id", "author").collect()
    tags = _frame_tags(workspace, level.name) if level.kind == "frame" else _stance_tags(workspace, level.name)
    tags = tags.filter((pl.col("bundle") == reader.id) & (pl.col("path") != Path.TEXT_ONLY.value)).collect()
    beside = comments.select("comment_id").join(
        tags.unique("comment_id", keep="first", maintain_order=True), on="comment_id", how="left", maintain_order="left"
    )
    score = beside["score"].cast(pl.Float64).fill_null(0.0).to_numpy()
    return Eligible(comments, score, beside["tagged"].fill_null(value=False).to_numpy(), not tags.is_empty())


def _frame_tags(workspace: Workspace, name: str) -> pl.LazyFrame:
    return (
        workspace.scan(FRAMES)
        .filter(pl.col("frame") == name)
        .select("comment_id", "bundle", "path", score="probability", tagged="above_threshold")
    )


def _stance_tags(workspace: Workspace, name: str) -> pl.LazyFrame:
    sided = [Stance.FAVOR.value, Stance.AGAINST.value, Stance.NEUTRAL.value]
    return (
        workspace.scan(STANCES)
        .filter(pl.col("target") == name)
        .select("comment_id", "bundle", "path", score=1 - pl.col("p_off_target"), tagged=pl.col("stance").is_in(sided))
    )
