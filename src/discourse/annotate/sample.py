"""Draw comments for people to label, and write them as one offline sheet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from discourse.annotate.drawn import draw_round
from discourse.annotate.names import public_names
from discourse.annotate.page import Item, SheetPage, Thread, write_page
from discourse.annotate.readings import Level
from discourse.codebook import load_codebook
from discourse.config import Config
from discourse.tables import COMMENTS, LABELS, SAMPLES, THREADS, Design, by_people
from discourse.workspace import Workspace


@dataclass(frozen=True, slots=True)
class SampleResult:
    """What was drawn: sheet, round, how many are eligible, were drawn, and are asked (had no label yet)."""

    sheet: Path
    round: int
    eligible: int
    drawn: int
    asked: int


def sample(workspace: Workspace, config: Config, level: Level, size: int, design: Design, output: Path) -> SampleResult:
    """Draw a round (see `drawn.draw_round`) and write it as a sheet, which asks only what people have not labelled yet.

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
    drawn = draw_round(workspace, config, [level], size, design)
    asked = _unlabelled(workspace, level, drawn.ids)
    page = _page(workspace, config, level, drawn.round, asked)
    write_page(page, output)
    workspace.append(SAMPLES, drawn.rows)
    return SampleResult(output, drawn.round, drawn.eligible, len(drawn.ids), len(asked))


def _unlabelled(workspace: Workspace, level: Level, drawn: pl.Series) -> list[str]:
    labels = workspace.read(LABELS).filter(
        by_people() & (pl.col("kind") == level.kind) & (pl.col("level") == level.name) & pl.col("value").is_not_null()
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
