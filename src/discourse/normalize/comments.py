"""From the records of whole threads to comments: cleaned first, then described by what the whole table shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from discourse.normalize.authors import pseudonyms
from discourse.normalize.identity import comment_ids, id_keys, platform_of, repeated_ids
from discourse.normalize.language import read_letters, weigh
from discourse.normalize.language_models import LanguageModels
from discourse.normalize.ledger import put_aside
from discourse.normalize.quotes import locate_quotes
from discourse.normalize.roles import roles
from discourse.normalize.text import clean_text
from discourse.normalize.thread import reply_tree
from discourse.normalize.whole import Whole
from discourse.tables import Reason, ReplyKind, Role, State


def sift(records: pl.DataFrame, models: LanguageModels) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Clean the texts, and part records into those that become comments and those put aside for quarantine.

    Args:
        records: rows of raw_comments, whole threads, in the order of files.
        models: of the candidate languages.

    Returns:
        Comments with the columns of `language.read_letters`, and rows of `ledger.put_aside`.
    """
    visible = pl.col("state") == State.VISIBLE.value
    cleaned = clean_text(
        records.select(pl.when(visible & pl.col("reason").is_null()).then("text")).to_series(), records["markup"]
    )
    records = records.with_columns(
        cleaned["text"].alias("clean"),
        cleaned["quotes"],
        cleaned["links"],
        *(_named(column) for column in ("native_id", "native_parent")),
    )
    empty = visible & pl.col("clean").is_null() & (pl.col("quotes").list.len() == 0)
    records = records.with_columns(
        pl.coalesce("reason", pl.when(empty).then(pl.lit(Reason.EMPTY.value))).alias("reason")
    )
    good, bad = records.filter(pl.col("reason").is_null()), records.filter(pl.col("reason").is_not_null())
    repeated = good.select(repeated_ids()).to_series()
    again = good.filter(repeated).with_columns(pl.lit(Reason.DUPLICATE_ID.value).alias("reason"))
    kept = good.filter(~repeated).drop("text", "excerpt", "reason").rename({"clean": "text"})
    letters = read_letters(kept["text"], models)
    return pl.concat([kept, letters], how="horizontal"), put_aside(pl.concat([bad, again]))


@dataclass(frozen=True, slots=True)
class Describer:
    """What every batch is described by.

    Attributes:
        threads: thread_id, thread_order, article_author (a pseudonym) and collected_at of all threads.
        codes: candidate languages.
        key: the workspace's secret.
        earlier: `key` of comment_ids, and first_seen of an earlier run.
        whole: what all batches together show.
    """

    threads: pl.DataFrame
    codes: Sequence[str]
    key: bytes
    earlier: pl.DataFrame
    whole: Whole

    def describe(self, kept: pl.DataFrame) -> pl.DataFrame:
        """Add what is known of each comment beside its text, in the order in which threads are read.

        Args:
            kept: comments of whole threads as of `sift`.

        Returns:
            The columns of the comments table but duplicate_of, and file, offset, thread_order and loop.
        """
        ids = comment_ids(kept, self.whole.shared, self.whole.met)
        tree = reply_tree(kept.with_columns(ids.alias("comment_id")))
        comments = (
            tree.with_columns(
                pseudonyms(tree["author"], tree.select(platform_of()).to_series(), self.key).alias("author"),
                pl.struct("file", "offset").alias("raw"),
            )
            .join(self.threads, on="thread_id", how="left")
            .sort("thread_order", "position")
        )
        comments = comments.with_columns(
            roles(comments, self.whole.bots).alias("role"), locate_quotes(comments).alias("quotes")
        )
        languages = weigh(comments["thread_id"], comments, self.whole.languages, self.codes)
        return self._dated(pl.concat([comments, languages], how="horizontal")).drop(
            "has_text", "likelihood", "clear", "script_language", "script_share", "collected_at", "article_author"
        )

    def _dated(self, comments: pl.DataFrame) -> pl.DataFrame:
        """Say when a comment was first and last seen: as its answers tell, else as this and an earlier run do."""
        return (
            comments.with_columns(id_keys(comments["comment_id"]))
            .join(self.earlier, on="key", how="left", maintain_order="left")
            .with_columns(
                # A clock that was set back between two runs makes neither end before the other.
                pl.coalesce("first_seen", pl.min_horizontal("earlier", "collected_at")).alias("first_seen"),
                pl.max_horizontal(pl.coalesce("last_seen", "collected_at"), "first_seen", "earlier").alias("last_seen"),
            )
            .drop("key", "earlier")
        )


def compared_texts(comments: pl.DataFrame) -> pl.Series:
    """Return the texts that are looked at for near-duplicates: not those of opening posts and bots."""
    compared = (pl.col("reply_kind") != ReplyKind.OPENING.value) & (pl.col("role") != Role.BOT.value)
    return comments.select(pl.when(compared).then("text").alias("text"))["text"]


def _named(column: str) -> pl.Expr:
    stripped = pl.col(column).str.strip_chars()
    return pl.when(stripped != "").then(stripped).alias(column)
