"""Draw comments for people to label, and write them as one offline sheet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from discourse.annotate.drawing import chances, draw
from discourse.annotate.names import public_names
from discourse.annotate.page import Item, SheetPage, Thread, write_page
from discourse.annotate.readings import Level, eligible_of
from discourse.codebook import load_codebook
from discourse.config import Config
from discourse.errors import InputError, UsageError
from discourse.tables import COMMENTS, LABELS, SAMPLES, THREADS, Design
from discourse.workspace import Workspace

DESIGNS = (Design.UNIFORM, Design.STRATIFIED, Design.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class SampleResult:
    """What was drawn: sheet, round, how many are eligible, were drawn, and are asked (had no label yet)."""

    sheet: Path
    round: int
    eligible: int
    drawn: int
    asked: int


def sample(workspace: Workspace, config: Config, level: Level, size: int, design: Design, output: Path) -> SampleResult:
    """Draw a Poisson sample of expected size `size`, independently of earlier rounds, and write it as a sheet.

    Every eligible comment's probability goes to the samples table, because its chance over all rounds needs them all;
    rank is null for those not drawn. The sheet asks only what has no label of this level yet.

    Args:
        workspace: with comments; with tags for the designs that favour some.
        config: codebook, bundles, filter and seed.
        level: what is labelled.
        size: expected number of comments.
        design: uniform, stratified or uncertain.
        output: the HTML file.

    Raises:
        UsageError: the size is below 1, or the design cannot be drawn.
        InputError: there is no eligible comment, or it has no tags that the design needs.
    """
    if size < 1:
        raise UsageError(f"--n {size}: ask for at least 1 comment")
    if design not in DESIGNS:
        raise UsageError(f'--design "{design.value}" cannot be drawn; use {", ".join(each.value for each in DESIGNS)}')
    eligible = eligible_of(workspace, config, level)
    if eligible.comments.is_empty():
        raise InputError(f"{workspace.root}: holds no eligible comment to label; see discourse status {workspace.root}")
    if design is not Design.UNIFORM and not eligible.is_read:
        raise InputError(
            f'{workspace.root}: has no tags of "{level.name}", which --design {design.value} needs; run discourse tag '
            f"{workspace.root}, or use --design uniform"
        )
    number = _next_round(workspace)
    rng = np.random.default_rng([config.seed, 6, number])
    chance = chances(design, eligible.score, eligible.tagged, size)
    order = draw(chance, rng)
    rank = np.full(len(chance), -1)
    rank[order] = np.arange(len(order))
    ids = eligible.comments["comment_id"]
    rows = pl.DataFrame({"comment_id": ids, "probability": chance, "rank": rank}).with_columns(
        pl.lit(number).alias("round"),
        pl.lit(level.kind).alias("kind"),
        pl.lit(level.name).alias("level"),
        pl.lit(design.value).alias("design"),
        pl.when(pl.col("rank") >= 0).then("rank").alias("rank"),
    )
    asked = _unlabelled(workspace, level, ids.gather(order))
    page = _page(workspace, config, level, number, asked)
    write_page(page, output)
    workspace.append(SAMPLES, rows)
    return SampleResult(output, number, len(chance), len(order), len(asked))


def _next_round(workspace: Workspace) -> int:
    """Return a round that no sample and no label has; 0 is for labels that came without a sample."""
    found = [workspace.scan(table).select(pl.col("round").max()).collect().item() for table in (SAMPLES, LABELS)]
    return 1 + max((int(each) for each in found if each is not None), default=0)


def _unlabelled(workspace: Workspace, level: Level, drawn: pl.Series) -> list[str]:
    labels = workspace.read(LABELS).filter(
        (pl.col("kind") == level.kind) & (pl.col("level") == level.name) & pl.col("value").is_not_null()
    )
    known = set(labels["comment_id"])
    return [each for each in drawn.to_list() if each not in known]


def _page(workspace: Workspace, config: Config, level: Level, number: int, asked: list[str]) -> SheetPage:
    columns = ("comment_id", "thread_id", "parent_id", "text", "author")
    comments = workspace.scan(COMMENTS).select(columns)
    rows = {row["comment_id"]: row for row in comments.filter(pl.col("comment_id").is_in(asked)).collect().to_dicts()}
    parents = [row["parent_id"] for row in rows.values() if row["parent_id"] is not None]
    above = dict(
        comments.filter(pl.col("comment_id").is_in(parents)).select("comment_id", "text").collect().iter_rows()
    )
    threads = {row["thread_id"]: row for row in workspace.read(THREADS).to_dicts()}
    shown = sorted({row["thread_id"] for row in rows.values()})
    place = {name: i for i, name in enumerate(shown)}
    articles = tuple(
        Thread(str(threads.get(name, {}).get("title") or ""), str(threads.get(name, {}).get("article") or ""))
        for name in shown
    )
    key = workspace.author_key(config.normalize.author_key)
    items = [
        Item(name, rows[each]["text"], place[rows[each]["thread_id"]], str(above.get(rows[each]["parent_id"]) or ""))
        for name, each in zip(public_names(key, asked), asked, strict=True)
    ]
    book = load_codebook(config.codebook.file)
    frame = book.frame(level.name) if level.kind == "frame" else None
    return SheetPage(number, level, frame, book.unit, book.tie_breaks, tuple(items), articles)
