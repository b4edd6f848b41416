"""What a frames bundle reads of comments: text, title and parent, as far as it does, and the key of each input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from discourse.models.bundle import Bundle
from discourse.models.frame_inputs import PARENT_LETTERS, TITLE_LETTERS
from discourse.models.input_key import input_key
from discourse.tag.frame_work import PARTS
from discourse.tag.readable import in_languages, with_text


@dataclass(frozen=True, slots=True)
class Reading:
    """How comments are read: with which parts of their context, in which languages, by which bundle.

    Attributes:
        threads: `thread_id` and `title`.
        context: `title` and `parent`, as far as they are read.
        bundle: a frames bundle.
    """

    threads: pl.DataFrame
    context: Sequence[str]
    bundle: Bundle

    def readable(self, comments: pl.DataFrame) -> pl.DataFrame:
        """Return comment_id, `PARTS` and `read` (the bundle knows the language) of the comments with text."""
        found = in_context(comments, self.threads, self.context)
        return found.select("comment_id", *PARTS, in_languages(self.bundle.manifest.languages).alias("read"))

    def inputs(self, comments: pl.DataFrame) -> pl.DataFrame:
        """Return `PARTS` of the comments that are read."""
        return self.readable(comments).filter("read").select(PARTS)

    def keyed(self, inputs: pl.DataFrame) -> pl.DataFrame:
        """Add `input_key` to rows of `PARTS`: the key of what `FrameInput.as_read` leaves of each."""
        read = inputs.select(
            "text",
            pl.col("title").str.slice(0, TITLE_LETTERS) if "title" in self.context else pl.lit("").alias("title"),
            pl.col("parent").str.slice(0, PARENT_LETTERS) if "parent" in self.context else pl.lit("").alias("parent"),
        )
        bundle = self.bundle.id
        keys = [input_key(text, title, parent, bundle) for text, title, parent in read.iter_rows()]
        return inputs.with_columns(pl.Series("input_key", keys, dtype=pl.String))


def in_context(comments: pl.DataFrame, threads: pl.DataFrame, context: Sequence[str]) -> pl.DataFrame:
    """Return comment_id, language and `PARTS` of the comments with text; parts that are not read are empty.

    Args:
        comments: rows of the comments table; who answers whom stands among them.
        threads: `thread_id` and `title`.
        context: `title` and `parent`, as far as they are read.
    """
    readable = with_text(comments).drop("title", "parent", strict=False)
    if "parent" in context:
        texts = comments.select(parent_id="comment_id", parent="text")
        readable = readable.join(texts, on="parent_id", how="left", maintain_order="left")
    if "title" in context:
        titles = threads.select("thread_id", "title").unique("thread_id")
        readable = readable.join(titles, on="thread_id", how="left", maintain_order="left")
    parts = [
        (pl.col(name).fill_null("") if name in context else pl.lit("")).alias(name) for name in ("title", "parent")
    ]
    return readable.select("comment_id", "language", "text", *parts)
