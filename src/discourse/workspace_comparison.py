"""Several workspaces side by side: a workspace of its own holds their shares, differences and what changed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl

from discourse.aggregate.across import Part, read_part
from discourse.aggregate.across_rows import SAME_THREAD, Across, across_estimates
from discourse.aggregate.estimates import Estimate, as_table
from discourse.config import Config, override
from discourse.errors import UsageError, WorkspaceError
from discourse.progress import say
from discourse.receipt import Receipt, StageRecord, library_versions
from discourse.tables import (
    CHANGES,
    COMMENTS,
    ESTIMATES,
    FRAMES,
    LABELS,
    STANCES,
    THREADS,
    Mark,
    Measure,
)
from discourse.workspace import Workspace, create_workspace, now, open_workspace

MOST = 10
READ = (THREADS, COMMENTS, FRAMES, STANCES, LABELS, ESTIMATES)
STAGE = "compare"
# From the least to the most that is shown.
QUOTES = ("none", "short", "full")


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison of workspaces gives.

    workspace: the folder that holds it. output: the file that it stands beside. names: of the workspaces compared, with
    their folders. differences: the rows on differences, ratios and changes. notes: what is said beside them.
    """

    workspace: Path
    output: Path
    names: dict[str, Path]
    differences: pl.DataFrame
    notes: tuple[str, ...]


def compare(roots: Sequence[Path], output: Path, changes: Mapping[str, object] | None = None) -> Compared:
    """Compare two to ten workspaces, and write what was found into a workspace beside `output`.

    `NAME.html` stands beside `NAME.compare`, which holds `estimates` (each workspace's own main rows under the units
    `<name>/all` and `<name>/thread:<id>`, and rows with a contrast), `changes`, and a receipt with the hashes of what
    was compared. What a bundle, a way of tagging or a codebook of its own read is left out, and a note says so.

    Args:
        roots: the workspaces' folders; a workspace is called by its folder.
        output: the file that a page goes to.
        changes: settings to change in the first workspace's configuration, which the new one keeps.

    Raises:
        UsageError: fewer than two, more than ten, or the same workspace twice.
        WorkspaceError: one has no finished estimates, nothing can be compared, or the folder is something else.
        BundleError: a bundle is missing or damaged.
    """
    began = time.monotonic()
    opened = _open(roots)
    names = dict(zip(_names([each.root for each in opened]), opened, strict=True))
    workspace = _folder(output, opened)
    parts = [_read(name, each) for name, each in names.items()]
    with workspace.lock():
        found = across_estimates(parts, matched=_one_key(parts, opened))
        levels = [row for part in parts for row in _levels(part, found.left_out[part.name])]
        if not any(row.measure is Measure.DIFFERENCE for row in found.rows):
            raise WorkspaceError(f"nothing can be compared: {'; '.join(found.notes) or 'no comment is eligible'}")
        hashes = {f"{name} table {table.name}": each.digest(table) for name, each in names.items() for table in READ}
        workspace.write(ESTIMATES, as_table([*levels, *found.rows]), hashes)
        workspace.write(CHANGES, found.changes, hashes)
        _sign(workspace, names, _config(parts, changes or {}), hashes, found, time.monotonic() - began)
    for note in found.notes:
        say(f"  {note}")
    table = workspace.read(ESTIMATES)
    return Compared(
        workspace.root,
        output,
        {name: each.root for name, each in names.items()},
        table.filter(pl.col("contrast").is_not_null()),
        found.notes,
    )


def _open(roots: Sequence[Path]) -> list[Workspace]:
    if not 2 <= len(roots) <= MOST:
        raise UsageError(f"{len(roots)} workspaces: give from 2 to {MOST}")
    seen: dict[Path, Path] = {}
    for root in roots:
        if (real := root.resolve()) in seen:
            raise UsageError(f"{root}: is the same workspace as {seen[real]}; give each once")
        seen[real] = root
    opened = [open_workspace(root) for root in roots]
    for each in opened:
        done = each.receipt().stages.get("aggregate")
        if done is None or not each.parts(ESTIMATES):
            raise WorkspaceError(f"{each.root}: has no finished estimates; run: discourse aggregate {each.root}")
        for table in (ESTIMATES, COMMENTS, FRAMES):
            made = done.outputs.get(table.name) or done.inputs.get(f"table {table.name}")
            if made != each.digest(table):
                raise WorkspaceError(
                    f"{each.root}: {table.name} changed since the estimates were made; run: discourse aggregate "
                    f"{each.root}"
                )
    return opened


