"""Several workspaces laid together as if they were one: comments, tags and labels under names of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from discourse.aggregate.labels import resolve
from discourse.aggregate.tags import of_bundle, wanted_path
from discourse.aggregate.units import Eligible, Unit, author_numbers, eligible_comments
from discourse.config import Config
from discourse.models.reader import TagReader, reader_of
from discourse.tables import ATTRIBUTES, COMMENTS, ESTIMATES, FRAMES, LABELS, STANCES, THREADS
from discourse.workspace import Workspace

IDS = ("comment_id", "thread_id", "parent_id", "duplicate_of")


@dataclass(frozen=True, slots=True)
class Part:
    """One of the workspaces compared, read: its name, its configuration, its tables.

    resolved: labels, one for each comment and level. codebook: SHA-256 of the one its comments were tagged by, None if
    the receipt does not tell.
    """

    name: str
    config: Config
    codebook: str | None
    comments: pl.DataFrame
    threads: pl.DataFrame
    attributes: pl.DataFrame
    frames: pl.DataFrame
    stances: pl.DataFrame
    resolved: pl.DataFrame
    estimates: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Reader:
    """What read the comments: workspaces with equal readers can be compared.

    bundle: name and hash. path: the way of tagging. codebook: SHA-256 of the frames' definitions; None for stances.
    """

    bundle: str
    path: str
    codebook: str | None


def read_part(name: str, workspace: Workspace) -> Part:
    """Read what is compared of a workspace.

    Raises:
        WorkspaceError: a table is damaged.
    """
    receipt = workspace.receipt()
    config = Config.model_validate(receipt.config)
    tagged = receipt.stages.get("tag")
    codebooks = [digest for key, digest in (tagged.inputs if tagged else {}).items() if key.startswith("codebook ")]
    return Part(
        name,
        config,
        codebooks[0] if codebooks else None,
        workspace.read(COMMENTS),
        workspace.read(THREADS),
        workspace.read(ATTRIBUTES),
        workspace.read(FRAMES),
        workspace.read(STANCES),
        resolve(workspace.read(LABELS), config.labels.resolve),
        workspace.read(ESTIMATES),
    )


def frames_reader(part: Part) -> tuple[Reader, TagReader]:
    """Return what read the frames of a workspace.

    Raises:
        BundleError: the bundle is missing or damaged.
        WorkspaceError: the tags are of another bundle than the configuration names.
    """
    bundle = reader_of(part.config, "frames")
    path = wanted_path(of_bundle(part.frames, bundle), part.config.tagging)
    return Reader(bundle.id, path, part.codebook), bundle


def stance_reader(part: Part) -> tuple[Reader, TagReader]:
    """Return what read the stances of a workspace; raises as `frames_reader`."""
    bundle = reader_of(part.config, "stance")
    path = wanted_path(of_bundle(part.stances, bundle), part.config.tagging)
    return Reader(bundle.id, path, None), bundle


def together(parts: Sequence[Part], languages: Sequence[str], *, matched: bool) -> Eligible:
    """Return the eligible comments of all parts, each by its own filter; the units are those of the parts.

    Args:
        parts: workspaces.
        languages: that the bundle reads.
        matched: whether equal pseudonyms are equal authors, because all parts were made with one author key.

    Returns:
        Ids of comments and threads, and authors unless they are matched, carry the part's name and a slash in front;
        units are `<name>/all` and `<name>/thread:<id>`.
    """
    found = [eligible_comments(part.comments, languages, part.config.filter, part.attributes) for part in parts]
    names = [part.name for part in parts]
    comments = pl.concat(
        [named(each.comments, name, () if matched else ("author",)) for name, each in zip(names, found, strict=True)]
    )
    units: list[Unit] = []
    offset = 0
    for part, each in zip(parts, found, strict=True):
        units += [replace(unit, name=f"{part.name}/{unit.name}", rows=unit.rows + offset) for unit in each.units]
        if len(each.units) == 1:  # the one thread of a workspace is all of it, but may be compared as a thread
            units += [replace(units[-1], name=f"{part.name}/thread:{one}") for one in part.threads["thread_id"]]
        offset += each.comments.height
    whole = Unit("all", np.arange(offset), f"{offset:,} eligible comments of {len(parts)} workspaces")
    return Eligible(comments, author_numbers(comments["author"]), (whole, *units))


def named(frame: pl.DataFrame, name: str, more: Sequence[str] = ()) -> pl.DataFrame:
    """Return rows whose ids, and the columns in `more`, carry a workspace's name, so that they stay apart."""
    chosen = [column for column in (*IDS, *more) if column in frame.columns]
    return frame.with_columns((pl.lit(f"{name}/") + pl.col(column)).alias(column) for column in chosen)
