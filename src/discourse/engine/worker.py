"""A worker of the cluster: an actor that loads its models once and then does shard after shard."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from discourse.errors import DiscourseError, InputError

SHARD = "shard"
FAILED = "failed"

Names = dict[str, NDArray[Any]]


class ShardWorker:
    """Does one work; what fails by the user's means is an answer, so that Ray does not try it again."""

    def __init__(self, work: bytes) -> None:
        """Load the work's models.

        Args:
            work: a pickled `Work`, made by the run that asks.
        """
        self._failure: DiscourseError | MemoryError | None = None
        try:
            self._work = pickle.loads(work)  # noqa: S301 - by our own run, over Ray, which pickles all that it carries
        except (DiscourseError, MemoryError) as e:
            self._failure = e

    def __call__(self, names: Names) -> Names:
        """Do the shards of these names, and say of each whether and how it failed."""
        failed = [_said(self._done(Path(str(name)))) for name in names[SHARD]]
        return {
            SHARD: names[SHARD],
            FAILED: np.array([kind for kind, _ in failed], dtype=object),
            "sentence": np.array([sentence for _, sentence in failed], dtype=object),
        }

    def _done(self, path: Path) -> DiscourseError | MemoryError | None:
        if self._failure is not None:
            return self._failure
        try:
            shard = pl.read_parquet(path)
        except OSError as e:
            return InputError(
                f"ray: a worker cannot read {path} ({e.strerror or e}); put the workspace where every machine of the "
                "cluster sees it under the same path"
            )
        try:
            self._work(shard, _uncounted)
        except (DiscourseError, MemoryError) as e:
            return e
        return None


def _said(failure: DiscourseError | MemoryError | None) -> tuple[str, str]:
    if isinstance(failure, MemoryError):
        return MemoryError.__name__, ""
    return ("", "") if failure is None else (type(failure).__name__, str(failure))


def _uncounted(done: int = 1) -> None:
    del done
