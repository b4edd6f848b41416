"""Who answers whom: replies beside the comments that they answer, and the replies that cannot be compared, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.aggregate.resampling import Counts
from discourse.tables import ReplyKind

UNKNOWN = -1
LEFT_OUT: dict[str, str] = {
    "self": "answer their own author",
    "parent_not_eligible": "answer a comment that is not eligible",
    "parent_not_collected": "answer a comment that was not collected",
    "parent_hidden": "hang where the platform hides what they answer",
    "not_read": "stand in threads that were not read by text alone",
}


@dataclass(frozen=True, slots=True)
class ReplyPairs:
    """Eligible replies (N) to eligible comments of other authors, by thread and in its order.

    reply, parent: int64 (N,), rows of the comments. thread, branch: int64 (N,), numbers from 0; a branch is a comment
    without a parent and all that hangs from it. depth: int64 (N,), from 1. reply_author, parent_author: int64 (N,),
    `UNKNOWN` where not known. threads: names by number. read: how many of the workspace's threads were read by text
    alone, of how many. left_out: replies that are not among the N, by reason.
    """

    reply: Counts
    parent: Counts
    thread: Counts
    branch: Counts
    depth: Counts
    reply_author: Counts
    parent_author: Counts
    threads: tuple[str, ...]
    read: tuple[int, int]
    left_out: dict[str, int]

    @property
    def n(self) -> int:
        """How many replies are compared."""
        return len(self.reply)

    def persons(self) -> tuple[Counts, Counts]:
        """Number who wrote the replies and the comments answered; whoever is unknown is another with each comment."""
        known = 1 + max(int(self.reply_author.max(initial=0)), int(self.parent_author.max(initial=0)))
        reply = np.where(self.reply_author == UNKNOWN, known + self.reply, self.reply_author)
        return reply, np.where(self.parent_author == UNKNOWN, known + self.parent, self.parent_author)

    def denominator(self) -> str:
        """Say how many replies are compared, of how many, and why the others are not."""
        total = self.n + sum(self.left_out.values())
        why = "; ".join(f"{number:,} {LEFT_OUT[reason]}" for reason, number in self.left_out.items() if number)
        said = f"{self.n:,} of {total:,} eligible replies" + (f" ({why})" if why else "")
        read, threads = self.read
        return said if read == threads else f"{said}, in {read:,} of {threads:,} threads, chosen whole by the seed"


def reply_pairs(marked: pl.DataFrame, read: pl.DataFrame) -> ReplyPairs:
    """Set each reply beside the comment that it answers.

    Args:
        marked: rows of the comments table with `excluded`, see `denominator.mark_excluded`.
        read: comment_id of the comments that were read by text alone.
    """
    rows = _linked(marked, read)
    reasons = rows.filter(pl.col("excluded").is_null() & pl.col("why").is_not_null()).group_by("why").len()
    counted = dict(reasons.iter_rows())
    threads = marked["thread_id"].unique(maintain_order=True)
    number = pl.DataFrame({"thread_id": threads, "thread": np.arange(len(threads))})
    pairs = (
        rows.filter(pl.col("excluded").is_null() & (pl.col("why") == "compared"))
        .join(number, on="thread_id", how="left")
        .sort("thread", "position", "row")
    )
    seen = rows.filter(pl.col("read") & pl.col("excluded").is_null())["thread_id"].n_unique()

    def column(name: str) -> Counts:
        return pairs[name].to_numpy().astype(np.int64)

    return ReplyPairs(
        column("row"),
        column("at"),
        column("thread"),
        column("branch"),
        column("depth"),
        column("author_number"),
        column("parent_author"),
        tuple(threads.to_list()),
        (seen, rows.filter(pl.col("excluded").is_null())["thread_id"].n_unique()),
        {reason: counted.get(reason, 0) for reason in LEFT_OUT},
    )


def _linked(marked: pl.DataFrame, read: pl.DataFrame) -> pl.DataFrame:
    """Add to each comment its row, its parent's row and author, its branch, and why it is compared or not."""
    columns = ("comment_id", "thread_id", "parent_id", "reply_kind", "depth", "position", "author", "excluded")
    rows = (
        marked.select(columns)
        .with_row_index("row")
        .with_columns(
            pl.col("row").cast(pl.Int64),
            # Comments whose author is not known have no number in common.
            author_number=pl.col("author").rank("dense").cast(pl.Int64).fill_null(UNKNOWN),
            read=pl.col("comment_id").is_in(read["comment_id"].unique().implode()),
        )
    )
    above = rows.select(
        parent_id="comment_id", at="row", parent_author="author_number", parent_excluded="excluded", parent_read="read"
    )
    rows = rows.join(above, on="parent_id", how="left", maintain_order="left")
    parent = rows["at"].fill_null(-1).to_numpy().astype(np.int64)
    kind = pl.col("reply_kind")
    own = (pl.col("author_number") == pl.col("parent_author")) & (pl.col("author_number") != UNKNOWN)
    return rows.with_columns(
        branch=pl.Series(roots(parent)),
        why=pl.when(kind == ReplyKind.FLATTENED.value)
        .then(pl.lit("parent_hidden"))
        .when(kind == ReplyKind.ORPHAN.value)
        .then(pl.lit("parent_not_collected"))
        .when(pl.col("at").is_null())
        .then(pl.lit(None, pl.String))
        .when(pl.col("parent_excluded").is_not_null())
        .then(pl.lit("parent_not_eligible"))
        .when(~(pl.col("read") & pl.col("parent_read")))
        .then(pl.lit("not_read"))
        .when(own)
        .then(pl.lit("self"))
        .otherwise(pl.lit("compared")),
    )


def roots(parent: Counts) -> Counts:
    """Return the row of the comment at the top of each comment's branch, by pointer doubling.

    Args:
        parent: int64 (rows,), the row of each comment's parent, -1 for none; without cycles.
    """
    jump = np.where(parent < 0, np.arange(len(parent)), parent)
    while not np.array_equal(jump, further := jump[jump]):
        jump = further
    return jump


def depth_band(depth: Counts) -> Counts:
    """Return the band of each depth: 1, 2–3, 4–7, 8–15 and so on, as 0, 1, 2, 3 …"""
    return np.floor(np.log2(np.maximum(depth, 1))).astype(np.int64)


def tag_matrix(comments: pl.DataFrame, tags: pl.DataFrame, levels: Sequence[str], level: str) -> NDArray[np.bool_]:
    """Return bool (comments, levels): whether each comment is tagged so.

    Args:
        comments: comment_id in the order of the rows wanted.
        tags: comment_id, the column `level`, and `tagged`, one row for each comment and level.
        levels: the columns of the result.
        level: name of the column that holds the level.
    """
    found = np.zeros((comments.height, len(levels)), dtype=np.bool_)
    at = comments.select("comment_id").with_row_index("row")
    place = pl.DataFrame(
        {level: list(levels), "column": range(len(levels))}, schema={level: pl.String, "column": pl.Int64}
    )
    yes = tags.filter("tagged").join(at, on="comment_id").join(place, on=level)
    found[yes["row"].to_numpy(), yes["column"].to_numpy()] = True
    return found
