"""Who read the comments: a bundle with its evidence, or the external coder, of whose errors nothing is known here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from discourse.config import Config
from discourse.models.bundle import HELDOUT_SCHEMA, Calibration, load_bundle
from discourse.models.judge.comments import JUDGED, read_languages, tag_coder


class Reads(Protocol):
    """What somebody reads."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The frames; of stance, its classes."""
        ...

    @property
    def languages(self) -> tuple[str, ...]:
        """ISO 639-1 codes."""
        ...


class TagReader(Protocol):
    """What the estimates need to know of who tagged; a `Bundle` has it."""

    @property
    def id(self) -> str:
        """How tags name it."""
        ...

    @property
    def manifest(self) -> Reads:
        """What it reads."""
        ...

    def calibration(self) -> dict[str, Calibration]:
        """How scores become tags, by level."""
        ...

    def metrics(self) -> dict[str, Any]:
        """Its measured quality."""
        ...

    def heldout(self) -> pl.DataFrame:
        """Its out-of-fold scores, in the columns of `HELDOUT_SCHEMA`."""
        ...

    def trained_on(self) -> frozenset[str]:
        """The `text_hash` of what it was trained on."""
        ...


@dataclass(frozen=True, slots=True)
class CoderReads:
    """The frames and languages of the external coder."""

    labels: tuple[str, ...]
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CodedReader:
    """The external coder where a bundle would be: without held-out answers, its tags alone give counts, no shares."""

    id: str
    manifest: CoderReads

    def calibration(self) -> dict[str, Calibration]:
        """Return nothing: its answers are no scores."""
        return {}

    def metrics(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def heldout(self) -> pl.DataFrame:
        """Return no rows."""
        return pl.DataFrame(schema=HELDOUT_SCHEMA)

    def trained_on(self) -> frozenset[str]:
        """Return nothing: nobody tells what it was trained on."""
        return frozenset()


def reader_of(config: Config, kind: str) -> TagReader:
    """Return who reads frames or stance in a configuration.

    Args:
        config: `tagger`, bundles and `[judge]`.
        kind: frames or stance.

    Raises:
        BundleError: the bundle is missing or damaged.
        UsageError: the external coder is asked for and no model is named.
    """
    if config.tagger == JUDGED:
        coder = tag_coder(config)
        names = tuple(frame.name for frame in coder.questions.frames)
        return CodedReader(coder.id, CoderReads(names if kind == "frames" else (), read_languages(config)))
    wanted = config.bundles.frames if kind == "frames" else config.bundles.stance
    return load_bundle(wanted, kind, config.tagging.precision)
