"""What only all comments together show, gathered batch by batch: keys and counts, no text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from discourse.normalize.identity import given_ids, id_keys, native_keys, repeated_keys
from discourse.normalize.language import Counts, clear_comments
from discourse.normalize.roles import bot_texts, text_threads

_NO_KEYS = pl.Series("key", [], dtype=pl.UInt64)

# The columns that a comment's id depends on.
NAMED_BY = ["thread_id", "platform", "native_id", "native_parent", "text", "quotes"]


@dataclass(frozen=True, slots=True)
class Whole:
    """What the comments of one batch need to know of all others.

    Attributes:
        shared: keys of native ids that stand in several threads, see `identity.native_keys`.
        met: keys of given ids that stand more than once, see `identity.comment_ids`.
        bots: keys of texts that a machine writes, see `roles.bot_texts`.
        languages: clear comments of each candidate language, see `language.clear_comments`.
    """

    shared: pl.Series
    met: pl.Series
    bots: pl.Series
    languages: Counts


@dataclass(slots=True)
class Gathering:
    """Keys and counts of the batches seen so far."""

    languages: Counts
    _natives: list[pl.Series] = field(default_factory=list[pl.Series])
    _ids: list[pl.Series] = field(default_factory=list[pl.Series])
    _texts: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])
    _threads: int = 0

    def add(self, comments: pl.DataFrame) -> None:
        """Take in a batch of clean comments, with the columns of `language.read_letters`."""
        self.languages = self.languages + clear_comments(comments)
        self._natives.append(native_keys(comments).drop_nulls())
        self._ids.append(id_keys(given_ids(comments, _NO_KEYS)))
        self._texts.append(text_threads(comments))
        self._threads += comments["thread_id"].n_unique()

    def finish(self, again: Iterable[pl.DataFrame]) -> Whole:
        """Say what all batches together show.

        Args:
            again: the columns NAMED_BY of all batches; read only where threads share native ids.
        """
        shared = repeated_keys(self._natives)
        if len(shared):
            self._ids = [id_keys(given_ids(comments, shared)) for comments in again]
        return Whole(shared, repeated_keys(self._ids), bot_texts(pl.concat(self._texts), self._threads), self.languages)


def gather(languages: int) -> Gathering:
    """Begin to gather, with so many candidate languages."""
    return Gathering(np.zeros(languages, dtype=np.int64))
