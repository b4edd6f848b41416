"""Which comments the report shows, by fixed rules: examples of each tag, and the list."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from discourse.config import Config
from discourse.receipt import Receipt
from discourse.tables import Decision, Path, ReplyKind, Role, Stance, State

LISTED = 500


@dataclass(frozen=True, slots=True)
class Example:
    """A comment shown for a reason: `kind` names it in the catalogue; the span is its evidence."""

    kind: str
    comment_id: str
    span: tuple[int, int] | None


def asked(tags: pl.LazyFrame | pl.DataFrame, by: str, config: Config, receipt: Receipt) -> pl.DataFrame:
    """Keep one row for each comment and level: of the bundle and the path that the run asked for, else the commonest.

    Args:
        tags: rows of the frames or the stance table.
        by: the column of the level, `frame` or `target`.
        config: tells the path that was asked for.
        receipt: tells the bundles of the last run, where several tagged.
    """
    rows = tags.lazy()
    ways = rows.group_by("bundle", "path").len().collect()
    # Rows read for the reply tree stand beside the answers that the run asked for, and are never shown instead of them.
    ways = ways.filter(pl.col("path") != Path.TEXT_ONLY.value)
    current = ways.filter(pl.col("bundle").is_in([name for name in ways["bundle"].unique() if _current(name, receipt)]))
    current = current if current.height else ways.filter(pl.col("bundle") == _commonest(ways, "bundle"))
    wanted = Path.EXACT if config.tagging.exact else Path.CASCADE
    wanted = wanted if config.tagging.context else Path.NO_CONTEXT
    path = wanted.value if wanted.value in current["path"] else _commonest(current, "path")
    bundles = current.filter(pl.col("path") == path)["bundle"].unique()
    found = rows.filter((pl.col("path") == path) & pl.col("bundle").is_in(bundles.implode())).collect()
    # One bundle by one path has one row for each.
    return found if len(bundles) < 2 else found.unique(["comment_id", by], keep="first", maintain_order=True)


def quotable(outline: pl.DataFrame) -> pl.DataFrame:
    """Keep the comments that may serve as examples: visible, with text, by readers, and no copies of one another."""
    return outline.filter(
        pl.col("has_text")
        & (pl.col("state") == State.VISIBLE.value)
        & (pl.col("reply_kind") != ReplyKind.OPENING.value)
        & ~pl.col("role").is_in([Role.STAFF.value, Role.BOT.value])
        & pl.col("duplicate_of").is_null()
    )


def frame_examples(tags: pl.DataFrame, frame: str, outline: pl.DataFrame) -> list[Example]:
    """Choose up to two strongest, two typical and one borderline comment of a frame, each by another author.

    Args:
        tags: frames rows, one for each comment and frame.
        frame: its name.
        outline: the comments that may be quoted, without their texts.
    """
    here = (
        tags.filter((pl.col("frame") == frame) & pl.col("probability").is_not_null())
        .join(outline.select("comment_id", "author"), on="comment_id")
        .sort(pl.col("probability"), "comment_id", descending=[True, False])
    )
    yes = here.filter(pl.col("decision") == Decision.YES.value)
    yes = yes.filter(pl.col("author").is_null() | pl.col("author").is_first_distinct())
    strongest, others = yes.head(2), yes.slice(2)
    middle = pl.col("probability").median()
    typical = others.sort((pl.col("probability") - middle).abs(), "comment_id").head(2)
    chosen = pl.concat([strongest, typical])
    left = here.join(chosen, on="comment_id", how="anti")
    reached = pl.col("above_threshold")
    # The tables do not hold the threshold; it lies between the lowest that reached it and the highest that did not.
    edge = here.select((pl.col("probability").filter(reached).min() + pl.col("probability").filter(~reached).max()) / 2)
    threshold = edge.item()
    borderline = left.head(0)
    if threshold is not None:
        borderline = left.sort((pl.col("probability") - threshold).abs().round(9), ~reached, "comment_id").head(1)
    return [
        *_examples(strongest, "strongest"),
        *_examples(typical, "typical"),
        *_examples(borderline, "borderline"),
    ]


def stance_examples(tags: pl.DataFrame, target: str, outline: pl.DataFrame) -> list[Example]:
    """Choose the two clearest comments against and in favor of a target, each by another author."""
    here = tags.filter(pl.col("target") == target).join(outline.select("comment_id", "author"), on="comment_id")
    found: list[Example] = []
    for side in (Stance.AGAINST, Stance.FAVOR):
        clear = here.filter(pl.col("stance") == side.value)
        clear = clear.sort(f"p_{side.value}", "comment_id", descending=[True, False], nulls_last=True)
        clear = clear.filter(pl.col("author").is_null() | pl.col("author").is_first_distinct())
        found += _examples(clear.head(2), side.value)
    return found


def listed(outline: pl.DataFrame, quoted: list[str], tagged: pl.DataFrame) -> pl.DataFrame:
    """Choose at most 500 comments for the list: all quoted ones, then those tagged yes, then in thread order.

    Args:
        outline: every comment without its text, in the order of threads and positions.
        quoted: comment_ids that stand elsewhere in the report.
        tagged: comment_ids with a frame or a side, in one column.

    Returns:
        The chosen rows of `outline`, in its order.
    """
    rank = (
        pl.when(pl.col("comment_id").is_in(quoted))
        .then(0)
        .when(pl.col("comment_id").is_in(tagged["comment_id"].implode()))
        .then(1)
        .otherwise(2)
    )
    return (
        outline.with_row_index("order")
        .with_columns(rank.alias("rank"))
        .sort("rank", "order")
        .head(LISTED)
        .sort("order")
        .drop("rank", "order")
    )


def _examples(rows: pl.DataFrame, kind: str) -> list[Example]:
    columns = rows.select("comment_id", "evidence_start", "evidence_end").iter_rows()
    return [
        Example(kind, name, (start, end) if start is not None and end is not None else None)
        for name, start, end in columns
    ]


def _commonest(ways: pl.DataFrame, column: str) -> str:
    counted = ways.group_by(column).agg(pl.col("len").sum()).sort("len", column, descending=[True, False])
    return str(counted[column][0]) if counted.height else ""


def _current(bundle: str, receipt: Receipt) -> bool:
    name, _, digest = bundle.partition("+")[0].partition("@")
    said = [*receipt.bundles, *receipt.bundles.values()]
    return any(word in {bundle, name} or (digest and word.startswith(digest)) for word in said)
