"""What is done with each batch of whole threads, wherever it is done: pure functions of frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from discourse.normalize.comments import Describer, compared_texts, sift
from discourse.normalize.duplicates import fingerprints
from discourse.normalize.language_models import LanguageModels


@dataclass(frozen=True, slots=True)
class Sift:
    """Cleans records, see `comments.sift`; pickled, it is the candidate languages, whose models load on arrival."""

    models: LanguageModels

    def __call__(self, records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return comments and what is put aside; every record becomes a row of one of them."""
        kept, bad = sift(records, self.models)
        if len(records) != len(kept) + len(bad):
            raise RuntimeError(f"normalize: {len(records)} records, {len(kept)} comments, {len(bad)} in quarantine")
        return kept, bad

    def __reduce__(self) -> tuple[Callable[[Sequence[str]], Sift], tuple[list[str]]]:
        """Return how it is made again."""
        return load_sift, (self.models.codes,)


@dataclass(frozen=True, slots=True)
class Describe:
    """Describes clean comments, see `Describer.describe`."""

    describer: Describer

    def __call__(self, kept: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Return the comments, and the fingerprints of their texts for `Duplicates.take`."""
        comments = self.describer.describe(kept)
        return (comments, *fingerprints(compared_texts(comments), comments["created_at"]))


def load_sift(codes: Sequence[str]) -> Sift:
    """Make a sift for candidate languages, ISO 639-1 codes."""
    return Sift(LanguageModels(codes))