def _names(roots: Sequence[Path]) -> list[str]:
    """Return the folders' names, with their parents' in front where two are called alike."""
    names = [root.resolve().name for root in roots]
    if len(set(names)) < len(names):
        names = [f"{root.resolve().parent.name}.{root.resolve().name}" for root in roots]
    return [name if name not in names[:i] else f"{name}.{i + 1}" for i, name in enumerate(names)]


def _folder(output: Path, opened: Sequence[Workspace]) -> Workspace:
    if output.is_dir():
        raise UsageError(f"{output}: is a folder; name a file with -o, such as {output / 'compare.html'}")
    root = output.with_suffix(".compare")
    if root.resolve() in {each.root.resolve() for each in opened}:
        raise UsageError(f"{root}: is one of the workspaces compared; choose another file with -o")
    workspace = create_workspace(root)
    if workspace.receipt().stages.keys() - {STAGE}:
        raise WorkspaceError(f"{root}: is a workspace of another kind; choose another file with -o")
    return workspace


def _read(name: str, workspace: Workspace) -> Part:
    say(f"{name}: reading {workspace.root}")
    return read_part(name, workspace)


def _one_key(parts: Sequence[Part], opened: Sequence[Workspace]) -> bool:
    """Say whether all workspaces turned names into pseudonyms by the same key; none is made by asking."""
    keys: set[bytes | None] = set()
    for part, workspace in zip(parts, opened, strict=True):
        path = part.config.normalize.author_key or workspace.root / "author.key"
        keys.add(path.read_bytes().strip() if path.is_file() else None)
    return len(keys) == 1 and None not in keys


def _levels(part: Part, left_out: Sequence[str]) -> list[Estimate]:
    """Return the main rows of a workspace under units that carry its name."""
    alone = pl.col("contrast").is_null() & pl.col("group_by").is_null()
    main = (pl.col("variant") == "main") & (pl.col("population") == "collected")
    unwanted = pl.any_horizontal(pl.lit(value=False), *(pl.col("level").str.starts_with(start) for start in left_out))
    chosen = part.estimates.filter(alone & main & ~unwanted).with_columns(unit=pl.lit(f"{part.name}/") + pl.col("unit"))
    rows = chosen.select([field.name for field in fields(Estimate)]).iter_rows(named=True)
    return [_estimate(dict(row)) for row in rows]


def _estimate(row: dict[str, Any]) -> Estimate:
    row["measure"] = Measure(row["measure"])
    row["mark"] = None if row["mark"] is None else Mark(row["mark"])
    return Estimate(**row)


def _config(parts: Sequence[Part], changes: Mapping[str, object]) -> Config:
    """Return the first workspace's configuration, that quotes no more than any of them allows, and then `changes`."""
    quotes = min((part.config.report.quotes for part in parts), key=QUOTES.index)
    return override(override(parts[0].config, {"report.quotes": quotes}), changes)


def _sign(
    workspace: Workspace,
    names: Mapping[str, Workspace],
    config: Config,
    hashes: Mapping[str, str],
    found: Across,
    seconds: float,
) -> None:
    whole = {
        f"workspace {name}": hashlib.sha256("".join(hashes[f"{name} table {table.name}"] for table in READ).encode())
        for name in names
    }
    record = StageRecord(
        inputs=dict(hashes),
        outputs={table.name: workspace.digest(table) for table in (ESTIMATES, CHANGES)},
        counts={"differences": sum(row.measure is Measure.DIFFERENCE for row in found.rows)},
        notes=list(found.notes),
        seconds=round(seconds, 3),
        finished_at=now(),
    )
    workspace.save_receipt(
        Receipt(
            versions=library_versions(),
            config=config.model_dump(mode="json"),
            sources={name: digest.hexdigest() for name, digest in whole.items()},
            bundles={key: value for each in names.values() for key, value in each.receipt().bundles.items()},
            stages={STAGE: record},
        )
    )


def same_threads(compared: Compared) -> pl.DataFrame:
    """Return the counts of what is new, disappeared, edited and kept in threads that several workspaces hold."""
    rows = compared.differences
    return rows.filter((pl.col("family") == SAME_THREAD) & (pl.col("level").str.starts_with("comments:")))
